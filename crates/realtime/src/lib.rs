//! [scheduler]: nanosecond_scheduler
//!
// The README's link, which is relative, means another place here: the first definition counts.
#![doc = include_str!("../README.md")]
// Allowed where the operating system is called, in `os`, and nowhere else.
#![deny(unsafe_code)]

mod balance;
mod config;
mod deadline;
mod desk;
mod error;
mod executor;
mod handle;
mod hooks;
mod inner;
mod job;
mod noted;
pub mod os;
mod outcome;
mod outstanding;
mod placement;
mod runtime;
mod stats;
mod stay;
mod stream;
mod token;
mod worker;

pub use config::SchedulerConfig;
pub use deadline::DeadlineError;
pub use error::{Error, Refused};
pub use executor::{JoinError, LocalExecutor, LocalHandle, LocalTask, Sleep, SpawnOptions};
pub use handle::TaskHandle;
pub use hooks::WorkerPanic;
pub use job::{IntoJob, IntoPeriodic, Job};
pub use runtime::{NanosecondScheduler, Shutdown};
pub use stats::{GuaranteeReport, LatencyStats, Totals, WorkerStats};
pub use stream::{GuaranteeStats, LatencyGuarantee, LatencyStreamExt, DEFAULT_CONCURRENCY};
pub use worker::OsOutcomes;

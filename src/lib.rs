//! [realtime]: https://docs.rs/nanosecond-realtime
//! [nets]: https://docs.rs/temporal-nets
//! [npm]: https://www.npmjs.com/package/nanosecond-scheduler
//! [architecture]: https://github.com/nanosecond-scheduler/nanosecond-scheduler/blob/main/ARCHITECTURE.md
//! [changelog]: https://github.com/nanosecond-scheduler/nanosecond-scheduler/blob/main/CHANGELOG.md
//! [mit]: https://opensource.org/license/mit
//! [apache]: https://www.apache.org/licenses/LICENSE-2.0
//!
// The README's links, which are relative, mean other places here: the first definition of a link counts.
#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs, unsafe_code)]

extern crate alloc;

mod accept;
mod admit;
mod attributes;
#[cfg(feature = "parallel")]
mod batch;
mod clock;
#[allow(unsafe_code)]
mod closure;
mod config;
mod context;
mod engine;
mod error;
mod evidence;
mod execute;
#[cfg(feature = "std")]
mod hash;
mod join;
mod metrics;
#[allow(unsafe_code)]
mod paged;
mod part;
mod policy;
mod queue;
mod reflection;
#[cfg(feature = "std")]
mod remote;
mod run;
mod scheduler;
#[allow(unsafe_code)]
mod send_task;
mod store;
pub mod strange_loop;
mod succession;
#[cfg(feature = "std")]
mod sync;
mod task;
mod tick;
mod time;
mod timed;
mod timing;
mod wait;
mod window;

pub use attributes::{DeadlineKind, OnFailure};
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use clock::MonotonicClock;
#[cfg(all(feature = "std", target_arch = "wasm32", target_os = "unknown"))]
pub use clock::PerformanceClock;
pub use clock::{Clock, ManualClock};
#[cfg(feature = "std")]
pub use clock::{ClockError, DefaultClock, TscClock};
pub use config::{Config, ConfigError, MetricsLevel, MissedTick, Wait};
pub use context::Context;
#[cfg(feature = "std")]
pub use engine::TaskPanic;
pub use error::{CancelError, ScheduleError, ScheduleErrorKind, TriggerError, WaitError};
pub use join::JoinHandle;
pub use metrics::{LatencyStats, Metrics};
pub use policy::Policy;
pub use reflection::RecordError;
#[cfg(feature = "std")]
pub use remote::{Remote, RemoteError, RemoteErrorKind, RemoteId};
pub use scheduler::Scheduler;
pub use send_task::{SendBody, SendTask};
pub use task::{Priority, Task, TaskId};
pub use tick::TickReport;
pub use time::TimePoint;
pub use timing::analysis;
#[cfg(feature = "std")]
pub use timing::monitor::{
    Alert, AlertMetric, JobRecord, JobStats, LatencyMonitor, MonitorConfig, MonitoringReport,
    Quantiles, TaskStats,
};
pub use timing::trace::{Trace, TraceEvent, TraceKind};
#[cfg(feature = "std")]
pub use timing::QuantileEstimator;
pub use timing::{
    Admission, AdmissionControl, DeadlineViolation, Emergency, MaxEstimator, Rejection, Share,
    UnknownCause, UnknownVerdict, WcetEstimator,
};
pub use wait::Waiter;
pub use window::{
    Blend, BlendError, Shape, Statistics, Window, WindowError, WindowSpec, WindowSummary,
};

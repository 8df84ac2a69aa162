//! Pinned, prioritised worker threads, each owning one core
//! [`Scheduler`](nanosecond_scheduler::Scheduler).

// Allowed where the operating system is called, in `os`, and nowhere else.
#![deny(unsafe_code)]

mod deadline;
mod executor;
pub mod os;
mod stream;

pub use deadline::DeadlineError;
pub use executor::{JoinError, LocalExecutor, LocalHandle, LocalTask, Sleep, SpawnOptions};
pub use stream::{GuaranteeStats, LatencyGuarantee, LatencyStreamExt, DEFAULT_CONCURRENCY};

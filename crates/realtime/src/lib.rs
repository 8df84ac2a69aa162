//! Pinned, prioritised worker threads, each owning one core
//! [`Scheduler`](nanosecond_scheduler::Scheduler).

mod deadline;
mod executor;
mod stream;

pub use deadline::DeadlineError;
pub use executor::{JoinError, LocalExecutor, LocalHandle, LocalTask, Sleep, SpawnOptions};
pub use stream::{GuaranteeStats, LatencyGuarantee, LatencyStreamExt, DEFAULT_CONCURRENCY};

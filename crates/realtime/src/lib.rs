//! Pinned, prioritised worker threads, each owning one core
//! [`Scheduler`](nanosecond_scheduler::Scheduler).

mod deadline;
pub mod os;

pub use deadline::DeadlineError;

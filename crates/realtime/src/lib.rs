//! Pinned, prioritised worker threads, each owning one core
//! [`Scheduler`](nanosecond_scheduler::Scheduler).

// Allowed where the operating system is called, in `os`, and nowhere else.
#![deny(unsafe_code)]

mod deadline;
pub mod os;

pub use deadline::DeadlineError;

//! What comes of a job with a deadline, for whoever awaits it.

use core::fmt;
use core::time::Duration;

use nanosecond_scheduler::ScheduleErrorKind;

/// Why a job with a deadline gave no value in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeadlineError<T> {
    /// It finished after its deadline, or was skipped since it could not finish before.
    Missed {
        /// By how much: finish − deadline, or the instant of skipping − deadline.
        late_by: Duration,
        /// What it returned, unless it was skipped.
        value: Option<T>,
    },
    /// It was not accepted.
    Rejected(ScheduleErrorKind),
    /// It was cancelled, or it panicked, before it gave a value.
    Cancelled,
    /// The runtime ended first.
    Shutdown,
}

impl<T> fmt::Display for DeadlineError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeadlineError::Missed { late_by, value: Some(_) } => {
                write!(f, "the job finished {late_by:?} after its deadline")
            }
            DeadlineError::Missed { late_by, value: None } => {
                write!(f, "the job was skipped {late_by:?} after its deadline")
            }
            DeadlineError::Rejected(reason) => write!(f, "the job was not accepted: {reason}"),
            DeadlineError::Cancelled => f.write_str("the job was cancelled"),
            DeadlineError::Shutdown => f.write_str("the runtime has shut down"),
        }
    }
}

impl<T: fmt::Debug> std::error::Error for DeadlineError<T> {}

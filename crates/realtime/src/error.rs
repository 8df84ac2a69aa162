//! What can go wrong: [`Error`], and [`Refused`] for a task that was not accepted.

use std::fmt;
use std::io;
use std::time::Duration;

use nanosecond_scheduler::{ConfigError, ScheduleErrorKind};

use crate::os::OsError;

/// Why the runtime did not do what it was asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A field of [`SchedulerConfig`](crate::SchedulerConfig) is out of its bounds.
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// The value given.
        value: u64,
        /// Its lower bound.
        least: u64,
        /// Its upper bound.
        most: u64,
    },
    /// The core refuses the configuration.
    Config(ConfigError),
    /// The operating system denied something, and [`require`](crate::SchedulerConfig::require) is set.
    Os {
        /// The worker's number; `None` for what concerns the process.
        worker: Option<usize>,
        /// What the system said.
        error: OsError,
    },
    /// A thread could not be started.
    Spawn {
        /// The worker's number.
        worker: usize,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// Each worker that was asked holds as many tasks as it may.
    Full {
        /// The bound: [`capacity`](crate::SchedulerConfig::capacity).
        capacity: usize,
    },
    /// No worker would accept the task, or it was not accepted in the end.
    Rejected(ScheduleErrorKind),
    /// A task of the runtime cannot name others to run after: their ids mean something on one worker
    /// only.
    Predecessors,
    /// [`schedule_periodic`](crate::NanosecondScheduler::schedule_periodic) was given a one-shot.
    NotPeriodic,
    /// There is no such worker.
    NoSuchWorker {
        /// The number given.
        worker: usize,
        /// How many there are; the first has the number 0.
        workers: usize,
    },
    /// The task has started or ended, or was cancelled before.
    NotPending,
    /// The task was cancelled.
    Cancelled,
    /// The task panicked.
    Panicked,
    /// The task was skipped, since it could not finish before its deadline.
    Skipped {
        /// How long after the deadline that was.
        late_by: Duration,
    },
    /// The runtime has shut down.
    Shutdown,
    /// A worker would wait for itself.
    OnWorker {
        /// The number of the worker that runs the caller.
        worker: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::OutOfRange { field, value, least, most } => {
                write!(f, "SchedulerConfig::{field} is {value}; it must be from {least} to {most}")
            }
            Error::Config(error) => error.fmt(f),
            Error::Os { worker: Some(worker), error } => write!(f, "worker {worker}: {error}"),
            Error::Os { worker: None, error } => error.fmt(f),
            Error::Spawn { worker, kind } => {
                write!(f, "the thread of worker {worker} could not be started: {kind}")
            }
            Error::Full { capacity } => {
                write!(f, "{capacity} tasks are pending, which is SchedulerConfig::capacity")
            }
            Error::Rejected(kind) => write!(f, "the task was not accepted: {kind}"),
            Error::Predecessors => {
                f.write_str("a task of the runtime cannot name others to run after")
            }
            Error::NotPeriodic => f.write_str("the task is a one-shot, which has no period"),
            Error::NoSuchWorker { worker, workers } => {
                write!(f, "there is no worker {worker}; there are {workers}, from 0 on")
            }
            Error::NotPending => f.write_str("the task has started or ended, or was cancelled"),
            Error::Cancelled => f.write_str("the task was cancelled"),
            Error::Panicked => f.write_str("the task panicked"),
            Error::Skipped { late_by } => {
                write!(f, "the task was skipped {late_by:?} after its deadline")
            }
            Error::Shutdown => f.write_str("the runtime has shut down"),
            Error::OnWorker { worker } => {
                write!(f, "called from worker {worker}, which would wait for itself")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Error::Config(error)
    }
}

/// A task that was not accepted, and why. The task is as it was; it can be tried again.
pub struct Refused<J>(Box<(Error, J)>);

impl<J> Refused<J> {
    #[cold]
    pub(crate) fn new(reason: Error, task: J) -> Self {
        Refused(Box::new((reason, task)))
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Error {
        &self.0 .0
    }

    /// The task.
    #[must_use]
    pub fn into_task(self) -> J {
        self.0 .1
    }
}

impl<J> fmt::Debug for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", self.reason()).finish_non_exhaustive()
    }
}

impl<J> fmt::Display for Refused<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason().fmt(f)
    }
}

impl<J> std::error::Error for Refused<J> {}

impl<J> From<Refused<J>> for Error {
    fn from(refused: Refused<J>) -> Self {
        refused.0 .0
    }
}

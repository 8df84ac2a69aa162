//! One error type per operation; each says what was refused and what its bound is.

use alloc::boxed::Box;
use core::fmt;

use crate::task::{Task, TaskId};
use crate::timing::Rejection;

/// Why a task was not scheduled. It holds the task: [`into_task`](Self::into_task) gives it back.
#[derive(Debug)]
pub struct ScheduleError(Box<(ScheduleErrorKind, Task)>);

/// The reason inside a [`ScheduleError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScheduleErrorKind {
    /// As many tasks are pending as [`Config::capacity`](crate::Config::capacity) allows.
    Full {
        /// The configured capacity.
        capacity: usize,
    },
    /// The release does not fit a [`TimePoint`](crate::TimePoint).
    TimeOverflow,
    /// A periodic task needs a period of at least 1 ns.
    ZeroPeriod,
    /// A repeating task needs a relative deadline.
    AbsoluteDeadline,
    /// [`Task::after`] names an id that this scheduler never gave out.
    UnknownPredecessor {
        /// The id.
        id: TaskId,
    },
    /// Only critical tasks are accepted after an [`Emergency::SafeMode`](crate::Emergency::SafeMode).
    SafeMode,
    /// Admission control refuses the task.
    Rejected(Rejection),
}

impl ScheduleError {
    #[cold]
    pub(crate) fn new(kind: ScheduleErrorKind, task: Task) -> Self {
        ScheduleError(Box::new((kind, task)))
    }

    /// The reason.
    #[must_use]
    pub fn kind(&self) -> ScheduleErrorKind {
        self.0 .0
    }

    /// The task, unchanged.
    pub fn into_task(self) -> Task {
        self.0 .1
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl core::error::Error for ScheduleError {}

impl fmt::Display for ScheduleErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScheduleErrorKind::Full { capacity } => {
                write!(f, "{capacity} tasks are pending, which is Config::capacity")
            }
            ScheduleErrorKind::TimeOverflow => f.write_str(
                "the release lies beyond the last instant of the clock (2^64 - 1 ns, 584 years)",
            ),
            ScheduleErrorKind::ZeroPeriod => {
                f.write_str("the period of a periodic task is 0 ns; it must be at least 1 ns")
            }
            ScheduleErrorKind::AbsoluteDeadline => f.write_str(
                "a repeating task has an absolute deadline; it needs one relative to each release",
            ),
            ScheduleErrorKind::UnknownPredecessor { id } => {
                write!(f, "the task is to run after {id:?}, an id that was never given out")
            }
            ScheduleErrorKind::SafeMode => f.write_str(
                "the scheduler is in safe mode after a hard deadline's miss: only critical tasks \
                 are accepted",
            ),
            ScheduleErrorKind::Rejected(rejection) => rejection.fmt(f),
        }
    }
}

impl core::error::Error for ScheduleErrorKind {}

/// The task is not pending: it has run or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CancelError;

impl fmt::Display for CancelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is not pending: it has run or was cancelled")
    }
}

impl core::error::Error for CancelError {}

/// Why a task was not triggered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TriggerError {
    /// The task was cancelled.
    NotPending,
    /// The task is not a [`Task::sporadic`].
    NotSporadic,
    /// The earliest instant allowed by the task's gap does not fit a
    /// [`TimePoint`](crate::TimePoint).
    TimeOverflow,
}

impl fmt::Display for TriggerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TriggerError::NotPending => "the task is not pending: it was cancelled",
            TriggerError::NotSporadic => "only a sporadic task can be triggered",
            TriggerError::TimeOverflow => {
                "the task's gap ends beyond the last instant of the clock (2^64 - 1 ns)"
            }
        })
    }
}

impl core::error::Error for TriggerError {}

/// Why a result did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitError {
    /// The task was cancelled, or its scheduler dropped or cleared.
    Cancelled,
    /// The task panicked.
    Panicked,
    /// The result was taken before.
    Taken,
    /// The scheduler stopped, or has nothing left to run: it would wait for ever.
    Stopped,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitError::Cancelled => "the task was cancelled before it ran",
            WaitError::Panicked => "the task panicked",
            WaitError::Taken => "the result was taken before",
            WaitError::Stopped => "the scheduler stopped, or has nothing left to run",
        })
    }
}

impl core::error::Error for WaitError {}

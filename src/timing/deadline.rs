//! What happens when a deadline is missed: [`DeadlineViolation`], [`Emergency`].

use core::fmt;

use crate::attributes::DeadlineKind;
use crate::task::TaskId;
use crate::time::TimePoint;

/// A deadline that was missed, as told to
/// [`Scheduler::on_deadline_miss`](crate::Scheduler::on_deadline_miss).
///
/// A job is reported once: as soon as a tick, which looks before each job, finds it released and late,
/// though others go before it; else when it has finished late. Without the feature `realtime` one that
/// waits is reported when its turn comes. One that panics is reported as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DeadlineViolation {
    /// A soft or a firm deadline was missed.
    SoftMiss {
        /// The task; it has ended if it was a one-shot.
        task: TaskId,
        /// The absolute deadline.
        expected: TimePoint,
        /// When the job finished, or when it was seen to be late.
        actual: TimePoint,
    },
    /// A hard deadline was missed; [`Config::emergency`](crate::Config::emergency) follows.
    HardMiss {
        /// The task; it has ended if it was a one-shot.
        task: TaskId,
        /// The absolute deadline.
        expected: TimePoint,
        /// When the job finished, or when it was seen to be late.
        actual: TimePoint,
    },
}

impl DeadlineViolation {
    pub(crate) fn new(kind: DeadlineKind, task: TaskId, expected: u64, actual: u64) -> Self {
        let (expected, actual) = (TimePoint::from_nanos(expected), TimePoint::from_nanos(actual));
        match kind {
            DeadlineKind::Soft | DeadlineKind::Firm => {
                DeadlineViolation::SoftMiss { task, expected, actual }
            }
            DeadlineKind::Hard => DeadlineViolation::HardMiss { task, expected, actual },
        }
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> TaskId {
        match *self {
            DeadlineViolation::SoftMiss { task, .. } | DeadlineViolation::HardMiss { task, .. } => {
                task
            }
        }
    }

    /// The absolute deadline.
    #[must_use]
    pub fn expected(&self) -> TimePoint {
        match *self {
            DeadlineViolation::SoftMiss { expected, .. }
            | DeadlineViolation::HardMiss { expected, .. } => expected,
        }
    }

    /// When the job finished, or when it was seen to be late.
    #[must_use]
    pub fn actual(&self) -> TimePoint {
        match *self {
            DeadlineViolation::SoftMiss { actual, .. }
            | DeadlineViolation::HardMiss { actual, .. } => actual,
        }
    }
}

impl fmt::Display for DeadlineViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            DeadlineViolation::SoftMiss { .. } => "soft or firm",
            DeadlineViolation::HardMiss { .. } => "hard",
        };
        let (task, expected) = (self.task().to_bits(), self.expected());
        let late = self.actual().duration_since(expected);
        write!(f, "task {task} missed its {kind} deadline of {expected} by {late:?}")
    }
}

/// What follows a hard deadline's miss, after
/// [`on_deadline_miss`](crate::Scheduler::on_deadline_miss) has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Emergency {
    /// Nothing more: the callback decides. A job that has not started yet runs.
    #[default]
    Callback,
    /// A job that has not started yet is skipped, as with a firm deadline.
    SkipTask,
    /// Only [`Critical`](crate::Priority::Critical) tasks are kept: the others are cancelled, and
    /// refused until [`leave_safe_mode`](crate::Scheduler::leave_safe_mode). O(pending tasks).
    SafeMode,
    /// The tick ends, and the innermost `run*` method returns after it. A job that has not started yet
    /// is skipped; everything else stays pending.
    Stop,
}

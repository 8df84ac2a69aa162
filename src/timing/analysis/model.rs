//! What the tests know of a task, and what they answer.

use core::fmt;

/// A task as the tests see it: WCET C, period T and relative deadline D, in one unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskModel {
    wcet: u64,
    period: u64,
    deadline: u64,
}

/// Why there is no such task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelError {
    /// The WCET is 0; it must be at least 1.
    ZeroWcet,
    /// The period is 0; it must be at least 1.
    ZeroPeriod,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelError::ZeroWcet => "the WCET is 0; it must be at least 1",
            ModelError::ZeroPeriod => "the period is 0; it must be at least 1",
        })
    }
}

impl core::error::Error for ModelError {}

impl TaskModel {
    /// The period of a task with a single job, and the deadline of one that may take for ever.
    pub const NEVER: u64 = u64::MAX;

    /// A task whose jobs come at least `period` apart, take at most `wcet`, and are to be finished
    /// `deadline` after their release, which may be more than the period.
    ///
    /// # Errors
    ///
    /// [`ModelError`] if WCET or period are 0.
    pub const fn new(wcet: u64, period: u64, deadline: u64) -> Result<Self, ModelError> {
        match (wcet, period) {
            (0, _) => Err(ModelError::ZeroWcet),
            (_, 0) => Err(ModelError::ZeroPeriod),
            _ => Ok(TaskModel { wcet, period, deadline }),
        }
    }

    /// The worst-case execution time C of a job.
    #[must_use]
    pub const fn wcet(&self) -> u64 {
        self.wcet
    }

    /// The least distance T between releases; [`NEVER`](Self::NEVER) if there is one job only.
    #[must_use]
    pub const fn period(&self) -> u64 {
        self.period
    }

    /// The relative deadline D; [`NEVER`](Self::NEVER) if there is none.
    #[must_use]
    pub const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Whether there is more than one job.
    pub(crate) fn repeats(&self) -> bool {
        self.period != Self::NEVER
    }

    /// The work released in `[0, length)`, at most.
    #[inline]
    pub(crate) fn released_before(&self, length: u64) -> u128 {
        self.work_of(length.div_ceil(self.period))
    }

    /// The work released in `[0, instant]`, at most.
    #[inline]
    pub(crate) fn released_by(&self, instant: u64) -> u128 {
        (u128::from(instant / self.period) + 1).saturating_mul(u128::from(self.wcet))
    }

    /// The work both released and due in `[0, instant]`, at most.
    #[inline]
    pub(crate) fn due_by(&self, instant: u64) -> u128 {
        match instant.checked_sub(self.deadline) {
            Some(later) => self.released_by(later),
            None => 0,
        }
    }

    #[inline]
    fn work_of(&self, jobs: u64) -> u128 {
        u128::from(jobs) * u128::from(self.wcet)
    }
}

/// The longest time from a job's release to its finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// It is this, and it happens.
    Bounded(u64),
    /// There is no bound.
    Unbounded,
    /// The work allowed did not suffice, or a number does not fit.
    Unknown,
}

impl Response {
    /// Whether a relative deadline is kept; `None` if that is not known. [`TaskModel::NEVER`] is.
    #[must_use]
    pub const fn meets(self, deadline: u64) -> Option<bool> {
        match self {
            _ if deadline == TaskModel::NEVER => Some(true),
            Response::Bounded(response) => Some(response <= deadline),
            Response::Unbounded => Some(false),
            Response::Unknown => None,
        }
    }
}

/// Whether a set of tasks keeps all its deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Always.
    Schedulable,
    /// The utilization ΣC/T is above 1.
    Overloaded,
    /// Not if the jobs come as badly as they may.
    Exceeded {
        /// In an interval of this length
        interval: u64,
        /// this much more work is to be done than fits.
        by: u64,
    },
    /// The work allowed did not suffice, or a number does not fit.
    Unknown,
}

impl Verdict {
    /// Whether all deadlines are kept; `None` if that is not known.
    #[must_use]
    pub const fn is_schedulable(self) -> Option<bool> {
        match self {
            Verdict::Schedulable => Some(true),
            Verdict::Overloaded | Verdict::Exceeded { .. } => Some(false),
            Verdict::Unknown => None,
        }
    }
}

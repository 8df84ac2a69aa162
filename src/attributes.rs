//! What only some tasks have: kept beside the store, so that the others do not pay for it.

use crate::config::MissedTick;
use crate::time::TimePoint;

/// How jobs of a repeating task follow each other, in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    #[default]
    Never,
    Every(u64),
    /// Released by `trigger`, at least this far apart.
    Triggered(u64),
}

impl Repeat {
    /// The least distance between releases, where there is more than one.
    pub(crate) fn period(self) -> Option<u64> {
        match self {
            Repeat::Never => None,
            Repeat::Every(period) | Repeat::Triggered(period) => Some(period),
        }
    }
}

/// What a deadline is worth, and so what happens when it is missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DeadlineKind {
    /// A late result is worth less: the job runs, the miss is counted and reported.
    #[default]
    Soft,
    /// A late result is worth nothing: a job that is late before it starts is skipped and counted.
    Firm,
    /// A late result is a failure: [`Config::emergency`](crate::Config::emergency) follows.
    Hard,
}

/// A deadline as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    kind: DeadlineKind,
    pub(crate) due: Due,
}

impl Deadline {
    pub(crate) fn new(kind: DeadlineKind, due: Due) -> Self {
        Deadline { kind, due }
    }

    /// Without the feature `realtime` there are only soft ones.
    pub(crate) fn kind(self) -> DeadlineKind {
        if cfg!(feature = "realtime") {
            self.kind
        } else {
            DeadlineKind::Soft
        }
    }
}

/// When a job is to be finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// So many ns after its release.
    In(u64),
    #[cfg_attr(not(feature = "realtime"), allow(dead_code, reason = "nobody can ask for one"))]
    At(TimePoint),
}

impl Due {
    /// The absolute deadline of a job, in ns.
    pub(crate) fn absolute(self, release: u64) -> u64 {
        match self {
            Due::In(relative) => release.saturating_add(relative),
            Due::At(instant) => instant.as_nanos(),
        }
    }

    /// The relative deadline of a job, in ns.
    pub(crate) fn relative(self, release: u64) -> u64 {
        match self {
            Due::In(relative) => relative,
            Due::At(instant) => instant.as_nanos().saturating_sub(release),
        }
    }
}

/// What becomes of a task when one that it was to run [after](crate::Task::after) is cancelled,
/// skipped or panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OnFailure {
    /// It is cancelled, too, and those after it by the same rule.
    #[default]
    Cancel,
    /// It runs all the same, as if the other had finished.
    Run,
}

/// What a task was given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) name: Option<&'static str>,
    pub(crate) repeat: Repeat,
    pub(crate) missed_tick: Option<MissedTick>,
    pub(crate) deadline: Option<Deadline>,
    /// Declared worst-case execution time in ns.
    pub(crate) wcet: Option<u64>,
    pub(crate) on_failure: OnFailure,
}

impl Attributes {
    /// Without the feature `realtime` there is none.
    #[inline]
    pub(crate) fn wcet(&self) -> Option<u64> {
        self.wcet.filter(|_| cfg!(feature = "realtime"))
    }

    /// The relative deadline of a job in ns; that of a repeating task without one is its period.
    pub(crate) fn relative_deadline(&self, release: u64) -> Option<u64> {
        self.deadline.map(|deadline| deadline.due.relative(release)).or(self.repeat.period())
    }
}

/// What has become of a task with attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// The number of a task that came through a `Remote`.
    #[cfg(feature = "std")]
    pub(crate) remote: Option<u64>,
    /// Release of the latest job that was queued, or of the next while it
    /// [waits for](Self::waits_for) others; not known of a task that has got attributes since.
    pub(crate) last_release: Option<u64>,
    /// Whether that job was reported to be late before its turn.
    pub(crate) is_told: bool,
    /// Dispatch latency of the latest job, where it is measured.
    pub(crate) last_latency: Option<u64>,
    /// Jobs that ran longer than the declared WCET.
    pub(crate) overruns: u64,
    /// The estimator that measures the task.
    pub(crate) estimator: Option<u32>,
    /// Predecessors that have not finished yet.
    pub(crate) waits_for: u32,
    /// Whether other tasks wait for this one's next job.
    pub(crate) has_dependents: bool,
    pub(crate) is_admitted: bool,
}

impl Progress {
    /// Without the feature `realtime` there is none.
    #[inline]
    pub(crate) fn estimator(&self) -> Option<u32> {
        self.estimator.filter(|_| cfg!(feature = "realtime"))
    }
}

/// All that is kept beside the store for one task.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details {
    pub(crate) attributes: Attributes,
    pub(crate) progress: Progress,
}

impl Details {
    /// Whether a job's finish is to be read, and newly released tasks are to join before each job.
    pub(crate) fn is_timed(&self) -> bool {
        let Details { attributes, progress } = self;
        attributes.deadline.is_some()
            || attributes.wcet().is_some()
            || progress.estimator().is_some()
    }
}

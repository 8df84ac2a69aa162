//! Those that are told what happens, as far as the configuration asks for them: trace, monitor and
//! audit.

use crate::config::{Config, ConfigError};
use crate::engine::Job;
use crate::part::Part;
use crate::task::TaskId;
use crate::time::TimePoint;

use super::audit::Audit;
#[cfg(feature = "std")]
use super::monitor::{JobRecord, LatencyMonitor};
use super::trace::{Trace, TraceEvent, TraceKind};

/// A job's times, in ns.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "std"), allow(dead_code, reason = "there is no monitor to tell"))]
pub(crate) struct Times {
    pub(crate) job: Job,
    pub(crate) repeats: bool,
    pub(crate) release: u64,
    pub(crate) start: u64,
    pub(crate) finish: u64,
    pub(crate) deadline: Option<u64>,
}

#[cfg(feature = "std")]
impl Times {
    fn record(&self) -> JobRecord {
        JobRecord {
            task: self.job.id,
            name: self.job.name,
            repeats: self.repeats,
            release: TimePoint::from_nanos(self.release),
            start: TimePoint::from_nanos(self.start),
            finish: TimePoint::from_nanos(self.finish),
            deadline: self.deadline.map(TimePoint::from_nanos),
        }
    }
}

#[derive(Default)]
pub(crate) struct Observers {
    pub(crate) trace: Part<Trace>,
    #[cfg(feature = "std")]
    pub(crate) monitor: Option<Box<LatencyMonitor>>,
    pub(crate) audit: Part<Audit>,
}

impl Observers {
    /// The observers that a configuration asks for, from `_now` on.
    pub(crate) fn new(config: &Config, _now: u64) -> Result<Self, ConfigError> {
        Ok(Observers {
            trace: match config.trace_capacity {
                0 => Part::NONE,
                capacity => Part::try_with(|| Trace::new(capacity))?,
            },
            #[cfg(feature = "std")]
            monitor: match config.monitor {
                None => None,
                Some(config) => {
                    Some(Box::new(LatencyMonitor::new(config, TimePoint::from_nanos(_now))?))
                }
            },
            audit: Part::when(config.audit, Audit::default),
        })
    }

    /// Whether start and finish of each job are to be read and told.
    #[inline]
    pub(crate) fn times_jobs(&self) -> bool {
        #[cfg(feature = "std")]
        if self.monitor.is_some() {
            return true;
        }
        self.traces() || self.audits()
    }

    #[inline]
    fn trace(&mut self, at: u64, Job { id: task, name }: Job, kind: TraceKind) {
        if let Some(trace) = self.trace.get_mut() {
            trace.push(TraceEvent { at: TimePoint::from_nanos(at), task, name, kind });
        }
    }

    /// A job is about to run.
    pub(crate) fn starts(&mut self, times: &Times) {
        self.trace(times.release, times.job, TraceKind::Release);
        self.trace(times.start, times.job, TraceKind::Start);
    }

    /// A job has returned.
    pub(crate) fn finished(&mut self, times: &Times) {
        self.trace(times.finish, times.job, TraceKind::Finish);
        #[cfg(feature = "std")]
        if let Some(monitor) = &mut self.monitor {
            monitor.record(&times.record());
        }
    }

    /// A late job is about to be left out.
    pub(crate) fn skips(&mut self, times: &Times) {
        self.trace(times.release, times.job, TraceKind::Release);
        self.trace(times.start, times.job, TraceKind::Skip);
        self.left(times.job.id);
    }

    /// It has been left out.
    pub(crate) fn skipped(&mut self, _times: &Times) {
        #[cfg(feature = "std")]
        if let Some(monitor) = &mut self.monitor {
            monitor.skipped(&_times.record());
        }
    }

    pub(crate) fn missed(&mut self, job: Job, at: u64) {
        self.trace(at, job, TraceKind::Miss);
    }

    pub(crate) fn cancelled(&mut self, job: Job, at: u64) {
        self.trace(at, job, TraceKind::Cancel);
    }

    #[cfg(feature = "std")]
    pub(crate) fn panicked(&mut self, job: Job, at: u64) {
        self.trace(at, job, TraceKind::Panic);
    }

    #[inline]
    pub(crate) fn traces(&self) -> bool {
        self.trace.get().is_some()
    }

    #[inline]
    pub(crate) fn audits(&self) -> bool {
        self.audit.get().is_some()
    }

    /// A job is queued, for the audit: with the policy's key and its class.
    pub(crate) fn queued(&mut self, id: TaskId, release: u64, rank: (u64, usize)) {
        if let Some(audit) = self.audit.get_mut() {
            audit.queued(id, release, rank);
        }
    }

    /// A job starts, for the audit: by a decision at `now`.
    pub(crate) fn audit_start(&mut self, id: TaskId, now: u64) {
        if let Some(audit) = self.audit.get_mut() {
            audit.starts(id, now);
        }
    }

    /// A job leaves the queue without being run.
    pub(crate) fn left(&mut self, id: TaskId) {
        if let Some(audit) = self.audit.get_mut() {
            audit.left(id);
        }
    }

    /// Every job has left.
    pub(crate) fn cleared(&mut self) {
        if let Some(audit) = self.audit.get_mut() {
            audit.clear();
        }
    }
}

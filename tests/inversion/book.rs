//! The test's own account of what is queued, and of what is preferred to what.

use std::rc::Rc;

use nanosecond_scheduler::{
    DeadlineKind, DeadlineViolation, Emergency, MissedTick, Policy, Priority, TaskId,
};

use crate::common::at;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Once,
    Periodic(u64, MissedTick),
    Sporadic(u64),
}

impl Kind {
    pub(crate) fn period(self) -> Option<u64> {
        match self {
            Kind::Once => None,
            Kind::Periodic(period, _) | Kind::Sporadic(period) => Some(period),
        }
    }
}

/// What a job does, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Take(u64),
    SetBack(u64),
    /// A one-shot with the attributes of this task, after a delay.
    Schedule(u64),
    Cancel(usize),
    CancelSelf,
    Trigger(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) delay: u64,
    pub(crate) priority: Priority,
    pub(crate) deadline: Option<(DeadlineKind, u64)>,
    pub(crate) wcet: Option<u64>,
    pub(crate) name: &'static str,
    pub(crate) actions: Vec<Action>,
}

impl Spec {
    pub(crate) fn relative_deadline(&self) -> Option<u64> {
        self.deadline.map(|(_, relative)| relative).or(self.kind.period())
    }

    /// What goes first under a policy: the least.
    pub(crate) fn key(&self, policy: Policy, release: u64) -> i128 {
        let absolute = self.relative_deadline().map(|relative| i128::from(release + relative));
        let key = match policy {
            Policy::Priority => Some(0),
            Policy::EarliestDeadlineFirst => absolute,
            Policy::RateMonotonic => self.kind.period().map(i128::from),
            Policy::DeadlineMonotonic => self.relative_deadline().map(i128::from),
            Policy::LeastLaxity => absolute.map(|d| d - i128::from(self.wcet.unwrap_or(0))),
        };
        key.unwrap_or(i128::MAX)
    }
}

/// A job that is queued, whether or not it is released.
pub(crate) struct Queued {
    pub(crate) id: TaskId,
    pub(crate) spec: Rc<Spec>,
    pub(crate) release: u64,
    pub(crate) submitted: u64,
}

impl Queued {
    /// Whether it is to start before `other`, both being released.
    pub(crate) fn is_preferred_to(&self, other: &Queued, policy: Policy) -> bool {
        if policy == Policy::Priority {
            let rank = |job: &Queued| (job.spec.priority, job.release, job.submitted);
            return rank(self) < rank(other);
        }
        let rank = |job: &Queued| (job.spec.key(policy, job.release), job.spec.priority);
        // Of equals the first in goes first, if it is so by release as well as by submission.
        let is_before = self.release <= other.release && self.submitted < other.submitted;
        rank(self) < rank(other) || rank(self) == rank(other) && is_before
    }
}

/// The test's own account of the queue.
pub(crate) struct Book {
    pub(crate) policy: Policy,
    pub(crate) emergency: Emergency,
    /// Whether keys depend on estimates, which the book does not make: then only the audit checks.
    pub(crate) estimates: bool,
    pub(crate) queued: Vec<Queued>,
    /// Live tasks, with the release of their latest job.
    pub(crate) live: Vec<(TaskId, Rc<Spec>, Option<u64>)>,
    pub(crate) submitted: u64,
    pub(crate) started: u64,
}

impl Book {
    pub(crate) fn new(policy: Policy, emergency: Emergency, estimates: bool) -> Self {
        let (queued, live) = (Vec::new(), Vec::new());
        Book { policy, emergency, estimates, queued, live, submitted: 0, started: 0 }
    }

    pub(crate) fn queue(&mut self, id: TaskId, spec: &Rc<Spec>, release: u64) {
        let submitted = self.submitted;
        self.submitted += 1;
        self.queued.push(Queued { id, spec: spec.clone(), release, submitted });
        if let Some(live) = self.live.iter_mut().find(|live| live.0 == id) {
            live.2 = Some(release);
        }
    }

    pub(crate) fn starts(&mut self, id: TaskId, release: u64, now: u64) {
        self.started += 1;
        let at = self.queued.iter().position(|job| job.id == id).expect("it was queued");
        let job = self.queued.swap_remove(at);
        assert_eq!(job.release, release);
        assert!(release <= now, "an early start");
        let preferred = self.queued.iter().find(|other| {
            other.release <= now && !self.estimates && other.is_preferred_to(&job, self.policy)
        });
        if let Some(other) = preferred {
            panic!(
                "{:?}, at {now}: {:?} of {release} before {:?} of {}",
                self.policy, job.spec, other.spec, other.release
            );
        }
    }

    /// The job of `release`, decided at `now`, is over: queues the next.
    pub(crate) fn over(&mut self, id: TaskId, spec: &Rc<Spec>, release: u64, now: u64) {
        let is_live = self.live.iter().any(|live| live.0 == id);
        match spec.kind {
            Kind::Once => self.ended(id),
            Kind::Periodic(period, missed_tick) if is_live => {
                let next = match missed_tick {
                    MissedTick::Burst => release + period,
                    MissedTick::Delay => now + period,
                    MissedTick::Skip => now - (now - release) % period + period,
                };
                self.queue(id, spec, next);
            }
            _ => {}
        }
    }

    pub(crate) fn ended(&mut self, id: TaskId) {
        self.live.retain(|live| live.0 != id);
        self.queued.retain(|job| job.id != id);
    }

    /// A job that is late before it starts, and so worth nothing, is skipped.
    pub(crate) fn missed(&mut self, miss: DeadlineViolation) {
        let is_it = |job: &&Queued| {
            let deadline = job.spec.deadline.map(|(_, relative)| at(job.release + relative));
            job.id == miss.task() && deadline == Some(miss.expected())
        };
        let Some(job) = self.queued.iter().find(is_it) else { return }; // It has run.
        let is_skipped = match job.spec.deadline {
            Some((DeadlineKind::Firm, _)) => true,
            Some((DeadlineKind::Hard, _)) => self.emergency == Emergency::SkipTask,
            _ => false,
        };
        if is_skipped {
            let (id, spec, release) = (job.id, job.spec.clone(), job.release);
            self.queued.retain(|job| job.id != id);
            self.over(id, &spec, release, miss.actual().as_nanos());
        }
    }

    /// Notes that a task of the book is triggered at `now`; tells for when.
    pub(crate) fn trigger(&mut self, nth: usize, now: u64) -> Option<(TaskId, u64)> {
        let sporadic = self.live.iter().filter(|live| matches!(live.1.kind, Kind::Sporadic(_)));
        let count = sporadic.clone().count();
        let (id, spec, last) = sporadic.clone().nth(nth.checked_rem(count)?)?.clone();
        if let Some(job) = self.queued.iter().find(|job| job.id == id) {
            return Some((id, job.release));
        }
        let release = last.map_or(now, |last| now.max(last + spec.kind.period().unwrap()));
        self.queue(id, &spec, release);
        Some((id, release))
    }
}

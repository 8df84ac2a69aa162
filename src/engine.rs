//! What the scheduler and its running tasks share: store, queue, time and counters.
//!
//! The engine does not know the clock's type, and therefore neither does [`Context`]: whoever owns
//! the clock moves [`Engine::now`].

use alloc::boxed::Box;

use crate::attributes::{Attributes, Deadline, Details, Repeat};
use crate::closure::Closure;
use crate::config::{Config, ConfigError, MissedTick};
use crate::error::{CancelError, TriggerError};
use crate::metrics::{Metrics, Recorder};
#[cfg(feature = "std")]
use crate::panics::TaskPanic;
use crate::part::Part;
use crate::policy::Policy;
use crate::queue::{Entry, Queue, Ready, Watch};
use crate::reflection::Reflection;
use crate::store::{Location, Place, Store};
use crate::succession::Succession;
use crate::task::TaskId;
use crate::time::TimePoint;
use crate::timing::{
    Admission, AdmissionControl, DeadlineViolation, Emergency, Estimators, Observers,
};

pub(crate) struct Engine {
    pub(crate) store: Store,
    /// Tasks by release. Under [`Policy::Priority`] they run from here.
    pub(crate) queue: Queue,
    /// Released tasks in the order of any other policy.
    pub(crate) ready: Part<Ready>,
    /// Those with a deadline, by when they are late.
    pub(crate) watch: Part<Watch>,
    policy: Policy,
    /// The current decision instant: what is released by now is due. It never steps back.
    pub(crate) now: u64,
    pub(crate) capacity: usize,
    pub(crate) missed_tick: MissedTick,
    pub(crate) emergency: Emergency,
    safe_mode: bool,
    pub(crate) recorder: Recorder,
    pub(crate) observers: Observers,
    pub(crate) reflection: Reflection,
    pub(crate) estimators: Part<Estimators>,
    pub(crate) admission: Part<AdmissionControl>,
    /// Made with the first task that waits for another.
    pub(crate) succession: Part<Succession>,
    /// Whether a task without attributes is accepted as long as there is room, needs nothing but to be
    /// stored and queued, and only its run is observed.
    pub(crate) is_plain: bool,
    /// A policy or admission is in use.
    always_decides: bool,
    /// Reasons to read the clock before each job, so that newly released tasks join: the above, and
    /// each live task with a deadline or a WCET.
    reasons_to_decide: usize,
    #[cfg(feature = "parallel")]
    pub(crate) batch: crate::batch::Batch,
    /// The task whose job runs, or ran last.
    pub(crate) running: TaskId,
    /// Its name.
    pub(crate) running_name: Option<&'static str>,
    pub(crate) stop_requested: bool,
    #[cfg(feature = "std")]
    pub(crate) remote_ids: crate::hash::FastMap<u64, TaskId>,
    #[cfg(feature = "std")]
    pub(crate) on_panic: Option<Box<dyn FnMut(TaskPanic)>>,
    pub(crate) on_deadline_miss: Option<Box<dyn FnMut(DeadlineViolation)>>,
    /// The first panic that no handler took; the tick ends and raises it.
    #[cfg(feature = "std")]
    pub(crate) unhandled: Option<Box<dyn core::any::Any + Send>>,
}

/// Which task a job is of, for reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) id: TaskId,
    pub(crate) name: Option<&'static str>,
}

impl Engine {
    pub(crate) fn new(config: &Config, now: u64) -> Result<Self, ConfigError> {
        let admits_all = config.admission == Admission::Off;
        let always_decides = config.policy != Policy::Priority || !admits_all;
        let mut engine = Engine {
            store: Store::new(config.capacity),
            queue: Queue::new(),
            ready: Part::when(config.policy != Policy::Priority, Ready::new),
            watch: Part::when(true, Watch::new),
            policy: config.policy,
            now,
            capacity: config.capacity,
            missed_tick: config.missed_tick,
            emergency: config.emergency,
            safe_mode: false,
            recorder: Recorder::new(config.metrics, now),
            observers: Observers::new(config, now)?,
            reflection: Reflection::new(config, now)?,
            estimators: Part::NONE,
            admission: Part::when(!admits_all, || {
                AdmissionControl::new(config.admission, config.policy, config.on_unknown)
                    .with_tick_rate(config.tick_rate_ns)
            }),
            succession: Part::NONE,
            is_plain: false,
            reasons_to_decide: usize::from(always_decides),
            always_decides,
            #[cfg(feature = "parallel")]
            batch: crate::batch::Batch::new(config.parallel),
            running: TaskId::NONE,
            running_name: None,
            stop_requested: false,
            #[cfg(feature = "std")]
            remote_ids: Default::default(),
            #[cfg(feature = "std")]
            on_panic: None,
            on_deadline_miss: None,
            #[cfg(feature = "std")]
            unhandled: None,
        };
        engine.set_safe_mode(false);
        Ok(engine)
    }

    /// Whether only critical tasks are accepted.
    pub(crate) fn is_in_safe_mode(&self) -> bool {
        self.safe_mode && cfg!(feature = "realtime")
    }

    /// Refuses all but critical tasks from now on, or no longer.
    pub(crate) fn set_safe_mode(&mut self, safe_mode: bool) {
        let observes = self.observers.audits() || self.observers.traces();
        self.safe_mode = safe_mode;
        self.is_plain = !safe_mode && !self.always_decides && !observes;
    }

    /// Queues the next job of a live task that is not in the queue.
    pub(crate) fn enqueue(&mut self, id: TaskId, release: u64) {
        self.store.set_location(id, Location::RUN);
        let place = self.store.place(id);
        if place.has_attributes() {
            self.watch_deadline(id, release);
        }
        let key = self.key(id, release);
        self.observers.queued(id, release, (key, place.class()));
        if let Some(ready) = self.ready.get_mut() {
            ready.expect(key, Entry { release, id });
            if release <= self.now && !self.queue.may_be_due(self.now) {
                return self.make_ready(Entry { release, id });
            }
        }
        self.queue.insert(place.class(), release, id, self.now, &mut self.store);
    }

    /// Notes the next job of a task with attributes, and has its deadline watched.
    fn watch_deadline(&mut self, id: TaskId, release: u64) {
        let Details { attributes, progress } = self.store.details_mut(id);
        progress.last_release = Some(release);
        progress.is_told = false;
        if let (Some(Deadline { due, .. }), Some(watch)) =
            (attributes.deadline, self.watch.get_mut())
        {
            let late_from = due.absolute(release).saturating_add(1).max(release);
            let waits = |entry| waits(&self.store, entry);
            watch.add(late_from, Entry { release, id }, waits);
        }
    }

    /// A job whose deadline was watched waits no longer.
    #[inline]
    pub(crate) fn unwatch(&mut self) {
        if let Some(watch) = self.watch.get_mut() {
            watch.lose_one();
        }
    }

    /// Adds a live task that has been released to the ready ones.
    #[inline]
    pub(crate) fn make_ready(&mut self, entry: Entry) {
        if self.policy() == Policy::LeastLaxity && self.estimators.get().is_some() {
            // The estimate in the key may have changed since it was queued.
            let (key, class) =
                (self.key(entry.id, entry.release), self.store.place(entry.id).class());
            self.observers.queued(entry.id, entry.release, (key, class));
            self.ready.get_mut().into_iter().for_each(|ready| ready.expect(key, entry));
        }
        // It is found anew, and the queue alone no longer tells whether something is due.
        self.queue.forget_next_release();
        if let Some(ready) = self.ready.get_mut() {
            ready.push(entry, &mut self.store);
        }
    }

    /// The policy's key for a job of a live task.
    #[inline]
    fn key(&mut self, id: TaskId, release: u64) -> u64 {
        let policy = self.policy();
        if policy == Policy::Priority || !self.store.place(id).has_attributes() {
            return policy.key(release, &Attributes::default(), None);
        }
        let Details { attributes, progress } = self.store.details(id);
        let wcet = match progress.estimator {
            Some(index) if policy == Policy::LeastLaxity => self.estimate(index),
            _ => attributes.wcet,
        };
        policy.key(release, &self.store.details(id).attributes, wcet)
    }

    /// Asks an estimator. Its panic is no estimate, and the tick raises it.
    fn estimate(&mut self, index: u32) -> Option<u64> {
        // Unwind safe: the estimator owns what it may leave broken.
        self.defer_panic(|engine| engine.estimators.get()?.estimate_ns(index)).flatten()
    }

    /// Cancels a task, and those after it that do not run without it.
    pub(crate) fn cancel(&mut self, id: TaskId) -> Result<(), CancelError> {
        let Some((place, closure)) = self.store.remove(id) else { return Err(CancelError) };
        if self.is_plain && !place.has_attributes() {
            self.recorder.cancelled();
            self.queue.cancelled(id, place, &mut self.store);
            // Last, because dropping what the closure captured runs the user's code.
            drop(closure);
        } else {
            self.cancelled(id, place);
            let others = self.settle_failures();
            // Dropped together: if one panics, the others are still dropped.
            drop((closure, others));
        }
        Ok(())
    }

    /// A task has left the store since it was cancelled; its dependents have failed.
    #[inline(never)]
    pub(crate) fn cancelled(&mut self, id: TaskId, place: Place) {
        self.recorder.cancelled();
        self.observers.cancelled(self.job_of(id), self.now);
        self.removed(id, place);
    }

    /// Ends a live task whose job is queued, runs, or waits; hands out its closure, unless it runs.
    pub(crate) fn end(&mut self, id: TaskId) -> Option<Closure> {
        let (place, closure) = self.store.remove(id)?;
        self.removed(id, place);
        closure
    }

    /// Takes the job of a live task out of the queue, so that another may be queued.
    pub(crate) fn withdraw(&mut self, id: TaskId) {
        let place = self.store.withdraw(id);
        self.entry_died(id, place);
    }

    /// Accounts for an entry that was at `place`, and is dead now.
    fn entry_died(&mut self, id: TaskId, place: Place) {
        match self.ready.get_mut() {
            Some(ready) if place.location() == Location::READY => ready.cancelled(&self.store),
            _ => self.queue.cancelled(id, place, &mut self.store),
        }
        self.observers.left(id);
    }

    /// Forgets a task that has left the store while its job was queued, ran, or waited.
    fn removed(&mut self, id: TaskId, place: Place) {
        self.entry_died(id, place);
        if place.has_attributes() {
            let details = *self.store.details(id);
            let is_queued = place.location() != Location::NONE;
            if is_queued && details.attributes.deadline.is_some() && !details.progress.is_told {
                self.unwatch();
            }
            self.ended(id, details);
        }
    }

    /// Forgets what was kept for a task with attributes that is no longer live.
    pub(crate) fn ended(&mut self, id: TaskId, details: Details) {
        let progress = details.progress;
        self.timed_changed(details.is_timed(), false);
        if let Some(admission) = self.admission.get_mut().filter(|_| progress.is_admitted) {
            admission.remove(id);
        }
        if let Some(succession) = self.succession.get_mut() {
            succession.ended(id, &progress, |dependent| self.store.is_live(dependent));
        }
        #[cfg(feature = "std")]
        if let Some(number) = progress.remote {
            self.remote_ids.remove(&number);
        }
    }

    #[inline]
    pub(crate) fn is_pending(&self, id: TaskId) -> bool {
        self.store.contains(id)
    }

    /// Releases the next job of a sporadic task as soon as its gap allows; tells when.
    pub(crate) fn trigger(&mut self, id: TaskId) -> Result<TimePoint, TriggerError> {
        if !self.is_pending(id) {
            return Err(TriggerError::NotPending);
        }
        let place = self.store.place(id);
        if !place.has_attributes() {
            return Err(TriggerError::NotSporadic);
        }
        let now = self.now;
        let Details { attributes, progress } = self.store.details_mut(id);
        let Repeat::Triggered(gap) = attributes.repeat else {
            return Err(TriggerError::NotSporadic);
        };
        let waits = progress.waits_for > 0;
        let release = match progress.last_release {
            // A job was triggered already, and this trigger counts as part of it.
            Some(release) if waits || place.location() != Location::NONE => release,
            Some(last) => last.checked_add(gap).ok_or(TriggerError::TimeOverflow)?.max(now),
            None => now,
        };
        progress.last_release = Some(release);
        if !waits && place.location() == Location::NONE {
            self.enqueue(id, release);
        }
        Ok(TimePoint::from_nanos(release))
    }

    /// The policy; without the feature `realtime` there is only one.
    #[inline]
    pub(crate) fn policy(&self) -> Policy {
        if cfg!(feature = "realtime") {
            self.policy
        } else {
            Policy::Priority
        }
    }

    /// Tells admission whether jobs are running or waiting.
    #[inline]
    pub(crate) fn set_busy(&mut self, is_busy: bool) {
        if let Some(admission) = self.admission.get_mut() {
            admission.set_busy(is_busy);
        }
    }

    /// Whether jobs cannot be run without a look at the clock.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.reasons_to_decide > 0 || self.recorder.times_jobs() || self.observers.times_jobs()
    }

    /// Whether the clock is read before each job, and newly released tasks join.
    #[inline]
    pub(crate) fn decides_per_job(&self) -> bool {
        self.reasons_to_decide > 0
    }

    /// Accounts for a task that has come or gone, or that is measured from now on or no longer.
    pub(crate) fn timed_changed(&mut self, was_timed: bool, is_timed: bool) {
        self.reasons_to_decide += usize::from(is_timed);
        self.reasons_to_decide -= usize::from(was_timed);
    }

    /// A live task's job.
    pub(crate) fn job_of(&self, id: TaskId) -> Job {
        let has_attributes = self.store.place(id).has_attributes();
        let name = if has_attributes { self.store.details(id).attributes.name } else { None };
        Job { id, name }
    }

    /// The earliest release among pending tasks.
    #[inline]
    pub(crate) fn next_release(&mut self) -> Option<TimePoint> {
        let next = match self.queue.known_next_release() {
            Some(next) => next,
            None => self.find_next_release(),
        };
        if next == u64::MAX && (self.store.len() == 0 || self.is_queue_empty()) {
            return None;
        }
        Some(TimePoint::from_nanos(next))
    }

    /// Before a wait until then: does what the tick after it would have to do before its first job. Not
    /// before long waits, in which much may arrive, and which leave caches cold anyway.
    pub(crate) fn prepare(&mut self, until: u64) {
        const SHORT_NS: u64 = 1 << 18;
        if until.saturating_sub(self.now) <= SHORT_NS {
            self.queue.prepare(until, &mut self.store);
        }
    }

    /// Finds the earliest release after tasks have been taken; `u64::MAX` also if there is none.
    /// While some are ready, it is to be found anew each time, and no tick is idle.
    pub(crate) fn find_next_release(&mut self) -> u64 {
        let next = self.queue.refresh(&mut self.store);
        let Some(ready) = self.ready.get().filter(|ready| !ready.is_empty()) else {
            return next;
        };
        self.queue.forget_next_release();
        next.min(ready.oldest())
    }

    #[cold]
    fn is_queue_empty(&mut self) -> bool {
        self.ready.get().is_none_or(Ready::is_empty) && self.queue.is_empty(&mut self.store)
    }

    /// Drops every pending task.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        if let Some(ready) = self.ready.get_mut() {
            ready.clear();
        }
        self.watch.get_mut().into_iter().for_each(Watch::clear);
        if let Some(succession) = self.succession.get_mut() {
            succession.clear();
        }
        if let Some(admission) = self.admission.get_mut() {
            admission.clear();
        }
        self.observers.cleared();
        self.reasons_to_decide = usize::from(self.always_decides);
        #[cfg(feature = "std")]
        self.remote_ids.clear();
        // Dropped last and together: if one panics, the others are still dropped.
        drop(self.store.take_all());
    }

    /// What has been counted and timed, as of `now`.
    pub(crate) fn metrics(&self, now: u64) -> Metrics {
        self.recorder.snapshot(now, self.store.len(), self.memory_bytes())
    }

    /// Bytes of store and queue; boxed closures and handlers are not counted.
    fn memory_bytes(&self) -> usize {
        let queue = self.queue.bytes() + self.watch.get().map_or(0, Watch::bytes);
        self.store.bytes() + queue + self.ready.get().map_or(0, Ready::bytes)
    }
}

/// Whether a job with a deadline still waits, and was not reported to be late.
pub(crate) fn waits(store: &Store, entry: Entry) -> bool {
    store.is_live(entry.id)
        && entry.is_of_queued_job(store)
        && !store.details(entry.id).progress.is_told
}

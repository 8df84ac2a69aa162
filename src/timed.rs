//! A job whose times matter: late before it starts, overrun, late when it has finished.

use alloc::vec::Vec;

use crate::attributes::{Deadline, DeadlineKind, Details, Repeat};
use crate::engine::{waits, Engine, Job};
use crate::execute::skip_job;
use crate::metrics::TickCounts;
use crate::queue::Entry;
use crate::task::TaskId;
use crate::timing::{DeadlineViolation, Emergency, Times};

/// What is to be known of a job before it runs, since a one-shot's slot may be reused meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedJob {
    pub(crate) entry: Entry,
    pub(crate) job: Job,
    repeats: bool,
    /// The absolute deadline in ns, and what it is worth.
    deadline: Option<(u64, DeadlineKind)>,
    /// Whether its miss was reported.
    is_reported: bool,
    wcet: Option<u64>,
    estimator: Option<u32>,
    /// Whether the clock is read before each job at present.
    decides: bool,
    /// Whether tasks wait for it.
    has_dependents: bool,
    /// Whether it is to be told to metrics and observers: not if it waits in the batch.
    is_observed: bool,
}

impl TimedJob {
    /// The live task of `entry`.
    #[inline]
    pub(crate) fn new(engine: &Engine, entry: Entry) -> Self {
        if engine.store.place(entry.id).has_attributes() {
            Self::with_details(engine, entry, engine.store.details(entry.id))
        } else {
            Self::with_details(engine, entry, &Details::default())
        }
    }

    #[inline(always)]
    fn with_details(engine: &Engine, entry: Entry, details: &Details) -> Self {
        let Details { attributes, progress } = details;
        let absolute = |deadline: Deadline| (deadline.due.absolute(entry.release), deadline.kind());
        TimedJob {
            entry,
            job: Job { id: entry.id, name: attributes.name },
            repeats: attributes.repeat != Repeat::Never,
            deadline: attributes.deadline.map(absolute),
            is_reported: progress.is_told,
            wcet: attributes.wcet(),
            estimator: progress.estimator(),
            decides: engine.decides_per_job(),
            has_dependents: progress.has_dependents,
            is_observed: !engine.goes_to_batch(entry.id, details),
        }
    }

    /// Whether its deadline is watched while it waits.
    pub(crate) fn is_watched(&self) -> bool {
        self.deadline.is_some() && !self.is_reported
    }

    /// Whether the clock is read when it starts.
    pub(crate) fn needs_start(&self, engine: &Engine) -> bool {
        let measured = self.wcet.is_some() || self.estimator.is_some();
        measured
            || self.is_observed && (engine.recorder.times_jobs() || engine.observers.times_jobs())
    }

    /// Whether the clock is read when it has finished.
    pub(crate) fn needs_finish(&self, engine: &Engine) -> bool {
        let measured = self.wcet.is_some() || self.estimator.is_some() || self.deadline.is_some();
        let releases = self.decides && self.has_dependents;
        measured || releases || self.is_observed && engine.observers.times_jobs()
    }

    fn times(&self, start: u64, finish: u64) -> Times {
        Times {
            job: self.job,
            repeats: self.repeats,
            release: self.entry.release,
            start,
            finish,
            deadline: self.deadline.map(|(deadline, _)| deadline),
        }
    }
}

/// What to do about a job that is late before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Run,
    Skip,
    /// Skip it, and end the tick.
    Stop,
}

impl Engine {
    /// Whether a job will be kept aside by `parallel`.
    fn goes_to_batch(&self, _id: TaskId, _details: &Details) -> bool {
        #[cfg(feature = "parallel")]
        return self.batch.is_enabled()
            && self.store.is_send(_id)
            && !_details.is_timed()
            && !_details.progress.has_dependents;
        #[cfg(not(feature = "parallel"))]
        false
    }

    /// Reports a job that is late by now, and decides whether it runs all the same.
    pub(crate) fn judge(&mut self, timed: &mut TimedJob, counts: &mut TickCounts) -> Verdict {
        let late = timed.deadline.filter(|(deadline, _)| self.now > *deadline);
        let Some((deadline, kind)) = late.filter(|_| !timed.is_reported) else {
            return Verdict::Run;
        };
        timed.is_reported = true;
        // To blame for what is dropped now.
        (self.running, self.running_name) = (timed.job.id, timed.job.name);
        let emergency = self.report_miss(timed.job, (deadline, kind), self.now, counts);
        match (kind, emergency) {
            (DeadlineKind::Firm, _) | (_, Some(Emergency::SkipTask)) => Verdict::Skip,
            (_, Some(Emergency::Stop)) => Verdict::Stop,
            _ => Verdict::Run,
        }
    }

    /// Judges the waiting jobs that have become late, whoever goes before them. Tells whether the tick
    /// goes on, which deals with `limit` jobs.
    #[cold]
    pub(crate) fn judge_waiting(&mut self, limit: usize, counts: &mut TickCounts) -> bool {
        while let Some(entry) = self.pop_late() {
            let mut timed = TimedJob::new(self, entry);
            self.store.details_mut(entry.id).progress.is_told = true;
            let verdict = self.judge(&mut timed, counts);
            if verdict != Verdict::Run {
                if timed.repeats {
                    self.withdraw(entry.id); // A one-shot ends, which does as much.
                }
                self.skip(&timed, counts);
            }
            self.running_name = None; // Another job may be next.
            if verdict == Verdict::Stop || counts.executed + counts.skipped >= limit {
                return false;
            }
            if self.has_unhandled() {
                return verdict == Verdict::Run;
            }
        }
        true
    }

    /// Takes a waiting job that is late from the watch.
    fn pop_late(&mut self) -> Option<Entry> {
        self.watch.get_mut()?.pop_late(self.now, |entry| waits(&self.store, entry))
    }

    /// Leaves a job out that is late before it starts.
    pub(crate) fn skip(&mut self, timed: &TimedJob, counts: &mut TickCounts) {
        counts.skipped += 1;
        let times = timed.times(self.now, self.now);
        self.observers.skips(&times);
        // Unwind safe: the closure is dropped last.
        self.contain(timed.job, counts, |engine| skip_job(engine, timed.entry));
        self.observers.skipped(&times); // Alerts run the user's code.
        self.running_name = None;
    }

    /// A job is about to run.
    pub(crate) fn job_starts(&mut self, timed: &TimedJob, at: u64) {
        self.observers.audit_start(timed.job.id, self.now);
        if !timed.is_observed {
            return;
        }
        self.observers.starts(&timed.times(at, at));
        if self.recorder.times_jobs() {
            self.record_dispatch(timed.entry, at);
        }
    }

    /// Records the dispatch latency of a job about to run, and for repeating tasks its change.
    fn record_dispatch(&mut self, entry: Entry, started_at: u64) {
        let latency = started_at - entry.release;
        let mut previous = None;
        if self.store.place(entry.id).has_attributes() {
            previous = self.store.details_mut(entry.id).progress.last_latency.replace(latency);
        }
        self.recorder.dispatched(latency, previous);
    }

    /// A job has returned. Tells whether the tick is to end.
    pub(crate) fn job_finished(
        &mut self,
        timed: &TimedJob,
        (start, finish): (u64, u64),
        counts: &mut TickCounts,
    ) -> bool {
        let execution_ns = finish - start;
        if timed.wcet.is_some_and(|wcet| execution_ns > wcet) {
            self.recorder.overrun();
            if timed.repeats && self.is_pending(timed.job.id) {
                self.store.details_mut(timed.job.id).progress.overruns += 1;
            }
        }
        if timed.decides && self.has_running_dependents() {
            self.now = finish; // Else time stands still, also for those that are released now.
            self.time_moved();
        }
        self.release_dependents(self.now);
        if let (Some(estimators), Some(index)) = (self.estimators.get_mut(), timed.estimator) {
            estimators.record(index, execution_ns); // Runs the user's code.
        }
        let late = timed.deadline.filter(|(deadline, _)| finish > *deadline && !timed.is_reported);
        let emergency = late.and_then(|late| self.report_miss(timed.job, late, finish, counts));
        if timed.is_observed {
            self.observers.finished(&timed.times(start, finish)); // Alerts run the user's code.
        }
        self.running_name = None;
        emergency == Some(Emergency::Stop) || self.has_unhandled()
    }

    /// Counts a miss, tells the handler, and does what is to follow a hard one; that is returned.
    #[cold]
    fn report_miss(
        &mut self,
        job: Job,
        (deadline, kind): (u64, DeadlineKind),
        actual: u64,
        counts: &mut TickCounts,
    ) -> Option<Emergency> {
        counts.missed_deadlines += 1;
        self.observers.missed(job, actual);
        self.tell_miss(job, DeadlineViolation::new(kind, job.id, deadline, actual), counts);
        if kind != DeadlineKind::Hard {
            return None;
        }
        match self.emergency {
            Emergency::SafeMode => self.enter_safe_mode(job, counts),
            Emergency::Stop => self.stop_requested = true,
            Emergency::Callback | Emergency::SkipTask => {}
        }
        Some(self.emergency)
    }

    /// Calls the handler of misses.
    fn tell_miss(&mut self, job: Job, violation: DeadlineViolation, counts: &mut TickCounts) {
        // Unwind safe: the handler owns what it may leave broken.
        self.contain(job, counts, |engine| {
            if let Some(handle) = &mut engine.on_deadline_miss {
                handle(violation);
            }
        });
    }

    /// Keeps the critical tasks only.
    fn enter_safe_mode(&mut self, job: Job, counts: &mut TickCounts) {
        if self.is_in_safe_mode() {
            return;
        }
        self.set_safe_mode(true);
        let critical = crate::task::Priority::Critical as usize;
        let others = self.store.live_ids().filter(|id| self.store.place(*id).class() != critical);
        let others: Vec<TaskId> = others.collect();
        let closures: Vec<_> = others.into_iter().filter_map(|id| self.cancel_one(id)).collect();
        // Unwind safe: closures are dropped last. The job in question may be on its way.
        self.contain(job, counts, |engine| drop((closures, engine.settle_failures())));
    }
}

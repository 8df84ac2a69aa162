//! One tick, phase by phase: decide what is due, execute it in order, record what happened.

use core::time::Duration;

use crate::clock::Clock;
use crate::engine::Engine;
#[cfg(feature = "std")]
use crate::engine::Job;
use crate::execute::run_job;
use crate::metrics::TickCounts;
use crate::policy::Policy;
use crate::queue::Entry;
use crate::scheduler::Scheduler;
use crate::store::Location;
use crate::time::TimePoint;
use crate::timed::{TimedJob, Verdict};

/// What one tick did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TickReport {
    /// Jobs started, panicked ones included.
    pub executed: usize,
    /// Jobs that panicked and were reported to [`Scheduler::on_panic`].
    pub panicked: usize,
    /// Jobs that finished after their deadline, or were late before they started.
    pub missed_deadlines: usize,
    /// Jobs that were not run, because they were late before they started.
    pub skipped: usize,
    /// Whether released tasks were left over, because
    /// [`Config::max_tasks_per_tick`](crate::Config::max_tasks_per_tick) had run.
    pub more_due: bool,
    /// The earliest release among pending tasks.
    pub next_release: Option<TimePoint>,
    /// The decision instant: what was released by then was due.
    pub started_at: TimePoint,
    /// From the decision to the end of the last job; zero for an idle tick, which is not timed, and
    /// at [`MetricsLevel::Off`](crate::MetricsLevel::Off).
    pub duration: Duration,
}

/// A panic to raise again.
#[cfg(feature = "std")]
type Unwinding = Option<Box<dyn core::any::Any + Send>>;
#[cfg(not(feature = "std"))]
type Unwinding = Option<core::convert::Infallible>;

impl<C: Clock> Scheduler<C> {
    /// Runs what is due, most urgent first, and returns without waiting.
    ///
    /// Reads the clock once to decide what is due. While a pending task has a deadline or a WCET,
    /// and always under admission control or a [`Policy`](crate::Policy) other than `Priority`, the clock
    /// is read before every job instead, and newly released tasks join. At most
    /// [`Config::max_tasks_per_tick`](crate::Config::max_tasks_per_tick) jobs run or are skipped. Costs
    /// a clock read and a comparison when nothing is due, else O(1) amortised per job, or O(log n)
    /// for n released tasks under such a policy, which are all looked at when they are released, and for a
    /// job that is late while it waits.
    ///
    /// # Panics
    ///
    /// A task's panic is raised again once the queue is consistent, unless
    /// [`on_panic`](Self::on_panic) takes it. The tick ends there; what is due stays due.
    #[inline]
    pub fn tick(&mut self) -> TickReport {
        let now = self.read_clock();
        self.tick_at(now)
    }

    /// As [`tick`](Self::tick), at the reading of the clock with which a wait has ended, if one has.
    #[inline]
    pub(crate) fn tick_after_wait(&mut self, seen: Option<TimePoint>) -> TickReport {
        let now = match seen {
            Some(seen) => seen,
            None => self.clock.now(),
        };
        self.engine.now = self.engine.now.max(now.as_nanos());
        self.tick_at(self.engine.now)
    }

    #[inline(always)]
    fn tick_at(&mut self, now: u64) -> TickReport {
        #[cfg(feature = "std")]
        self.accept_requests();
        if !self.engine.queue.is_idle(now) || now >= self.engine.reflection.closes_at() {
            return self.busy_tick();
        }
        // First, while it is known what the next release is, and that it lies ahead.
        let report = self.report(now, now, TickCounts::default(), 0);
        self.engine.set_busy(false);
        self.engine.recorder.idle_tick();
        report
    }

    #[inline(never)]
    fn busy_tick(&mut self) -> TickReport {
        let started_at = self.engine.now;
        self.engine.time_moved();
        let earliest = self.engine.next_release();
        // Until the end of the tick, which a panic may prevent.
        self.engine.queue.forget_next_release();
        let mut counts = TickCounts::default();
        let unwinding = self.run_due(&mut counts);
        let decided_at = self.engine.now;
        let mut duration_ns = 0;
        if counts.executed + counts.skipped + counts.missed_deadlines == 0 {
            self.engine.recorder.idle_tick(); // What seemed due was cancelled.
        } else if self.engine.recorder.is_on() {
            duration_ns = self.read_clock() - started_at;
            self.engine.recorder.busy_tick(counts, duration_ns);
            let latency = earliest.map_or(0, |at| started_at.saturating_sub(at.as_nanos()));
            self.engine.tick_ended(started_at, duration_ns, latency);
        }
        #[cfg(feature = "std")]
        let unwinding = unwinding.or(self.engine.unhandled.take());
        if let Some(panic) = unwinding {
            raise(panic);
        }
        #[cfg(feature = "std")]
        self.accept_stalled();
        self.engine.find_next_release();
        self.report(started_at, decided_at, counts, duration_ns)
    }

    #[inline]
    fn report(
        &mut self,
        started_at: u64,
        decided_at: u64,
        counts: TickCounts,
        duration_ns: u64,
    ) -> TickReport {
        let next_release = self.engine.next_release();
        TickReport {
            executed: counts.executed,
            panicked: counts.panicked,
            missed_deadlines: counts.missed_deadlines,
            skipped: counts.skipped,
            more_due: next_release.is_some_and(|next| next.as_nanos() <= decided_at),
            next_release,
            started_at: TimePoint::from_nanos(started_at),
            duration: Duration::from_nanos(duration_ns),
        }
    }

    /// Runs due jobs up to the limit; hands out the first panic that no handler took.
    #[cfg(feature = "std")]
    fn run_due(&mut self, counts: &mut TickCounts) -> Unwinding {
        use std::panic::{catch_unwind, AssertUnwindSafe};

        // One guard for all jobs: only a panic sets it up anew.
        loop {
            // Unwind safe: `run_job` leaves the engine consistent, and counts precede the job.
            let drain = || drain(&self.clock, &mut self.engine, self.max_tasks_per_tick, counts);
            let Err(panic) = catch_unwind(AssertUnwindSafe(drain)) else { break };
            let job = self.engine.running_job();
            // Unwind safe: what waited for the job is dropped last.
            let drop_panic = catch_unwind(AssertUnwindSafe(|| self.job_panicked(job))).err();
            for payload in [Some(panic), drop_panic].into_iter().flatten() {
                self.engine.report_panic(job, payload, counts);
            }
            if self.engine.has_unhandled() {
                break;
            }
        }
        #[cfg(feature = "parallel")]
        for (job, payload) in self.engine.batch.run() {
            self.engine.report_panic(job, payload, counts);
        }
        self.engine.unhandled.take()
    }

    #[cfg(feature = "std")]
    fn job_panicked(&mut self, job: Job) {
        let at = self.now().as_nanos();
        if self.engine.decides_per_job() {
            self.engine.now = at; // Else time stands still, also for those that are released now.
            self.engine.time_moved();
        }
        self.engine.observers.panicked(job, at);
        self.engine.fail_dependents();
    }

    /// Runs due jobs up to the limit; a panic passes through.
    #[cfg(not(feature = "std"))]
    fn run_due(&mut self, counts: &mut TickCounts) -> Unwinding {
        drain(&self.clock, &mut self.engine, self.max_tasks_per_tick, counts);
        None
    }
}

#[cfg(feature = "std")]
fn raise(panic: Box<dyn core::any::Any + Send>) -> ! {
    std::panic::resume_unwind(panic)
}

#[cfg(not(feature = "std"))]
fn raise(never: core::convert::Infallible) -> ! {
    match never {}
}

/// Runs due jobs until none is left, `limit` have been dealt with, or the tick is to end.
fn drain<C: Clock>(clock: &C, engine: &mut Engine, limit: usize, counts: &mut TickCounts) {
    while counts.executed + counts.skipped < limit {
        let goes_on = if engine.is_timed() {
            run_timed(clock, engine, limit, counts)
        } else {
            run_plain(engine, counts)
        };
        if !goes_on {
            return;
        }
    }
}

/// Runs the next due job, if there is one.
#[inline(always)]
fn run_plain(engine: &mut Engine, counts: &mut TickCounts) -> bool {
    let Some(entry) = engine.queue.pop_due(engine.now, &mut engine.store) else { return false };
    let mut closure = None;
    if let Some(place) = engine.store.take_to_run(entry.id, &mut closure) {
        counts.executed += 1;
        engine.reflection.job_starts(engine.now, engine.now - entry.release);
        run_job(engine, entry, &mut closure, place.has_attributes());
        if place.has_attributes() {
            engine.release_dependents(engine.now);
            engine.running_name = None;
        }
    }
    true
}

/// Runs the next due job and takes its times; tells whether the tick goes on.
fn run_timed<C: Clock>(
    clock: &C,
    engine: &mut Engine,
    limit: usize,
    counts: &mut TickCounts,
) -> bool {
    if engine.decides_per_job() {
        engine.now = engine.now.max(clock.now().as_nanos());
        engine.time_moved();
        let may_be_late = engine.watch.get().is_some_and(|watch| watch.may_be_late(engine.now));
        if may_be_late && !engine.judge_waiting(limit, counts) {
            return false;
        }
    }
    let Some(entry) = next_due(engine) else {
        engine.set_busy(false);
        return false;
    };
    engine.store.set_location(entry.id, Location::NONE);
    let mut timed = TimedJob::new(engine, entry);
    if timed.is_watched() {
        engine.unwatch();
    }
    match engine.judge(&mut timed, counts) {
        Verdict::Run => {}
        verdict => {
            engine.skip(&timed, counts);
            return verdict == Verdict::Skip && !engine.has_unhandled();
        }
    }
    let mut closure = None;
    let Some(place) = engine.store.take_to_run(entry.id, &mut closure) else {
        engine.running_name = None; // The emergency has cancelled it.
        return !engine.has_unhandled();
    };
    let read = |engine: &Engine, needed| match needed {
        true => engine.now.max(clock.now().as_nanos()),
        false => engine.now,
    };
    engine.set_busy(true);
    let start = read(engine, timed.needs_start(engine));
    engine.job_starts(&timed, start);
    counts.executed += 1;
    engine.reflection.job_starts(engine.now, start - entry.release);
    run_job(engine, entry, &mut closure, place.has_attributes());
    let finish = read(engine, timed.needs_finish(engine)).max(start);
    let ends = engine.job_finished(&timed, (start, finish), counts);
    !ends
}

/// Takes the next released job in the order of the policy.
fn next_due(engine: &mut Engine) -> Option<Entry> {
    if engine.policy() == Policy::Priority {
        loop {
            let entry = engine.queue.pop_due(engine.now, &mut engine.store)?;
            if entry.is_live(&engine.store) {
                return Some(entry);
            }
        }
    }
    if engine.queue.may_be_due(engine.now) {
        release_due(engine);
    }
    engine.ready.get_mut()?.pop(&engine.store)
}

/// Moves what is released by now to the ready tasks. O(moved), amortised.
fn release_due(engine: &mut Engine) {
    while let Some(entry) = engine.queue.pop_due(engine.now, &mut engine.store) {
        if engine.ready.get().is_some_and(|ready| ready.is_expected(entry, &engine.store)) {
            engine.make_ready(entry);
        }
    }
}

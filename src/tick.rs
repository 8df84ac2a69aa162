//! One tick, phase by phase: decide what is due, execute it in order, record what happened.

use core::time::Duration;

use crate::clock::Clock;
use crate::engine::{DeadlineMiss, Engine};
use crate::execute::run_job;
use crate::metrics::TickCounts;
use crate::scheduler::Scheduler;
use crate::time::TimePoint;

/// What one tick did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TickReport {
    /// Jobs started, panicked ones included.
    pub executed: usize,
    /// Jobs that panicked and were reported to [`Scheduler::on_panic`].
    pub panicked: usize,
    /// Jobs that finished after their deadline.
    pub missed_deadlines: usize,
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
    /// Reads the clock once to decide what is due; while a pending task has a deadline, the clock
    /// is read before every job instead, and newly released tasks join. At most
    /// [`Config::max_tasks_per_tick`](crate::Config::max_tasks_per_tick) jobs run. Costs a clock
    /// read and a comparison when nothing is due, else O(1) amortised per job.
    ///
    /// # Panics
    ///
    /// A task's panic is raised again once the queue is consistent, unless
    /// [`on_panic`](Self::on_panic) takes it. The tick ends there; what is due stays due.
    #[inline]
    pub fn tick(&mut self) -> TickReport {
        let now = self.read_clock();
        #[cfg(feature = "std")]
        self.accept_requests();
        if !self.engine.queue.is_idle(now) {
            return self.busy_tick();
        }
        self.engine.recorder.idle_tick();
        self.report(now, now, TickCounts::default(), 0)
    }

    #[inline(never)]
    fn busy_tick(&mut self) -> TickReport {
        let started_at = self.engine.now;
        // Until the end of the tick, which a panic may prevent.
        self.engine.queue.forget_next_release();
        let mut counts = TickCounts::default();
        let unwinding = self.run_due(&mut counts);
        let decided_at = self.engine.now;
        let mut duration_ns = 0;
        if counts.executed == 0 {
            self.engine.recorder.idle_tick(); // What seemed due was cancelled.
        } else if self.engine.recorder.is_on() {
            duration_ns = self.read_clock() - started_at;
            self.engine.recorder.busy_tick(counts, duration_ns);
        }
        if let Some(panic) = unwinding {
            raise(panic);
        }
        #[cfg(feature = "std")]
        self.accept_stalled();
        self.engine.queue.refresh(&mut self.engine.store);
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

        let mut unhandled = None;
        // One guard for all jobs: only a panic sets it up anew.
        loop {
            // Unwind safe: `run_job` leaves the engine consistent, and counts precede the job.
            let drain = || drain(&self.clock, &mut self.engine, self.max_tasks_per_tick, counts);
            match catch_unwind(AssertUnwindSafe(drain)) {
                Ok(()) => break,
                Err(payload) => {
                    let job = self.engine.running_job();
                    if let Err(payload) = self.engine.report_panic(job, payload, counts) {
                        unhandled = Some(payload);
                        break;
                    }
                }
            }
        }
        #[cfg(feature = "parallel")]
        for (job, payload) in self.engine.batch.run() {
            if let Err(payload) = self.engine.report_panic(job, payload, counts) {
                unhandled.get_or_insert(payload);
            }
        }
        unhandled
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

/// Pops and executes due jobs until none is left or `limit` have been started.
fn drain<C: Clock>(clock: &C, engine: &mut Engine, limit: usize, counts: &mut TickCounts) {
    while counts.executed < limit {
        if engine.deadlines > 0 {
            engine.now = engine.now.max(clock.now().as_nanos());
        }
        let Some(entry) = engine.queue.pop_due(engine.now, &mut engine.store) else { return };
        if engine.times_start_of(entry) {
            let started_at = engine.now.max(clock.now().as_nanos());
            engine.record_dispatch(entry, started_at);
        }
        let mut closure = None;
        let Some(place) = engine.store.take_to_run(entry.id, &mut closure) else { continue };
        counts.executed += 1;
        let deadline = run_job(engine, entry, &mut closure, place.has_attributes());
        let Some(deadline) = deadline else { continue };
        let finished_at = engine.now.max(clock.now().as_nanos());
        if finished_at > deadline {
            counts.missed_deadlines += 1;
            report_miss(engine, deadline, finished_at);
        }
        engine.running_name = None;
    }
}

#[cold]
fn report_miss(engine: &mut Engine, deadline: u64, finished_at: u64) {
    let job = engine.running_job();
    if let Some(handle) = &mut engine.on_deadline_miss {
        handle(DeadlineMiss {
            id: job.id,
            name: job.name,
            deadline: TimePoint::from_nanos(deadline),
            finished_at: TimePoint::from_nanos(finished_at),
        });
    }
}

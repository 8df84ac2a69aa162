//! A scheduler under a clock that the benchmark moves, with jobs that sign a [`Ledger`].

use std::hint::black_box;
use std::time::Duration;

use nanosecond_scheduler::{Config, ManualClock, Scheduler, Task, TaskId, TimePoint};

use crate::ledger::Ledger;

/// One contestant: its clock, its scheduler, its ledger.
pub(crate) struct Lane {
    pub(crate) clock: ManualClock,
    pub(crate) scheduler: Scheduler<ManualClock>,
    pub(crate) ledger: &'static Ledger,
}

impl Lane {
    pub(crate) fn new(config: Config) -> Self {
        let clock = ManualClock::new();
        let scheduler = Scheduler::with_clock(config, clock.clone()).expect("a valid config");
        Lane { clock, scheduler, ledger: Ledger::leaked() }
    }

    /// Schedules a one-shot that signs the ledger.
    #[inline]
    pub(crate) fn schedule(&mut self, release_ns: u64) -> TaskId {
        let release = TimePoint::from_nanos(release_ns);
        let task = Task::new(self.ledger.job(release_ns), Duration::ZERO).at(release);
        self.scheduler.schedule(task).expect("room for it")
    }

    /// Moves the clock on and runs all that is due by then.
    #[inline]
    pub(crate) fn advance(&mut self, by_ns: u64) {
        self.clock.advance(Duration::from_nanos(by_ns));
        while black_box(self.scheduler.tick()).more_due {}
    }
}

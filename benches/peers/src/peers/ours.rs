//! This crate under a clock that the work moves.

use std::hint::black_box;

use nanosecond_scheduler::{Config, ManualClock, Scheduler, TimePoint};

pub struct Ours {
    pub clock: ManualClock,
    pub scheduler: Scheduler<ManualClock>,
}

impl Ours {
    pub fn new(config: Config) -> Self {
        let clock = ManualClock::new();
        let scheduler = Scheduler::with_clock(config, clock.clone()).expect("a valid config");
        Ours { clock, scheduler }
    }

    /// Moves the clock and runs all that is due by then.
    #[inline]
    pub fn run_until(&mut self, now_ns: u64) {
        self.clock.set(TimePoint::from_nanos(now_ns));
        while black_box(self.scheduler.tick()).more_due {}
    }
}

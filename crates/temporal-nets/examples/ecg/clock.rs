//! The samples' timeline: as fast as it goes, or at a multiple of real time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{Clock, DefaultClock, ManualClock, TimePoint, Waiter};

/// How fast a record is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// A manual clock jumps from release to release.
    Max,
    /// So many times real time.
    Times(u32),
}

/// A clock that reads the record's time, whatever the speed: tasks need not know it.
///
/// It does not pass the next sample before that is taken. So windows, which close by the clock, close
/// when they have all their samples, and what is found does not depend on the speed. How far it is
/// behind when the machine is too slow, it tells.
#[derive(Clone, Debug)]
pub(crate) enum Timeline {
    Simulated(ManualClock),
    Paced { real: DefaultClock, origin: TimePoint, speed: u32, samples: Rc<Samples> },
}

/// How far the samples are.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    next: Cell<TimePoint>,
    lag: Cell<Duration>,
}

impl Timeline {
    /// A timeline that starts now.
    pub(crate) fn new(speed: Speed) -> Self {
        match speed {
            Speed::Max => Timeline::Simulated(ManualClock::new()),
            Speed::Times(speed) => {
                let real = DefaultClock::new();
                Timeline::Paced { origin: real.now(), real, speed, samples: Rc::default() }
            }
        }
    }

    /// A sample was taken, and the next one is due at `next`.
    pub(crate) fn sample_taken(&self, next: TimePoint) {
        if let Timeline::Paced { real, origin, speed, samples } = self {
            let late = real.now().duration_since(*origin + wall(samples.next.get(), *speed));
            samples.lag.set(samples.lag.get().max(late));
            samples.next.set(next);
        }
    }

    /// The most that a sample was taken too late, in real time; `None` if that has no meaning.
    pub(crate) fn lag(&self) -> Option<Duration> {
        match self {
            Timeline::Simulated(_) => None,
            Timeline::Paced { samples, .. } => Some(samples.lag.get()),
        }
    }
}

/// The real time from a record's start to `at`, rounded up.
fn wall(at: TimePoint, speed: u32) -> Duration {
    Duration::from_nanos(at.as_nanos().div_ceil(u64::from(speed)))
}

impl Clock for Timeline {
    fn now(&self) -> TimePoint {
        match self {
            Timeline::Simulated(clock) => clock.now(),
            Timeline::Paced { real, origin, speed, samples } => {
                let passed = real.now().duration_since(*origin).saturating_mul(*speed);
                samples.next.get().min(TimePoint::ZERO + passed)
            }
        }
    }

    fn wait_until(&self, until: TimePoint, waiter: &mut Waiter) {
        match self {
            Timeline::Simulated(clock) => clock.wait_until(until, waiter),
            Timeline::Paced { real, origin, speed, .. } => {
                waiter.wait(|| real.now(), *origin + wall(until, *speed));
            }
        }
    }
}

//! A clock that moves when told to.

use alloc::rc::Rc;
use core::cell::Cell;
use core::time::Duration;

use super::Clock;
use crate::time::TimePoint;
use crate::wait::Waiter;

/// A clock under the caller's control, for tests and discrete-event simulation.
///
/// Clones share the time, so a test keeps one and gives the scheduler another. Under it the
/// `run*` methods jump from release to release and a program's trace repeats byte for byte.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Clock, ManualClock, TimePoint};
///
/// let clock = ManualClock::new();
/// let shared = clock.clone();
/// clock.advance(Duration::from_nanos(5));
/// assert_eq!(shared.now(), TimePoint::from_nanos(5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Rc<Cell<TimePoint>>,
}

impl ManualClock {
    /// A clock that reads [`TimePoint::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward; saturates at [`TimePoint::MAX`].
    pub fn advance(&self, by: Duration) {
        self.now.set(self.now.get() + by);
    }

    /// Sets the clock, also backwards: useful to test what a faulty clock would do.
    pub fn set(&self, to: TimePoint) {
        self.now.set(to);
    }
}

impl Clock for ManualClock {
    #[inline]
    fn now(&self) -> TimePoint {
        self.now.get()
    }

    /// Moves the clock to `until`, never back; waits for nothing.
    fn wait_until(&self, until: TimePoint, _waiter: &mut Waiter) {
        self.now.set(self.now.get().max(until));
    }
}

//! The operating system's monotonic clock.

use std::sync::OnceLock;
use std::time::Instant;

use super::Clock;
use crate::time::{saturating_nanos, TimePoint};

/// [`std::time::Instant`], counted from the first `MonotonicClock` of the process.
///
/// # Design
///
/// All `MonotonicClock`s of a process share one origin, so their instants compare, across threads
/// too. Reading one never steps back.
///
/// # Platform
///
/// Every target with `std`, except `wasm32-unknown-unknown`, where `Instant` panics and the clock
/// is `PerformanceClock`.
///
/// # Caveats
///
/// Whether time passes while the machine is suspended is the operating system's choice: on Linux
/// and macOS it does not.
///
/// ```
/// use nanosecond_scheduler::{Clock, MonotonicClock};
///
/// let (a, b) = (MonotonicClock::new(), MonotonicClock::new());
/// assert!(a.now() <= b.now());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// The process's monotonic clock; the first call sets its origin.
    #[must_use]
    pub fn new() -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        Self { origin: *ORIGIN.get_or_init(Instant::now) }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    #[inline]
    fn now(&self) -> TimePoint {
        TimePoint::from_nanos(saturating_nanos(self.origin.elapsed()))
    }
}

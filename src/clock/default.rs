//! The clock of those who do not choose one.

use super::{Clock, MonotonicClock, TscClock};
use crate::time::TimePoint;

/// The clock of those who do not choose one: the time stamp counter where it is sound, else
/// the operating system's monotonic clock.
///
/// # Design
///
/// The choice is made once per process, so all `DefaultClock`s of a process share origin and
/// scale and their instants compare. `Debug` shows which clock it is. A read costs a
/// well-predicted branch more than the clock behind it.
///
/// # Platform
///
/// A [`TscClock`] wherever [`TscClock::new`] succeeds, else a [`MonotonicClock`]. On
/// `wasm32-unknown-unknown` this is an alias of `PerformanceClock`. Without the feature `std` there
/// is none.
///
/// # Calibration
///
/// The first use in a process may take about 10 ms, as described at [`TscClock`].
///
/// # Caveats
///
/// Those of the clock behind it. Where machines are suspended, or instants must keep up with
/// the system's clock over hours, choose [`MonotonicClock`].
///
/// ```
/// use nanosecond_scheduler::{Clock, DefaultClock};
///
/// let clock = DefaultClock::new();
/// let earlier = clock.now();
/// assert!(clock.now() >= earlier);
/// ```
// Not `Copy`: the alias on wasm32 cannot be, and code must compile on both.
#[derive(Clone, Debug)]
pub struct DefaultClock(Source);

#[derive(Clone, Debug)]
enum Source {
    Tsc(TscClock),
    Monotonic(MonotonicClock),
}

impl DefaultClock {
    /// The best clock this machine has; never fails.
    #[must_use]
    pub fn new() -> Self {
        match TscClock::new() {
            Ok(clock) => Self(Source::Tsc(clock)),
            Err(_) => Self(Source::Monotonic(MonotonicClock::new())),
        }
    }
}

impl Default for DefaultClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for DefaultClock {
    #[inline]
    fn now(&self) -> TimePoint {
        match &self.0 {
            Source::Tsc(clock) => clock.now(),
            Source::Monotonic(clock) => clock.now(),
        }
    }
}

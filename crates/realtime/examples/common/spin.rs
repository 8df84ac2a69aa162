//! Keeping the processor busy.

use std::time::Duration;

use nanosecond_scheduler::{Clock, DefaultClock, TimePoint};

/// Keeps it busy until `instant`.
pub(crate) fn spin_until(clock: &DefaultClock, instant: TimePoint) {
    while clock.now() < instant {
        std::hint::spin_loop();
    }
}

/// Keeps it busy for `time`.
pub(crate) fn spin_for(clock: &DefaultClock, time: Duration) {
    spin_until(clock, clock.now() + time);
}

//! Where the time comes from.
//!
//! A [`Clock`] answers one question, "what time is it", as a [`TimePoint`] since its own origin.
//! The scheduler reads it once per tick and clamps it: a clock that stalls, steps back or jumps
//! costs no task and fires none early.

use crate::time::TimePoint;
use crate::wait::Waiter;

#[cfg(feature = "std")]
mod calibrate;
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod default;
mod manual;
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod monotonic;
#[cfg(all(feature = "std", target_arch = "wasm32", target_os = "unknown"))]
mod performance;
#[cfg(feature = "std")]
#[allow(unsafe_code)]
mod tsc;

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use default::DefaultClock;
pub use manual::ManualClock;
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use monotonic::MonotonicClock;
#[cfg(all(feature = "std", target_arch = "wasm32", target_os = "unknown"))]
pub use performance::{DefaultClock, PerformanceClock};
#[cfg(feature = "std")]
pub use tsc::{ClockError, TscClock};

/// A source of time.
///
/// # Contract
///
/// `now` never fails and should be monotonic. The scheduler does not rely on it: it keeps the
/// latest instant it has seen and treats an earlier reading as that one.
pub trait Clock {
    /// The current instant.
    fn now(&self) -> TimePoint;

    /// Returns at `until`, or earlier when `waiter` is woken; may also return early for no reason.
    ///
    /// This is how the `run*` methods pass time. The provided body sleeps and spins as the
    /// configured [`Wait`](crate::Wait) says. A simulated clock overrides it and moves itself
    /// instead, as [`ManualClock`] does, which turns `run*` into a discrete-event simulation.
    fn wait_until(&self, until: TimePoint, waiter: &mut Waiter) {
        waiter.wait_on(self, until);
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> TimePoint {
        (**self).now()
    }
    fn wait_until(&self, until: TimePoint, waiter: &mut Waiter) {
        (**self).wait_until(until, waiter);
    }
}

//! The clock of those who do not choose one.

#[cfg(not(feature = "std"))]
pub use absent::DefaultClock;
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use system::DefaultClock;

/// The clock of those who do not choose one: in a browser, a worker or Node, `performance.now()`.
#[cfg(all(feature = "std", target_arch = "wasm32", target_os = "unknown"))]
pub type DefaultClock = super::PerformanceClock;

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod system {
    use crate::clock::{Clock, MonotonicClock, TscClock};
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
    /// `wasm32-unknown-unknown` this is an alias of `PerformanceClock`. Without the feature `std`
    /// it is a type without values: name a clock yourself there.
    ///
    /// # Calibration
    ///
    /// The first use in a process may take about 10 ms, as described at [`TscClock`].
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
}

#[cfg(not(feature = "std"))]
mod absent {
    use crate::clock::Clock;
    use crate::time::TimePoint;

    /// No clock: without the feature `std` none is at hand, and this type has no values.
    ///
    /// It exists so that types with a default clock parameter have the same shape with and without
    /// `std`. Implement [`Clock`] for the timer of your platform and name that.
    #[derive(Clone, Copy, Debug)]
    pub enum DefaultClock {}

    impl Clock for DefaultClock {
        fn now(&self) -> TimePoint {
            match *self {}
        }
    }
}

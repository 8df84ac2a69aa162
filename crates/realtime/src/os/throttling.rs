//! The share of time that real-time threads may take.

use std::fmt;
use std::time::Duration;

/// Linux' throttling of real-time threads: `sched_rt_runtime_us` in each `sched_rt_period_us`.
///
/// A thread of class FIFO or RR that spins beyond `runtime` is stalled for the rest of the period:
/// 50 ms in each second by default. Kernels from 6.12 stall it only if something else waits for
/// the core. All [`Deadline`](super::SchedClass::Deadline) threads together get this share, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// Time for real-time threads per period.
    pub runtime: Duration,
    /// The period.
    pub period: Duration,
}

impl Throttling {
    /// The share of time for real-time threads, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.runtime.as_secs_f64() / self.period.as_secs_f64()
    }
}

impl fmt::Display for Throttling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stall = self.period.saturating_sub(self.runtime);
        write!(
            f,
            "real-time threads get {:?} in each {:?}; one that spins may stall for {stall:?}",
            self.runtime, self.period
        )
    }
}

//! [`RateLimit`]: how often something may be said.

use core::time::Duration;

use nanosecond_scheduler::TimePoint;

/// Lets through one event per interval, and a burst of some at once; counts the others.
///
/// The generic cell rate algorithm (ITU-T I.371, 2000) in integer ns: exact, and without a timer.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::TimePoint;
/// use temporal_nets::RateLimit;
///
/// let mut limit = RateLimit::new(Duration::from_nanos(10), 2);
/// let passed: Vec<_> = (0..13).map(|at| limit.pass(TimePoint::from_nanos(at))).collect();
/// assert_eq!(passed[..3], [Some(0), Some(0), None]);
/// assert_eq!(passed[10], Some(8)); // and tells how many were held back before it
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    interval_ns: u64,
    /// How far ahead of its interval an event may be.
    tolerance_ns: u64,
    /// When the next event is due if all keep their intervals.
    due_ns: u64,
    held_back: u64,
}

impl RateLimit {
    /// One event per `interval`, and `burst` at once after a pause. An interval of 0 lets everything
    /// through, a burst of 0 nothing.
    #[must_use]
    pub fn new(interval: Duration, burst: u32) -> Self {
        let interval_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        match burst.checked_sub(1) {
            Some(more) => RateLimit {
                interval_ns,
                tolerance_ns: interval_ns.saturating_mul(u64::from(more)),
                due_ns: 0,
                held_back: 0,
            },
            // Due after the end of time.
            None => RateLimit { interval_ns, tolerance_ns: 0, due_ns: u64::MAX, held_back: 0 },
        }
    }

    /// Whether an event at `now` may pass: with the number of those held back since the last one that
    /// did.
    pub fn pass(&mut self, now: TimePoint) -> Option<u64> {
        let now_ns = now.as_nanos();
        if self.due_ns.saturating_sub(now_ns) > self.tolerance_ns {
            self.held_back += 1;
            return None;
        }
        self.due_ns = self.due_ns.max(now_ns).saturating_add(self.interval_ns);
        Some(core::mem::take(&mut self.held_back))
    }

    /// Events held back since the last one that passed.
    #[must_use]
    pub fn held_back(&self) -> u64 {
        self.held_back
    }
}

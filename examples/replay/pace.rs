//! From capture time to the scheduler's time and back.

use std::time::Duration;

use nanosecond_scheduler::TimePoint;

/// Maps the first packet's instant to `start`, and runs `speed` times as fast from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) first_ns: u64,
    pub(crate) start: TimePoint,
    pub(crate) speed: u32,
}

impl Pace {
    /// When a packet captured at `time_ns` is released; one before the first packet is clamped to
    /// the start.
    pub(crate) fn release(&self, time_ns: u64) -> TimePoint {
        self.start + self.scaled(Duration::from_nanos(time_ns.saturating_sub(self.first_ns)))
    }

    /// How long `span` of capture time takes.
    pub(crate) fn scaled(&self, span: Duration) -> Duration {
        span / self.speed
    }

    /// Capture time since the first packet at `instant`, in ns.
    pub(crate) fn capture_ns(&self, instant: TimePoint) -> u64 {
        let passed = instant.duration_since(self.start).saturating_mul(self.speed);
        u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
    }
}

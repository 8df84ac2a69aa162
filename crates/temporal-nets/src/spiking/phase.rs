//! A phase that turns with the clock, and how firmly spikes are locked to it.

use core::f64::consts::TAU;
use core::time::Duration;

use nanosecond_scheduler::TimePoint;

/// An oscillation of exact period: phases follow from integer ns and do not drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseOscillator {
    origin: TimePoint,
    period_ns: u64,
}

impl PhaseOscillator {
    /// An oscillation that has phase 0 at `origin` and every `period` after and before it.
    ///
    /// # Panics
    ///
    /// If `period` is 0 or longer than 584 years.
    #[must_use]
    pub fn new(origin: TimePoint, period: Duration) -> Self {
        let period_ns = u64::try_from(period.as_nanos()).unwrap_or(0);
        assert!(
            period_ns > 0,
            "the period is {period:?}; it must be positive and fit 64 bits of ns"
        );
        PhaseOscillator { origin, period_ns }
    }

    /// The phase at an instant, in radians from 0 to below 2π.
    #[inline]
    #[must_use]
    pub fn phase(&self, at: TimePoint) -> f64 {
        self.offset_ns(at) as f64 / self.period_ns as f64 * TAU
    }

    /// Which cycle an instant is in; the one that begins at the origin is 0.
    #[must_use]
    pub fn cycle(&self, at: TimePoint) -> i128 {
        (i128::from(at.as_nanos()) - i128::from(self.origin.as_nanos()))
            .div_euclid(i128::from(self.period_ns))
    }

    /// ns since the cycle's beginning.
    fn offset_ns(&self, at: TimePoint) -> u64 {
        let (at, origin) = (at.as_nanos(), self.origin.as_nanos());
        if at >= origin {
            (at - origin) % self.period_ns
        } else {
            match (origin - at) % self.period_ns {
                0 => 0,
                before => self.period_ns - before,
            }
        }
    }
}

/// How firmly events are locked to a phase: the mean of their phases as unit vectors (Goldberg and
/// Brown 1969).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VectorStrength {
    cosines: f64,
    sines: f64,
    count: u64,
}

impl VectorStrength {
    /// Counts an event at `phase`, in radians.
    #[inline]
    pub fn add(&mut self, phase: f64) {
        let (sine, cosine) = phase.sin_cos();
        self.cosines += cosine;
        self.sines += sine;
        self.count += 1;
    }

    /// Number of events.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// 1 if all phases were the same, near 0 if they were spread evenly; `None` for no events.
    #[must_use]
    pub fn strength(&self) -> Option<f64> {
        (self.count > 0).then(|| self.cosines.hypot(self.sines) / self.count as f64)
    }

    /// The mean phase, from -π to π; `None` for no events.
    #[must_use]
    pub fn mean_phase(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sines.atan2(self.cosines))
    }
}

//! [`Residuals`]: notices a residual that stands out from those before it.

/// Mean and variance of residuals' magnitudes: plain at first, then with exponential forgetting (Finch
/// 2009). Spikes are learnt too, so that a lasting change soon is none any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Residuals {
    count: u32,
    mean: f64,
    variance: f64,
}

impl Residuals {
    /// Whether it is a spike. One that is not finite is, and is not learnt.
    pub(super) fn note(&mut self, residual: f64, deviations: f64, memory: u32) -> bool {
        let residual = residual.abs();
        if !residual.is_finite() {
            return true;
        }
        let excess = residual - self.mean;
        let is_spike = self.count >= memory && excess > deviations * self.variance.sqrt();
        self.count = self.count.saturating_add(1);
        let share = 1.0 / f64::from(self.count.min(memory));
        self.mean += share * excess;
        self.variance = (1.0 - share) * (self.variance + share * excess * excess);
        is_spike
    }
}

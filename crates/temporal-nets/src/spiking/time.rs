//! Exponential decay over spans of ns.

/// A time constant τ, as its negative inverse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimeConstant {
    minus_per_ns: f64,
}

impl TimeConstant {
    pub(crate) fn new(tau_ns: u64) -> Self {
        TimeConstant { minus_per_ns: -1.0 / tau_ns as f64 }
    }

    /// e^(-span/τ).
    #[inline]
    pub(crate) fn decay(self, span_ns: u64) -> f64 {
        (span_ns as f64 * self.minus_per_ns).exp()
    }

    /// e^(span/τ).
    #[inline]
    pub(crate) fn growth(self, span_ns: u64) -> f64 {
        (span_ns as f64 * -self.minus_per_ns).exp()
    }

    /// The ns, rounded up, in which something decays to `ratio` of itself, 0 < `ratio` ≤ 1.
    pub(crate) fn span_to(self, ratio: f64) -> u64 {
        (ratio.ln() / self.minus_per_ns).ceil() as u64
    }
}

//! [`GovernorMetrics`]: what a governor did, and how long it took.

use core::time::Duration;

use hdrhistogram::Histogram;

use super::expensive::Fallback;
use super::Escalation;

/// What a [`Governor`](crate::Governor) did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GovernorMetrics {
    /// Decisions made.
    pub decisions: u64,
    /// Of these, for which the expensive model was asked: the sum of the next four.
    pub escalated: u64,
    /// Because of [`Escalation::Doubt`].
    pub doubtful: u64,
    /// Because of [`Escalation::Residual`].
    pub residual_spikes: u64,
    /// Because of [`Escalation::Rejected`].
    pub rejected: u64,
    /// Because of [`Escalation::NoAnswer`].
    pub unanswered: u64,
    /// Of the escalated, for which the swarm's answer stood: the sum of the next five.
    pub fallbacks: u64,
    /// Because of [`Fallback::Failed`].
    pub expensive_failed: u64,
    /// Because of [`Fallback::Panicked`].
    pub expensive_panicked: u64,
    /// Because of [`Fallback::Late`].
    pub expensive_late: u64,
    /// Because of [`Fallback::Unusable`].
    pub expensive_unusable: u64,
    /// Because of [`Fallback::Rejected`].
    pub expensive_rejected: u64,
    /// Calls of the acceptance test that panicked, and so accepted nothing.
    pub acceptance_panicked: u64,
    /// Answers of single nets that were left out, as they were not finite.
    pub left_out: u64,
    /// Median time of a decision. Quantiles are within 1 %, and never below the truth.
    pub p50_ns: u64,
    /// Mean time of a decision, exact unless one took more than an hour, which counts as one.
    pub mean_ns: u64,
    /// 95th percentile of the times of decisions.
    pub p95_ns: u64,
    /// The longest time of a decision.
    pub max_ns: u64,
}

impl GovernorMetrics {
    /// Escalated decisions over all; 0 before the first.
    #[must_use]
    pub fn escalation_rate(&self) -> f64 {
        self.escalated as f64 / self.decisions.max(1) as f64
    }

    pub(super) fn count<E>(
        &mut self,
        left_out: usize,
        escalation: Option<Escalation>,
        fallback: Option<&Fallback<E>>,
    ) {
        self.decisions += 1;
        self.left_out += left_out as u64;
        if let Some(escalation) = escalation {
            self.escalated += 1;
            *match escalation {
                Escalation::Doubt => &mut self.doubtful,
                Escalation::Residual => &mut self.residual_spikes,
                Escalation::Rejected => &mut self.rejected,
                Escalation::NoAnswer => &mut self.unanswered,
            } += 1;
        }
        if let Some(fallback) = fallback {
            self.fallbacks += 1;
            *match fallback {
                Fallback::Failed(_) => &mut self.expensive_failed,
                Fallback::Panicked => &mut self.expensive_panicked,
                Fallback::Late(_) => &mut self.expensive_late,
                Fallback::Unusable => &mut self.expensive_unusable,
                Fallback::Rejected => &mut self.expensive_rejected,
            } += 1;
        }
    }
}

/// The times of decisions, in a histogram of fixed size.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    histogram: Histogram<u64>,
    total_ns: u128,
}

impl Latencies {
    const GREATEST_NS: u64 = 3_600_000_000_000;
    const DIGITS: u8 = 2;

    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, Self::GREATEST_NS, Self::DIGITS);
        Latencies { histogram: histogram.expect("the bounds and digits are valid"), total_ns: 0 }
    }

    pub(super) fn record(&mut self, latency: Duration) {
        let ns = latency.as_nanos().min(Self::GREATEST_NS.into());
        self.histogram.saturating_record(ns as u64);
        self.total_ns += ns;
    }

    pub(super) fn fill(&self, metrics: &mut GovernorMetrics) {
        metrics.p50_ns = self.histogram.value_at_quantile(0.5);
        metrics.p95_ns = self.histogram.value_at_quantile(0.95);
        metrics.max_ns = self.histogram.max();
        metrics.mean_ns = (self.total_ns / u128::from(self.histogram.len().max(1))) as u64;
    }
}

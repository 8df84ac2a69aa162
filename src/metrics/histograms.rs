//! What of ticks and jobs is kept as distributions.

use super::histogram::Histogram;
use super::LatencyStats;

#[derive(Debug, Default)]
pub(crate) struct Histograms {
    tick_time: Histogram,
    latency: Histogram,
    latency_max_ns: u64,
    jitter_total_ns: u64,
    jitter_count: u64,
}

impl Histograms {
    #[inline]
    pub(super) fn tick_time(&mut self, ns: u64) {
        self.tick_time.record(ns);
    }

    pub(super) fn tick_time_quantile(&self, quantile: f64) -> u64 {
        self.tick_time.at_quantile(quantile)
    }

    #[inline]
    pub(super) fn dispatched(&mut self, latency_ns: u64, previous_ns: Option<u64>) {
        self.latency.record(latency_ns);
        self.latency_max_ns = self.latency_max_ns.max(latency_ns);
        if let Some(previous_ns) = previous_ns {
            let change = latency_ns.abs_diff(previous_ns);
            self.jitter_total_ns = self.jitter_total_ns.saturating_add(change);
            self.jitter_count += 1;
        }
    }

    pub(super) fn latency(&self) -> LatencyStats {
        let at = |quantile| self.latency.at_quantile(quantile).min(self.latency_max_ns);
        LatencyStats {
            count: self.latency.len(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: self.latency_max_ns,
            jitter_ns: self.jitter_total_ns.checked_div(self.jitter_count),
        }
    }
}

//! Distributions, kept in `hdrhistogram`s of fixed size.

use hdrhistogram::Histogram;

use super::LatencyStats;

/// Values are kept to two significant digits, within 1 %.
const DIGITS: u8 = 2;
/// Greater values count as one hour.
const GREATEST_NS: u64 = 3_600_000_000_000;

#[derive(Debug)]
pub(crate) struct Histograms {
    tick_time: Histogram<u64>,
    latency: Histogram<u64>,
    jitter_total_ns: u64,
    jitter_count: u64,
}

impl Default for Histograms {
    fn default() -> Self {
        Histograms {
            tick_time: histogram(),
            latency: histogram(),
            jitter_total_ns: 0,
            jitter_count: 0,
        }
    }
}

/// An empty histogram of times in ns.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, GREATEST_NS, DIGITS).expect("the bounds and digits are valid")
}

impl Histograms {
    pub(super) fn tick_time(&mut self, ns: u64) {
        self.tick_time.saturating_record(ns);
    }

    pub(super) fn tick_time_quantile(&self, quantile: f64) -> u64 {
        self.tick_time.value_at_quantile(quantile)
    }

    #[inline]
    pub(super) fn dispatched(&mut self, latency_ns: u64, previous_ns: Option<u64>) {
        self.latency.saturating_record(latency_ns);
        if let Some(previous_ns) = previous_ns {
            let change = latency_ns.abs_diff(previous_ns);
            self.jitter_total_ns = self.jitter_total_ns.saturating_add(change);
            self.jitter_count += 1;
        }
    }

    pub(super) fn latency(&self) -> LatencyStats {
        let at = |quantile| self.latency.value_at_quantile(quantile);
        LatencyStats {
            count: self.latency.len(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: self.latency.max(),
            jitter_ns: self.jitter_total_ns.checked_div(self.jitter_count),
        }
    }
}

//! Distributions since the start, in `hdrhistogram`s of fixed size.

use hdrhistogram::Histogram;

use super::stats::Counts;
use super::{JobRecord, JobStats, Quantiles};
use crate::metrics::histogram;

/// Dispatch latency, response time and lateness of all jobs.
#[derive(Debug)]
pub(super) struct Distributions {
    latency: Distribution,
    response: Distribution,
    /// How much after, or at, and how much before their deadlines jobs finished: a histogram holds
    /// no negative numbers.
    late: Distribution,
    early: Distribution,
    max_lateness_ns: i64,
}

impl Default for Distributions {
    fn default() -> Self {
        Distributions {
            latency: Distribution::default(),
            response: Distribution::default(),
            late: Distribution::default(),
            early: Distribution::default(),
            max_lateness_ns: i64::MIN,
        }
    }
}

#[derive(Debug)]
struct Distribution {
    histogram: Histogram<u64>,
    /// Exact, and beyond the histogram's range.
    max_ns: u64,
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution { histogram: histogram(), max_ns: 0 }
    }
}

impl Distribution {
    #[inline]
    fn record(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// The greatest value counted with the one at `rank`, from 1.
    fn at_rank(&self, rank: u64) -> u64 {
        // The middle of the rank's share, so that rounding cannot reach its neighbours.
        let quantile = (rank as f64 - 0.5) / self.histogram.len() as f64;
        self.histogram.value_at_quantile(quantile).min(self.max_ns)
    }

    fn quantiles(&self) -> Option<Quantiles<u64>> {
        Quantiles::new(self.histogram.len(), self.max_ns, |rank| self.at_rank(rank))
    }

    fn clear(&mut self) {
        self.histogram.reset();
        self.max_ns = 0;
    }
}

impl Distributions {
    #[inline]
    pub(super) fn record(&mut self, job: &JobRecord) {
        self.latency.record(job.dispatch_latency_ns());
        self.response.record(job.response_ns());
        if let Some(lateness) = job.lateness_ns() {
            self.max_lateness_ns = self.max_lateness_ns.max(lateness);
            let side = if lateness >= 0 { &mut self.late } else { &mut self.early };
            side.record(lateness.unsigned_abs());
        }
    }

    /// The figures of the jobs recorded, which `counts` counts.
    pub(super) fn stats(&self, counts: &Counts, elapsed_ns: u64) -> JobStats {
        let (latency, response) = (self.latency.quantiles(), self.response.quantiles());
        JobStats::new(counts, elapsed_ns, latency, response, self.lateness())
    }

    fn lateness(&self) -> Option<Quantiles<i64>> {
        let early = self.early.histogram.len();
        let count = early + self.late.histogram.len();
        let signed = |ns| i64::try_from(ns).unwrap_or(i64::MAX);
        Quantiles::new(count, self.max_lateness_ns, |rank| {
            if rank > early {
                return signed(self.late.at_rank(rank - early));
            }
            // From the earliest to the least early; rounded like the others, to the later side.
            let earliness = self.early.at_rank(early - rank + 1);
            let least = self.early.histogram.lowest_equivalent(earliness);
            (-signed(least)).min(self.max_lateness_ns)
        })
    }

    pub(super) fn clear(&mut self) {
        self.latency.clear();
        self.response.clear();
        self.late.clear();
        self.early.clear();
        self.max_lateness_ns = i64::MIN;
    }
}

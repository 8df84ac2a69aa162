//! Distributions since the start.

use super::report::Quantiles;
use super::stats::Figures;
use crate::metrics::Histogram;

/// Dispatch latency, response time and lateness of all jobs.
#[derive(Debug, Default)]
pub(super) struct Distributions {
    latency: Histogram,
    response: Histogram,
    /// How much after, or at, and how much before their deadlines jobs finished.
    late: Histogram,
    early: Histogram,
}

impl Distributions {
    #[inline]
    pub(super) fn record(&mut self, job: &Figures) {
        self.latency.record(job.latency_ns);
        self.response.record(job.response_ns);
        if let Some(lateness) = job.lateness_ns {
            let side = if lateness >= 0 { &mut self.late } else { &mut self.early };
            side.record(lateness.unsigned_abs());
        }
    }

    /// Quantiles, given the exact maximum.
    pub(super) fn latency(&self, max_ns: u64) -> Option<Quantiles<u64>> {
        quantiles(&self.latency, max_ns)
    }

    /// Quantiles, given the exact maximum.
    pub(super) fn response(&self, max_ns: u64) -> Option<Quantiles<u64>> {
        quantiles(&self.response, max_ns)
    }

    /// Quantiles, given the exact maximum, if any job had a deadline.
    pub(super) fn lateness(&self, max_ns: Option<i64>) -> Option<Quantiles<i64>> {
        let (max_ns, early) = (max_ns?, self.early.len());
        let signed = |ns| i64::try_from(ns).unwrap_or(i64::MAX);
        Quantiles::new(early + self.late.len(), max_ns, |rank| {
            let lateness = if rank > early {
                signed(self.late.at_rank(rank - early).1)
            } else {
                // From the earliest to the least early; rounded like the others, to the later side.
                -signed(self.early.at_rank(early - rank + 1).0)
            };
            lateness.min(max_ns)
        })
    }

    pub(super) fn clear(&mut self) {
        for histogram in [&mut self.latency, &mut self.response, &mut self.late, &mut self.early] {
            histogram.clear();
        }
    }
}

fn quantiles(histogram: &Histogram, max_ns: u64) -> Option<Quantiles<u64>> {
    Quantiles::new(histogram.len(), max_ns, |rank| histogram.at_rank(rank).1.min(max_ns))
}

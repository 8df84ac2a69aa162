//! Distributions since the start, in histograms of fixed size.

use super::report::Quantiles;
use super::stats::Figures;

/// Buckets per power of two, so that a value is known within 1/128.
const PARTS: usize = 128;
/// Greater values are counted as one hour.
const GREATEST_NS: u64 = 3_600_000_000_000;
const BUCKETS: usize = bucket_of(GREATEST_NS) + 1;

/// Values below `2 * PARTS` have a bucket each, and each greater power of two has `PARTS`.
#[inline]
const fn bucket_of(ns: u64) -> usize {
    let shift = (ns | PARTS as u64).ilog2() - PARTS.ilog2();
    shift as usize * PARTS + (ns >> shift) as usize
}

/// The least and the greatest value of a bucket.
fn range_of(bucket: usize) -> (u64, u64) {
    let shift = (bucket / PARTS).saturating_sub(1);
    let least = ((bucket - shift * PARTS) as u64) << shift;
    (least, least | ((1 << shift) - 1))
}

/// How often values occurred. A count and an index: what else could be kept is kept once per row.
#[derive(Debug)]
struct Distribution(Box<[u64; BUCKETS]>);

impl Default for Distribution {
    fn default() -> Self {
        let counts = vec![0; BUCKETS].into_boxed_slice();
        Distribution(counts.try_into().expect("it has that length"))
    }
}

impl Distribution {
    #[inline]
    fn record(&mut self, ns: u64) {
        self.0[bucket_of(ns.min(GREATEST_NS))] += 1;
    }

    fn len(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The least and the greatest value counted with the one at `rank`, from 1 to the length.
    fn at_rank(&self, rank: u64) -> (u64, u64) {
        let mut seen = 0;
        let bucket = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        range_of(bucket.unwrap_or(BUCKETS - 1))
    }

    fn quantiles(&self, max_ns: u64) -> Option<Quantiles<u64>> {
        Quantiles::new(self.len(), max_ns, |rank| self.at_rank(rank).1.min(max_ns))
    }
}

/// Dispatch latency, response time and lateness of all jobs.
#[derive(Debug, Default)]
pub(super) struct Distributions {
    latency: Distribution,
    response: Distribution,
    /// How much after, or at, and how much before their deadlines jobs finished.
    late: Distribution,
    early: Distribution,
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
        self.latency.quantiles(max_ns)
    }

    /// Quantiles, given the exact maximum.
    pub(super) fn response(&self, max_ns: u64) -> Option<Quantiles<u64>> {
        self.response.quantiles(max_ns)
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
        for distribution in [&mut self.latency, &mut self.response, &mut self.late, &mut self.early]
        {
            distribution.0.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_within_a_128th() {
        let mut next = 0;
        for bucket in 0..BUCKETS {
            let (least, greatest) = range_of(bucket);
            assert_eq!(least, next);
            assert_eq!([least, greatest].map(bucket_of), [bucket; 2]);
            assert!((greatest - least) * PARTS as u64 <= least);
            next = greatest + 1;
        }
        assert!(next > GREATEST_NS);
    }
}

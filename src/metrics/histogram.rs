//! [`Histogram`]: how often durations occurred, in memory of a fixed size.

use alloc::boxed::Box;
use alloc::vec;

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

/// Counts of durations in 36 KiB: log-linear buckets, as in HdrHistogram (Tene 2014) with two digits.
///
/// Recording is an index and two counts: with caches that are cold after a sleep, each further line of
/// memory would cost more than that. Who wants an exact maximum, or a sum, keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    len: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = vec![0; BUCKETS].into_boxed_slice();
        Histogram { counts: counts.try_into().expect("it has that length"), len: 0 }
    }
}

impl Histogram {
    #[inline]
    pub(crate) fn record(&mut self, ns: u64) {
        self.counts[bucket_of(ns.min(GREATEST_NS))] += 1;
        self.len += 1;
    }

    /// Values recorded.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The least and the greatest value counted with the one at `rank`, from 1 to the length. Walks
    /// along the buckets, some 4,600 at most.
    pub(crate) fn at_rank(&self, rank: u64) -> (u64, u64) {
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        range_of(bucket.unwrap_or(BUCKETS - 1))
    }

    /// The least value that has this share of all at or below it, or up to 1/128 more; 0 if there is
    /// none.
    pub(crate) fn at_quantile(&self, quantile: f64) -> u64 {
        match self.len {
            0 => 0,
            // Few shares are numbers of f64: by so little no rank is meant to be exceeded.
            len => self.at_rank(((quantile * len as f64 - 1e-6).ceil() as u64).clamp(1, len)).1,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        self.len = 0;
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

    #[test]
    fn quantiles_are_the_least_values_with_their_share() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.len(), histogram.at_quantile(0.5)), (0, 0));
        (1..=200).for_each(|ns| histogram.record(ns));
        let at = |quantile| histogram.at_quantile(quantile);
        let quantiles = [0.0, 0.005, 0.07, 0.5, 0.501, 0.9, 0.99, 0.999, 1.0].map(at);
        assert_eq!(quantiles, [1, 1, 14, 100, 101, 180, 198, 200, 200]);
        histogram.record(u64::MAX);
        let greatest = histogram.at_quantile(1.0);
        assert!((GREATEST_NS..GREATEST_NS + GREATEST_NS / 128).contains(&greatest));
        histogram.clear();
        assert_eq!(histogram.len(), 0);
    }
}

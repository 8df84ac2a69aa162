//! [`Window`]: the last so many jobs, summed up as they come and go.

use super::stats::{rank, Counts, Sample};
use super::{JobRecord, JobStats, Quantiles};
use crate::task::TaskId;
use crate::time::TimePoint;
use crate::timing::ring::Ring;

pub(super) struct Window {
    ring: Ring<Sample>,
    counts: Counts,
    latest_finish: TimePoint,
    /// What a dispatch latency is compared with, and in how many jobs it was greater: whether the
    /// 99th percentile is can be told from that without sorting.
    threshold_ns: u64,
    over_threshold: u64,
    /// Room to sort in, so that an alert does not allocate.
    scratch: Vec<u64>,
}

impl Window {
    /// A window of `samples` jobs, at least 1.
    pub(super) fn new(samples: usize, threshold_ns: u64) -> Self {
        Window {
            ring: Ring::new(samples, BLANK),
            counts: Counts::default(),
            latest_finish: TimePoint::ZERO,
            threshold_ns,
            over_threshold: 0,
            scratch: Vec::with_capacity(samples),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, sample: Sample) {
        self.counts.add(&sample);
        self.latest_finish = self.latest_finish.max(sample.job.finish);
        self.over_threshold += u64::from(self.is_over(&sample));
        if let Some(gone) = self.ring.push(sample) {
            self.counts.remove(&gone);
            self.over_threshold -= u64::from(self.is_over(&gone));
        }
    }

    #[inline]
    fn is_over(&self, sample: &Sample) -> bool {
        sample.ran && sample.job.dispatch_latency_ns() > self.threshold_ns
    }

    /// Missed deadlines among all, rounded up: it exceeds whole numbers when the exact ratio does.
    pub(super) fn miss_rate_ppm(&self) -> u64 {
        ppm(self.counts.misses.into(), self.counts.deadlines)
    }

    /// Busy time in [`elapsed_ns`](Self::elapsed_ns), rounded up.
    pub(super) fn utilization_ppm(&self) -> u64 {
        ppm(self.counts.busy_ns, self.elapsed_ns())
    }

    /// Whether the 99th percentile of the dispatch latencies is greater than the threshold. O(1).
    pub(super) fn is_p99_over_threshold(&self) -> bool {
        let jobs = self.counts.jobs;
        jobs - self.over_threshold < rank(jobs, 990)
    }

    /// The 99th percentile of the dispatch latencies; 0 if there are none. O(samples).
    pub(super) fn p99_dispatch_latency_ns(&mut self) -> u64 {
        let Some(index) = rank(self.counts.jobs, 990).checked_sub(1) else { return 0 };
        self.scratch.clear();
        self.scratch.extend(ran(&self.ring).map(JobRecord::dispatch_latency_ns));
        *self.scratch.select_nth_unstable(index as usize).1
    }

    /// From the start of the oldest job to the latest finish.
    pub(super) fn elapsed_ns(&self) -> u64 {
        let start = self.ring.iter().next().map_or(TimePoint::ZERO, |sample| sample.job.start);
        self.latest_finish.as_nanos().saturating_sub(start.as_nanos())
    }

    pub(super) fn stats(&self) -> JobStats {
        let latency = quantiles(ran(&self.ring).map(JobRecord::dispatch_latency_ns));
        let response = quantiles(ran(&self.ring).map(JobRecord::response_ns));
        let lateness = quantiles(ran(&self.ring).filter_map(JobRecord::lateness_ns));
        JobStats::new(&self.counts, self.elapsed_ns(), latency, response, lateness)
    }

    pub(super) fn clear(&mut self) {
        self.ring.clear();
        self.counts = Counts::default();
        self.latest_finish = TimePoint::ZERO;
        self.over_threshold = 0;
    }
}

/// What fills the ring unseen.
const BLANK: Sample = Sample {
    job: JobRecord {
        task: TaskId::NONE,
        name: None,
        repeats: false,
        release: TimePoint::ZERO,
        start: TimePoint::ZERO,
        finish: TimePoint::ZERO,
        deadline: None,
    },
    ran: false,
};

fn ran(ring: &Ring<Sample>) -> impl Iterator<Item = &JobRecord> {
    ring.iter().filter(|sample| sample.ran).map(|sample| &sample.job)
}

fn ppm(part: u128, whole: u64) -> u64 {
    let whole = u128::from(whole).max(1);
    u64::try_from(part.saturating_mul(1_000_000).div_ceil(whole)).unwrap_or(u64::MAX)
}

/// Exact quantiles, by sorting.
fn quantiles<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<Quantiles<T>> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    let max = *values.last()?;
    Quantiles::new(values.len() as u64, max, |rank| values[rank as usize - 1])
}

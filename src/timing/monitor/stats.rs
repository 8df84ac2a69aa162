//! [`Counts`]: what is summed up alike for all jobs, the window's jobs and each row's.

use super::JobRecord;

/// A job, run or skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) job: JobRecord,
    /// Without having run it has no latencies, and has missed its deadline.
    pub(super) ran: bool,
}

impl Sample {
    #[inline]
    fn missed(&self) -> bool {
        !self.ran || self.job.missed()
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Jobs that ran.
    pub(super) jobs: u64,
    pub(super) skipped: u64,
    /// Jobs with a deadline, skipped ones included.
    pub(super) deadlines: u64,
    pub(super) misses: u64,
    /// Wide, so that what was added can be taken out again exactly.
    pub(super) busy_ns: u128,
}

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, sample: &Sample) {
        self.jobs += u64::from(sample.ran);
        self.skipped += u64::from(!sample.ran);
        self.deadlines += u64::from(!sample.ran || sample.job.deadline.is_some());
        self.misses += u64::from(sample.missed());
        self.busy_ns += u128::from(sample.job.execution_ns());
    }

    /// Takes out what was added.
    #[inline]
    pub(super) fn remove(&mut self, sample: &Sample) {
        self.jobs -= u64::from(sample.ran);
        self.skipped -= u64::from(!sample.ran);
        self.deadlines -= u64::from(!sample.ran || sample.job.deadline.is_some());
        self.misses -= u64::from(sample.missed());
        self.busy_ns -= u128::from(sample.job.execution_ns());
    }

    pub(super) fn miss_rate(&self) -> f64 {
        ratio(self.misses as f64, self.deadlines as f64)
    }

    pub(super) fn utilization(&self, elapsed_ns: u64) -> f64 {
        ratio(self.busy_ns as f64, elapsed_ns as f64)
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        part / whole
    } else {
        0.0
    }
}

/// The position, from 1, of the quantile `permille` / 1,000 among `count` sorted values: the least
/// one that has at least that share of them at or below it.
pub(super) fn rank(count: u64, permille: u64) -> u64 {
    (u128::from(count) * u128::from(permille)).div_ceil(1000) as u64
}

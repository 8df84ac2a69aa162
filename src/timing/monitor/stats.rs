//! [`Counts`]: what is summed up alike for all jobs, the window's jobs and each row's.

use super::JobRecord;

/// What is summed up of a job, worked out once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) latency_ns: u64,
    pub(super) response_ns: u64,
    pub(super) execution_ns: u64,
    pub(super) lateness_ns: Option<i64>,
    /// Skipped jobs have no latencies, and have missed their deadlines.
    pub(super) ran: bool,
}

impl Figures {
    #[inline]
    pub(super) fn of(job: &JobRecord, ran: bool) -> Self {
        Figures {
            latency_ns: job.dispatch_latency_ns(),
            response_ns: job.response_ns(),
            execution_ns: job.execution_ns(),
            lateness_ns: job.lateness_ns(),
            ran,
        }
    }

    #[inline]
    fn had_deadline(&self) -> bool {
        !self.ran || self.lateness_ns.is_some()
    }

    #[inline]
    fn missed(&self) -> bool {
        !self.ran || self.lateness_ns > Some(0)
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
    pub(super) fn add(&mut self, job: &Figures) {
        self.jobs += u64::from(job.ran);
        self.skipped += u64::from(!job.ran);
        self.deadlines += u64::from(job.had_deadline());
        self.misses += u64::from(job.missed());
        self.busy_ns += u128::from(job.execution_ns);
    }

    /// Takes out what was added.
    #[inline]
    pub(super) fn remove(&mut self, job: &Figures) {
        self.jobs -= u64::from(job.ran);
        self.skipped -= u64::from(!job.ran);
        self.deadlines -= u64::from(job.had_deadline());
        self.misses -= u64::from(job.missed());
        self.busy_ns -= u128::from(job.execution_ns);
    }

    /// Adds what others have counted.
    pub(super) fn add_all(&mut self, others: &Counts) {
        self.jobs += others.jobs;
        self.skipped += others.skipped;
        self.deadlines += others.deadlines;
        self.misses += others.misses;
        self.busy_ns += others.busy_ns;
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

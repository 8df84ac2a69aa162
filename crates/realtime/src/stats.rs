//! What workers record, and how it is read: without either waiting for the other.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets per power of two, so that a value is known within 1/128.
const PARTS: usize = 128;
const PARTS_LOG2: u32 = PARTS.trailing_zeros();
/// Values below `PARTS` have a bucket each, and each greater power of two has `PARTS`.
const BUCKETS: usize = (64 - PARTS_LOG2 as usize + 1) * PARTS;

fn bucket_of(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(PARTS_LOG2 + 1);
    shift as usize * PARTS + (value >> shift) as usize
}

/// The greatest value of a bucket.
fn greatest_in(bucket: usize) -> u64 {
    let shift = (bucket / PARTS).saturating_sub(1);
    let part = (bucket - shift * PARTS) as u64;
    (part << shift) | ((1 << shift) - 1)
}

/// A worker's counters. Only the worker's thread writes, but for `moved_away`.
pub(crate) struct Recorder {
    started: AtomicU64,
    missed: AtomicU64,
    skipped: AtomicU64,
    panicked: AtomicU64,
    moved_away: AtomicU64,
    busy_ns: AtomicU64,
    latency_total_ns: AtomicU64,
    max_ns: AtomicU64,
    /// Since the last report.
    recent_max_ns: AtomicU64,
    latencies: Box<[AtomicU64]>,
}

impl Default for Recorder {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Recorder {
            started: zero(),
            missed: zero(),
            skipped: zero(),
            panicked: zero(),
            moved_away: zero(),
            busy_ns: zero(),
            latency_total_ns: zero(),
            max_ns: zero(),
            recent_max_ns: zero(),
            latencies: std::iter::repeat_with(zero).take(BUCKETS).collect(),
        }
    }
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Recorder {
    pub(crate) fn dispatched(&self, latency_ns: u64) {
        add(&self.started, 1);
        add(&self.latency_total_ns, latency_ns);
        add(&self.latencies[bucket_of(latency_ns)], 1);
        for max in [&self.max_ns, &self.recent_max_ns] {
            if latency_ns > get(max) {
                max.fetch_max(latency_ns, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn finished(&self, busy_ns: u64, is_late: bool) {
        add(&self.busy_ns, busy_ns);
        if is_late {
            add(&self.missed, 1);
        }
    }

    pub(crate) fn panicked(&self, busy_ns: u64) {
        add(&self.busy_ns, busy_ns);
        add(&self.panicked, 1);
    }

    pub(crate) fn skipped(&self) {
        add(&self.skipped, 1);
        add(&self.missed, 1);
    }

    pub(crate) fn moved_away(&self) {
        add(&self.moved_away, 1);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            executed: get(&self.started),
            missed_deadlines: get(&self.missed),
            skipped: get(&self.skipped),
            panicked: get(&self.panicked),
            moved_away: get(&self.moved_away),
            busy_ns: get(&self.busy_ns),
        }
    }

    /// The greatest dispatch latency since the last call.
    pub(crate) fn take_recent_max(&self) -> u64 {
        self.recent_max_ns.swap(0, Ordering::Relaxed)
    }
}

/// What a worker, or all, have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Jobs started, panicked ones included.
    pub executed: u64,
    /// Jobs that finished after their deadline, or were skipped for it.
    pub missed_deadlines: u64,
    /// Jobs that were not run, because they were late before they started.
    pub skipped: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Tasks that were taken away because the latency budget was exceeded.
    pub moved_away: u64,
    /// Time in jobs.
    pub busy_ns: u64,
}

impl Totals {
    /// The sum, or with a closure that subtracts the difference, of each figure.
    fn zip(self, other: Totals, with: impl Fn(u64, u64) -> u64) -> Totals {
        Totals {
            executed: with(self.executed, other.executed),
            missed_deadlines: with(self.missed_deadlines, other.missed_deadlines),
            skipped: with(self.skipped, other.skipped),
            panicked: with(self.panicked, other.panicked),
            moved_away: with(self.moved_away, other.moved_away),
            busy_ns: with(self.busy_ns, other.busy_ns),
        }
    }

    pub(crate) fn plus(self, other: Totals) -> Totals {
        self.zip(other, u64::saturating_add)
    }

    pub(crate) fn since(self, earlier: Totals) -> Totals {
        self.zip(earlier, u64::saturating_sub)
    }
}

/// Quantiles of the dispatch latency, start − release, of the jobs of all workers. Within 0.8 %, and
/// never below the truth; mean and maximum are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LatencyStats {
    /// Jobs measured.
    pub count: u64,
    /// Mean.
    pub mean_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Maximum.
    pub max_ns: u64,
}

impl LatencyStats {
    /// The latencies of several workers, as if they were one. O(buckets), no worker waits for it.
    pub(crate) fn of<'a>(recorders: impl Iterator<Item = &'a Recorder> + Clone) -> Self {
        let counts: Vec<u64> = (0..BUCKETS)
            .map(|bucket| recorders.clone().map(|recorder| get(&recorder.latencies[bucket])).sum())
            .collect();
        let count: u64 = counts.iter().sum();
        let max_ns = recorders.clone().map(|recorder| get(&recorder.max_ns)).max().unwrap_or(0);
        let total_ns: u64 = recorders.map(|recorder| get(&recorder.latency_total_ns)).sum();
        let quantile = |per_mille: u64| {
            // The least value that at least so many latencies do not exceed.
            let mut left = (u128::from(count) * u128::from(per_mille)).div_ceil(1000) as u64;
            let found = counts.iter().position(|in_bucket| {
                let is_here = left <= *in_bucket;
                left = left.saturating_sub(*in_bucket);
                is_here
            });
            found.map_or(max_ns, greatest_in).min(max_ns)
        };
        LatencyStats {
            count,
            mean_ns: total_ns.checked_div(count).unwrap_or(0),
            p50_ns: quantile(500),
            p90_ns: quantile(900),
            p99_ns: quantile(990),
            p999_ns: quantile(999),
            max_ns,
        }
    }
}

impl fmt::Display for LatencyStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LatencyStats { count, mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns } = self;
        write!(
            f,
            "{count} jobs, dispatch latency in ns: mean {mean_ns}, p50 {p50_ns}, p90 {p90_ns}, \
             p99 {p99_ns}, p99.9 {p999_ns}, max {max_ns}"
        )
    }
}

/// One worker's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// The worker's number.
    pub worker: usize,
    /// Tasks that have not ended.
    pub pending: usize,
    /// Whether a job is running.
    pub is_running: bool,
    /// What it has done.
    pub totals: Totals,
    /// Share of the time since the start that was spent in jobs.
    pub utilization: f64,
    /// ΣC/T of the repeating tasks placed there that declare a WCET.
    pub placed_utilization: f64,
    /// Its dispatch latencies.
    pub latency: LatencyStats,
}

/// What [`run_until_idle_with_guarantee`](crate::NanosecondScheduler::run_until_idle_with_guarantee)
/// found: how well deadlines and latency budget were kept since its last report, or the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuaranteeReport {
    /// What all workers have done.
    pub totals: Totals,
    /// The greatest dispatch latency.
    pub worst_latency_ns: u64,
    /// What it should not exceed.
    pub latency_budget_ns: u64,
}

impl GuaranteeReport {
    /// Whether no deadline was missed.
    #[must_use]
    pub fn kept_deadlines(&self) -> bool {
        self.totals.missed_deadlines == 0
    }

    /// Whether no dispatch latency exceeded the budget.
    #[must_use]
    pub fn kept_budget(&self) -> bool {
        self.worst_latency_ns <= self.latency_budget_ns
    }

    /// Whether both were kept, and no job panicked.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.kept_deadlines() && self.kept_budget() && self.totals.panicked == 0
    }
}

impl fmt::Display for GuaranteeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { executed, missed_deadlines, panicked, .. } = self.totals;
        write!(
            f,
            "{executed} jobs, {missed_deadlines} missed deadlines, {panicked} panics, worst dispatch \
             latency {} ns of {} ns allowed",
            self.worst_latency_ns, self.latency_budget_ns
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_narrow() {
        for value in (0..100_000).chain([u64::MAX / 3, u64::MAX - 1, u64::MAX]) {
            let bucket = bucket_of(value);
            let greatest = greatest_in(bucket);
            assert!(bucket < BUCKETS && greatest >= value, "{value}: {bucket}, {greatest}");
            assert!(greatest - value <= value / PARTS as u64, "{value}: {greatest}");
            assert_eq!(bucket_of(greatest), bucket);
            if greatest < u64::MAX {
                assert_eq!(bucket_of(greatest + 1), bucket + 1);
            }
        }
    }

    #[test]
    fn quantiles_of_two_workers_are_those_of_all_their_jobs() {
        let (low, high) = (Recorder::default(), Recorder::default());
        (1..=500).for_each(|latency| low.dispatched(latency));
        (501..=1000).for_each(|latency| high.dispatched(latency));
        let stats = LatencyStats::of([&low, &high].into_iter());
        assert_eq!((stats.count, stats.max_ns, stats.mean_ns), (1000, 1000, 500));
        for (found, exact) in
            [(stats.p50_ns, 500), (stats.p90_ns, 900), (stats.p99_ns, 990), (stats.p999_ns, 999)]
        {
            assert!((exact..=exact + exact / 128).contains(&found), "{found} for {exact}");
        }
        assert_eq!(LatencyStats::of([].into_iter()), LatencyStats::default());
    }
}

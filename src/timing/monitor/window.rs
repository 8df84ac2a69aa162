//! [`Window`]: the last so many jobs, summed up as they come and go.

use super::stats::{rank, Counts, Figures};
use super::{JobStats, Quantiles};
use crate::time::TimePoint;
use crate::timing::ring::Ring;

pub(super) struct Window {
    ring: Ring<Recent>,
    latest_finish: TimePoint,
    /// What alerts are decided by, if any may be raised.
    watched: Option<Watched>,
    /// Room to sort in, so that an alert does not allocate.
    scratch: Vec<u64>,
}

/// A job of the window.
#[derive(Clone, Copy)]
struct Recent {
    start: TimePoint,
    figures: Figures,
}

/// Sums that are kept up to date as jobs come and go.
struct Watched {
    counts: Counts,
    /// What a dispatch latency is compared with, and in how many jobs it was greater: whether the
    /// 99th percentile is can be told from that without sorting.
    threshold_ns: u64,
    over_threshold: u64,
}

impl Watched {
    fn new(threshold_ns: u64) -> Self {
        Watched { counts: Counts::default(), threshold_ns, over_threshold: 0 }
    }

    fn is_over(&self, job: &Figures) -> bool {
        job.ran && job.latency_ns > self.threshold_ns
    }

    fn push(&mut self, job: &Figures, gone: Option<&Figures>) {
        self.counts.add(job);
        self.over_threshold += u64::from(self.is_over(job));
        if let Some(gone) = gone {
            self.counts.remove(gone);
            self.over_threshold -= u64::from(self.is_over(gone));
        }
    }
}

impl Window {
    /// A window of `samples` jobs, at least 1. With a threshold of the 99th percentile it sums up what
    /// [`Alarms`](super::alert::Alarms) compares.
    pub(super) fn new(samples: usize, threshold_ns: Option<u64>) -> Self {
        Window {
            ring: Ring::new(samples, BLANK),
            latest_finish: TimePoint::ZERO,
            watched: threshold_ns.map(Watched::new),
            scratch: Vec::with_capacity(if threshold_ns.is_some() { samples } else { 0 }),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, start: TimePoint, finish: TimePoint, figures: Figures) {
        self.latest_finish = self.latest_finish.max(finish);
        let gone = self.ring.push(Recent { start, figures });
        if let Some(watched) = &mut self.watched {
            watched.push(&figures, gone.as_ref().map(|gone| &gone.figures));
        }
    }

    /// What alerts are decided by; `None` if none may be raised. O(1).
    pub(super) fn watched(&self) -> Option<WatchedFigures> {
        let Watched { counts, over_threshold, .. } = self.watched.as_ref()?;
        Some(WatchedFigures {
            is_p99_over_threshold: counts.jobs - over_threshold < rank(counts.jobs, 990),
            miss_rate_ppm: ppm(counts.misses.into(), counts.deadlines),
            utilization_ppm: ppm(counts.busy_ns, self.elapsed_ns()),
        })
    }

    /// The 99th percentile of the dispatch latencies; 0 if there are none. O(samples).
    pub(super) fn p99_dispatch_latency_ns(&mut self) -> u64 {
        self.scratch.clear();
        self.scratch.extend(ran(&self.ring).map(|job| job.latency_ns));
        let rank = rank(self.scratch.len() as u64, 990);
        let Some(index) = rank.checked_sub(1) else { return 0 };
        *self.scratch.select_nth_unstable(index as usize).1
    }

    /// From the start of the oldest job to the latest finish.
    fn elapsed_ns(&self) -> u64 {
        let start = self.ring.iter().next().map_or(TimePoint::ZERO, |recent| recent.start);
        self.latest_finish.as_nanos().saturating_sub(start.as_nanos())
    }

    pub(super) fn stats(&self) -> JobStats {
        let mut counts = Counts::default();
        self.ring.iter().for_each(|recent| counts.add(&recent.figures));
        let latency = quantiles(ran(&self.ring).map(|job| job.latency_ns));
        let response = quantiles(ran(&self.ring).map(|job| job.response_ns));
        let lateness = quantiles(ran(&self.ring).filter_map(|job| job.lateness_ns));
        JobStats::new(&counts, self.elapsed_ns(), latency, response, lateness)
    }

    pub(super) fn clear(&mut self) {
        self.ring.clear();
        self.latest_finish = TimePoint::ZERO;
        if let Some(watched) = &mut self.watched {
            *watched = Watched::new(watched.threshold_ns);
        }
    }
}

/// What alerts are decided by. Shares are rounded up: they exceed whole numbers when the exact ratios do.
pub(super) struct WatchedFigures {
    /// Whether the 99th percentile of the dispatch latencies is.
    pub(super) is_p99_over_threshold: bool,
    /// Missed deadlines among all.
    pub(super) miss_rate_ppm: u64,
    /// Busy time in the time from the start of the oldest job to the latest finish.
    pub(super) utilization_ppm: u64,
}

/// What fills the ring unseen.
const BLANK: Recent = Recent {
    start: TimePoint::ZERO,
    figures: Figures {
        latency_ns: 0,
        response_ns: 0,
        execution_ns: 0,
        lateness_ns: None,
        ran: false,
    },
};

fn ran(ring: &Ring<Recent>) -> impl Iterator<Item = &Figures> {
    ring.iter().map(|recent| &recent.figures).filter(|job| job.ran)
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

//! What the scheduler counted and timed: recorded by the tick, read as [`Metrics`].

#[cfg(feature = "std")]
mod histogram;
#[cfg(feature = "std")]
mod histograms;
mod snapshot;

use crate::config::MetricsLevel;
#[cfg(feature = "std")]
pub(crate) use histogram::Histogram;
pub use snapshot::{LatencyStats, Metrics};

/// Collects; every method costs a few instructions, or nothing at [`MetricsLevel::Off`].
#[derive(Debug)]
pub(crate) struct Recorder {
    level: MetricsLevel,
    created_at: u64,
    ticks: u64,
    idle_ticks: u64,
    executed: u64,
    cancelled: u64,
    panicked: u64,
    missed_deadlines: u64,
    skipped: u64,
    overruns: u64,
    missed_ticks: u64,
    remote_refused: u64,
    tick_time_total_ns: u64,
    tick_time_min_ns: u64,
    tick_time_max_ns: u64,
    #[cfg(feature = "std")]
    histograms: Option<alloc::boxed::Box<histograms::Histograms>>,
}

/// What a busy tick did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TickCounts {
    pub(crate) executed: usize,
    pub(crate) panicked: usize,
    pub(crate) missed_deadlines: usize,
    pub(crate) skipped: usize,
}

impl Recorder {
    pub(crate) fn new(level: MetricsLevel, created_at: u64) -> Self {
        Recorder {
            level,
            created_at,
            ticks: 0,
            idle_ticks: 0,
            executed: 0,
            cancelled: 0,
            panicked: 0,
            missed_deadlines: 0,
            skipped: 0,
            overruns: 0,
            missed_ticks: 0,
            remote_refused: 0,
            tick_time_total_ns: 0,
            tick_time_min_ns: u64::MAX,
            tick_time_max_ns: 0,
            #[cfg(feature = "std")]
            histograms: (level >= MetricsLevel::Histograms).then(Default::default),
        }
    }

    /// Whether anything is recorded, ticks timed among it.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.level != MetricsLevel::Off
    }

    /// Whether the start of each job is to be read and reported to [`dispatched`](Self::dispatched).
    #[inline]
    pub(crate) fn times_jobs(&self) -> bool {
        self.level >= MetricsLevel::Histograms
    }

    /// Counts a tick that found nothing due. Such ticks are not timed.
    #[inline]
    pub(crate) fn idle_tick(&mut self) {
        self.idle_ticks += u64::from(self.is_on());
    }

    /// Counts a tick that ran jobs; the caller has asked whether recording [is on](Self::is_on).
    #[inline]
    pub(crate) fn busy_tick(&mut self, counts: TickCounts, duration_ns: u64) {
        self.ticks += 1;
        self.executed += counts.executed as u64;
        self.panicked += counts.panicked as u64;
        self.missed_deadlines += counts.missed_deadlines as u64;
        self.skipped += counts.skipped as u64;
        self.tick_time_total_ns = self.tick_time_total_ns.saturating_add(duration_ns);
        self.tick_time_min_ns = self.tick_time_min_ns.min(duration_ns);
        self.tick_time_max_ns = self.tick_time_max_ns.max(duration_ns);
        #[cfg(feature = "std")]
        if let Some(histograms) = &mut self.histograms {
            histograms.tick_time(duration_ns);
        }
    }

    /// Records how long after its release a job started, and after which latency the task's job
    /// before did.
    #[inline]
    pub(crate) fn dispatched(&mut self, latency_ns: u64, previous_ns: Option<u64>) {
        #[cfg(feature = "std")]
        if let Some(histograms) = &mut self.histograms {
            histograms.dispatched(latency_ns, previous_ns);
        }
        #[cfg(not(feature = "std"))]
        let _ = (latency_ns, previous_ns);
    }

    #[inline]
    pub(crate) fn cancelled(&mut self) {
        self.cancelled += u64::from(self.is_on());
    }

    pub(crate) fn overrun(&mut self) {
        self.overruns += u64::from(self.is_on());
    }

    #[inline]
    pub(crate) fn missed_ticks(&mut self, missed: u64) {
        if self.is_on() {
            self.missed_ticks = self.missed_ticks.saturating_add(missed);
        }
    }

    #[cfg(feature = "std")]
    pub(crate) fn refused_remote(&mut self) {
        self.remote_refused += u64::from(self.is_on());
    }

    /// Quantiles of the dispatch latency; `None` below [`MetricsLevel::Histograms`].
    pub(crate) fn latency(&self) -> Option<LatencyStats> {
        #[cfg(feature = "std")]
        return self.histograms.as_ref().map(|histograms| histograms.latency());
        #[cfg(not(feature = "std"))]
        None
    }

    /// The figures as of `now`.
    pub(crate) fn snapshot(&self, now: u64, pending: usize, memory_bytes: usize) -> Metrics {
        let elapsed_ns = now.saturating_sub(self.created_at);
        let timed = self.ticks > 0;
        let [p50, p95, p99] = self.tick_time_quantiles([0.50, 0.95, 0.99]);
        Metrics {
            level: self.level,
            elapsed_ns,
            ticks: self.ticks,
            idle_ticks: self.idle_ticks,
            executed: self.executed,
            cancelled: self.cancelled,
            panicked: self.panicked,
            missed_deadlines: self.missed_deadlines,
            skipped: self.skipped,
            overruns: self.overruns,
            missed_ticks: self.missed_ticks,
            remote_refused: self.remote_refused,
            pending,
            memory_bytes,
            tasks_per_second: match elapsed_ns {
                0 => 0.0,
                _ => self.executed as f64 * 1e9 / elapsed_ns as f64,
            },
            avg_tick_time_ns: self.tick_time_total_ns.checked_div(self.ticks).unwrap_or(0),
            min_tick_time_ns: if timed { self.tick_time_min_ns } else { 0 },
            max_tick_time_ns: self.tick_time_max_ns,
            p50_tick_time_ns: p50,
            p95_tick_time_ns: p95,
            p99_tick_time_ns: p99,
            latency: self.latency(),
        }
    }

    fn tick_time_quantiles<const N: usize>(&self, quantiles: [f64; N]) -> [Option<u64>; N] {
        #[cfg(feature = "std")]
        if let Some(histograms) = self.histograms.as_ref().filter(|_| self.ticks > 0) {
            return quantiles.map(|quantile| Some(histograms.tick_time_quantile(quantile)));
        }
        quantiles.map(|_| None)
    }
}

//! [`Metrics`]: the figures at one instant, as a table or in Prometheus' text format.

use alloc::string::String;
use core::fmt::{self, Write};

use crate::config::MetricsLevel;

/// What the scheduler has counted and timed since it was made. All zero at
/// [`MetricsLevel::Off`], but for `pending`, `memory_bytes` and `elapsed_ns`.
///
/// `Display` prints a table; [`to_prometheus`](Self::to_prometheus) the text format.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Metrics {
    /// What was measured.
    pub level: MetricsLevel,
    /// Time since the scheduler was made.
    pub elapsed_ns: u64,
    /// Ticks that found something due.
    pub ticks: u64,
    /// Ticks that did not; they are not timed.
    pub idle_ticks: u64,
    /// Jobs started.
    pub executed: u64,
    /// Tasks cancelled.
    pub cancelled: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that finished after their deadline, or were late before they started.
    pub missed_deadlines: u64,
    /// Jobs that were not run, because they were late before they started.
    pub skipped: u64,
    /// Jobs that ran longer than their declared WCET.
    pub overruns: u64,
    /// Periods that periodic tasks slept through.
    pub missed_ticks: u64,
    /// Tasks sent by a [`Remote`](crate::Remote) that were refused, as beyond the end of time, or in safe
    /// mode.
    pub remote_refused: u64,
    /// Tasks scheduled and not yet ended.
    pub pending: usize,
    /// Memory of the task store and the queue; boxed closures are not counted.
    pub memory_bytes: usize,
    /// `executed` over `elapsed_ns`.
    pub tasks_per_second: f64,
    /// Mean duration of a busy tick, its jobs included.
    pub avg_tick_time_ns: u64,
    /// Shortest busy tick.
    pub min_tick_time_ns: u64,
    /// Longest busy tick.
    pub max_tick_time_ns: u64,
    /// Median busy tick; `None` below [`MetricsLevel::Histograms`], as the next two.
    pub p50_tick_time_ns: Option<u64>,
    /// 95th percentile.
    pub p95_tick_time_ns: Option<u64>,
    /// 99th percentile.
    pub p99_tick_time_ns: Option<u64>,
    /// Dispatch latency; `None` below [`MetricsLevel::Histograms`].
    pub latency: Option<LatencyStats>,
}

/// Quantiles of the dispatch latency, start − release, to 1 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LatencyStats {
    /// Jobs measured.
    pub count: u64,
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
    /// Mean change of the latency from one job of a repeating task to its next; `None` until a
    /// task has run twice.
    pub jitter_ns: Option<u64>,
}

impl Metrics {
    /// The counters, in the order in which both formats print them.
    fn counters(&self) -> [(&'static str, &'static str, u64); 10] {
        [
            ("ticks", "Ticks that found something due", self.ticks),
            ("idle_ticks", "Ticks that found nothing due", self.idle_ticks),
            ("executed", "Jobs started", self.executed),
            ("cancelled", "Tasks cancelled", self.cancelled),
            ("panicked", "Jobs that panicked", self.panicked),
            ("missed_deadlines", "Jobs that missed their deadline", self.missed_deadlines),
            ("skipped", "Jobs that were late and not run", self.skipped),
            ("overruns", "Jobs that ran longer than their declared WCET", self.overruns),
            ("missed_ticks", "Periods slept through", self.missed_ticks),
            ("remote_refused", "Tasks of remotes that were refused", self.remote_refused),
        ]
    }

    /// The figures in Prometheus' text exposition format, version 0.0.4.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_prometheus(&mut text);
        text
    }

    fn write_prometheus(&self, out: &mut String) -> fmt::Result {
        const PREFIX: &str = "nanosecond_scheduler";
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(&str, f64)]| {
            writeln!(out, "# HELP {PREFIX}_{name} {help}.")?;
            writeln!(out, "# TYPE {PREFIX}_{name} {kind}")?;
            samples.iter().try_for_each(|(tag, v)| writeln!(out, "{PREFIX}_{name}{tag} {v}"))
        };
        for (name, help, value) in self.counters() {
            let samples = [("", value as f64)];
            family(&alloc::format!("{name}_total"), "counter", help, &samples)?;
        }
        family("pending_tasks", "gauge", "Tasks pending", &[("", self.pending as f64)])?;
        let memory = [("", self.memory_bytes as f64)];
        family("memory_bytes", "gauge", "Memory of store and queue", &memory)?;
        let seconds = |ns: u64| ns as f64 / 1e9;
        let mean = [("", seconds(self.avg_tick_time_ns))];
        family("tick_time_mean_seconds", "gauge", "Mean duration of a busy tick", &mean)?;
        let max = [("", seconds(self.max_tick_time_ns))];
        family("tick_time_max_seconds", "gauge", "Longest busy tick", &max)?;
        if let Some(latency) = self.latency {
            let quantiles = [
                ("{quantile=\"0.5\"}", seconds(latency.p50_ns)),
                ("{quantile=\"0.9\"}", seconds(latency.p90_ns)),
                ("{quantile=\"0.99\"}", seconds(latency.p99_ns)),
                ("{quantile=\"0.999\"}", seconds(latency.p999_ns)),
                ("{quantile=\"1\"}", seconds(latency.max_ns)),
            ];
            family("dispatch_latency_seconds", "gauge", "Start minus release", &quantiles)?;
        }
        Ok(())
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: u64| writeln!(f, "{name:<22} {value:>16}");
        for (name, _, value) in self.counters() {
            row(name, value)?;
        }
        row("pending", self.pending as u64)?;
        row("memory_bytes", self.memory_bytes as u64)?;
        row("tasks_per_second", self.tasks_per_second as u64)?;
        row("avg_tick_time_ns", self.avg_tick_time_ns)?;
        row("min_tick_time_ns", self.min_tick_time_ns)?;
        row("max_tick_time_ns", self.max_tick_time_ns)?;
        let percentiles = [
            ("p50_tick_time_ns", self.p50_tick_time_ns),
            ("p95_tick_time_ns", self.p95_tick_time_ns),
            ("p99_tick_time_ns", self.p99_tick_time_ns),
        ];
        for (name, value) in percentiles {
            value.map_or(Ok(()), |value| row(name, value))?;
        }
        self.latency.map_or(Ok(()), |latency| latency.fmt(f))
    }
}

impl fmt::Display for LatencyStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [
            ("latency count", Some(self.count)),
            ("latency p50_ns", Some(self.p50_ns)),
            ("latency p90_ns", Some(self.p90_ns)),
            ("latency p99_ns", Some(self.p99_ns)),
            ("latency p999_ns", Some(self.p999_ns)),
            ("latency max_ns", Some(self.max_ns)),
            ("latency jitter_ns", self.jitter_ns),
        ];
        figures.iter().try_for_each(|(name, figure)| match figure {
            Some(figure) => writeln!(f, "{name:<22} {figure:>16}"),
            None => Ok(()),
        })
    }
}

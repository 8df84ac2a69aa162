//! [`Alert`]s: told once when a threshold is crossed.

use core::fmt;

use super::stats::Figures;
use super::window::Window;
use super::{JobRecord, MonitorConfig};
use crate::task::TaskId;
use crate::time::TimePoint;

/// A threshold that was crossed, as told to [`LatencyMonitor::on_alert`](super::LatencyMonitor::on_alert).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Alert {
    /// Which figure, and so the unit of the next two: ns or parts per million.
    pub metric: AlertMetric,
    /// The figure.
    pub value: u64,
    /// What it exceeds.
    pub threshold: u64,
    /// The finish of the job with which it did.
    pub at: TimePoint,
    /// The task, for a figure of a single job.
    pub task: Option<TaskId>,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
}

/// What an [`Alert`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum AlertMetric {
    /// A job's dispatch latency in ns.
    DispatchLatency,
    /// A job's response time in ns.
    ResponseTime,
    /// The 99th percentile of the window's dispatch latencies in ns.
    DispatchLatencyP99,
    /// The share of missed deadlines in the window, in ppm.
    MissRate,
    /// The share of busy time in the window, in ppm.
    Utilization,
}

impl AlertMetric {
    const fn description(self) -> (&'static str, &'static str) {
        match self {
            AlertMetric::DispatchLatency => ("dispatch latency", "ns"),
            AlertMetric::ResponseTime => ("response time", "ns"),
            AlertMetric::DispatchLatencyP99 => ("p99 of the dispatch latency", "ns"),
            AlertMetric::MissRate => ("deadline miss rate", "ppm"),
            AlertMetric::Utilization => ("utilization", "ppm"),
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (metric, unit) = self.metric.description();
        write!(f, "{metric}")?;
        match (self.name, self.task) {
            (Some(name), _) => write!(f, " of `{name}`")?,
            (None, Some(task)) => write!(f, " of task {}", task.to_bits())?,
            (None, None) => (),
        }
        write!(f, " is {} {unit}, above {} {unit}, at {}", self.value, self.threshold, self.at)
    }
}

/// Whether a figure is above its threshold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edge {
    is_above: bool,
}

impl Edge {
    /// Tells whether the figure is above now and was not before.
    #[inline]
    fn rises(&mut self, is_above: bool) -> bool {
        let was_above = core::mem::replace(&mut self.is_above, is_above);
        is_above && !was_above
    }
}

/// The figures of single jobs, with an edge for each in every row.
const OF_JOBS: [AlertMetric; 2] = [AlertMetric::DispatchLatency, AlertMetric::ResponseTime];

/// The edges of [`OF_JOBS`].
pub(super) type JobEdges = [Edge; 2];

/// Compares figures with thresholds, and tells the handler.
pub(super) struct Alarms {
    /// By metric; `u64::MAX`, which nothing exceeds, where there is none.
    thresholds: [u64; 5],
    /// By metric; those of jobs are kept in their rows.
    edges: [Edge; 5],
    handler: Option<Box<dyn FnMut(Alert)>>,
    /// Jobs from one look at the window to the next.
    interval: usize,
    until_check: usize,
}

impl Alarms {
    pub(super) fn new(config: &MonitorConfig) -> Self {
        let interval = (config.samples / 16).max(1);
        let thresholds = [
            config.dispatch_latency_alert_ns,
            config.response_time_alert_ns,
            config.p99_dispatch_latency_alert_ns,
            config.miss_rate_alert_ppm.map(u64::from),
            config.utilization_alert_ppm.map(u64::from),
        ];
        Alarms {
            thresholds: thresholds.map(|threshold| threshold.unwrap_or(u64::MAX)),
            edges: Default::default(),
            handler: None,
            interval,
            until_check: interval,
        }
    }

    fn threshold(&self, metric: AlertMetric) -> u64 {
        self.thresholds[metric as usize]
    }

    /// The threshold of the window's 99th percentile, if there is a threshold of any of its figures.
    pub(super) fn watches_window(&self) -> Option<u64> {
        let is_watched = self.thresholds[OF_JOBS.len()..].iter().any(|ns| *ns < u64::MAX);
        is_watched.then(|| self.threshold(AlertMetric::DispatchLatencyP99))
    }

    pub(super) fn set_handler(&mut self, handler: impl FnMut(Alert) + 'static) {
        self.handler = Some(Box::new(handler));
    }

    /// Which figures of [`OF_JOBS`] rise above their threshold with `job`.
    #[inline]
    pub(super) fn rising(&self, job: &Figures, edges: &mut JobEdges) -> [bool; 2] {
        let [latency, response] = edges;
        [
            latency.rises(job.latency_ns > self.thresholds[0]),
            response.rises(job.response_ns > self.thresholds[1]),
        ]
    }

    /// Raises the alerts of a job.
    #[cold]
    pub(super) fn raise_for(&mut self, job: &JobRecord, rising: [bool; 2]) {
        let values = [job.dispatch_latency_ns(), job.response_ns()];
        for ((metric, value), rises) in OF_JOBS.into_iter().zip(values).zip(rising) {
            if rises {
                self.raise(metric, value, job.finish, Some(job));
            }
        }
    }

    /// Whether, with one more job, it is time to look at the window.
    #[inline]
    pub(super) fn is_check_due(&mut self) -> bool {
        self.until_check -= 1;
        self.until_check == 0
    }

    /// Compares the window's figures, and raises alerts.
    pub(super) fn check(&mut self, window: &mut Window, at: TimePoint) {
        self.until_check = self.interval;
        let Some(watched) = window.watched() else { return };
        let metric = AlertMetric::DispatchLatencyP99;
        if self.edges[metric as usize].rises(watched.is_p99_over_threshold) {
            self.raise(metric, window.p99_dispatch_latency_ns(), at, None);
        }
        for (metric, value) in [
            (AlertMetric::MissRate, watched.miss_rate_ppm),
            (AlertMetric::Utilization, watched.utilization_ppm),
        ] {
            let is_above = value > self.threshold(metric);
            if self.edges[metric as usize].rises(is_above) {
                self.raise(metric, value, at, None);
            }
        }
    }

    fn raise(&mut self, metric: AlertMetric, value: u64, at: TimePoint, job: Option<&JobRecord>) {
        let threshold = self.threshold(metric);
        let (task, name) = (job.map(|job| job.task), job.and_then(|job| job.name));
        if let Some(handle) = &mut self.handler {
            handle(Alert { metric, value, threshold, at, task, name });
        }
    }

    pub(super) fn clear(&mut self) {
        self.edges = Default::default();
        self.until_check = self.interval;
    }
}

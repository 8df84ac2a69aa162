//! [`LatencyMonitor`]: how well deadlines and releases were kept.

mod alert;
mod distribution;
mod report;
mod rows;
mod stats;
mod window;

use crate::config::ConfigError;
use crate::task::TaskId;
use crate::time::TimePoint;

use alert::Alarms;
pub use alert::{Alert, AlertMetric};
use distribution::Distributions;
pub use report::{JobStats, MonitoringReport, Quantiles, TaskStats};
use rows::Rows;
use stats::Figures;
use window::Window;

/// One job, as [`LatencyMonitor::record`] takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobRecord {
    /// The task.
    pub task: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// Whether the task repeats: it has a row of its own in the report even without a name.
    pub repeats: bool,
    /// From when the job might run.
    pub release: TimePoint,
    /// When it started.
    pub start: TimePoint,
    /// When it finished.
    pub finish: TimePoint,
    /// Its absolute deadline, if it has one.
    pub deadline: Option<TimePoint>,
}

impl JobRecord {
    /// start − release, or 0 if it started before.
    #[inline]
    #[must_use]
    pub const fn dispatch_latency_ns(&self) -> u64 {
        self.start.as_nanos().saturating_sub(self.release.as_nanos())
    }

    /// finish − release, or 0 if it finished before.
    #[inline]
    #[must_use]
    pub const fn response_ns(&self) -> u64 {
        self.finish.as_nanos().saturating_sub(self.release.as_nanos())
    }

    /// finish − start, or 0 if it finished before.
    #[inline]
    #[must_use]
    pub const fn execution_ns(&self) -> u64 {
        self.finish.as_nanos().saturating_sub(self.start.as_nanos())
    }

    /// finish − deadline: positive if the job was late. Clamped to the range of `i64`, 292 years.
    #[inline]
    #[must_use]
    pub fn lateness_ns(&self) -> Option<i64> {
        let (finish, deadline) = (self.finish.as_nanos(), self.deadline?.as_nanos());
        let by = i64::try_from(finish.abs_diff(deadline)).unwrap_or(i64::MAX);
        Some(if finish >= deadline { by } else { -by })
    }

    /// Whether the job finished after its deadline.
    #[inline]
    #[must_use]
    pub fn missed(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.finish > deadline)
    }
}

/// How a [`LatencyMonitor`] is set up: a plain struct with bounds, checked where it is used.
///
/// A threshold of `None`, the default, raises no [`Alert`]s. Shares are in parts per million, so
/// that they compare exactly: 10 ppm are 0.001 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct MonitorConfig {
    /// Jobs in the window of recent ones, 1 to 2²⁰. Default 1,024. Each takes 56 bytes.
    pub samples: usize,
    /// Alert on a job whose dispatch latency is greater.
    pub dispatch_latency_alert_ns: Option<u64>,
    /// Alert on a job whose response time is greater.
    pub response_time_alert_ns: Option<u64>,
    /// Alert on a greater 99th percentile of the window's dispatch latencies.
    pub p99_dispatch_latency_alert_ns: Option<u64>,
    /// Alert on a greater share of missed ones among the window's deadlines, 0 to 1,000,000.
    pub miss_rate_alert_ppm: Option<u32>,
    /// Alert on a greater share of busy time in the window's time, 0 to 1,000,000.
    pub utilization_alert_ppm: Option<u32>,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        MonitorConfig {
            samples: 1024,
            dispatch_latency_alert_ns: None,
            response_time_alert_ns: None,
            p99_dispatch_latency_alert_ns: None,
            miss_rate_alert_ppm: None,
            utilization_alert_ppm: None,
        }
    }
}

impl MonitorConfig {
    /// Says which field is out of its bounds, if any.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let in_range = |field, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(ConfigError::OutOfRange { field, value, least, most })
            }
        };
        in_range("monitor.samples", self.samples, 1, 1 << 20)?;
        for (field, ppm) in [
            ("monitor.miss_rate_alert_ppm", self.miss_rate_alert_ppm),
            ("monitor.utilization_alert_ppm", self.utilization_alert_ppm),
        ] {
            in_range(field, ppm.unwrap_or(0) as usize, 0, 1_000_000)?;
        }
        Ok(())
    }
}

/// Collects how late jobs were, per task and in all, since the start and recently.
///
/// Since the start, quantiles come from histograms: within 1 %, and never below the truth;
/// values above one hour count as one hour, except in maxima. Recent figures are those of the last
/// [`MonitorConfig::samples`] jobs, and exact. Tasks have rows by name; without a name a repeating
/// task has its own, and all others share one. There are rows for the first 1,024; later tasks are
/// counted together.
///
/// ```
/// use nanosecond_scheduler::{JobRecord, LatencyMonitor, MonitorConfig, TaskId, TimePoint};
///
/// let at = TimePoint::from_nanos;
/// let mut monitor = LatencyMonitor::new(MonitorConfig::default(), at(0))?;
/// monitor.record(&JobRecord {
///     task: TaskId::from_bits(1),
///     name: Some("control"),
///     repeats: true,
///     release: at(1_000),
///     start: at(1_200),
///     finish: at(1_500),
///     deadline: Some(at(1_400)),
/// });
/// let report = monitor.report();
/// assert_eq!(report.total.lateness.unwrap().max_ns, 100);
/// assert_eq!(report.total.utilization, 0.2);
/// println!("{report}");
/// # Ok::<(), nanosecond_scheduler::ConfigError>(())
/// ```
pub struct LatencyMonitor {
    started_at: TimePoint,
    /// Of all jobs.
    latest_finish: TimePoint,
    distributions: Distributions,
    rows: Rows,
    window: Window,
    alarms: Alarms,
}

impl LatencyMonitor {
    /// A monitor of what happens from `started_at` on. Allocates the window and 143 KiB for
    /// histograms; later only when a row is added.
    ///
    /// # Errors
    ///
    /// If the configuration is out of its bounds.
    pub fn new(config: MonitorConfig, started_at: TimePoint) -> Result<Self, ConfigError> {
        config.validate()?;
        let alarms = Alarms::new(&config);
        let window = Window::new(config.samples, alarms.watches_window());
        Ok(LatencyMonitor {
            started_at,
            latest_finish: started_at,
            distributions: Distributions::default(),
            rows: Rows::default(),
            window,
            alarms,
        })
    }

    /// Calls `handler` when a threshold of the configuration is crossed: once, and again after the
    /// figure was back at or below it.
    ///
    /// A job is compared with the one before of its row, so a task that alternates raises an alert
    /// every second job. The window's figures are compared after every `samples / 16` jobs; the
    /// more robust alerts are theirs.
    pub fn on_alert(&mut self, handler: impl FnMut(Alert) + 'static) {
        self.alarms.set_handler(handler);
    }

    /// Records a job that has run. O(1), some 20 ns, plus O([`samples`](MonitorConfig::samples))
    /// when it raises an alert of the 99th percentile.
    ///
    /// # Panics
    ///
    /// Where the handler of alerts does; the job is recorded all the same.
    #[inline]
    pub fn record(&mut self, job: &JobRecord) {
        let figures = Figures::of(job, true);
        self.distributions.record(&figures);
        let row = self.rows.row_mut(job);
        row.add(&figures);
        let rising = self.alarms.rising(&figures, &mut row.edges);
        self.add(job, figures, rising);
    }

    /// Records a job that was not run because its firm deadline had passed: a miss, which adds to
    /// no latency. Its `start` and `finish` are both the instant at which it was skipped.
    ///
    /// # Panics
    ///
    /// Where the handler of alerts does; the job is recorded all the same.
    pub fn skipped(&mut self, job: &JobRecord) {
        let figures = Figures::of(job, false);
        self.rows.row_mut(job).add(&figures);
        self.add(job, figures, [false; 2]);
    }

    #[inline]
    fn add(&mut self, job: &JobRecord, figures: Figures, rising: [bool; 2]) {
        self.latest_finish = self.latest_finish.max(job.finish);
        self.window.push(job.start, job.finish, figures);
        // Last, because what follows may run the user's code.
        if rising != [false; 2] {
            self.alarms.raise_for(job, rising);
        }
        if self.alarms.is_check_due() {
            self.alarms.check(&mut self.window, job.finish);
        }
    }

    /// Forgets everything recorded, as if the monitor were made anew at `at`. The handler of alerts
    /// stays.
    pub fn reset(&mut self, at: TimePoint) {
        self.started_at = at;
        self.latest_finish = at;
        self.distributions.clear();
        self.rows.clear();
        self.window.clear();
        self.alarms.clear();
    }

    /// The figures as of now: elapsed is the time up to the latest finish. O(n log n) for n samples
    /// and tasks.
    #[must_use]
    pub fn report(&self) -> MonitoringReport {
        let elapsed_ns = self.latest_finish.as_nanos().saturating_sub(self.started_at.as_nanos());
        let total = self.rows.total();
        MonitoringReport {
            elapsed_ns,
            total: total.job_stats(&self.distributions, elapsed_ns),
            recent: self.window.stats(),
            jitter_ns: total.jitter_ns(),
            tasks: self.rows.stats(elapsed_ns),
            others: self.rows.others(elapsed_ns),
        }
    }
}

//! [`Telemetry`]: figures of windows and cycles, for the log, for tables, and for callbacks.

mod rate;
mod table;

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use nanosecond_scheduler::{Metrics, TimePoint, WindowSummary};

pub use rate::RateLimit;
pub use table::{Figure, Table};

use crate::adapters::PhaseCycle;
use crate::watchdog::Divergence;

/// What [`Telemetry`] keeps and says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// Rows of each table. Default 1,024.
    pub rows: usize,
    /// Of each kind of event, one is logged per interval. Default 1 s.
    pub log_interval: Duration,
    /// So many are logged at once after a pause; 0 logs nothing. Default 4.
    pub log_burst: u32,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        TelemetryConfig { rows: 1024, log_interval: Duration::from_secs(1), log_burst: 4 }
    }
}

/// Stands between a scheduler's windows, networks' phase cycles, and those who want to know of them:
/// keeps a table of each, logs through [`tracing`], and calls back for each one.
///
/// Events of level INFO (divergences: ERROR) and target `temporal_nets`; of each kind not more than the
/// configuration allows on the scheduler's timeline, with the number of those held back in the field
/// `held_back`. Nothing is formatted unless a subscriber wants it. O(1) per window and cycle, no
/// allocation of its own. Clones share everything.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Config, ManualClock, Scheduler, Task, WindowSpec};
/// use temporal_nets::{Telemetry, TelemetryConfig};
///
/// let windows = Some(WindowSpec::new(2_000, 1_000));
/// let config = Config { windows, ..Config::default() };
/// let mut scheduler = Scheduler::with_clock(config, ManualClock::new())?;
/// let telemetry = Telemetry::new(TelemetryConfig::default());
/// scheduler.on_window(telemetry.on_window(|window| window.values.sum));
/// scheduler.schedule(Task::periodic(|cx| cx.record(0.5), Duration::from_nanos(100)))?;
/// scheduler.run_for(Duration::from_micros(10));
///
/// let csv = telemetry.windows().to_csv();
/// assert!(csv.starts_with("start_ns,end_ns,jobs,mean_latency_ns,max_latency_ns,values,min,mean,max"));
/// assert!(csv.lines().any(|line| line.starts_with("1000,3000,20,0,0,20,0.5,0.5,0.5")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Telemetry {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Debug)]
struct Inner {
    windows: Table,
    cycles: Table,
    window_log: RateLimit,
    cycle_log: RateLimit,
    metrics_log: RateLimit,
    divergence_log: RateLimit,
}

const WINDOW_COLUMNS: &[&str] = &[
    "start_ns",
    "end_ns",
    "jobs",
    "mean_latency_ns",
    "max_latency_ns",
    "values",
    "min",
    "mean",
    "max",
    "carried",
];
const CYCLE_COLUMNS: &[&str] = &["end_ns", "spikes", "vector_strength", "mean_phase"];

impl Telemetry {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(config: TelemetryConfig) -> Self {
        let limit = RateLimit::new(config.log_interval, config.log_burst);
        let inner = Inner {
            windows: Table::new(WINDOW_COLUMNS, config.rows),
            cycles: Table::new(CYCLE_COLUMNS, config.rows),
            window_log: limit.clone(),
            cycle_log: limit.clone(),
            metrics_log: limit.clone(),
            divergence_log: limit,
        };
        Telemetry { inner: Rc::new(RefCell::new(inner)) }
    }

    /// A handler for [`Scheduler::on_window`](nanosecond_scheduler::Scheduler::on_window). `callback` is
    /// given each window, too, and returns what is carried over to the next.
    pub fn on_window<F>(&self, mut callback: F) -> impl FnMut(&WindowSummary) -> f64 + use<F>
    where
        F: FnMut(&WindowSummary) -> f64,
    {
        let inner = Rc::clone(&self.inner);
        move |window| {
            inner.borrow_mut().window(window);
            callback(window)
        }
    }

    /// A handler for [`PhaseCodingTask::new`](crate::PhaseCodingTask::new). `callback` is given each
    /// cycle, too.
    pub fn on_cycle<F>(&self, mut callback: F) -> impl FnMut(PhaseCycle<'_>) + use<F>
    where
        F: FnMut(PhaseCycle<'_>),
    {
        let inner = Rc::clone(&self.inner);
        move |cycle| {
            inner.borrow_mut().cycle(&cycle);
            callback(cycle);
        }
    }

    /// Logs a scheduler's figures.
    pub fn log_metrics(&self, now: TimePoint, metrics: &Metrics) {
        let Some(held_back) = self.inner.borrow_mut().metrics_log.pass(now) else { return };
        tracing::info!(
            target: "temporal_nets",
            at_ns = now.as_nanos(),
            executed = metrics.executed,
            missed_deadlines = metrics.missed_deadlines,
            missed_ticks = metrics.missed_ticks,
            panicked = metrics.panicked,
            avg_tick_time_ns = metrics.avg_tick_time_ns,
            max_tick_time_ns = metrics.max_tick_time_ns,
            held_back,
            "metrics"
        );
    }

    /// Logs that a network diverged.
    pub fn log_divergence(&self, now: TimePoint, divergence: &Divergence) {
        let Some(held_back) = self.inner.borrow_mut().divergence_log.pass(now) else { return };
        let (at_ns, step) = (now.as_nanos(), divergence.step);
        tracing::error!(target: "temporal_nets", at_ns, step, held_back, "{divergence}");
    }

    /// The last windows.
    #[must_use]
    pub fn windows(&self) -> Table {
        self.inner.borrow().windows.clone()
    }

    /// The last phase cycles.
    #[must_use]
    pub fn cycles(&self) -> Table {
        self.inner.borrow().cycles.clone()
    }
}

impl Inner {
    fn window(&mut self, summary: &WindowSummary) {
        let WindowSummary { window, latency_ns, values, carried } = summary;
        let mean_latency_ns = latency_ns.mean().unwrap_or(f64::NAN);
        let mean = values.mean().unwrap_or(f64::NAN);
        self.windows.push(&[
            Figure::Integer(window.start_ns),
            Figure::Integer(window.end_ns),
            Figure::Integer(latency_ns.count.into()),
            Figure::Real(mean_latency_ns),
            Figure::Real(latency_ns.max),
            Figure::Integer(values.count.into()),
            Figure::Real(values.min),
            Figure::Real(mean),
            Figure::Real(values.max),
            Figure::Real(*carried),
        ]);
        let end = TimePoint::from_nanos(u64::try_from(window.end_ns).unwrap_or(u64::MAX));
        let Some(held_back) = self.window_log.pass(end) else { return };
        tracing::info!(
            target: "temporal_nets",
            start_ns = window.start_ns,
            end_ns = window.end_ns,
            jobs = latency_ns.count,
            mean_latency_ns,
            values = values.count,
            mean,
            held_back,
            "window"
        );
    }

    fn cycle(&mut self, cycle: &PhaseCycle<'_>) {
        let strength = cycle.locking.strength().unwrap_or(f64::NAN);
        let mean_phase = cycle.locking.mean_phase().unwrap_or(f64::NAN);
        self.cycles.push(&[
            Figure::Integer(cycle.end.as_nanos().into()),
            Figure::Integer(cycle.spikes.len() as i128),
            Figure::Real(strength),
            Figure::Real(mean_phase),
        ]);
        let Some(held_back) = self.cycle_log.pass(cycle.end) else { return };
        let (end_ns, spikes) = (cycle.end.as_nanos(), cycle.spikes.len());
        tracing::info!(
            target: "temporal_nets",
            end_ns,
            spikes,
            vector_strength = strength,
            mean_phase,
            held_back,
            "phase cycle"
        );
    }
}

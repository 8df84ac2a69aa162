//! [`MonitoringReport`]: the figures of a [`LatencyMonitor`](super::LatencyMonitor) at one instant.

use core::fmt;

use super::stats::{rank, Counts};

/// How well releases and deadlines were kept. `Display` prints tables.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MonitoringReport {
    /// From the start, or the last reset, to the latest finish.
    pub elapsed_ns: u64,
    /// All jobs in that time. Quantiles are within 1 %.
    pub total: JobStats,
    /// The last [`MonitorConfig::samples`](super::MonitorConfig::samples) jobs, from the start of
    /// the first to the latest finish. Quantiles are exact.
    pub recent: JobStats,
    /// Mean change of the dispatch latency from one job of a row to its next; `None` until there
    /// is one.
    pub jitter_ns: Option<u64>,
    /// Rows by name or task, busiest first.
    pub tasks: Vec<TaskStats>,
    /// The tasks beyond the first 1,024, together; `None` if there were none.
    pub others: Option<TaskStats>,
}

/// Figures of a set of jobs.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct JobStats {
    /// Jobs that ran.
    pub jobs: u64,
    /// Jobs of firm deadlines that were skipped.
    pub skipped: u64,
    /// Jobs that had a deadline, skipped ones included.
    pub deadlines: u64,
    /// Those that missed it, skipped ones included.
    pub misses: u64,
    /// `misses` over `deadlines`; 0 without deadlines.
    pub miss_rate: f64,
    /// Execution time over elapsed time.
    pub utilization: f64,
    /// start − release.
    pub dispatch_latency: Option<Quantiles<u64>>,
    /// finish − release.
    pub response_time: Option<Quantiles<u64>>,
    /// finish − deadline, of jobs that ran and had one: negative where they were early.
    pub lateness: Option<Quantiles<i64>>,
}

impl JobStats {
    pub(super) fn new(
        counts: &Counts,
        elapsed_ns: u64,
        dispatch_latency: Option<Quantiles<u64>>,
        response_time: Option<Quantiles<u64>>,
        lateness: Option<Quantiles<i64>>,
    ) -> Self {
        JobStats {
            jobs: counts.jobs,
            skipped: counts.skipped,
            deadlines: counts.deadlines,
            misses: counts.misses,
            miss_rate: counts.miss_rate(),
            utilization: counts.utilization(elapsed_ns),
            dispatch_latency,
            response_time,
            lateness,
        }
    }
}

/// Quantiles of a set of durations: each is the least value that has its share of them at or
/// below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Quantiles<T> {
    /// How many values there were.
    pub count: u64,
    /// Median.
    pub p50_ns: T,
    /// 99th percentile.
    pub p99_ns: T,
    /// 99.9th percentile.
    pub p999_ns: T,
    /// Maximum, exact.
    pub max_ns: T,
}

impl<T> Quantiles<T> {
    /// `at_rank` tells the value at a position from 1 in sorted order. `None` if there are none.
    pub(super) fn new(count: u64, max_ns: T, at_rank: impl Fn(u64) -> T) -> Option<Self> {
        let at = |permille| at_rank(rank(count, permille));
        (count > 0).then(|| Quantiles {
            count,
            p50_ns: at(500),
            p99_ns: at(990),
            p999_ns: at(999),
            max_ns,
        })
    }
}

/// Figures of one task, or of those with the same name. Latencies are `None` until a job ran.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TaskStats {
    /// Its name, or a description if it has none.
    pub name: String,
    /// Jobs that ran.
    pub jobs: u64,
    /// Jobs of a firm deadline that were skipped.
    pub skipped: u64,
    /// Jobs that had a deadline, skipped ones included.
    pub deadlines: u64,
    /// Those that missed it, skipped ones included.
    pub misses: u64,
    /// `misses` over `deadlines`; 0 without deadlines.
    pub miss_rate: f64,
    /// Execution time over elapsed time.
    pub utilization: f64,
    /// Mean of start − release.
    pub avg_dispatch_latency_ns: Option<u64>,
    /// Its maximum.
    pub max_dispatch_latency_ns: Option<u64>,
    /// Mean of finish − release.
    pub avg_response_ns: Option<u64>,
    /// Its maximum.
    pub max_response_ns: Option<u64>,
    /// Maximum of finish − start.
    pub max_execution_ns: Option<u64>,
    /// Maximum of finish − deadline; `None` without a deadline.
    pub max_lateness_ns: Option<i64>,
    /// Mean change of the dispatch latency from one job to the next; `None` until there is one, and
    /// where jobs of many tasks are counted together.
    pub jitter_ns: Option<u64>,
}

impl fmt::Display for MonitoringReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:>16} {:>16}", "", "total", "recent")?;
        for [figure, total, recent] in self.summary() {
            writeln!(f, "{figure:<24} {total:>16} {recent:>16}")?;
        }
        let rows = || self.tasks.iter().chain(&self.others);
        let names: Vec<String> = rows().map(|task| task.name.escape_debug().to_string()).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
        write!(f, "\n{:<width$}", "task")?;
        COLUMNS.iter().try_for_each(|(title, _)| write!(f, " {title:>12}"))?;
        writeln!(f)?;
        for (name, task) in names.iter().zip(rows()) {
            write!(f, "{name:<width$}")?;
            COLUMNS.iter().try_for_each(|(_, figure)| write!(f, " {:>12}", figure(task)))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

impl MonitoringReport {
    /// The upper table: what, of all jobs, of recent ones.
    fn summary(&self) -> Vec<[String; 3]> {
        let (total, recent) = (&self.total, &self.recent);
        let counts: [Figure<JobStats>; 6] = [
            ("jobs", |stats| stats.jobs.to_string()),
            ("skipped", |stats| stats.skipped.to_string()),
            ("deadlines", |stats| stats.deadlines.to_string()),
            ("misses", |stats| stats.misses.to_string()),
            ("miss rate %", |stats| percent(stats.miss_rate)),
            ("utilization %", |stats| percent(stats.utilization)),
        ];
        let mut rows: Vec<_> = counts.map(|(name, of)| [name.into(), of(total), of(recent)]).into();
        let latency = [total.dispatch_latency, recent.dispatch_latency];
        rows.extend(quantile_rows("dispatch latency", latency));
        rows.extend(quantile_rows("response time", [total.response_time, recent.response_time]));
        rows.extend(quantile_rows("lateness", [total.lateness, recent.lateness]));
        rows.push(["jitter_ns".into(), or_dash(self.jitter_ns), String::new()]);
        rows.push(["elapsed_ns".into(), self.elapsed_ns.to_string(), String::new()]);
        rows
    }
}

/// The rows of one distribution.
fn quantile_rows<T: fmt::Display>(
    of: &str,
    total_and_recent: [Option<Quantiles<T>>; 2],
) -> [[String; 3]; 4] {
    let [total, recent] = total_and_recent.map(|quantiles| match quantiles {
        Some(Quantiles { p50_ns, p99_ns, p999_ns, max_ns, .. }) => {
            [p50_ns, p99_ns, p999_ns, max_ns].map(Some)
        }
        None => [None, None, None, None],
    });
    let names = ["p50_ns", "p99_ns", "p999_ns", "max_ns"];
    core::array::from_fn(|i| {
        [format!("{of} {}", names[i]), or_dash(total[i].as_ref()), or_dash(recent[i].as_ref())]
    })
}

/// What a figure is called, and how it is told.
type Figure<T> = (&'static str, fn(&T) -> String);

/// The columns of the lower table.
const COLUMNS: [Figure<TaskStats>; 10] = [
    ("util %", |task| percent(task.utilization)),
    ("jobs", |task| task.jobs.to_string()),
    ("skipped", |task| task.skipped.to_string()),
    ("misses", |task| task.misses.to_string()),
    ("avg wait ns", |task| or_dash(task.avg_dispatch_latency_ns)),
    ("max wait ns", |task| or_dash(task.max_dispatch_latency_ns)),
    ("max run ns", |task| or_dash(task.max_execution_ns)),
    ("max resp ns", |task| or_dash(task.max_response_ns)),
    ("max late ns", |task| or_dash(task.max_lateness_ns)),
    ("jitter ns", |task| or_dash(task.jitter_ns)),
];

fn percent(share: f64) -> String {
    format!("{:.4}", share * 100.0)
}

fn or_dash(figure: Option<impl fmt::Display>) -> String {
    figure.map_or_else(|| "-".into(), |figure| figure.to_string())
}

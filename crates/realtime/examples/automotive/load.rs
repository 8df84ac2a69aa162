//! The tasks of an engine control.

use std::time::Duration;

use nanosecond_scheduler::analysis::TaskModel;

/// Of each period in ms: the share in % of the functions ("runnables") that run with it, and their mean
/// execution time in ns. From S. Kramer, D. Ziegenbein and A. Hamann, "Real World Automotive Benchmarks
/// For Free", WATERS 2015, tables III and IV. Their functions in step with the crankshaft, 15 %,
/// are left out.
const PERIODS: [(&str, u64, u32, u32); 9] = [
    ("1 ms", 1, 3, 5_000),
    ("2 ms", 2, 2, 4_200),
    ("5 ms", 5, 2, 11_040),
    ("10 ms", 10, 25, 10_090),
    ("20 ms", 20, 25, 8_740),
    ("50 ms", 50, 3, 17_560),
    ("100 ms", 100, 20, 10_530),
    ("200 ms", 200, 1, 2_560),
    ("1000 ms", 1000, 4, 430),
];

/// The part of each WCET that is left for starting and finishing the job.
const OVERHEAD: Duration = Duration::from_micros(5);

/// A periodic task. Its deadline is its period.
pub(crate) struct PeriodicLoad {
    pub(crate) name: &'static str,
    pub(crate) period: Duration,
    pub(crate) wcet: Duration,
    /// How long before the start its first job is released: the longer the period, the earlier, so
    /// that jobs of less urgent tasks are running when those of more urgent ones come.
    pub(crate) phase: Duration,
}

impl PeriodicLoad {
    /// How long its jobs keep the processor busy.
    pub(crate) fn work(&self) -> Duration {
        self.wcet - OVERHEAD
    }

    pub(crate) fn model(&self) -> TaskModel {
        let [wcet, period] = [self.wcet, self.period].map(|time| time.as_nanos() as u64);
        TaskModel::new(wcet, period, period).expect("neither is 0")
    }
}

/// The tasks, most urgent first: one for each period, which calls its share of the functions in turn.
pub(crate) fn engine_control(runnables: u32) -> Vec<PeriodicLoad> {
    let task = |(n, (name, period_ms, percent, mean_ns)): (u32, (_, _, u32, u32))| {
        let work_ns = u64::from(runnables * percent) * u64::from(mean_ns) / 100;
        PeriodicLoad {
            name,
            period: Duration::from_millis(period_ms),
            wcet: Duration::from_nanos(work_ns) + OVERHEAD,
            phase: Duration::from_micros(10) * n,
        }
    };
    (0..).zip(PERIODS).map(task).collect()
}

/// ΣC/T.
pub(crate) fn share(loads: &[PeriodicLoad]) -> f64 {
    loads.iter().map(|load| load.wcet.as_secs_f64() / load.period.as_secs_f64()).sum()
}

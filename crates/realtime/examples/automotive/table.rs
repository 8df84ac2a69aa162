//! Response times beside their bounds.

use std::time::Duration;

use nanosecond_scheduler::analysis::{nonpreemptive, Response};
use nanosecond_scheduler::{MonitoringReport, TaskStats};

use crate::load::PeriodicLoad;

/// A task, its bound, and its longest response times, all in ns.
pub(crate) struct Row<'a> {
    load: &'a PeriodicLoad,
    bound: u64,
    measured: &'a TaskStats,
    worst: u64,
    bare: u64,
}

/// Brings together what belongs to each task.
pub(crate) fn rows<'a>(
    loads: &'a [PeriodicLoad],
    report: &'a MonitoringReport,
    bare: &[Duration],
) -> Vec<Row<'a>> {
    let models: Vec<_> = loads.iter().map(PeriodicLoad::model).collect();
    let bounds = nonpreemptive::response_times(&models, 1_000_000);
    let row = |((load, bound), bare): ((&'a PeriodicLoad, Response), &Duration)| {
        let Response::Bounded(bound) = bound else { unreachable!("the tasks were admitted") };
        let measured = report.tasks.iter().find(|task| task.name == load.name);
        let measured = measured.expect("each task has run");
        let worst = measured.max_response_ns.expect("it has run");
        Row { load, bound, measured, worst, bare: bare.as_nanos() as u64 }
    };
    loads.iter().zip(bounds).zip(bare).map(row).collect()
}

impl Row<'_> {
    /// The task has run, not more often than its period allows, and not for less than its time. Misses
    /// are counted if there are any.
    pub(crate) fn check(&self, elapsed: Duration) {
        let PeriodicLoad { name, period, phase, .. } = *self.load;
        let releases = (elapsed + phase).as_nanos() / period.as_nanos() + 1;
        let jobs = self.measured.jobs;
        assert!(jobs > 0 && u128::from(jobs) <= releases, "{name}: {jobs} jobs");
        for worst in [self.worst, self.bare] {
            assert!(u128::from(worst) >= self.load.work().as_nanos(), "{name}: {worst} ns");
        }
        let is_late = u128::from(self.worst) > period.as_nanos();
        assert_eq!(self.measured.misses > 0, is_late, "misses of the {name} task");
    }

    /// By how much the bound is exceeded, as text.
    fn excess(&self, worst: u64) -> String {
        match worst.saturating_sub(self.bound) {
            0 => "-".to_owned(),
            excess => format!("+{}", micros(excess)),
        }
    }

    fn cells(&self) -> [String; 9] {
        [
            self.load.name.to_owned(),
            micros(self.load.wcet.as_nanos() as u64),
            micros(self.bound),
            micros(self.worst),
            self.excess(self.worst),
            micros(self.bare),
            self.excess(self.bare),
            self.measured.jobs.to_string(),
            self.measured.misses.to_string(),
        ]
    }
}

fn micros(ns: u64) -> String {
    format!("{:.1}", ns as f64 / 1e3)
}

pub(crate) fn print(rows: &[Row<'_>]) {
    const TITLES: [&str; 9] =
        ["period", "WCET", "bound", "scheduler", "", "bare loop", "", "jobs", "missed"];
    println!("longest response times in µs; + is by how much they exceed the bound");
    for cells in std::iter::once(TITLES.map(str::to_owned)).chain(rows.iter().map(Row::cells)) {
        let [period, numbers @ ..] = cells;
        let numbers: String = numbers.iter().map(|number| format!("{number:>11}")).collect();
        println!("{period:<8}{numbers}");
    }
    let exceeded = rows.iter().filter(|row| row.worst > row.bound).count();
    let exceeded_bare = rows.iter().filter(|row| row.bare > row.bound).count();
    println!("\nbounds exceeded: {exceeded} on the scheduler, {exceeded_bare} in the bare loop");
    if exceeded + exceeded_bare > 0 {
        println!("The analysis knows nothing of a processor that is taken away for a while.");
    }
}

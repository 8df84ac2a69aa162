//! Hazard: records that contradict each other. Reports, metrics, handlers, monitor and trace tell the
//! same story, and every job is accounted for.
#![cfg(feature = "std")]

mod common;

use common::timed::{caught, fail, log_misses, log_panics};
use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{
    Config, Context, Emergency, ManualClock, MaxEstimator, MetricsLevel, MissedTick, MonitorConfig,
    OnFailure, Policy, Priority, Scheduler, Task, TaskId, TickReport, TraceKind,
};

/// Everything on, or nothing.
fn config(policy: Policy, is_observed: bool) -> Config {
    Config {
        policy,
        emergency: Emergency::SkipTask,
        missed_tick: MissedTick::Skip,
        monitor: is_observed.then(MonitorConfig::default),
        trace_capacity: if is_observed { 1 << 18 } else { 0 },
        audit: is_observed,
        metrics: if is_observed { MetricsLevel::Histograms } else { MetricsLevel::Counters },
        ..Config::default()
    }
}

/// A body that takes its time, and, rarely, panics.
fn body(clock: &ManualClock, seed: u64, log: &Log<u64>) -> impl FnMut(&mut Context<'_>) + 'static {
    let (clock, log) = (clock.clone(), log.clone());
    let mut jobs = 0;
    move |_| {
        jobs += 1;
        log.push(seed);
        clock.advance(ns(scatter(seed << 16 | jobs, 1_200)));
        if scatter(seed << 16 | jobs | 1 << 60, 50) == 0 {
            fail("of a job");
        }
    }
}

fn with_deadline(task: Task, n: u64) -> Task {
    let relative = ns(500 + scatter(n, 3_000));
    match n % 5 {
        0 => task,
        1 => task.with_deadline(relative).with_wcet(ns(1_000)),
        2 => task.with_firm_deadline(relative).with_name("firm"),
        3 => task.with_hard_deadline(relative).with_name("hard"),
        _ => task.with_wcet(ns(600)).with_name("declared"),
    }
}

/// The sum of the reports of a faulty load's ticks, and in what order its jobs ran.
struct Run {
    scheduler: Scheduler<ManualClock>,
    reports: Vec<TickReport>,
    misses: usize,
    panics: usize,
    order: Vec<u64>,
    scheduled: u64,
}

/// Late, panicking, cancelled and waiting tasks at some 90 % load, and a clock that jumps.
fn run(config: Config) -> Run {
    let (mut scheduler, clock) = manual(config);
    let (misses, panics) = (log_misses(&mut scheduler), log_panics(&mut scheduler));
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    let (log, mut reports) = (Log::default(), Vec::new());
    let mut ids: Vec<TaskId> = Vec::new();
    for n in 0..5_000_u64 {
        let priority = Priority::ALL[scatter(n, 4) as usize];
        let mut body = body(&clock, n, &log);
        let task = match n % 50 {
            0 => Task::periodic(body, ns(20_000 + scatter(n, 50_000))),
            _ => Task::with_context(move |cx| body(cx), ns(scatter(n, 9_000))),
        };
        let mut task = with_deadline(task, n).with_priority(priority);
        if n % 7 == 0 {
            let before = ids.iter().rev().take(3).copied().collect::<Vec<_>>();
            task = task.after(&before);
        }
        if n % 2 == 0 {
            task = task.on_failure(OnFailure::Run);
        }
        ids.push(scheduler.schedule(task).unwrap());
        if n % 11 == 0 {
            let _ = scheduler.cancel(ids[scatter(n, n + 1) as usize]);
        }
        clock.advance(ns(if n % 1_000 == 999 { 100_000 } else { scatter(n, 1_400) }));
        reports.push(scheduler.tick());
    }
    let order = log.take();
    let (misses, panics) = (misses.take().len(), panics.take().len());
    Run { scheduler, reports, misses, panics, order, scheduled: ids.len() as u64 }
}

const POLICIES: [Policy; 3] =
    [Policy::Priority, Policy::EarliestDeadlineFirst, Policy::LeastLaxity];

#[test]
fn every_record_of_a_faulty_run_tells_the_same() {
    for policy in POLICIES {
        let Run { scheduler, reports, misses, panics, order, .. } = run(config(policy, true));
        let metrics = scheduler.metrics();
        let sum = |of: fn(&TickReport) -> usize| reports.iter().map(of).sum::<usize>() as u64;
        assert_eq!(metrics.executed, sum(|report| report.executed));
        assert_eq!(metrics.executed, order.len() as u64);
        assert_eq!(metrics.panicked, sum(|report| report.panicked));
        assert_eq!(metrics.panicked, panics as u64);
        assert_eq!(metrics.missed_deadlines, sum(|report| report.missed_deadlines));
        assert_eq!(metrics.missed_deadlines, misses as u64);
        assert_eq!(metrics.skipped, sum(|report| report.skipped));
        assert_eq!(metrics.latency.unwrap().count, metrics.executed);
        let faults = [metrics.panicked, metrics.skipped, metrics.cancelled, metrics.overruns];
        assert!(
            faults.iter().all(|count| *count > 20),
            "{policy:?}: the load is faulty: {metrics}"
        );

        let trace = scheduler.trace().unwrap();
        assert_eq!(trace.lost(), 0);
        let count = |kind| trace.events().filter(|event| event.kind == kind).count() as u64;
        assert_eq!(count(TraceKind::Start), metrics.executed);
        assert_eq!(count(TraceKind::Panic), metrics.panicked);
        assert_eq!(count(TraceKind::Finish), metrics.executed - metrics.panicked);
        assert_eq!(count(TraceKind::Skip), metrics.skipped);
        assert_eq!(count(TraceKind::Cancel), metrics.cancelled);
        assert_eq!(count(TraceKind::Miss), metrics.missed_deadlines);

        let report = scheduler.monitoring_report().unwrap();
        assert_eq!(report.total.jobs, metrics.executed - metrics.panicked);
        assert_eq!(report.total.skipped, metrics.skipped);
        let rows = || report.tasks.iter();
        assert_eq!(rows().map(|row| row.jobs).sum::<u64>(), report.total.jobs);
        assert_eq!(rows().map(|row| row.misses).sum::<u64>(), report.total.misses);
        let shares = rows().map(|row| row.utilization).sum::<f64>();
        assert!((shares - report.total.utilization).abs() < 1e-9);
        assert_eq!(scheduler.inversions(), Some(0), "{policy:?}");
    }
}

#[test]
fn every_task_is_accounted_for() {
    for policy in POLICIES {
        let Run { mut scheduler, reports, scheduled, .. } = run(config(policy, true));
        assert!(reports.iter().any(|report| report.executed > 20), "it had to catch up");
        // Let the rest end: periodic tasks are the only ones that go on.
        scheduler.run_for(ns(10_000_000));
        let trace = scheduler.trace().unwrap();
        let mut ended: Vec<TaskId> = Vec::new();
        for event in trace.events() {
            let repeats = scheduler.is_pending(event.task);
            match event.kind {
                TraceKind::Cancel | TraceKind::Panic => ended.push(event.task),
                TraceKind::Finish | TraceKind::Skip if !repeats => ended.push(event.task),
                _ => (),
            }
        }
        ended.sort();
        ended.dedup();
        assert_eq!(ended.len() as u64 + scheduler.len() as u64, scheduled, "{policy:?}");
        assert!(scheduler.len() <= 100, "no one-shot is left");
    }
}

#[test]
fn who_is_watched_does_the_same_as_who_is_not() {
    for policy in POLICIES {
        let (watched, alone) = (run(config(policy, true)), run(config(policy, false)));
        assert_eq!(watched.order, alone.order, "{policy:?}");
        assert_eq!(watched.reports, alone.reports, "{policy:?}");
        let [watched, alone] = [&watched.scheduler, &alone.scheduler].map(Scheduler::metrics);
        assert_eq!(watched.overruns, alone.overruns);
        assert_eq!(watched.missed_ticks, alone.missed_ticks);
        assert_eq!(watched.cancelled, alone.cancelled);
    }
}

#[test]
fn what_was_not_asked_for_is_not_there() {
    let (scheduler, _clock) = manual(Config::default());
    assert_eq!(scheduler.inversions(), None);
    assert!(scheduler.trace().is_none() && scheduler.monitoring_report().is_none());
    assert_eq!(scheduler.latency_stats(), None);
    assert_eq!(scheduler.overruns(TaskId::from_bits(7)), None);
    assert!(!scheduler.is_in_safe_mode());
}

#[test]
fn metrics_print_and_export_what_deadlines_cost() {
    let (mut scheduler, clock) = manual(Config::default());
    for n in 0..3 {
        let clock = clock.clone();
        let task = Task::new(move || clock.advance(ns(9)), ns(n)).with_wcet(ns(8));
        scheduler.schedule(task.with_firm_deadline(ns(10))).unwrap();
    }
    clock.set(at(1));
    scheduler.tick();
    let metrics = scheduler.metrics();
    assert_eq!((metrics.missed_deadlines, metrics.skipped, metrics.overruns), (2, 1, 2));
    let prometheus = metrics.to_prometheus();
    for line in ["missed_deadlines_total 2", "skipped_total 1", "overruns_total 2"] {
        assert!(prometheus.contains(&format!("\nnanosecond_scheduler_{line}\n")), "{prometheus}");
    }
    let table = metrics.to_string();
    let figure = |name: &str| {
        let row = table.lines().find(|line| line.starts_with(name)).expect(name);
        row.split_whitespace().nth(1).map(str::to_owned)
    };
    assert_eq!(figure("skipped"), Some("1".to_owned()));
    assert_eq!(figure("overruns"), Some("2".to_owned()));
}

#[cfg(feature = "serde")]
#[test]
fn what_is_told_survives_json() {
    use nanosecond_scheduler::{AlertMetric, DeadlineKind, DeadlineViolation, Metrics};
    use serde::{de::DeserializeOwned, Serialize};

    fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    }
    let (task, expected, actual) = (TaskId::from_bits(u64::MAX), at(3), at(u64::MAX));
    check(DeadlineViolation::SoftMiss { task, expected, actual });
    check(DeadlineViolation::HardMiss { task, expected, actual });
    check([DeadlineKind::Soft, DeadlineKind::Firm, DeadlineKind::Hard]);
    check([Emergency::Callback, Emergency::SkipTask, Emergency::SafeMode, Emergency::Stop]);
    check([OnFailure::Cancel, OnFailure::Run]);
    check([TraceKind::Release, TraceKind::Skip, TraceKind::Panic]);
    check([AlertMetric::MissRate, AlertMetric::DispatchLatencyP99]);
    check::<Metrics>(run(config(Policy::Priority, true)).scheduler.metrics());
    check(config(Policy::LeastLaxity, true));
}

struct FailsInDrop;

impl Drop for FailsInDrop {
    fn drop(&mut self) {
        fail("of a drop");
    }
}

#[test]
fn a_skipped_job_is_in_every_record_though_what_it_owned_panics_when_dropped() {
    for handled in [true, false] {
        for repeats in [true, false] {
            let (mut scheduler, clock) = manual(config(Policy::Priority, true));
            let panics = if handled { log_panics(&mut scheduler) } else { Log::default() };
            let owned = FailsInDrop;
            let body = move |_: &mut Context<'_>| {
                let _ = &owned;
            };
            let firm = match repeats {
                true => Task::periodic(body, ns(u64::MAX)).with_delay(ns(5)),
                false => Task::with_context(body, ns(5)),
            };
            scheduler.schedule(firm.with_firm_deadline(ns(0))).unwrap();
            scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
            // The next job of the repeating one would be beyond the end of time.
            clock.set(at(6));
            let ticked = caught(|| scheduler.tick());
            assert_eq!(ticked.is_ok(), handled);
            scheduler.tick();
            assert_eq!(panics.take().len(), usize::from(handled));
            let metrics = scheduler.metrics();
            assert_eq!((metrics.skipped, metrics.panicked, metrics.executed), (1, 1, 1));
            let total = scheduler.monitoring_report().unwrap().total;
            assert_eq!((total.skipped, total.misses, total.jobs), (1, 1, 1));
            let trace = scheduler.trace().unwrap();
            let skips = trace.events().filter(|event| event.kind == TraceKind::Skip).count();
            assert_eq!((skips, scheduler.len()), (1, 0));
        }
    }
}

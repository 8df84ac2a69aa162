//! The monitor's figures against a model that keeps every job and sorts.
#![cfg(feature = "std")]

mod common;

use std::sync::OnceLock;

use common::timed::log_panics;
use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{
    Config, ConfigError, Context, JobRecord, JobStats, LatencyMonitor, MonitorConfig,
    MonitoringReport, Quantiles, Scheduler, Task, TaskId, TaskStats,
};

/// A job and whether it ran.
type Job = (JobRecord, bool);

/// Sorted, by the definition: the least value that has its share of all at or below it.
fn exact<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Option<(u64, [T; 4])> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    let count = values.len();
    let at = |share: usize| values[(count * share).div_ceil(1_000) - 1];
    (count > 0).then(|| (count as u64, [at(500), at(990), at(999), at(1_000)]))
}

fn figures<T: Copy>(quantiles: Quantiles<T>) -> (u64, [T; 4]) {
    let Quantiles { count, p50_ns, p99_ns, p999_ns, max_ns, .. } = quantiles;
    (count, [p50_ns, p99_ns, p999_ns, max_ns])
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Checks counts, rates and, with `digits`, the quantiles: exactly, or to 1 %.
fn check_stats(stats: &JobStats, jobs: &[Job], elapsed_ns: u64, is_exact: bool) {
    let ran = || jobs.iter().filter(|(_, ran)| *ran).map(|(job, _)| job);
    let skipped = (jobs.len() - ran().count()) as u64;
    let with_deadline = ran().filter(|job| job.deadline.is_some()).count() as u64 + skipped;
    let late = ran().filter(|job| job.deadline.is_some_and(|deadline| job.finish > deadline));
    let misses = late.count() as u64 + skipped;
    let busy: u64 = ran().map(|job| job.finish.as_nanos() - job.start.as_nanos()).sum();
    assert_eq!((stats.jobs, stats.skipped), (ran().count() as u64, skipped));
    assert_eq!((stats.deadlines, stats.misses), (with_deadline, misses));
    assert_eq!(stats.miss_rate, share(misses, with_deadline));
    assert_eq!(stats.utilization, share(busy, elapsed_ns));

    let latency = ran().map(|job| (job.start.as_nanos() - job.release.as_nanos()) as i64);
    let response = ran().map(|job| (job.finish.as_nanos() - job.release.as_nanos()) as i64);
    let lateness = ran()
        .filter_map(|job| Some(job.finish.as_nanos() as i64 - job.deadline?.as_nanos() as i64));
    let signed = |quantiles: Option<Quantiles<u64>>| {
        quantiles.map(figures).map(|(count, values)| (count, values.map(|ns| ns as i64)))
    };
    check_quantiles(signed(stats.dispatch_latency), exact(latency), is_exact);
    check_quantiles(signed(stats.response_time), exact(response), is_exact);
    check_quantiles(stats.lateness.map(figures), exact(lateness), is_exact);
}

type Figures = Option<(u64, [i64; 4])>;

fn check_quantiles(got: Figures, exact: Figures, is_exact: bool) {
    if is_exact {
        return assert_eq!(got, exact);
    }
    let (Some((count, got)), Some((exact_count, exact))) = (got, exact) else {
        return assert_eq!(got, exact);
    };
    assert_eq!((count, got[3]), (exact_count, exact[3]), "the maximum is exact");
    for (got, exact) in got.into_iter().zip(exact) {
        // Not below the truth, and within 1 %.
        assert!((exact..=exact + exact.abs() / 100 + 1).contains(&got), "{got} for {exact}");
    }
}

/// Checks a task's row, or that of several which share one.
fn check_row(row: &TaskStats, jobs: &[Job], elapsed_ns: u64, tells_jitter: bool) {
    let mut latencies = Vec::new();
    let (mut responses, mut busy, mut lateness) = (Vec::new(), Vec::new(), Vec::new());
    for (job, _) in jobs.iter().filter(|(_, ran)| *ran) {
        latencies.push(job.dispatch_latency_ns());
        responses.push(job.response_ns());
        busy.push(job.execution_ns());
        lateness.extend(job.lateness_ns());
    }
    let mean = |values: &[u64]| values.iter().sum::<u64>().checked_div(values.len() as u64);
    assert_eq!(row.jobs, latencies.len() as u64);
    assert_eq!(row.skipped, jobs.len() as u64 - row.jobs);
    assert_eq!(row.miss_rate, share(row.misses, row.deadlines));
    assert_eq!(row.utilization, share(busy.iter().sum(), elapsed_ns), "{}", row.name);
    assert_eq!(row.avg_dispatch_latency_ns, mean(&latencies));
    assert_eq!(row.max_dispatch_latency_ns, latencies.iter().copied().max());
    assert_eq!(row.avg_response_ns, mean(&responses));
    assert_eq!(row.max_response_ns, responses.iter().copied().max());
    assert_eq!(row.max_execution_ns, busy.iter().copied().max());
    assert_eq!(row.max_lateness_ns, lateness.iter().copied().max());
    let changes: Vec<u64> = latencies.windows(2).map(|pair| pair[0].abs_diff(pair[1])).collect();
    assert_eq!(row.jitter_ns, mean(&changes).filter(|_| tells_jitter), "{}", row.name);
}

/// Checks a report of all these jobs, of which the window keeps `samples`. Names of rows are as given.
fn check_report(
    report: &MonitoringReport,
    jobs: &[Job],
    samples: usize,
    started_at: u64,
    row_of: impl Fn(&JobRecord) -> String,
) {
    let latest = jobs.iter().map(|(job, _)| job.finish.as_nanos()).max().unwrap_or(started_at);
    assert_eq!(report.elapsed_ns, latest - started_at);
    check_stats(&report.total, jobs, report.elapsed_ns, false);
    let recent = &jobs[jobs.len().saturating_sub(samples)..];
    let recent_elapsed = recent.first().map_or(0, |(first, _)| latest - first.start.as_nanos());
    check_stats(&report.recent, recent, recent_elapsed, true);

    let mut names: Vec<String> = Vec::new();
    jobs.iter().map(|(job, _)| row_of(job)).for_each(|name| {
        if !names.contains(&name) {
            names.push(name);
        }
    });
    assert_eq!(report.tasks.len(), names.len());
    let (mut total, mut changes) = (0, 0);
    for name in names {
        let row = report.tasks.iter().find(|row| row.name == name).expect("each has a row");
        let of_row: Vec<Job> =
            jobs.iter().filter(|(job, _)| row_of(job) == name).copied().collect();
        let tells_jitter = name != "unnamed one-shots";
        check_row(row, &of_row, report.elapsed_ns, tells_jitter);
        let latencies: Vec<u64> = of_row
            .iter()
            .filter(|(_, ran)| *ran && tells_jitter)
            .map(|(job, _)| job.dispatch_latency_ns())
            .collect();
        total += latencies.windows(2).map(|pair| pair[0].abs_diff(pair[1])).sum::<u64>();
        changes += latencies.len().saturating_sub(1) as u64;
    }
    assert_eq!(report.jitter_ns, total.checked_div(changes));
    assert!(report.tasks.is_sorted_by(|a, b| a.utilization >= b.utilization), "busiest first");
    assert_eq!(report.others, None);
}

fn row_of(job: &JobRecord) -> String {
    match job.name {
        Some(name) => name.to_owned(),
        None if job.repeats => format!("task {}", job.task.to_bits()),
        None => "unnamed one-shots".to_owned(),
    }
}

/// Jobs without a pattern, one after the other, with latencies from ns to ms.
fn jobs(count: u64, seed: u64) -> Vec<Job> {
    let mut now = 1_000_000_000;
    let draw = |n: u64, which: u64, bound| scatter(seed << 40 | n << 4 | which, bound);
    let job = |n| {
        let magnitude = 10_u64.pow(draw(n, 0, 7) as u32);
        let start = now + draw(n, 1, 1_000);
        let finish = start + draw(n, 2, magnitude);
        now = finish;
        let release = start - draw(n, 3, magnitude * 10);
        let about = finish + magnitude;
        let deadline = (draw(n, 4, 3) > 0).then(|| at(about - draw(n, 5, 2 * magnitude + 1)));
        let which = draw(n, 6, 6) as usize;
        let name = [Some("a"), Some("b"), Some("c"), None, None, None][which];
        let job = JobRecord {
            task: TaskId::from_bits(which as u64),
            name,
            repeats: which == 3 || which == 4,
            release: at(release),
            start: at(start),
            finish: at(finish),
            deadline,
        };
        if draw(n, 7, 10) == 0 {
            return (JobRecord { finish: job.start, deadline: Some(job.release), ..job }, false);
        }
        (job, true)
    };
    (0..count).map(job).collect()
}

fn monitor_of(jobs: &[Job], samples: usize) -> LatencyMonitor {
    let config = MonitorConfig { samples, ..MonitorConfig::default() };
    let mut monitor = LatencyMonitor::new(config, at(500)).unwrap();
    for (job, ran) in jobs {
        if *ran {
            monitor.record(job);
        } else {
            monitor.skipped(job);
        }
    }
    monitor
}

#[test]
fn figures_are_those_of_a_sorted_list_of_all_jobs() {
    for (count, samples) in [(0, 4), (1, 4), (2, 1), (99, 100), (1_000, 100), (5_000, 1_024)] {
        for seed in 0..5 {
            let jobs = jobs(count, seed);
            let report = monitor_of(&jobs, samples).report();
            check_report(&report, &jobs, samples, 500, row_of);
        }
    }
}

#[test]
fn a_reset_forgets_everything() {
    let (before, after) = (jobs(1_000, 1), jobs(100, 2));
    let mut monitor = monitor_of(&before, 64);
    monitor.reset(at(700));
    check_report(&monitor.report(), &[], 64, 700, row_of);
    for (job, ran) in &after {
        if *ran {
            monitor.record(job);
        } else {
            monitor.skipped(job);
        }
    }
    check_report(&monitor.report(), &after, 64, 700, row_of);
}

/// Runs tasks that note their own times, all with the same soft deadline, under this configuration.
fn run_and_note(config: Config) -> (Scheduler<nanosecond_scheduler::ManualClock>, Vec<Job>) {
    let (mut scheduler, clock) = manual(config);
    let log: Log<Job> = Log::default();
    let deadline = ns(60);
    let body = |name: Option<&'static str>, repeats: bool, time: u64| {
        let (log, clock) = (log.clone(), clock.clone());
        let mut jobs = 0;
        move |cx: &mut Context<'_>| {
            use nanosecond_scheduler::Clock;
            let start = clock.now();
            clock.advance(ns(time + scatter(time + jobs, 20)));
            jobs += 1;
            let (finish, release) = (clock.now(), cx.release());
            let deadline = Some(release + deadline);
            let job = JobRecord { task: cx.id(), name, repeats, release, start, finish, deadline };
            log.push((job, true));
        }
    };
    for (name, period, time) in
        [(Some("fast"), 100, 10), (Some("slow"), 300, 30), (None, 150, 5), (None, 200, 7)]
    {
        let task = Task::periodic(body(name, true, time), ns(period)).with_deadline(deadline);
        scheduler
            .schedule(if let Some(name) = name { task.with_name(name) } else { task })
            .unwrap();
    }
    for n in 0..50 {
        let delay = ns(scatter(n, 10_000));
        let task = Task::with_context(body(None, false, 3), delay).with_deadline(deadline);
        scheduler.schedule(task).unwrap();
    }
    scheduler.run_until(at(10_000));
    let jobs = log.take();
    assert!(jobs.len() > 250);
    (scheduler, jobs)
}

#[test]
fn a_scheduler_tells_its_monitor_the_times_that_the_jobs_saw() {
    let monitor = Some(MonitorConfig { samples: 32, ..MonitorConfig::default() });
    let (scheduler, jobs) = run_and_note(Config { monitor, ..Config::default() });
    check_report(&scheduler.monitoring_report().unwrap(), &jobs, 32, 0, row_of);
    let misses = scheduler.monitoring_report().unwrap().total.misses;
    assert_eq!(misses, scheduler.metrics().missed_deadlines);
    assert!(misses > 0);
}

#[test]
fn a_skipped_job_is_a_miss_without_latency_and_a_panicked_one_is_not_a_job() {
    let monitor = Some(MonitorConfig::default());
    let (mut scheduler, clock) = manual(Config { monitor, ..Config::default() });
    log_panics(&mut scheduler);
    let firm = Task::periodic(|_| (), ns(10)).with_firm_deadline(ns(5)).with_name("firm");
    scheduler.schedule(firm).unwrap();
    scheduler.schedule(Task::new(|| common::timed::fail("boom"), ns(10))).unwrap();
    clock.set(at(16));
    scheduler.tick();
    scheduler.run_until(at(30));
    let report = scheduler.monitoring_report().unwrap();
    let [firm] = &report.tasks[..] else { panic!("there is one row") };
    assert_eq!((firm.jobs, firm.skipped, firm.deadlines, firm.misses), (2, 1, 3, 1));
    assert_eq!((firm.max_dispatch_latency_ns, firm.max_lateness_ns), (Some(0), Some(-5)));
    assert_eq!(report.total.dispatch_latency.unwrap().count, 2);
}

#[test]
fn beyond_so_many_tasks_they_are_counted_together() {
    let mut monitor = LatencyMonitor::new(MonitorConfig::default(), at(0)).unwrap();
    for n in 0..1_500 {
        let (release, finish) = (at(n * 10), at(n * 10 + 5));
        monitor.record(&JobRecord {
            task: TaskId::from_bits(n),
            name: None,
            repeats: true,
            release,
            start: release,
            finish,
            deadline: None,
        });
    }
    let report = monitor.report();
    let others = report.others.unwrap();
    assert_eq!((report.tasks.len(), others.jobs, others.jitter_ns), (1_024, 476, None));
    assert_eq!(report.total.jobs, 1_500);
}

#[test]
fn rows_go_by_what_a_name_says_and_not_by_where_it_lies() {
    static COPIES: OnceLock<[Vec<String>; 2]> = OnceLock::new();
    let copy = || (0..100).map(|n| format!("task {n}")).collect();
    let [ones, others] = COPIES.get_or_init(|| [copy(), copy()]);
    let mut monitor = LatencyMonitor::new(MonitorConfig::default(), at(0)).unwrap();
    for n in 0..3_000 {
        let names = if n % 7 < 3 { ones } else { others };
        monitor.record(&JobRecord {
            task: TaskId::from_bits(1),
            name: Some(&names[scatter(n, 100) as usize]),
            repeats: true,
            release: at(n),
            start: at(n),
            finish: at(n + 1),
            deadline: None,
        });
    }
    let count_of = |n| (0..3_000).filter(|job| scatter(*job, 100) == n).count() as u64;
    let report = monitor.report();
    assert_eq!(report.tasks.len(), 100);
    for n in 0..100 {
        let name = &ones[n as usize];
        let row = report.tasks.iter().find(|row| row.name == *name).expect("each has a row");
        assert_eq!(row.jobs, count_of(n), "{name}");
    }
}

#[test]
fn extreme_times_neither_wrap_nor_panic() {
    let mut monitor = LatencyMonitor::new(MonitorConfig::default(), at(0)).unwrap();
    for (release, start, finish, deadline) in [
        (0, u64::MAX, u64::MAX, 0),
        (u64::MAX, 0, 0, u64::MAX),
        (0, 0, u64::MAX, 0),
        (u64::MAX, u64::MAX, 0, 0),
    ] {
        monitor.record(&JobRecord {
            task: TaskId::from_bits(1),
            name: Some("extreme"),
            repeats: true,
            release: at(release),
            start: at(start),
            finish: at(finish),
            deadline: Some(at(deadline)),
        });
    }
    let report = monitor.report();
    assert_eq!(report.total.dispatch_latency.unwrap().max_ns, u64::MAX);
    assert_eq!(report.total.lateness.unwrap().max_ns, i64::MAX);
    assert_eq!(report.total.misses, 2);
    assert!(!report.to_string().is_empty());
}

#[test]
fn settings_out_of_bounds_are_refused_by_the_scheduler_with_field_and_bound() {
    let refused = |monitor| {
        let config = Config { monitor: Some(monitor), ..Config::default() };
        Scheduler::try_new(config).map(|_| ()).unwrap_err()
    };
    for samples in [0, (1 << 20) + 1] {
        let error = refused(MonitorConfig { samples, ..MonitorConfig::default() });
        let (field, least, most) = ("monitor.samples", 1, 1 << 20);
        assert_eq!(error, ConfigError::OutOfRange { field, value: samples, least, most });
    }
    let rate = Some(1_000_001);
    let error = refused(MonitorConfig { miss_rate_alert_ppm: rate, ..MonitorConfig::default() });
    assert!(error.to_string().contains("monitor.miss_rate_alert_ppm is 1000001"), "{error}");
    let error = refused(MonitorConfig { utilization_alert_ppm: rate, ..MonitorConfig::default() });
    assert!(error.to_string().contains("monitor.utilization_alert_ppm"), "{error}");
}

#[test]
fn the_table_has_every_task_and_figure_in_its_column() {
    let jobs = jobs(500, 3);
    let report = monitor_of(&jobs, 100).report();
    let table = report.to_string();
    let (upper, lower) = table.split_once("\n\n").expect("two tables");
    let rows: Vec<Vec<&str>> =
        upper.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["total", "recent"]);
    let find = |name: &str| {
        let row = upper.lines().find(|line| line.starts_with(name)).expect(name);
        row[24..].split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(find("misses"), [report.total.misses, report.recent.misses].map(|n| n.to_string()));
    let p999 = |stats: &JobStats| stats.response_time.unwrap().p999_ns.to_string();
    assert_eq!(find("response time p999_ns"), [p999(&report.total), p999(&report.recent)]);
    assert_eq!(find("jitter_ns"), [report.jitter_ns.unwrap().to_string()]);

    let mut lines = lower.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with("task") && header.ends_with("jitter ns"));
    for (task, line) in report.tasks.iter().zip(&mut lines) {
        assert!(line.starts_with(&task.name), "{line}");
        assert_eq!(line.chars().count(), header.chars().count(), "columns are aligned");
        let jitter = task.jitter_ns.map_or("-".to_owned(), |jitter| jitter.to_string());
        assert_eq!(line.split_whitespace().next_back(), Some(&*jitter));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn an_empty_report_prints_too() {
    let table = monitor_of(&[], 1).report().to_string();
    assert!(table.contains("jobs") && table.contains('-') && !table.contains("NaN"), "{table}");
}

#[cfg(feature = "serde")]
#[test]
fn a_report_survives_json() {
    for count in [0, 1, 700] {
        let report = monitor_of(&jobs(count, 4), 100).report();
        let json = serde_json::to_string(&report).unwrap();
        let back: MonitoringReport = serde_json::from_str(&json).unwrap();
        assert_eq!(back, report);
        assert_eq!(back.to_string(), report.to_string());
    }
}

#[cfg(feature = "serde")]
#[test]
fn settings_survive_json_and_missing_ones_are_the_defaults() {
    let monitor = MonitorConfig {
        samples: 77,
        miss_rate_alert_ppm: Some(10),
        dispatch_latency_alert_ns: Some(u64::MAX),
        ..MonitorConfig::default()
    };
    let json = serde_json::to_string(&monitor).unwrap();
    assert_eq!(serde_json::from_str::<MonitorConfig>(&json).unwrap(), monitor);
    let partial = r#"{"monitor": {"samples": 9}, "trace_capacity": 5}"#;
    let config: Config = serde_json::from_str(partial).unwrap();
    let monitor = Some(MonitorConfig { samples: 9, ..MonitorConfig::default() });
    assert_eq!(config, Config { monitor, trace_capacity: 5, ..Config::default() });
}

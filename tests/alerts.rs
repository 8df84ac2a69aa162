//! Alerts: once for each crossing of a threshold, with the figure that crossed it.
#![cfg(feature = "std")]

mod common;

use common::timed::{caught, fail, log_panics, take_in_turn, takes};
use common::{at, manual, ns, Log};
use nanosecond_scheduler::{
    Alert, AlertMetric, Config, JobRecord, LatencyMonitor, MonitorConfig, OnFailure, Task, TaskId,
};

fn monitor_with(config: MonitorConfig) -> (LatencyMonitor, Log<Alert>) {
    let mut monitor = LatencyMonitor::new(config, at(0)).unwrap();
    let log = Log::default();
    let log2 = log.clone();
    monitor.on_alert(move |alert| log2.push(alert));
    (monitor, log)
}

/// A job of task `task` that was released at `release`, waited and took so long.
fn job(task: u64, release: u64, waited: u64, took: u64) -> JobRecord {
    JobRecord {
        task: TaskId::from_bits(task),
        name: None,
        repeats: true,
        release: at(release),
        start: at(release + waited),
        finish: at(release + waited + took),
        deadline: None,
    }
}

fn values(log: &Log<Alert>) -> Vec<u64> {
    log.take().iter().map(|alert| alert.value).collect()
}

#[test]
fn a_rising_latency_is_told_once_until_it_was_back() {
    let threshold = Some(10);
    let (mut monitor, log) = monitor_with(MonitorConfig {
        dispatch_latency_alert_ns: threshold,
        ..MonitorConfig::default()
    });
    for (n, waited) in [5, 10, 11, 12, 900, 10, 15, 3, 10, 11].into_iter().enumerate() {
        monitor.record(&job(1, n as u64 * 1_000, waited, 50));
    }
    assert_eq!(values(&log), [11, 15, 11]);
}

#[test]
fn each_task_crosses_for_itself_and_the_alert_names_it() {
    let (mut monitor, log) = monitor_with(MonitorConfig {
        dispatch_latency_alert_ns: Some(10),
        response_time_alert_ns: Some(100),
        ..MonitorConfig::default()
    });
    let named = JobRecord { name: Some("named"), ..job(3, 3_000, 20, 1) };
    for job in [job(1, 0, 50, 1), job(2, 1_000, 40, 90), job(1, 2_000, 60, 1), named] {
        monitor.record(&job);
    }
    let alerts = log.take();
    let told: Vec<_> =
        alerts.iter().map(|alert| (alert.metric, alert.value, alert.task.unwrap())).collect();
    let task = TaskId::from_bits;
    let expected = [
        (AlertMetric::DispatchLatency, 50, task(1)),
        (AlertMetric::DispatchLatency, 40, task(2)),
        (AlertMetric::ResponseTime, 130, task(2)),
        (AlertMetric::DispatchLatency, 20, task(3)),
    ];
    assert_eq!(told, expected);
    assert_eq!((alerts[1].at, alerts[1].threshold), (at(1_130), 10));
    assert_eq!(
        alerts[0].to_string(),
        "dispatch latency of task 1 is 50 ns, above 10 ns, at 0.000000051s"
    );
    assert!(alerts[3].to_string().starts_with("dispatch latency of `named` is 20 ns"));
}

#[test]
fn the_windows_p99_crosses_with_the_second_of_a_hundred() {
    // 100 samples are looked at after every 6th job.
    let (mut monitor, log) = monitor_with(MonitorConfig {
        samples: 100,
        p99_dispatch_latency_alert_ns: Some(10),
        ..MonitorConfig::default()
    });
    let mut record = |waited: &[u64]| {
        waited.iter().for_each(|waited| monitor.record(&job(1, 0, *waited, 0)));
        values(&log)
    };
    assert!(record(&[10; 96]).is_empty(), "at the threshold is not above");
    assert!(record(&[10, 10, 10, 10, 77, 10]).is_empty(), "one of a hundred is above");
    assert_eq!(record(&[33, 10, 10, 10, 10, 10]), [33], "the second greatest");
    assert!(record(&[99; 6]).is_empty(), "it is above still");
    assert!(record(&[10; 102]).is_empty(), "and back");
    assert_eq!(record(&[55; 6]), [55]);
}

#[test]
fn rates_of_the_window_cross_exactly_at_their_thresholds() {
    // With up to 31 samples the window is looked at after every job.
    let (mut monitor, log) = monitor_with(MonitorConfig {
        samples: 10,
        miss_rate_alert_ppm: Some(200_000),
        ..MonitorConfig::default()
    });
    let mut now = 0;
    let mut record = |missed: &[bool]| {
        for missed in missed {
            now += 100;
            let deadline = Some(at(if *missed { now } else { now + 50 }));
            monitor.record(&JobRecord { deadline, ..job(1, now, 0, 10) });
        }
        values(&log)
    };
    let (hit, miss) = (false, true);
    assert!(record(&[hit; 10]).is_empty());
    assert!(record(&[miss, miss]).is_empty(), "two of ten are not above");
    assert_eq!(record(&[miss, miss]), [300_000]);
    assert!(record(&[hit; 10]).is_empty());
    assert_eq!(record(&[miss, miss, miss]), [300_000]);
}

#[test]
fn a_skipped_job_counts_as_missed_in_the_window() {
    let (mut monitor, log) = monitor_with(MonitorConfig {
        samples: 4,
        miss_rate_alert_ppm: Some(0),
        dispatch_latency_alert_ns: Some(0),
        ..MonitorConfig::default()
    });
    monitor.skipped(&job(1, 0, 50, 0));
    let alerts = log.take();
    assert_eq!(alerts.len(), 1, "but has no latency");
    assert_eq!((alerts[0].metric, alerts[0].value), (AlertMetric::MissRate, 1_000_000));
    assert_eq!(alerts[0].task, None);
}

#[test]
fn utilization_is_that_of_the_windows_time() {
    let (mut monitor, log) = monitor_with(MonitorConfig {
        samples: 2,
        utilization_alert_ppm: Some(500_000),
        ..MonitorConfig::default()
    });
    monitor.record(&job(1, 0, 0, 10)); // All of 10 ns: above.
    monitor.record(&job(1, 90, 0, 10)); // 20 of 100.
    monitor.record(&job(1, 100, 0, 20)); // 30 of 30.
    monitor.record(&job(1, 140, 0, 10)); // 30 of 50.
    monitor.record(&job(1, 155, 0, 5)); // 15 of 20.
    let alerts = log.take();
    let told: Vec<_> = alerts.iter().map(|alert| (alert.value, alert.at)).collect();
    assert_eq!(told, [(1_000_000, at(10)), (1_000_000, at(120))]);
    assert_eq!(alerts[1].metric, AlertMetric::Utilization);
}

#[test]
fn a_reset_makes_a_figure_cross_again_and_keeps_the_handler() {
    let (mut monitor, log) = monitor_with(MonitorConfig {
        samples: 1,
        dispatch_latency_alert_ns: Some(1),
        p99_dispatch_latency_alert_ns: Some(1),
        ..MonitorConfig::default()
    });
    for _ in 0..2 {
        monitor.record(&job(1, 0, 5, 5));
        monitor.record(&job(1, 0, 6, 5));
        assert_eq!(values(&log), [5, 5]);
        monitor.reset(at(0));
    }
}

#[test]
fn a_scheduler_tells_its_handler_with_the_jobs_times() {
    let monitor =
        Some(MonitorConfig { response_time_alert_ns: Some(30), ..MonitorConfig::default() });
    let (mut scheduler, clock) = manual(Config { monitor, ..Config::default() });
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_alert(move |alert| log2.push(alert));
    let body = take_in_turn(&clock, [30, 31, 32, 5, 40]);
    let task = Task::periodic(body, ns(100)).with_name("control");
    let id = scheduler.schedule(task).unwrap();
    scheduler.run_until(at(500));
    let alerts = log.take();
    let told: Vec<_> = alerts.iter().map(|alert| (alert.value, alert.at)).collect();
    assert_eq!(told, [(31, at(231)), (40, at(540))]);
    assert!(alerts.iter().all(|alert| alert.name == Some("control") && alert.task == Some(id)));
}

#[test]
fn without_a_monitor_the_handler_is_dropped_unused() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.on_alert(|_| unreachable!());
    scheduler.schedule(Task::new(takes(&clock, 1_000), ns(0))).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.monitoring_report(), None);
}

#[test]
fn a_handler_that_panics_ends_neither_the_task_nor_those_after_it() {
    for handled in [false, true] {
        let monitor =
            Some(MonitorConfig { response_time_alert_ns: Some(0), ..MonitorConfig::default() });
        let (mut scheduler, clock) = manual(Config { monitor, ..Config::default() });
        scheduler.on_alert(|_| fail("of the handler"));
        if handled {
            log_panics(&mut scheduler);
        }
        let log = Log::default();
        let task = Task::periodic(take_in_turn(&clock, [5, 0, 0]), ns(10));
        let id = scheduler.schedule(task).unwrap();
        scheduler.schedule(log.task("after", ns(15)).after(&[id])).unwrap();
        clock.set(at(10));
        let ticked = caught(|| scheduler.tick().panicked);
        assert_eq!(ticked, if handled { Ok(1) } else { Err("of the handler") });
        scheduler.run_until(at(19));
        assert_eq!(log.take(), ["after"]);
        assert!(scheduler.is_pending(id));
        assert_eq!(scheduler.monitoring_report().unwrap().total.jobs, 2, "the job is recorded");
    }
}

#[test]
fn a_handler_that_panics_over_a_skipped_job_ends_neither_the_task_nor_those_after_it() {
    for handled in [false, true] {
        let monitor =
            MonitorConfig { samples: 1, miss_rate_alert_ppm: Some(0), ..MonitorConfig::default() };
        let (mut scheduler, clock) = manual(Config { monitor: Some(monitor), ..Config::default() });
        scheduler.on_alert(|_| fail("of the handler"));
        if handled {
            log_panics(&mut scheduler);
        }
        let log = Log::default();
        let log2 = log.clone();
        let task = Task::periodic(move |cx| log2.push(cx.release()), ns(10));
        let id = scheduler.schedule(task.with_firm_deadline(ns(5))).unwrap();
        let waits = log.task(at(0), ns(0)).after(&[id]).on_failure(OnFailure::Run);
        scheduler.schedule(waits).unwrap();
        clock.set(at(16));
        let ticked = caught(|| scheduler.tick().panicked);
        assert_eq!(ticked, if handled { Ok(1) } else { Err("of the handler") });
        scheduler.run_until(at(20));
        assert_eq!((log.take(), scheduler.is_pending(id)), (vec![at(0), at(20)], true));
        assert_eq!(scheduler.monitoring_report().unwrap().total.skipped, 1);
    }
}

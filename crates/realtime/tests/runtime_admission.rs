//! Hazard: a worker that is given more than it can do in time, or a request that is denied unnoticed.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::time::Duration;

use common::{block_on, runtime, until, with_config};
use nanosecond_realtime::os::SchedClass;
use nanosecond_realtime::{DeadlineError, Error, NanosecondScheduler, SchedulerConfig};
use nanosecond_scheduler::{
    Admission, Policy, Priority, Rejection, ScheduleErrorKind, SendTask, TimePoint,
};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

fn exact() -> NanosecondScheduler {
    with_config(SchedulerConfig {
        num_workers: 2,
        admission: Admission::Exact,
        policy: Policy::EarliestDeadlineFirst,
        ..SchedulerConfig::default()
    })
}

fn periodic(wcet: Duration, period: Duration) -> SendTask {
    SendTask::periodic(|_| (), period).with_wcet(wcet)
}

fn rejection<T>(reason: Result<T, impl Into<Error>>) -> Option<Rejection> {
    match reason.err()?.into() {
        Error::Rejected(ScheduleErrorKind::Rejected(rejection)) => Some(rejection),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tasks_are_placed_while_a_worker_has_room_and_refused_after() {
    let runtime = exact();
    let first = runtime.schedule(periodic(40 * MS, 100 * MS)).unwrap();
    let second = runtime.schedule(periodic(40 * MS, 100 * MS)).unwrap();
    // It fits beside neither: 40 of 50 before its deadline may be taken by the other's job.
    let urgent = runtime.schedule(periodic(20 * MS, 50 * MS));
    match rejection(urgent) {
        Some(Rejection::Deadline { task, late_by_ns }) => {
            assert_eq!(late_by_ns, (20 + 40 - 50) * 1_000_000 - 1, "the other has begun before");
            assert!([None, Some(first.id()), Some(second.id())].contains(&task));
        }
        other => panic!("{other:?}"),
    }
    second.abort();
    assert_eq!(block_on(second), Err(DeadlineError::Cancelled));
    // Its share is free once its worker has been idle.
    until(|| runtime.schedule(periodic(20 * MS, 50 * MS)).is_ok());
    drop(first);
}

#[test]
fn exact_admission_needs_to_know_everything() {
    let runtime = exact();
    assert_eq!(rejection(runtime.schedule(|| ())), Some(Rejection::MissingWcet));
    let closure = runtime.schedule_periodic(|| (), MS, Priority::High);
    assert_eq!(rejection(closure), Some(Rejection::MissingWcet));
    let past = SendTask::new(|| (), MS).with_wcet(MS).with_deadline(HOUR).at(TimePoint::ZERO);
    assert!(matches!(rejection(runtime.schedule(past)), Some(Rejection::Unknown(_))));
    for n in 0..100 {
        // Each has its share only while it runs.
        until(|| match runtime.schedule_with_wcet(move || n, HOUR, 2 * HOUR, Priority::High) {
            Ok(handle) => block_on(handle) == Ok(n),
            Err(_) => false,
        });
    }
}

#[test]
fn utilization_admits_to_the_full() {
    let runtime = with_config(SchedulerConfig {
        num_workers: 2,
        admission: Admission::Utilization,
        ..SchedulerConfig::default()
    });
    let handles: Vec<_> =
        (0..4).map(|_| runtime.schedule(periodic(HOUR / 2, HOUR)).unwrap()).collect();
    let stats = runtime.worker_stats();
    assert!(stats.iter().all(|worker| worker.placed_utilization == 1.0), "{stats:?}");
    let refused = runtime.schedule(periodic(MS, HOUR)).unwrap_err();
    let counts_nothing = runtime.schedule(|| 1).unwrap();
    assert_eq!(block_on(counts_nothing), Ok(1));
    handles[0].abort();
    until(|| handles[0].is_finished());
    assert!(runtime.schedule(refused.into_task()).is_ok());
}

#[test]
fn what_the_system_denies_is_told_or_required() {
    // A thread with a deadline of the system's cannot be pinned, nor pinned become one.
    let config = |require| {
        let mut config = SchedulerConfig {
            num_workers: 1,
            enable_cpu_pinning: true,
            enable_rt_scheduling: true,
            require,
            ..SchedulerConfig::default()
        };
        let (runtime, deadline, period) = (MS, MS, 10 * MS);
        config.priority_classes.high = SchedClass::Deadline { runtime, deadline, period };
        config
    };
    let runtime = with_config(config(false));
    let outcomes = &runtime.os_outcomes()[0];
    let fields: Vec<_> = outcomes.answers.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["enable_cpu_pinning", "enable_rt_scheduling"]);
    assert!(outcomes.core.is_some());
    let lines = outcomes.to_string();
    let pinning = format!("worker 0: enable_cpu_pinning: {}", outcomes.answers[0].1);
    assert_eq!(lines.lines().next(), Some(pinning.as_str()));
    assert_eq!(lines.lines().count(), 2);
    assert_eq!(block_on(runtime.schedule(|| 1).unwrap()), Ok(1));
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(!outcomes.answers[1].1.is_applied());
        let error = NanosecondScheduler::new(config(true)).unwrap_err();
        assert!(matches!(error, Error::Os { worker: Some(0), .. }), "{error}");
    }
}

#[test]
fn nothing_is_asked_of_the_system_by_default() {
    let runtime = runtime(2);
    assert!(runtime.os_outcomes().iter().all(|outcomes| outcomes.answers.is_empty()));
    assert_eq!(runtime.os_outcomes().len(), 2);
    assert_eq!(runtime.os_outcomes()[1].to_string(), "worker 1: nothing was asked of the system");
    assert_eq!(runtime.memory_outcome(), None);
}

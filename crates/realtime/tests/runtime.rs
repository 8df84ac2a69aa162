//! Hazard: a task that is lost, runs twice or at the wrong time; a handle that hangs or lies.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{block_all, block_on, runtime, until, with_config, Gate};
use nanosecond_realtime::{
    DeadlineError, Error, Job, NanosecondScheduler, SchedulerConfig, Shutdown,
};
use nanosecond_scheduler::{
    DeadlineKind, Emergency, Policy, Priority, ScheduleErrorKind, SendTask, TaskId, TimePoint, Wait,
};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

fn counter() -> (Arc<AtomicU32>, impl FnMut() + Send + Clone + 'static) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let add = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    (count, add)
}

#[test]
fn values_come_back_in_every_way() {
    let runtime = runtime(2);
    let waited = runtime.schedule(|| 1).unwrap();
    assert_eq!(runtime.wait_for_completion(waited), Ok(1));
    assert_eq!(block_on(runtime.schedule(|| "two").unwrap()), Ok("two"));
    let with_deadline = runtime.schedule_with_deadline(|| 3, HOUR, Priority::High).unwrap();
    assert_eq!(block_on(with_deadline), Ok(3));
    let with_wcet = runtime.schedule_with_wcet(|| 4, MS, HOUR, Priority::Critical).unwrap();
    assert_eq!(block_on(with_wcet), Ok(4));
    let whole = runtime.schedule(SendTask::new(|| (), MS).with_name("whole")).unwrap();
    assert_eq!(block_on(whole), Ok(()));
    let before = runtime.now();
    let job = Job::new(move || before).with_delay(MS).with_name("later");
    let (then, now) = (block_on(runtime.schedule(job).unwrap()).unwrap(), runtime.now());
    assert!(now.duration_since(then) >= MS, "it ran before its release");
}

#[test]
fn many_tasks_from_many_threads_each_run_once() {
    let runtime = runtime(3);
    let (count, add) = counter();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..500u64 {
                    let delay = Duration::from_nanos(n % 7 * 1_000);
                    let add = add.clone();
                    drop(runtime.schedule(SendTask::new(add, delay)).unwrap());
                }
            });
        }
    });
    let report = runtime.run_until_idle_with_guarantee().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2_000);
    assert_eq!(report.totals.executed, 2_000);
    assert_eq!(runtime.get_latency_stats().count, 2_000);
    assert!(runtime.worker_stats().iter().all(|worker| worker.pending == 0));
    assert_eq!(runtime.run_until_idle_with_guarantee().unwrap().totals.executed, 0);
}

#[test]
fn a_blocked_worker_starts_what_waits_in_the_order_of_the_policy() {
    for (policy, expected) in [
        (Policy::Priority, ["critical", "high", "early", "late"]),
        (Policy::EarliestDeadlineFirst, ["early", "critical", "high", "late"]),
    ] {
        let runtime =
            with_config(SchedulerConfig { num_workers: 1, policy, ..SchedulerConfig::default() });
        let gate = &block_all(&runtime)[0];
        let order = Arc::new(Mutex::new(Vec::new()));
        let task = |name: &'static str, deadline: u32, priority| {
            let order = Arc::clone(&order);
            let body = move || order.lock().unwrap().push(name);
            drop(runtime.schedule_with_deadline(body, HOUR * deadline, priority).unwrap());
        };
        task("late", 9, Priority::Low);
        task("high", 3, Priority::High);
        task("critical", 2, Priority::Critical);
        task("early", 1, Priority::Normal);
        gate.open();
        runtime.run_until_idle_with_guarantee().unwrap();
        assert_eq!(*order.lock().unwrap(), expected, "{policy:?}");
    }
}

#[test]
fn a_late_value_comes_with_how_late_it_is() {
    let runtime = runtime(1);
    let body = || std::thread::sleep(2 * MS);
    let handle = runtime.schedule_with_deadline(body, MS, Priority::Normal).unwrap();
    match block_on(handle) {
        Err(DeadlineError::Missed { late_by, value: Some(()) }) => assert!(late_by >= MS),
        other => panic!("{other:?}"),
    }
    let handle = runtime.schedule_with_deadline(body, MS, Priority::Normal).unwrap();
    assert_eq!(runtime.wait_for_completion(handle), Ok(()), "a late value is a value");
    let report = runtime.run_until_idle_with_guarantee().unwrap();
    assert_eq!(report.totals.missed_deadlines, 2);
    assert!(!report.kept_deadlines() && !report.holds());
}

#[test]
fn a_firm_deadline_that_has_passed_skips_the_job() {
    let runtime = runtime(1);
    let misses = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&misses);
    runtime.on_deadline_miss(move |worker, _| {
        assert_eq!(worker, 0);
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let gate = &block_all(&runtime)[0];
    let (count, add) = counter();
    let job = Job::new(add).with_firm_deadline(Duration::from_nanos(1));
    let handle = runtime.schedule(job).unwrap();
    let past = runtime.now();
    until(|| runtime.now() > past + Duration::from_nanos(1));
    gate.open();
    match block_on(handle) {
        Err(DeadlineError::Missed { late_by, value: None }) => assert!(late_by > Duration::ZERO),
        other => panic!("{other:?}"),
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let totals = runtime.worker_stats()[0].totals;
    assert_eq!((totals.skipped, totals.missed_deadlines), (1, 1));
    assert_eq!(misses.load(Ordering::SeqCst), 1);
}

#[test]
fn periodic_tasks_run_until_they_are_cancelled() {
    let runtime = runtime(2);
    let (count, add) = counter();
    let handle = runtime.schedule_periodic(add, MS / 10, Priority::High).unwrap();
    until(|| count.load(Ordering::SeqCst) >= 5);
    assert!(!handle.is_finished());
    assert_eq!(runtime.cancel(&handle), Ok(()));
    assert_eq!(runtime.cancel(&handle), Err(Error::NotPending), "it was cancelled before");
    assert_eq!(block_on(handle), Err(DeadlineError::Cancelled));
    let last = count.load(Ordering::SeqCst);
    assert_eq!(block_on(runtime.schedule(SendTask::new(|| (), MS)).unwrap()), Ok(()));
    assert_eq!(count.load(Ordering::SeqCst), last);
    until(|| runtime.worker_stats().iter().all(|worker| worker.pending == 0));
}

#[test]
fn a_repeating_task_may_end_itself() {
    let runtime = runtime(1);
    let mut runs = 0;
    let task = SendTask::periodic(
        move |cx| {
            runs += 1;
            if runs == 3 {
                cx.cancel(cx.id()).unwrap();
            }
        },
        HOUR, // Replaced.
    );
    let handle = runtime.schedule_periodic(task, MS / 10, Priority::Normal).unwrap();
    assert_eq!(runtime.wait_for_completion(handle), Ok(()));
    assert_eq!(runtime.worker_stats()[0].totals.executed, 3);
}

#[test]
fn sporadic_tasks_run_when_triggered() {
    let runtime = runtime(1);
    let (count, mut add) = counter();
    let task = SendTask::sporadic(move |_| add(), Duration::from_nanos(1));
    let handle = runtime.schedule(task).unwrap();
    for n in 1..=3 {
        handle.trigger().unwrap();
        until(|| count.load(Ordering::SeqCst) == n);
    }
    handle.abort();
    until(|| handle.is_finished());
    assert_eq!(handle.trigger(), Err(Error::NotPending));
    let once = runtime.schedule(|| ()).unwrap();
    assert_eq!(once.trigger(), Err(Error::NotPending));
}

#[test]
fn an_aborted_one_shot_never_runs_and_is_dropped_at_once() {
    let runtime = runtime(1);
    let captured = Arc::new(());
    let held = Arc::clone(&captured);
    let handle = runtime.schedule(SendTask::new(move || drop(held), HOUR)).unwrap();
    handle.abort();
    assert_eq!(Arc::strong_count(&captured), 1);
    assert!(handle.is_finished());
    assert_eq!(runtime.cancel(&handle), Err(Error::NotPending));
    assert_eq!(block_on(handle), Err(DeadlineError::Cancelled));
    runtime.run_until_idle_with_guarantee().unwrap();

    // Behind a blocked worker, before its token is scheduled.
    let gate = &block_all(&runtime)[0];
    let (count, add) = counter();
    let handle = runtime.schedule(add).unwrap();
    handle.abort();
    gate.open();
    runtime.run_until_idle_with_guarantee().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let pending = runtime.inspect(0, |scheduler| scheduler.len()).unwrap();
    assert_eq!(runtime.wait_for_completion(pending), Ok(0), "no token is left");
}

#[test]
fn a_running_job_is_not_broken_off() {
    let runtime = runtime(1);
    let gate = Gate::default();
    let job = gate.clone();
    let handle = runtime.schedule(move || job.pass()).unwrap();
    gate.arrived(1);
    assert_eq!(runtime.cancel(&handle), Err(Error::NotPending));
    gate.open();
    assert_eq!(block_on(handle), Ok(()));
}

#[test]
fn dropping_a_handle_detaches_unless_told_otherwise() {
    let runtime = runtime(1);
    let gate = &block_all(&runtime)[0];
    let (count, add) = counter();
    let (first, second) = (add.clone(), add);
    drop(runtime.schedule(first).unwrap());
    drop(runtime.schedule(second).unwrap().cancel_on_drop());
    gate.open();
    runtime.run_until_idle_with_guarantee().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn waiting_from_a_worker_is_refused_instead_of_hanging() {
    let runtime = Arc::new(runtime(1));
    let inside = Arc::clone(&runtime);
    let job = move || {
        let handle = inside.schedule(|| ()).unwrap();
        let waited = inside.wait_for_completion(handle);
        let idle = inside.run_until_idle_with_guarantee().map(drop);
        let shutdown = inside.shutdown(Shutdown::Drain);
        (waited, idle, shutdown)
    };
    let handle = runtime.schedule(job).unwrap();
    let refused = Err(Error::OnWorker { worker: 0 });
    let all = (refused.clone(), refused.clone(), refused);
    assert_eq!(runtime.wait_for_completion(handle), Ok(all));
    assert_eq!(NanosecondScheduler::current_worker(), None);
}

#[test]
fn what_cannot_be_accepted_comes_back_unharmed() {
    let runtime = runtime(1);
    let refused = runtime.schedule(SendTask::new(|| (), Duration::MAX)).unwrap_err();
    assert_eq!(*refused.reason(), Error::Rejected(ScheduleErrorKind::TimeOverflow));
    let refused = runtime.schedule(SendTask::periodic(|_| (), Duration::ZERO)).unwrap_err();
    assert_eq!(*refused.reason(), Error::Rejected(ScheduleErrorKind::ZeroPeriod));
    let after = SendTask::new(|| (), MS).after(&[TaskId::from_bits(1)]);
    assert_eq!(*runtime.schedule(after).unwrap_err().reason(), Error::Predecessors);
    let once = SendTask::new(|| (), MS);
    let refused = runtime.schedule_periodic(once, MS, Priority::Low).unwrap_err();
    assert_eq!(*refused.reason(), Error::NotPeriodic);
    let handle = runtime.schedule(refused.into_task()).unwrap();
    assert_eq!(block_on(handle), Ok(()));
}

#[test]
fn a_full_worker_gives_the_task_back_and_keeps_the_others() {
    let capacity = 4;
    let config = SchedulerConfig { num_workers: 2, capacity, ..SchedulerConfig::default() };
    let runtime = with_config(config);
    let gates = block_all(&runtime);
    let (count, add) = counter();
    let job = |value: u32| {
        let mut add = add.clone();
        move || {
            add();
            value
        }
    };
    let handles: Vec<_> = (0..6).map(|n| runtime.schedule(job(n)).unwrap()).collect();
    let refused = runtime.schedule(job(6)).unwrap_err();
    assert_eq!(*refused.reason(), Error::Full { capacity });
    assert_eq!(refused.to_string(), "4 tasks are pending, which is SchedulerConfig::capacity");
    gates.iter().for_each(Gate::open);
    for (n, handle) in (0..).zip(handles) {
        assert_eq!(block_on(handle), Ok(n));
    }
    let retried = runtime.schedule(refused.into_task()).unwrap();
    assert_eq!(block_on(retried), Ok(6));
    assert_eq!(count.load(Ordering::SeqCst), 7);
}

#[test]
fn a_config_out_of_bounds_is_refused_with_its_bound() {
    let error = |config| NanosecondScheduler::new(config).unwrap_err().to_string();
    let config = SchedulerConfig { num_workers: 0, ..SchedulerConfig::default() };
    assert_eq!(error(config), "SchedulerConfig::num_workers is 0; it must be from 1 to 1024");
    let config = SchedulerConfig { latency_budget_ns: 0, ..SchedulerConfig::default() };
    assert!(error(config).starts_with("SchedulerConfig::latency_budget_ns is 0;"));
    let config = SchedulerConfig { capacity: 1 << 27, ..SchedulerConfig::default() };
    assert!(error(config).ends_with("it must be from 1 to 67108864"));
    let config = SchedulerConfig { trace_capacity: usize::MAX, ..SchedulerConfig::default() };
    assert!(error(config).contains("trace_capacity"));
}

#[test]
fn after_a_missed_hard_deadline_only_critical_tasks_are_accepted() {
    let runtime = with_config(SchedulerConfig {
        num_workers: 1,
        emergency: Emergency::SafeMode,
        ..SchedulerConfig::default()
    });
    let late = Job::new(|| std::thread::sleep(MS)).with_hard_deadline(Duration::from_nanos(1));
    let waits = runtime.schedule(SendTask::new(|| (), HOUR)).unwrap();
    let late = block_on(runtime.schedule(late).unwrap());
    assert!(matches!(late, Err(DeadlineError::Missed { .. })), "{late:?}");
    assert_eq!(block_on(waits), Err(DeadlineError::Cancelled));
    let refused = Err(DeadlineError::Rejected(ScheduleErrorKind::SafeMode));
    let other = Job::new(|| ()).with_name("other");
    assert_eq!(block_on(runtime.schedule(other).unwrap()), refused);
    let periodic = runtime.schedule_periodic(|| (), MS, Priority::High).unwrap();
    assert_eq!(block_on(periodic), refused);
    let critical = runtime.schedule_with_deadline(|| (), HOUR, Priority::Critical).unwrap();
    assert_eq!(block_on(critical), Ok(()));
    block_on(runtime.inspect(0, |scheduler| scheduler.leave_safe_mode()).unwrap()).unwrap();
    assert_eq!(block_on(runtime.schedule(|| ()).unwrap()), Ok(()));
}

#[test]
fn a_spinning_worker_hears_calls() {
    let wait = Wait::Spin;
    let runtime =
        with_config(SchedulerConfig { num_workers: 1, wait, ..SchedulerConfig::default() });
    for n in 0..100 {
        assert_eq!(block_on(runtime.schedule(move || n).unwrap()), Ok(n));
    }
}

#[test]
fn a_worker_can_be_inspected() {
    let runtime = with_config(SchedulerConfig {
        num_workers: 1,
        trace_capacity: 16,
        monitor: Some(Default::default()),
        ..SchedulerConfig::default()
    });
    block_on(runtime.schedule(Job::new(|| ()).with_name("seen")).unwrap()).unwrap();
    let look = runtime.inspect(0, |scheduler| {
        (scheduler.trace().unwrap().events().count(), scheduler.monitoring_report().is_some())
    });
    let (events, is_monitored) = block_on(look.unwrap()).unwrap();
    assert!(events >= 2 && is_monitored);
    let error = runtime.inspect(1, |_| ()).unwrap_err();
    assert_eq!(error, Error::NoSuchWorker { worker: 1, workers: 1 });
}

#[test]
fn who_was_told_of_an_end_finds_the_place_free() {
    let runtime =
        with_config(SchedulerConfig { num_workers: 1, capacity: 1, ..SchedulerConfig::default() });
    for n in 0..200 {
        let value = runtime.schedule(move || n).unwrap();
        assert_eq!(runtime.wait_for_completion(value).unwrap(), n);
        let panics = runtime.schedule(|| std::panic::resume_unwind(Box::new(()))).unwrap();
        let panics: Result<(), _> = runtime.wait_for_completion(panics);
        assert_eq!(panics, Err(Error::Panicked));
        let repeats = runtime.schedule_periodic(|| (), HOUR, Priority::Low).unwrap();
        repeats.abort();
        assert_eq!(runtime.wait_for_completion(repeats), Err(Error::Cancelled));
        let skipped = Job::new(|| ()).with_deadline_at(DeadlineKind::Firm, TimePoint::ZERO);
        let skipped = runtime.wait_for_completion(runtime.schedule(skipped).unwrap());
        assert!(matches!(skipped, Err(Error::Skipped { .. })));
    }
}

/// The worker's scheduler is told to forget everything: nothing was skipped.
#[test]
fn a_task_that_is_dropped_is_told_as_cancelled_unless_it_would_have_been_skipped() {
    let runtime = runtime(1);
    let due = |kind| Job::new(|| ()).with_delay(HOUR).with_deadline_at(kind, TimePoint::ZERO);
    let kinds = [DeadlineKind::Soft, DeadlineKind::Hard, DeadlineKind::Firm];
    let late = kinds.map(|kind| runtime.schedule(due(kind)).unwrap());
    block_on(runtime.inspect(0, |scheduler| scheduler.clear()).unwrap()).unwrap();
    for (handle, kind) in late.into_iter().zip(kinds) {
        assert_eq!(runtime.wait_for_completion(handle), Err(Error::Cancelled), "{kind:?}");
    }
    // One that is released, and late, but would have run.
    let gate = Gate::default();
    let gate2 = gate.clone();
    let blocks = runtime.schedule(move || gate2.pass()).unwrap();
    gate.arrived(1);
    let soft = Job::new(|| ()).with_deadline_at(DeadlineKind::Soft, TimePoint::ZERO);
    let soft = runtime.schedule(soft).unwrap();
    let cleared = runtime.inspect(0, |scheduler| scheduler.clear()).unwrap();
    gate.open();
    block_on(blocks).unwrap();
    block_on(cleared).unwrap();
    assert_eq!(runtime.wait_for_completion(soft), Err(Error::Cancelled));
}

//! Hazard: what a hard deadline's miss sets off. Each emergency does its own, all of it, and no more.

mod common;

use common::timed::{log_misses, logs, take_in_turn, takes};
use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::{
    Config, Emergency, ManualClock, Policy, Priority, ScheduleErrorKind, Scheduler, Task, TaskId,
    TraceKind, WaitError,
};

const EMERGENCIES: [Emergency; 4] =
    [Emergency::Callback, Emergency::SkipTask, Emergency::SafeMode, Emergency::Stop];

fn with_emergency(emergency: Emergency) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { emergency, ..Config::default() })
}

/// What a tick ran, and how many jobs it missed and skipped.
type Ticked<'a> = (&'a [&'static str], usize, usize);

/// What runs in two ticks if the second of three tasks, the most urgent one last, has a hard deadline at
/// 10, and the tick comes at `now`.
fn run_three(emergency: Emergency, now: u64, time: u64) -> [(Vec<&'static str>, usize, usize); 2] {
    let (mut scheduler, clock) = with_emergency(emergency);
    let log = Log::default();
    scheduler.schedule(log.task("before", ns(0))).unwrap();
    let hard = Task::new(logs(&log, "hard", &clock, time), ns(0)).with_hard_deadline(ns(10));
    scheduler.schedule(hard).unwrap();
    scheduler.schedule(log.task("after", ns(0))).unwrap();
    scheduler.schedule(log.task("critical", ns(1)).with_priority(Priority::Critical)).unwrap();
    clock.set(at(now));
    [(); 2].map(|()| {
        let report = scheduler.tick();
        (log.take(), report.missed_deadlines, report.skipped)
    })
}

#[test]
fn a_hard_job_that_is_late_before_it_starts_runs_or_not_as_the_emergency_has_it() {
    let cases: [(Emergency, [Ticked<'_>; 2]); 4] = [
        (Emergency::Callback, [(&["critical", "before", "hard", "after"], 1, 0), (&[], 0, 0)]),
        (Emergency::SkipTask, [(&["critical", "before", "after"], 1, 1), (&[], 0, 0)]),
        // The miss is seen before anything runs.
        (Emergency::SafeMode, [(&["critical"], 1, 0), (&[], 0, 0)]),
        (Emergency::Stop, [(&[], 1, 1), (&["critical", "before", "after"], 0, 0)]),
    ];
    for (emergency, expected) in cases {
        let expected = expected.map(|(ran, missed, skipped)| (ran.to_vec(), missed, skipped));
        assert_eq!(run_three(emergency, 11, 0), expected, "{emergency:?}");
    }
}

#[test]
fn a_hard_job_that_finishes_late_has_run_and_the_emergency_follows() {
    let all: &[&'static str] = &["critical", "before", "hard", "after"];
    let cases: [(Emergency, [Ticked<'_>; 2]); 4] = [
        (Emergency::Callback, [(all, 1, 0), (&[], 0, 0)]),
        (Emergency::SkipTask, [(all, 1, 0), (&[], 0, 0)]),
        (Emergency::SafeMode, [(&all[..3], 1, 0), (&[], 0, 0)]),
        (Emergency::Stop, [(&all[..3], 1, 0), (&["after"], 0, 0)]),
    ];
    for (emergency, expected) in cases {
        let expected = expected.map(|(ran, missed, skipped)| (ran.to_vec(), missed, skipped));
        assert_eq!(run_three(emergency, 1, 10), expected, "{emergency:?}");
    }
}

#[test]
fn in_time_there_is_no_emergency() {
    for emergency in EMERGENCIES {
        let [(ran, missed, skipped), _] = run_three(emergency, 10, 0);
        assert_eq!((ran.len(), missed, skipped), (4, 0, 0), "{emergency:?}");
    }
}

#[test]
fn misses_of_soft_and_firm_deadlines_are_no_emergency() {
    for emergency in EMERGENCIES {
        let (mut scheduler, clock) = with_emergency(emergency);
        let log = Log::default();
        scheduler.schedule(Task::new(takes(&clock, 9), ns(0)).with_deadline(ns(1))).unwrap();
        scheduler.schedule(log.task("soft", ns(0)).with_deadline(ns(1))).unwrap();
        scheduler.schedule(log.task("firm", ns(0)).with_firm_deadline(ns(1))).unwrap();
        scheduler.schedule(log.task("last", ns(0))).unwrap();
        let report = scheduler.tick();
        assert_eq!((report.executed, report.skipped, report.missed_deadlines), (3, 1, 3));
        assert_eq!(log.take(), ["soft", "last"], "{emergency:?}");
        assert!(!scheduler.is_in_safe_mode());
        scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    }
}

#[test]
fn the_handler_is_told_before_the_emergency_and_once() {
    for emergency in EMERGENCIES {
        let (mut scheduler, clock) = with_emergency(emergency);
        let misses = log_misses(&mut scheduler);
        let body = take_in_turn(&clock, [6, 0]);
        let id =
            scheduler.schedule(Task::periodic(body, ns(10)).with_hard_deadline(ns(5))).unwrap();
        scheduler.run_until(at(20));
        assert_eq!(misses.take().len(), 1, "{emergency:?}");
        let goes_on = emergency != Emergency::SafeMode;
        assert_eq!(scheduler.is_pending(id), goes_on, "{emergency:?}");
    }
}

#[test]
fn a_periodic_task_whose_late_job_was_skipped_goes_on() {
    for emergency in [Emergency::SkipTask, Emergency::Stop] {
        let (mut scheduler, clock) = with_emergency(emergency);
        let log = Log::default();
        let log2 = log.clone();
        let task = Task::periodic(move |cx| log2.push(cx.release()), ns(10));
        scheduler.schedule(task.with_hard_deadline(ns(5))).unwrap();
        clock.set(at(16));
        assert_eq!(scheduler.tick().skipped, 1);
        assert_eq!(scheduler.next_release(), Some(at(20)));
        clock.set(at(20));
        scheduler.tick();
        assert_eq!(log.take(), [at(20)], "{emergency:?}");
    }
}

#[test]
fn stop_ends_the_innermost_run_and_everything_else_stays_pending() {
    let runs: [fn(&mut Scheduler<ManualClock>); 4] = [
        Scheduler::run,
        Scheduler::run_until_idle,
        |scheduler| scheduler.run_for(ns(1_000)),
        |scheduler| scheduler.run_until(at(1_000)),
    ];
    for run in runs {
        let (mut scheduler, clock) = with_emergency(Emergency::Stop);
        let log = Log::default();
        let slow = Task::new(takes(&clock, 20), ns(10)).with_hard_deadline(ns(15));
        scheduler.schedule(slow).unwrap();
        scheduler.schedule(log.task("due", ns(10))).unwrap();
        scheduler.schedule(log.task("later", ns(100))).unwrap();
        run(&mut scheduler);
        assert_eq!((scheduler.now(), scheduler.len()), (at(30), 2));
        assert!(log.take().is_empty());
        // The stop was used up.
        run(&mut scheduler);
        assert_eq!(log.take(), ["due", "later"]);
    }
}

#[test]
fn who_waits_for_a_result_is_told_of_the_stop() {
    let (mut scheduler, clock) = with_emergency(Emergency::Stop);
    scheduler.schedule(Task::new(takes(&clock, 1), ns(0)).with_hard_deadline(ns(0))).unwrap();
    let mut handle = scheduler.schedule_with_result(|| 7, ns(5)).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Err(WaitError::Stopped));
    assert_eq!(scheduler.wait_for_completion(&mut handle), Ok(7));
}

/// Puts a scheduler into safe mode; its clock reads 1 afterwards.
fn enter_safe_mode(scheduler: &mut Scheduler<ManualClock>, clock: &ManualClock) -> TaskId {
    let late = Task::new(takes(clock, 1), ns(0)).with_hard_deadline(ns(0));
    let late = late.with_priority(Priority::Critical);
    let id = scheduler.schedule(late).unwrap();
    scheduler.tick();
    assert!(scheduler.is_in_safe_mode());
    id
}

#[test]
fn safe_mode_cancels_all_but_critical_tasks_wherever_they_are() {
    for policy in [Policy::Priority, Policy::EarliestDeadlineFirst] {
        let config = Config { emergency: Emergency::SafeMode, policy, ..Config::default() };
        let (mut scheduler, clock) = manual(config);
        let (log, drops) = (Log::default(), Drops::default());
        for priority in Priority::ALL {
            // Due, near, far, periodic, sporadic, and waiting for another.
            for delay in [0, 10, 1_000_000_000] {
                let (token, log) = (drops.token(), log.clone());
                let body = move || {
                    token.touch();
                    log.push(priority);
                };
                scheduler.schedule(Task::new(body, ns(delay)).with_priority(priority)).unwrap();
            }
            let (token, log2) = (drops.token(), log.clone());
            let body = move |_: &mut nanosecond_scheduler::Context<'_>| {
                token.touch();
                log2.push(priority);
            };
            let periodic = Task::periodic(body, ns(10)).with_priority(priority);
            let periodic = scheduler.schedule(periodic).unwrap();
            let sporadic = Task::sporadic(|_| (), ns(10)).with_priority(priority);
            scheduler.schedule(sporadic).unwrap();
            let waits = log.task(priority, ns(0)).with_priority(priority).after(&[periodic]);
            scheduler.schedule(waits).unwrap();
        }
        assert_eq!(scheduler.len(), 24);
        enter_safe_mode(&mut scheduler, &clock);
        log.take();
        assert_eq!(scheduler.len(), 5, "the critical ones but for that which was due: {policy:?}");
        assert_eq!(scheduler.metrics().cancelled, 18);
        scheduler.run_until(at(20));
        assert!(log.take().iter().all(|priority| *priority == Priority::Critical), "{policy:?}");
        drop(scheduler);
        assert_eq!(drops.count(), 16);
    }
}

#[test]
fn safe_mode_refuses_what_is_not_critical_and_gives_it_back() {
    let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
    enter_safe_mode(&mut scheduler, &clock);
    let log = Log::default();
    let mut refused = Vec::new();
    for priority in [Priority::High, Priority::Normal, Priority::Low] {
        let error = scheduler.schedule(log.task(priority, ns(0)).with_priority(priority));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ScheduleErrorKind::SafeMode);
        assert!(error.to_string().contains("safe mode"), "{error}");
        refused.push(error.into_task());
    }
    let from_inside =
        Task::with_context(|cx| assert!(cx.schedule(Task::new(|| (), ns(0))).is_err()), ns(0));
    scheduler.schedule(from_inside.with_priority(Priority::Critical)).unwrap();
    assert_eq!(scheduler.tick().executed, 1);

    scheduler.leave_safe_mode();
    assert!(!scheduler.is_in_safe_mode());
    for task in refused {
        scheduler.schedule(task).unwrap();
    }
    scheduler.tick();
    assert_eq!(log.take(), [Priority::High, Priority::Normal, Priority::Low]);
}

#[test]
fn safe_mode_can_be_entered_again() {
    let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
    for _ in 0..3 {
        enter_safe_mode(&mut scheduler, &clock);
        scheduler.leave_safe_mode();
        let other = scheduler.schedule(Task::new(|| (), ns(100))).unwrap();
        enter_safe_mode(&mut scheduler, &clock);
        assert!(!scheduler.is_pending(other));
        // In safe mode a further miss changes nothing.
        enter_safe_mode(&mut scheduler, &clock);
        scheduler.leave_safe_mode();
    }
}

#[test]
fn a_critical_task_goes_with_the_predecessor_that_safe_mode_cancels_unless_it_runs_all_the_same() {
    use nanosecond_scheduler::OnFailure;
    for on_failure in [OnFailure::Cancel, OnFailure::Run] {
        let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
        let log = Log::default();
        let normal = scheduler.schedule(Task::new(|| (), ns(100))).unwrap();
        let after = log.task("critical", ns(0)).with_priority(Priority::Critical).after(&[normal]);
        scheduler.schedule(after.on_failure(on_failure)).unwrap();
        enter_safe_mode(&mut scheduler, &clock);
        scheduler.tick();
        assert_eq!(scheduler.len(), 0);
        assert_eq!(log.take().len(), usize::from(on_failure == OnFailure::Run), "{on_failure:?}");
    }
}

/// The late task is not critical itself, and so is among those that go.
#[test]
fn a_late_task_that_safe_mode_cancels_before_it_starts_leaves_no_start_in_the_trace() {
    let config = Config { emergency: Emergency::SafeMode, trace_capacity: 16, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    scheduler.schedule(Task::new(|| unreachable!(), ns(0)).with_hard_deadline(ns(4))).unwrap();
    clock.set(at(5));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.skipped, report.missed_deadlines), (0, 0, 1));
    let kinds: Vec<_> = scheduler.trace().unwrap().events().map(|event| event.kind).collect();
    assert_eq!(kinds, [TraceKind::Miss, TraceKind::Cancel]);
}

#[cfg(feature = "std")]
mod panics {
    use super::*;
    use common::timed::{caught, fail, log_panics};

    struct FailsInDrop;

    impl FailsInDrop {
        fn touch(&self) {}
    }

    impl Drop for FailsInDrop {
        fn drop(&mut self) {
            fail("of a drop");
        }
    }

    #[test]
    fn safe_mode_cancels_the_others_also_if_what_one_of_them_owns_panics_when_dropped() {
        let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
        let panics = log_panics(&mut scheduler);
        let late = Task::new(takes(&clock, 1), ns(0)).with_hard_deadline(ns(0));
        scheduler.schedule(late).unwrap();
        let log = Log::default();
        let owned = FailsInDrop;
        scheduler.schedule(Task::new(move || owned.touch(), ns(0))).unwrap();
        for n in 0..100 {
            scheduler.schedule(log.task(n, ns(n))).unwrap();
        }
        clock.set(at(50));
        scheduler.tick();
        assert!(scheduler.is_in_safe_mode());
        assert_eq!((scheduler.len(), log.take().len()), (0, 0));
        assert_eq!(panics.take(), ["of a drop"]);
    }

    #[test]
    fn the_emergency_follows_also_if_the_handler_of_misses_panics() {
        for emergency in EMERGENCIES {
            let (mut scheduler, clock) = with_emergency(emergency);
            scheduler.on_deadline_miss(|_| fail("of the handler"));
            let log = Log::default();
            scheduler.schedule(log.task("hard", ns(0)).with_hard_deadline(ns(0))).unwrap();
            scheduler.schedule(log.task("next", ns(0))).unwrap();
            clock.set(at(1));
            assert_eq!(caught(|| scheduler.tick()), Err("of the handler"));
            // The tick ends there; the emergency decides about the late job.
            let ran = usize::from(emergency == Emergency::Callback);
            assert_eq!(log.take().len(), ran, "{emergency:?}");
            assert_eq!(scheduler.is_in_safe_mode(), emergency == Emergency::SafeMode);
            let left = usize::from(emergency != Emergency::SafeMode);
            assert_eq!(scheduler.len(), left, "{emergency:?}");
            scheduler.tick();
            assert_eq!(log.take().len(), left, "{emergency:?}");
        }
    }

    #[test]
    fn a_remote_task_that_safe_mode_refuses_is_counted() {
        use nanosecond_scheduler::SendTask;
        let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
        let remote = scheduler.remote();
        enter_safe_mode(&mut scheduler, &clock);
        remote.schedule(SendTask::new(|| (), ns(0))).unwrap();
        let critical = SendTask::new(|| (), ns(0)).with_priority(Priority::Critical);
        remote.schedule(critical).unwrap();
        assert_eq!(scheduler.tick().executed, 1);
        assert_eq!(scheduler.metrics().remote_refused, 1);
    }

    #[test]
    fn a_critical_job_whose_miss_led_to_such_a_drop_runs_and_goes_on() {
        for handled in [true, false] {
            let (mut scheduler, clock) = with_emergency(Emergency::SafeMode);
            if handled {
                log_panics(&mut scheduler);
            }
            let log = Log::default();
            let log2 = log.clone();
            let critical = Task::periodic(move |cx| log2.push(cx.release()), ns(10));
            let critical = critical.with_hard_deadline(ns(5)).with_priority(Priority::Critical);
            let id = scheduler.schedule(critical).unwrap();
            let owned = FailsInDrop;
            scheduler.schedule(Task::new(move || owned.touch(), ns(100))).unwrap();
            clock.set(at(16));
            let ticked = caught(|| scheduler.tick().panicked);
            assert_eq!(ticked, if handled { Ok(1) } else { Err("of a drop") });
            assert_eq!(log.take(), [at(10)]);
            scheduler.run_until(at(20));
            assert_eq!((log.take(), scheduler.is_pending(id)), (vec![at(20)], true));
        }
    }
}

//! What is refused, why, and that it comes back.

use super::*;

#[test]
fn behaviour_10_a_refused_task_comes_back_and_nothing_else_changes() {
    let (mut scheduler, clock) = manual(config(Policy::RateMonotonic, Admission::Exact));
    let short = scheduler.schedule(works(&clock, 2, 5)).unwrap();
    let log = Log::default();
    let log2 = log.clone();
    let long = Task::new(move || log2.push("long"), ns(7)).with_wcet(ns(5)).with_name("long");
    let error = scheduler.schedule(long).unwrap_err();
    let late = Rejection::Deadline { task: Some(short), late_by_ns: 1 };
    assert_eq!(error.kind(), ScheduleErrorKind::Rejected(late));
    assert_eq!(error.to_string(), format!("{short:?} might miss its deadline by 1 ns"));
    assert_eq!((scheduler.len(), scheduler.is_pending(short)), (1, true));
    let (mut other, other_clock) = manual(Config::default());
    other.schedule(error.into_task()).unwrap();
    other_clock.set(at(7));
    other.tick();
    assert_eq!(log.take(), ["long"]);
    assert!(is_accepted(&mut scheduler, once(4, 1_000)));
}

#[test]
fn off_admits_everything_and_utilization_only_looks_at_the_sum() {
    let (mut off, clock) = manual(Config::default());
    for _ in 0..3 {
        assert!(is_accepted(&mut off, works(&clock, 5, 5)));
    }
    for policy in POLICIES {
        let (mut scheduler, clock) = manual(config(policy, Admission::Utilization));
        assert!(is_accepted(&mut scheduler, works(&clock, 1, 2)));
        let cannot_work = works(&clock, 50, 100).with_deadline(ns(1));
        assert!(is_accepted(&mut scheduler, cannot_work), "ΣC/T = 1 is admitted");
        let one_more = works(&clock, 1, 1_000_000);
        let above = Rejection::Utilization { excess_ppm: 1 };
        assert_eq!(rejection(&mut scheduler, one_more), above);
        assert!(is_accepted(&mut scheduler, Task::periodic(|_| (), ns(1))), "without a WCET");
        assert!(is_accepted(&mut scheduler, once(1_000, 1)), "a one-shot");
    }
}

#[test]
fn exact_needs_a_wcet() {
    let (mut scheduler, _) = manual(config(Policy::Priority, Admission::Exact));
    for task in [
        Task::new(|| (), ns(1)),
        Task::new(|| (), ns(1)).with_deadline(ns(10)),
        Task::periodic(|_| (), ns(10)),
        Task::sporadic(|_| (), ns(10)),
    ] {
        assert_eq!(rejection(&mut scheduler, task), Rejection::MissingWcet);
    }
    assert!(Rejection::MissingWcet.to_string().contains("WCET"));
}

#[test]
fn a_rejection_says_which_deadline_and_by_how_much() {
    let (mut scheduler, clock) = manual(config(Policy::Priority, Admission::Exact));
    let high = works(&clock, 3, 10).with_priority(Priority::High);
    let high = scheduler.schedule(high).unwrap();
    let at_once = once(4, 0).with_priority(Priority::Critical);
    let late = Rejection::Deadline { task: None, late_by_ns: 6 };
    assert_eq!(rejection(&mut scheduler, at_once), late);
    let own = once(4, 6);
    let late = Rejection::Deadline { task: None, late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, own), late);
    // It may have started 1 ns before: 10 − 1 + 3 > 10.
    let blocks = Task::new(|| (), ns(0)).with_wcet(ns(10)).with_priority(Priority::Low);
    let late = Rejection::Deadline { task: Some(high), late_by_ns: 2 };
    assert_eq!(rejection(&mut scheduler, blocks), late);
    let urgent = once(8, 100).with_priority(Priority::Critical);
    let late = Rejection::Deadline { task: Some(high), late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, urgent), late);
    let too_much = works(&clock, 8, 10);
    let above = Rejection::Utilization { excess_ppm: 100_000 };
    assert_eq!(rejection(&mut scheduler, too_much), above);
    assert!(above.to_string().contains("100000 millionths"), "{above}");

    let (mut scheduler, clock) = manual(config(Policy::EarliestDeadlineFirst, Admission::Exact));
    let short = scheduler.schedule(works(&clock, 2, 5)).unwrap();
    let late = Rejection::Deadline { task: Some(short), late_by_ns: 2 };
    assert_eq!(rejection(&mut scheduler, once(6, 100)), late);
    let late = Rejection::Deadline { task: None, late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, once(5, 6)), late);
    assert!(late.to_string().contains("itself"), "{late}");
}

#[test]
fn the_deadline_of_a_repeating_task_is_its_period_and_sporadic_tasks_count() {
    for policy in POLICIES {
        let (mut scheduler, _) = manual(config(policy, Admission::Exact));
        let sporadic = |wcet, gap| Task::sporadic(|_| (), ns(gap)).with_wcet(ns(wcet));
        assert!(is_accepted(&mut scheduler, sporadic(5, 10)), "{policy:?}");
        assert!(!is_accepted(&mut scheduler, sporadic(6, 10)), "{policy:?}");
        assert!(is_accepted(&mut scheduler, sporadic(5, 10)), "{policy:?}");
        let above = Rejection::Utilization { excess_ppm: u64::MAX };
        let (mut empty, _) = manual(config(policy, Admission::Exact));
        assert_eq!(rejection(&mut empty, sporadic(1, 0)), above);
    }
}

#[test]
fn tasks_of_a_remote_are_checked_too() {
    let (mut scheduler, _) = manual(config(Policy::Priority, Admission::Exact));
    let remote = scheduler.remote();
    for _ in 0..2 {
        let task = nanosecond_scheduler::SendTask::periodic(|_| (), ns(10)).with_wcet(ns(6));
        remote.schedule(task).unwrap();
    }
    scheduler.tick();
    assert_eq!((scheduler.len(), scheduler.metrics().remote_refused), (1, 1));
}

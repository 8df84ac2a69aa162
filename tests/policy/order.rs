//! The order of a crowd that is released together.

use super::*;

/// Schedules tasks made with a log at 0, and tells in which order they run in one tick at 100.
fn order_at_100(policy: Policy, tasks: impl Fn(&Names) -> Vec<Task>) -> Vec<&'static str> {
    let (mut scheduler, clock) = with_policy(policy);
    let log = Names::default();
    for task in tasks(&log) {
        scheduler.schedule(task).unwrap();
    }
    clock.set(at(100));
    scheduler.tick();
    assert_eq!(scheduler.inversions(), Some(0));
    log.take()
}

#[test]
fn the_default_policy_goes_by_class_and_then_by_release() {
    let order = order_at_100(Policy::Priority, |log| {
        vec![
            log.task("late", ns(2)).with_deadline(ns(1_000)),
            log.task("early", ns(1)).with_deadline(ns(9_000)),
            log.task("high", ns(99)).with_priority(Priority::High).with_wcet(ns(5_000)),
            log.task("also early", ns(1)),
        ]
    });
    assert_eq!(order, ["high", "early", "also early", "late"]);
}

#[test]
fn edf_goes_by_absolute_deadline() {
    let order = order_at_100(EarliestDeadlineFirst, |log| {
        vec![
            log.task("never", ns(0)).with_priority(Priority::Critical),
            log.task("at 700", ns(0)).with_deadline(ns(700)),
            log.task("at 250", ns(50)).with_firm_deadline(ns(200)),
            log.task("at 300", ns(0)).with_deadline_at(DeadlineKind::Hard, at(300)),
            log.task("at 200", ns(10)).with_deadline_at(DeadlineKind::Soft, at(200)),
            // Without a deadline it is the end of the period: 60 + 200.
            Task::periodic(logs(log, "period to 260"), ns(200)).with_delay(ns(60)),
            Task::periodic(logs(log, "at 255"), ns(200)).with_delay(ns(60)).with_deadline(ns(195)),
            log.task("late since 20", ns(15)).with_deadline(ns(5)),
            log.task("late since 3", ns(15)).with_deadline_at(DeadlineKind::Soft, at(3)),
        ]
    });
    let expected = [
        "late since 3",
        "late since 20",
        "at 200",
        "at 250",
        "at 255",
        "period to 260",
        "at 300",
        "at 700",
        "never",
    ];
    assert_eq!(order, expected);
}

#[test]
fn rate_monotonic_goes_by_period_or_gap() {
    let (mut scheduler, clock) = with_policy(RateMonotonic);
    let log = Names::default();
    let sporadic = Task::sporadic(logs(&log, "gap 40"), ns(40));
    let sporadic = scheduler.schedule(sporadic).unwrap();
    for task in [
        log.task("once", ns(0)).with_deadline(ns(1)).with_priority(Priority::Critical),
        Task::periodic(logs(&log, "period 50"), ns(50)).with_deadline(ns(5)),
        Task::periodic(logs(&log, "period 30"), ns(30)).with_delay(ns(55)),
        Task::periodic(logs(&log, "period 60"), ns(60)).with_priority(Priority::Critical),
    ] {
        scheduler.schedule(task).unwrap();
    }
    clock.set(at(60));
    scheduler.trigger(sporadic).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), ["period 30", "gap 40", "period 50", "period 60", "once"]);
    assert_eq!(scheduler.inversions(), Some(0));
}

#[test]
fn deadline_monotonic_goes_by_relative_deadline() {
    let order = order_at_100(DeadlineMonotonic, |log| {
        vec![
            log.task("never", ns(0)).with_priority(Priority::Critical),
            log.task("in 700", ns(0)).with_deadline(ns(700)),
            log.task("in 200", ns(50)).with_firm_deadline(ns(200)),
            log.task("in 250", ns(50)).with_deadline_at(DeadlineKind::Soft, at(300)),
            // It lies before the release: no deadline is shorter.
            log.task("in 0", ns(50)).with_deadline_at(DeadlineKind::Soft, at(20)),
            Task::periodic(logs(log, "period 230"), ns(230)).with_delay(ns(0)),
            Task::periodic(logs(log, "in 220"), ns(999)).with_delay(ns(0)).with_deadline(ns(220)),
        ]
    });
    assert_eq!(order, ["in 0", "in 200", "in 220", "period 230", "in 250", "in 700", "never"]);
}

#[test]
fn least_laxity_goes_by_deadline_less_declared_wcet() {
    let order = order_at_100(LeastLaxity, |log| {
        vec![
            log.task("never", ns(0)).with_wcet(ns(9_999)).with_priority(Priority::Critical),
            log.task("700 without wcet", ns(0)).with_deadline(ns(700)),
            log.task("800 - 150", ns(0)).with_deadline(ns(800)).with_wcet(ns(150)),
            log.task("900 - 600", ns(20)).with_deadline(ns(880)).with_wcet(ns(600)),
            // Its latest start lies before the beginning of time.
            log.task("200 - 500", ns(0)).with_deadline(ns(200)).with_wcet(ns(500)),
            log.task("150 - 160", ns(0)).with_deadline(ns(150)).with_wcet(ns(160)),
            Task::periodic(logs(log, "period to 400"), ns(390)).with_delay(ns(10)),
        ]
    });
    let expected = [
        "200 - 500",
        "150 - 160",
        "900 - 600",
        "period to 400",
        "800 - 150",
        "700 without wcet",
        "never",
    ];
    assert_eq!(order, expected);
}

#[test]
fn least_laxity_goes_by_estimate_where_nothing_is_declared() {
    let (mut scheduler, clock) = with_policy(LeastLaxity);
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    let log = Names::default();
    let takes = |name: &'static str, time| {
        let (log, clock) = (log.clone(), clock.clone());
        let body = move || {
            log.push(name);
            clock.advance(ns(time));
        };
        Task::new(body, ns(0)).with_name(name)
    };
    let mut round = |deadlines: [u64; 3], base: Duration| {
        for ((name, time), deadline) in
            [("long", 500), ("short", 10), ("middle", 100)].into_iter().zip(deadlines)
        {
            let task = takes(name, time).with_deadline(base + ns(deadline));
            let task = if name == "middle" { task.with_wcet(ns(100)) } else { task };
            scheduler.schedule(task).unwrap();
        }
        scheduler.tick();
        log.take()
    };
    // Nothing is known yet but what is declared: 1000, 990 and 1090 - 100.
    assert_eq!(round([1_000, 989, 1_091], ns(0)), ["short", "middle", "long"]);
    // 1000 - 500, 520 - 10, 590 - 100.
    assert_eq!(round([1_000, 520, 590], ns(0)), ["middle", "long", "short"]);
    assert_eq!(scheduler.wcet_estimate("long"), Some(ns(500)));
    assert_eq!(scheduler.wcet_estimate("middle"), None, "it is declared");
    assert_eq!(scheduler.inversions(), Some(0));
}

#[test]
fn ties_go_by_class_and_then_first_in_first_out() {
    for policy in BY_KEY {
        let (mut scheduler, clock) = with_policy(policy);
        let log = Log::default();
        for n in 0..200usize {
            let task = urgent(&log, n, 0).with_priority(Priority::ALL[n % 4]);
            scheduler.schedule(task.at(at(10)).with_deadline(ns(50))).unwrap();
        }
        clock.set(at(10));
        scheduler.tick();
        let expected = (0..4).flat_map(|class| (class..200).step_by(4));
        assert!(log.take().into_iter().eq(expected), "{policy:?}");
    }
}

#[test]
fn tasks_without_a_key_go_last_by_class_and_then_by_release() {
    for policy in BY_KEY {
        let order = order_at_100(policy, |log| {
            vec![
                log.task("second", ns(9)),
                log.task("first", ns(3)),
                log.task("low", ns(0)).with_priority(Priority::Low),
                log.task("high", ns(50)).with_priority(Priority::High),
                log.task("third", ns(9)).with_name("third").with_wcet(ns(1)),
                urgent(log, "urgent", 50_000).with_priority(Priority::Low),
            ]
        });
        assert_eq!(order, ["urgent", "high", "first", "second", "third", "low"], "{policy:?}");
    }
}

/// All that is released is looked at, however it was scheduled; a deadline at the end of time is
/// still before none.
#[test]
fn extreme_deadlines_have_their_place() {
    for policy in [EarliestDeadlineFirst, DeadlineMonotonic, LeastLaxity] {
        let order = order_at_100(policy, |log| {
            vec![
                log.task("almost never", ns(0)).with_deadline(ns(u64::MAX / 2 - 9)),
                log.task("soon", ns(0)).with_deadline(ns(1 << 40)),
                log.task("at once", ns(0)).with_deadline(ns(0)).with_wcet(ns(0)),
            ]
        });
        assert_eq!(order, ["at once", "soon", "almost never"], "{policy:?}");
    }
    // Beyond 292 years laxities are alike.
    let order = order_at_100(LeastLaxity, |log| {
        vec![
            log.task("first", ns(0)).with_deadline(Duration::MAX),
            log.task("second", ns(0)).with_deadline(ns(u64::MAX / 2 + 5)),
            log.task("before all", ns(0)).with_deadline(ns(5)).with_wcet(Duration::MAX),
        ]
    });
    assert_eq!(order, ["before all", "first", "second"]);
}

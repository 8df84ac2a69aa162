//! Hazard: released tasks in another order than the policy's: by key, then class, then first in,
//! first out; whatever arrives, leaves or repeats while they wait.

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use common::{at, manual, ns, scatter, Drops, Log};
use nanosecond_scheduler::{
    Config, Context, DeadlineKind, ManualClock, MaxEstimator, MissedTick, Policy, Priority,
    Scheduler, Task, TaskId,
};
use Policy::{DeadlineMonotonic, EarliestDeadlineFirst, LeastLaxity, RateMonotonic};

/// All policies but the default, which never has ready tasks.
const BY_KEY: [Policy; 4] = [EarliestDeadlineFirst, RateMonotonic, DeadlineMonotonic, LeastLaxity];

type Names = Log<&'static str>;

fn with_policy(policy: Policy) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { policy, audit: true, ..Config::default() })
}

fn limited(policy: Policy, max_tasks_per_tick: usize) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { policy, audit: true, max_tasks_per_tick, ..Config::default() })
}

/// A body that logs a name.
fn logs(log: &Names, name: &'static str) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = log.clone();
    move |_| log.push(name)
}

/// A job of `urgency` 0, 1, 2 …, the less the earlier, by the key of any policy but `Priority`.
fn urgent<T: 'static>(log: &Log<T>, name: T, urgency: u64) -> Task
where
    T: Copy,
{
    let log = log.clone();
    let body = move |cx: &mut Context<'_>| {
        log.push(name);
        cx.cancel(cx.id()).unwrap();
    };
    Task::periodic(body, ns(1_000 + urgency)).with_delay(ns(0)).with_deadline(ns(1_000 + urgency))
}

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

#[test]
fn a_partial_tick_resumes_and_arrivals_land_in_their_place() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = limited(policy, 3);
        let log = Log::default();
        for urgency in [50u64, 10, 70, 30, 90] {
            scheduler.schedule(urgent(&log, urgency, urgency)).unwrap();
        }
        let report = scheduler.tick();
        assert_eq!((report.executed, report.more_due), (3, true));
        assert_eq!(report.next_release, Some(at(0)));
        assert_eq!(log.take(), [10, 30, 50], "{policy:?}");
        for urgency in [80, 5, 100] {
            scheduler.schedule(urgent(&log, urgency, urgency)).unwrap();
        }
        assert!(scheduler.tick().more_due);
        assert_eq!(log.take(), [5, 70, 80], "{policy:?}");
        let report = scheduler.tick();
        assert_eq!((report.executed, report.more_due, report.next_release), (2, false, None));
        assert_eq!(log.take(), [90, 100], "{policy:?}");
        assert_eq!(scheduler.inversions(), Some(0));
    }
}

#[test]
fn run_goes_on_after_each_partial_tick() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = limited(policy, 1);
        let log = Log::default();
        for urgency in (0..20).rev() {
            scheduler.schedule(urgent(&log, urgency, urgency)).unwrap();
        }
        scheduler.run_until_idle();
        assert!(log.take().into_iter().eq(0..20), "{policy:?}");
        assert_eq!(scheduler.metrics().ticks, 20);
    }
}

#[test]
fn what_a_job_schedules_competes_in_the_same_tick() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = with_policy(policy);
        let log = Log::default();
        let log2 = log.clone();
        let parent = move |cx: &mut Context<'_>| {
            log2.push(0);
            for urgency in [40, 10, 25] {
                cx.schedule(urgent(&log2, urgency, urgency)).unwrap();
            }
            cx.schedule(urgent(&log2, 99, 1).with_delay(ns(1))).unwrap();
            cx.cancel(cx.id()).unwrap();
        };
        let parent = Task::periodic(parent, ns(1)).with_delay(ns(0)).with_deadline(ns(1));
        scheduler.schedule(parent).unwrap();
        for urgency in [30, 20] {
            scheduler.schedule(urgent(&log, urgency, urgency)).unwrap();
        }
        assert_eq!(scheduler.tick().executed, 6);
        assert_eq!(log.take(), [0, 10, 20, 25, 30, 40], "{policy:?}");
        assert_eq!(scheduler.next_release(), Some(at(1)));
        assert_eq!(scheduler.inversions(), Some(0));
    }
}

#[test]
fn what_is_released_while_a_job_runs_joins_the_tick() {
    for policy in BY_KEY {
        let (mut scheduler, clock) = with_policy(policy);
        let log = Log::default();
        let (log2, clock2) = (log.clone(), clock.clone());
        let long = move |cx: &mut Context<'_>| {
            log2.push(1);
            clock2.advance(ns(100));
            cx.cancel(cx.id()).unwrap();
        };
        let long = Task::periodic(long, ns(2)).with_delay(ns(0)).with_deadline(ns(2));
        scheduler.schedule(long).unwrap();
        scheduler.schedule(urgent(&log, 500, 500)).unwrap();
        scheduler.schedule(urgent(&log, 100, 10).with_delay(ns(100))).unwrap();
        scheduler.schedule(urgent(&log, 101, 10).with_delay(ns(101))).unwrap();
        let report = scheduler.tick();
        assert_eq!(log.take(), [1, 100, 500], "{policy:?}");
        assert_eq!((report.executed, report.next_release), (3, Some(at(101))));
        assert!(!report.more_due);
    }
}

#[test]
fn a_late_arrival_takes_the_place_of_its_key_and_not_of_its_release() {
    let (mut scheduler, clock) = limited(EarliestDeadlineFirst, 1);
    let log = Names::default();
    for (name, release, deadline) in [("500", 10, 490), ("300", 20, 280), ("900", 5, 895)] {
        scheduler.schedule(log.task(name, ns(release)).with_deadline(ns(deadline))).unwrap();
    }
    clock.set(at(100));
    scheduler.tick();
    // Released before all others, and due between them.
    scheduler.schedule(log.task("700", ns(0)).at(at(1)).with_deadline(ns(699))).unwrap();
    assert_eq!(scheduler.next_release(), Some(at(1)));
    scheduler.run_until_idle();
    assert_eq!(log.take(), ["300", "500", "700", "900"]);
}

#[test]
fn ready_tasks_can_be_cancelled() {
    for policy in BY_KEY {
        for size in [5u64, 200] {
            let (mut scheduler, _clock) = limited(policy, 1);
            let (log, drops) = (Log::default(), Drops::default());
            let ids: Vec<TaskId> = (0..size)
                .map(|n| {
                    let token = drops.token();
                    let log = log.clone();
                    let body = move |cx: &mut Context<'_>| {
                        token.touch();
                        log.push(n);
                        cx.cancel(cx.id()).unwrap();
                    };
                    let task = Task::periodic(body, ns(10 + n)).with_delay(ns(0));
                    scheduler.schedule(task.with_deadline(ns(10 + n))).unwrap()
                })
                .collect();
            scheduler.tick(); // The others are ready now.
            for nth in [1, 3, size - 1] {
                scheduler.cancel(ids[nth as usize]).unwrap();
                assert!(scheduler.cancel(ids[nth as usize]).is_err());
            }
            assert_eq!(drops.count(), 4, "closures are dropped at once");
            scheduler.run_until_idle();
            let expected = (0..size).filter(|n| ![1, 3, size - 1].contains(n));
            assert!(log.take().into_iter().eq(expected), "{policy:?}");
            assert_eq!(drops.count(), size as usize);
            assert!(scheduler.is_empty());
        }
    }
}

#[test]
fn after_the_last_ready_task_is_cancelled_a_tick_is_idle() {
    for policy in BY_KEY {
        let (mut scheduler, clock) = limited(policy, 1);
        let log = Log::default();
        let ids = [1, 2, 3].map(|n| scheduler.schedule(urgent(&log, n, n)).unwrap());
        scheduler.schedule(urgent(&log, 4, 0).with_delay(ns(50))).unwrap();
        assert!(scheduler.tick().more_due);
        scheduler.cancel(ids[1]).unwrap();
        assert_eq!(scheduler.next_release(), Some(at(0)));
        scheduler.cancel(ids[2]).unwrap();
        assert_eq!(scheduler.next_release(), Some(at(50)));
        let report = scheduler.tick();
        assert_eq!(
            (report.executed, report.more_due, report.next_release),
            (0, false, Some(at(50)))
        );
        assert_eq!(scheduler.metrics().idle_ticks, 1);
        clock.set(at(50));
        assert_eq!(scheduler.tick().executed, 1);
        assert_eq!(log.take(), [1, 4]);
        assert_eq!(scheduler.next_release(), None);
    }
}

#[test]
fn a_job_may_cancel_those_that_are_ready() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = with_policy(policy);
        let log = Log::default();
        let mut others: Vec<_> =
            (5..100).map(|n| (n, scheduler.schedule(urgent(&log, n, n)).unwrap())).collect();
        others.retain(|(n, _)| n % 3 != 0);
        let log2 = log.clone();
        let killer = move |cx: &mut Context<'_>| {
            log2.push(0);
            others.iter().for_each(|(_, id)| cx.cancel(*id).unwrap());
            cx.cancel(cx.id()).unwrap();
        };
        let killer = Task::periodic(killer, ns(1)).with_delay(ns(0)).with_deadline(ns(1));
        scheduler.schedule(killer).unwrap();
        scheduler.tick();
        assert!(log.take().into_iter().eq((0..100).step_by(3).filter(|n| *n != 3)), "{policy:?}");
        assert!(scheduler.is_empty());
        assert_eq!(scheduler.inversions(), Some(0));
    }
}

#[test]
fn a_job_that_reschedules_itself_waits_behind_its_equals() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = limited(policy, 7);
        let log = Log::default();
        fn again(log: &Log<u32>, name: u32) -> Task {
            let log = log.clone();
            let body = move |cx: &mut Context<'_>| {
                log.push(name);
                cx.schedule(again(&log, name)).unwrap();
            };
            Task::with_context(body, ns(0)).with_deadline(ns(100))
        }
        for name in 1..=3 {
            scheduler.schedule(again(&log, name)).unwrap();
        }
        assert_eq!(scheduler.tick().executed, 7);
        assert_eq!(log.take(), [1, 2, 3, 1, 2, 3, 1], "{policy:?}");
        assert_eq!(scheduler.len(), 3);
    }
}

/// The releases of two periodic tasks that run in one tick at 35: (period, release).
fn after_a_stall(policy: Policy, missed_tick: MissedTick) -> Vec<(u64, u64)> {
    let (mut scheduler, clock) =
        manual(Config { policy, missed_tick, audit: true, ..Config::default() });
    let log = Log::default();
    for period in [15u64, 10] {
        let log = log.clone();
        let body = move |cx: &mut Context<'_>| log.push((period, cx.release().as_nanos()));
        scheduler.schedule(Task::periodic(body, ns(period))).unwrap();
    }
    clock.set(at(35));
    scheduler.tick();
    clock.set(at(45));
    scheduler.tick();
    assert_eq!(scheduler.inversions(), Some(0));
    log.take()
}

#[test]
fn missed_periods_follow_under_the_same_order() {
    use MissedTick::{Burst, Delay, Skip};
    for policy in [RateMonotonic, DeadlineMonotonic] {
        let burst = [(10, 10), (10, 20), (10, 30), (15, 15), (15, 30), (10, 40), (15, 45)];
        assert_eq!(after_a_stall(policy, Burst), burst, "{policy:?}");
        assert_eq!(after_a_stall(policy, Skip), [(10, 10), (15, 15), (10, 40), (15, 45)]);
        assert_eq!(after_a_stall(policy, Delay), [(10, 10), (15, 15), (10, 45)]);
    }
    for policy in [EarliestDeadlineFirst, LeastLaxity] {
        // Deadlines, at the ends of periods: 20, 30, 30, 40, 45; then 50 and 60.
        let burst = [(10, 10), (15, 15), (10, 20), (10, 30), (15, 30), (10, 40), (15, 45)];
        assert_eq!(after_a_stall(policy, Burst), burst, "{policy:?}");
        assert_eq!(after_a_stall(policy, Skip), [(10, 10), (15, 15), (10, 40), (15, 45)]);
        assert_eq!(after_a_stall(policy, Delay), [(10, 10), (15, 15), (10, 45)]);
    }
}

#[test]
fn a_burst_stops_at_the_limit_and_goes_on_behind_what_is_more_urgent() {
    let (mut scheduler, clock) = limited(RateMonotonic, 2);
    let log = Names::default();
    scheduler.schedule(Task::periodic(logs(&log, "slow"), ns(10))).unwrap();
    clock.set(at(40));
    scheduler.tick();
    let fast = scheduler.schedule(Task::periodic(logs(&log, "fast"), ns(5)).at(at(40))).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), ["slow", "slow", "fast", "slow"]);
    scheduler.cancel(fast).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due, report.next_release), (1, false, Some(at(50))));
}

#[test]
fn a_panic_loses_no_ready_task() {
    for policy in BY_KEY {
        for handled in [true, false] {
            let (mut scheduler, _clock) = with_policy(policy);
            let log = Log::default();
            for n in 10..60 {
                scheduler.schedule(urgent(&log, n, n)).unwrap();
            }
            let bad = |_: &mut Context<'_>| panic!("as planned");
            let bad = Task::periodic(bad, ns(30)).with_delay(ns(0)).with_deadline(ns(1_030));
            scheduler.schedule(bad).unwrap();
            if handled {
                let log = log.clone();
                scheduler.on_panic(move |_| log.push(0));
                assert_eq!(scheduler.tick().panicked, 1);
            } else {
                assert!(catch_unwind(AssertUnwindSafe(|| scheduler.tick())).is_err());
                scheduler.tick();
            }
            let mut order = log.take();
            order.retain(|n| *n != 0);
            assert!(order.into_iter().eq(10..60), "{policy:?}");
            assert!(scheduler.is_empty());
            assert_eq!(scheduler.inversions(), Some(0));
        }
    }
}

#[test]
fn clear_forgets_the_ready_tasks_and_keeps_the_policy() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = limited(policy, 1);
        let log = Log::default();
        let ids: Vec<_> =
            (0..50).map(|n| scheduler.schedule(urgent(&log, n, n)).unwrap()).collect();
        scheduler.tick();
        scheduler.clear();
        assert_eq!((scheduler.next_release(), scheduler.len()), (None, 0));
        assert!(ids.into_iter().all(|id| scheduler.cancel(id).is_err()));
        for n in [200, 100] {
            scheduler.schedule(urgent(&log, n, n)).unwrap();
        }
        scheduler.run_until_idle();
        assert_eq!(log.take(), [0, 100, 200], "{policy:?}");
    }
}

#[test]
fn a_job_may_replace_all_that_is_ready() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = with_policy(policy);
        let log = Log::default();
        let ids: Vec<_> =
            (1..80).map(|n| scheduler.schedule(urgent(&log, n, n)).unwrap()).collect();
        let log2 = log.clone();
        let body = move |cx: &mut Context<'_>| {
            ids.iter().for_each(|id| cx.cancel(*id).unwrap());
            for n in (100..180).rev() {
                cx.schedule(urgent(&log2, n, n)).unwrap();
            }
            cx.cancel(cx.id()).unwrap();
        };
        let first = Task::periodic(body, ns(1)).with_delay(ns(0)).with_deadline(ns(1));
        scheduler.schedule(first).unwrap();
        assert_eq!(scheduler.tick().executed, 81);
        assert!(log.take().into_iter().eq(100..180), "{policy:?}");
    }
}

#[test]
fn a_clock_set_back_changes_no_order() {
    for policy in BY_KEY {
        let (mut scheduler, clock) = limited(policy, 2);
        let log = Log::default();
        clock.set(at(1_000));
        for n in [6, 4, 2] {
            scheduler.schedule(urgent(&log, n, n)).unwrap();
        }
        scheduler.tick();
        clock.set(at(10));
        // Released at 1,000, for that is the scheduler's now.
        for n in [5, 1] {
            scheduler.schedule(urgent(&log, n, n)).unwrap();
        }
        scheduler.run_until_idle();
        assert_eq!(log.take(), [2, 4, 1, 5, 6], "{policy:?}");
    }
}

/// The cost is measured elsewhere; that a crowd comes in order, here.
#[test]
fn ten_thousand_ready_tasks_run_in_order() {
    for policy in BY_KEY {
        let config = Config { policy, max_tasks_per_tick: 4_000, ..Config::default() };
        let (mut scheduler, clock) = manual(config);
        let log = Log::default();
        for n in 0..10_000 {
            let task = urgent(&log, n, scatter(n, 2_000)).with_delay(ns(0));
            scheduler.schedule(task).unwrap();
        }
        clock.set(at(5));
        let executed = [0; 4].map(|_| scheduler.tick().executed);
        assert_eq!(executed, [4_000, 4_000, 2_000, 0]);
        let order = log.take();
        assert!(order.is_sorted_by_key(|n| (scatter(*n, 2_000), *n)), "{policy:?}");
        assert_eq!(order.len(), 10_000);
    }
}

#[test]
fn two_runs_under_a_policy_are_alike() {
    let run = |policy| {
        let config = Config { policy, max_tasks_per_tick: 5, ..Config::default() };
        let (mut scheduler, clock) = manual(config);
        let log = Log::default();
        for n in 0..500 {
            let (log, clock) = (log.clone(), clock.clone());
            let body = move |cx: &mut Context<'_>| {
                log.push((cx.id(), cx.release(), cx.now()));
                clock.advance(ns(scatter(n, 3)));
            };
            let task = Task::periodic(body, ns(1_000 + scatter(n, 500)));
            scheduler.schedule(task.with_wcet(ns(scatter(n, 30)))).unwrap();
        }
        scheduler.run_until(at(20_000));
        log.take()
    };
    for policy in BY_KEY {
        let first = run(policy);
        assert!(first.len() > 1_000);
        assert!(first == run(policy), "{policy:?}");
    }
}

//! What arrives, leaves or repeats while tasks are ready.

use super::*;

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
fn lone_arrivals_find_their_place_in_a_crowd() {
    for policy in BY_KEY {
        let (mut scheduler, _clock) = limited(policy, 3);
        let (log, mut waiting) = (Log::default(), Vec::new());
        for n in 0..600 {
            // Two hundred at once, then two for three that run.
            let urgency = scatter(n, 100);
            scheduler.schedule(urgent(&log, (urgency, n), urgency)).unwrap();
            waiting.push((urgency, n));
            if n > 200 && n % 2 == 0 {
                scheduler.tick();
                waiting.sort_unstable();
                assert!(log.take().into_iter().eq(waiting.drain(..3)), "{policy:?}");
            }
        }
        scheduler.run_until_idle();
        waiting.sort_unstable();
        assert_eq!(log.take(), waiting, "{policy:?}");
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

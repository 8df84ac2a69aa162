//! Hazard: a tick that stops at its limit, and what arrives before the next one; how often a tick
//! reads the clock.

mod common;

use common::{at, manual, ns, scatter, CountingClock, Log};
use nanosecond_scheduler::{Config, MetricsLevel, Priority, Scheduler, Task};

fn limited(max_tasks_per_tick: usize) -> Config {
    Config { max_tasks_per_tick, ..Config::default() }
}

#[test]
fn behaviour_03_a_tick_reads_the_clock_once() {
    let clock = CountingClock::default();
    let config = Config { metrics: MetricsLevel::Off, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
    clock.reads();
    scheduler.tick();
    assert_eq!(clock.reads(), 1, "an idle tick");
    for n in 0..100 {
        scheduler.schedule(Task::new(|| (), ns(n))).unwrap();
    }
    clock.time.set(at(50));
    clock.reads();
    assert_eq!(scheduler.tick().executed, 51);
    assert_eq!(clock.reads(), 1, "a busy tick");
}

#[test]
fn behaviour_03_counters_cost_one_more_reading_per_busy_tick() {
    let clock = CountingClock::default();
    let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
    for _ in 0..10 {
        scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    }
    clock.reads();
    assert_eq!(scheduler.tick().executed, 10);
    assert_eq!(clock.reads(), 2);
    scheduler.tick();
    assert_eq!(clock.reads(), 1);
}

/// What runs in one tick at 0 whose first job takes 100 ns, if the task `deadline_of` has one.
fn jobs_of_a_long_tick(deadline_of: &str) -> Vec<&'static str> {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let (log2, clock2) = (log.clone(), clock.clone());
    let long = move || {
        log2.push("long");
        clock2.advance(ns(100));
    };
    for (name, task) in [
        ("long", Task::new(long, ns(0))),
        ("short", log.task("short", ns(0))),
        ("at 100", log.task("at 100", ns(100)).with_priority(Priority::High)),
        ("at 101", log.task("at 101", ns(101)).with_priority(Priority::High)),
        ("at 1000", log.task("at 1000", ns(1_000))),
    ] {
        let task = if name == deadline_of { task.with_deadline(ns(5_000)) } else { task };
        scheduler.schedule(task).unwrap();
    }
    assert_eq!(scheduler.tick().started_at, at(0));
    log.take()
}

#[test]
fn behaviour_03_without_deadlines_the_due_batch_is_fixed() {
    assert_eq!(jobs_of_a_long_tick("none"), ["long", "short"]);
}

#[test]
fn behaviour_03_with_a_pending_deadline_newly_released_tasks_join() {
    assert_eq!(jobs_of_a_long_tick("at 1000"), ["long", "at 100", "short"]);
    // The short task's deadline is pending when the long one ends.
    assert_eq!(jobs_of_a_long_tick("short"), ["long", "at 100", "short"]);
}

#[test]
fn behaviour_03_a_partial_tick_resumes_where_it_stopped() {
    for limit in [1, 2, 7, 64, 999, 1_000, usize::MAX] {
        let (mut scheduler, clock) = manual(limited(limit));
        let log = Log::default();
        let mut expected: Vec<(Priority, u64, u64)> = (0..1_000)
            .map(|n| (Priority::ALL[scatter(n, 4) as usize], scatter(n + 7_000, 90), n))
            .collect();
        for &key in &expected {
            scheduler.schedule(log.task(key, ns(key.1)).with_priority(key.0)).unwrap();
        }
        expected.sort();
        clock.set(at(100));
        let mut left = expected.len();
        while left > 0 {
            let report = scheduler.tick();
            assert_eq!(report.executed, limit.min(left));
            left -= report.executed;
            assert_eq!(report.more_due, left > 0);
            assert_eq!(scheduler.len(), left);
            let next = expected[expected.len() - left..].iter().map(|key| at(key.1)).min();
            assert_eq!(report.next_release, next);
        }
        assert_eq!(log.take(), expected);
        assert_eq!(scheduler.tick().executed, 0);
    }
}

#[test]
fn behaviour_03_arrivals_between_partial_ticks_land_in_their_place() {
    let (mut scheduler, clock) = manual(limited(2));
    let log = Log::default();
    for name in ["a", "b", "c", "d"] {
        scheduler.schedule(log.task(name, ns(100))).unwrap();
    }
    clock.set(at(200));
    scheduler.tick();
    scheduler.schedule(log.task("tie", ns(0)).at(at(100))).unwrap();
    scheduler.schedule(log.task("earlier", ns(0)).at(at(99))).unwrap();
    scheduler.schedule(log.task("urgent", ns(0)).with_priority(Priority::Critical)).unwrap();
    scheduler.schedule(log.task("later", ns(0)).at(at(101))).unwrap();
    scheduler.schedule(log.task("not due", ns(1))).unwrap();
    for _ in 0..5 {
        scheduler.tick();
    }
    assert_eq!(log.take(), ["a", "b", "urgent", "earlier", "c", "d", "tie", "later"]);
    assert_eq!(scheduler.len(), 1);
}

#[test]
fn behaviour_03_more_due_tells_what_is_left_over_not_what_is_pending() {
    let (mut scheduler, clock) = manual(limited(1));
    for release in [5, 5, 6] {
        scheduler.schedule(Task::new(|| (), ns(release))).unwrap();
    }
    assert!(!scheduler.tick().more_due);
    clock.set(at(5));
    let report = scheduler.tick();
    assert!(report.more_due);
    assert_eq!(report.next_release, Some(at(5)));
    let report = scheduler.tick();
    assert!(!report.more_due, "the task at 6 is pending, not due");
    assert_eq!(report.next_release, Some(at(6)));
}

#[test]
fn behaviour_03_a_leftover_that_is_cancelled_is_no_longer_due() {
    let (mut scheduler, _clock) = manual(limited(1));
    let ids: Vec<_> =
        (0..3).map(|_| scheduler.schedule(Task::new(|| (), ns(0))).unwrap()).collect();
    assert!(scheduler.tick().more_due);
    scheduler.cancel(ids[1]).unwrap();
    scheduler.cancel(ids[2]).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due, report.next_release), (0, false, None));
}

/// A tick counts the jobs it ran, not the dead entries it passed over.
#[test]
fn behaviour_03_cancelled_tasks_do_not_count_towards_the_limit() {
    let (mut scheduler, clock) = manual(limited(10));
    let log = Log::default();
    for n in 0..100 {
        let id = scheduler.schedule(log.task(n, ns(10))).unwrap();
        if n % 3 != 0 {
            scheduler.cancel(id).unwrap();
        }
    }
    clock.set(at(10));
    for jobs in [10, 10, 10, 4] {
        assert_eq!(scheduler.tick().executed, jobs);
    }
    assert!(log.take().into_iter().eq((0..100).step_by(3)));
}

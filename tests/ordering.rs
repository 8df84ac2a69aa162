//! Hazard: tasks that run early, or in another order than priority, release, submission.

mod common;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{Config, Priority, Task};

#[test]
fn behaviour_01_tasks_start_in_the_first_tick_at_or_after_their_release() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let mut releases: Vec<u64> = (0..400).map(|n| scatter(n, 60_000)).collect();
    for &release in &releases {
        let log = log.clone();
        let body = move |cx: &mut nanosecond_scheduler::Context<'_>| {
            log.push((cx.release().as_nanos(), cx.now().as_nanos()));
        };
        scheduler.schedule(Task::with_context(body, ns(0)).at(at(release))).unwrap();
    }
    releases.sort_unstable();
    let mut left = &releases[..];
    for now in (0..60_037).step_by(37) {
        clock.set(at(now));
        let report = scheduler.tick();
        let (due, later) = left.split_at(left.partition_point(|&release| release <= now));
        let expected: Vec<_> = due.iter().map(|&release| (release, now)).collect();
        assert_eq!(log.take(), expected);
        assert_eq!(report.executed, due.len());
        assert_eq!(report.next_release, later.first().map(|&release| at(release)));
        left = later;
    }
    assert!(left.is_empty());
}

#[test]
fn behaviour_01_one_nanosecond_early_is_too_early() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    for release in [1, 2, 1_000, 262_143, 262_144, 1 << 33] {
        scheduler.schedule(log.task(release, ns(0)).at(at(release))).unwrap();
        clock.set(at(release - 1));
        assert_eq!(scheduler.tick().executed, 0, "ran before {release}");
        clock.set(at(release));
        assert_eq!(scheduler.tick().executed, 1, "did not run at {release}");
    }
    assert_eq!(log.take().len(), 6);
}

#[cfg(feature = "std")]
#[test]
fn behaviour_01_no_task_starts_early_on_a_real_clock() {
    use nanosecond_scheduler::{Clock, DefaultClock, MonotonicClock, Scheduler};

    fn check(clock: impl Clock + Clone + 'static) {
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let log = Log::default();
        for n in 0..100 {
            let release = scheduler.now() + ns(scatter(n, 2_000_000));
            let (log, clock) = (log.clone(), clock.clone());
            let body = move || log.push((release, clock.now()));
            scheduler.schedule(Task::new(body, ns(0)).at(release)).unwrap();
        }
        while !scheduler.is_empty() {
            scheduler.tick();
        }
        let starts = log.take();
        assert_eq!(starts.len(), 100);
        for (release, started) in starts {
            assert!(started >= release, "released at {release}, started at {started}");
        }
    }

    check(MonotonicClock::new());
    check(DefaultClock::new());
}

#[test]
fn behaviour_01_next_release_is_exact_after_every_change() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 1, ..Config::default() });
    assert_eq!(scheduler.next_release(), None);
    let mut schedule = |priority, release| {
        let task = Task::new(|| (), ns(0)).at(at(release)).with_priority(priority);
        let id = scheduler.schedule(task).unwrap();
        (id, scheduler.next_release())
    };
    let (_, next) = schedule(Priority::Low, 500);
    assert_eq!(next, Some(at(500)));
    let (_, next) = schedule(Priority::Critical, 1 << 40);
    assert_eq!(next, Some(at(500)), "a more urgent but later task is not next");
    let (first, next) = schedule(Priority::Low, 499);
    assert_eq!(next, Some(at(499)));
    let (_, next) = schedule(Priority::High, 499);
    assert_eq!(next, Some(at(499)));
    scheduler.cancel(first).unwrap();
    assert_eq!(scheduler.next_release(), Some(at(499)), "another task of that instant is left");

    clock.set(at(600));
    assert_eq!(scheduler.tick().next_release, Some(at(500)));
    assert_eq!(scheduler.next_release(), Some(at(500)));
    assert_eq!(scheduler.tick().next_release, Some(at(1 << 40)));
    clock.set(at(1 << 40));
    assert_eq!(scheduler.tick().next_release, None);
    assert_eq!(scheduler.next_release(), None);
}

#[test]
fn behaviour_02_priority_then_release_then_submission() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let mut expected = Vec::new();
    for submission in 0..600 {
        let priority = Priority::ALL[scatter(submission, 4) as usize];
        let release = 10 + scatter(submission + 1_000, 12);
        let key = (priority, release, submission);
        scheduler.schedule(log.task(key, ns(release)).with_priority(priority)).unwrap();
        expected.push(key);
    }
    expected.sort();
    clock.set(at(100));
    scheduler.tick();
    assert_eq!(log.take(), expected);
}

#[test]
fn behaviour_02_priorities_are_ordered_and_normal_is_the_default() {
    use Priority::{Critical, High, Low, Normal};
    assert!(Critical < High && High < Normal && Normal < Low);
    assert_eq!(Priority::default(), Normal);

    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    for (name, priority) in [("low", Low), ("normal", Normal), ("high", High), ("crit", Critical)] {
        scheduler.schedule(log.task(name, ns(0)).with_priority(priority)).unwrap();
    }
    scheduler.schedule(log.task("default", ns(0))).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), ["crit", "high", "normal", "default", "low"]);
}

/// Tasks of one instant that are submitted from far away to near reach the queue on every level.
/// Each is followed by neighbours 1 ns before and after, which are cancelled later.
#[test]
fn behaviour_02_ties_stay_fifo_through_cascades_cancels_and_partial_ticks() {
    const INSTANT: u64 = 1 << 62 | 1 << 31;
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 7, ..Config::default() });
    let log = Log::default();
    let mut neighbours = Vec::new();
    let mut submitted = 0;
    for bits in (1..=61).rev() {
        clock.set(at(INSTANT - (1 << bits)));
        assert_eq!(scheduler.tick().executed, 0, "{bits}");
        for _ in 0..30 {
            scheduler.schedule(log.task(submitted, ns(0)).at(at(INSTANT))).unwrap();
            submitted += 1;
            for release in [INSTANT - 1, INSTANT + 1, INSTANT] {
                let task = Task::new(|| panic!("was cancelled"), ns(0)).at(at(release));
                neighbours.push(scheduler.schedule(task).unwrap());
            }
        }
        // Half of them now, the others when the tree has changed around them.
        for id in neighbours.drain(neighbours.len() / 2..) {
            scheduler.cancel(id).unwrap();
        }
        assert_eq!(scheduler.next_release(), Some(at(INSTANT - u64::from(!neighbours.is_empty()))));
    }
    for id in neighbours {
        scheduler.cancel(id).unwrap();
    }
    assert_eq!(scheduler.next_release(), Some(at(INSTANT)));
    clock.set(at(INSTANT));
    for _ in 0..100 {
        assert!(scheduler.tick().more_due);
        scheduler.schedule(log.task(submitted, ns(0))).unwrap();
        submitted += 1;
    }
    while scheduler.tick().more_due {}
    assert_eq!(log.take(), (0..submitted).collect::<Vec<_>>());
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_02_ties_are_fifo_in_a_crowd_beyond_every_internal_bound() {
    let count = if cfg!(miri) { 2_500 } else { 20_000 };
    for distance in [1, 50_000, 1 << 20, 1 << 45] {
        let (mut scheduler, clock) =
            manual(Config { max_tasks_per_tick: 600, ..Config::default() });
        let log = Log::default();
        for n in 0..count {
            scheduler.schedule(log.task(n, ns(distance))).unwrap();
        }
        clock.advance(ns(distance));
        while scheduler.tick().more_due {}
        assert!(log.take().into_iter().eq(0..count), "at a distance of {distance} ns");
    }
}

#[test]
fn behaviour_02_late_and_punctual_arrivals_of_one_instant_are_fifo() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 3, ..Config::default() });
    let log = Log::default();
    let submit = |scheduler: &mut nanosecond_scheduler::Scheduler<_>, name, release| {
        scheduler.schedule(log.task(name, ns(0)).at(at(release))).unwrap();
    };
    submit(&mut scheduler, "d1", 40);
    submit(&mut scheduler, "a1", 10);
    submit(&mut scheduler, "c1", 30);
    submit(&mut scheduler, "a2", 10);
    clock.set(at(50));
    scheduler.tick();
    submit(&mut scheduler, "c2", 30);
    submit(&mut scheduler, "b", 20);
    submit(&mut scheduler, "d2", 40);
    submit(&mut scheduler, "c3", 30);
    scheduler.tick();
    scheduler.tick();
    assert_eq!(log.take(), ["a1", "a2", "c1", "b", "c2", "c3", "d1", "d2"]);
}

/// Of one part of the queue, and apart so far that a sort's keys hold no more than a digit of them.
#[test]
fn behaviour_02_releases_years_apart_run_in_order_and_their_ties_are_fifo() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let mut expected = Vec::new();
    for submission in 0..900 {
        let years = scatter(submission, 30) << 54;
        let key = (1 << 63 | years | scatter(submission % 7, 1 << 20), submission);
        scheduler.schedule(log.task(key, ns(0)).at(at(key.0))).unwrap();
        expected.push(key);
    }
    expected.sort();
    clock.set(at(u64::MAX));
    scheduler.tick();
    assert_eq!(log.take(), expected);
}

//! Hazard: a clock that stalls, steps back or jumps.

mod common;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{Clock, Config, ManualClock, MissedTick, Priority, Scheduler, Task};
use nanosecond_scheduler::{Context, TimePoint};

#[test]
fn behaviour_05_a_stalled_clock_runs_what_is_due_and_nothing_else() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    clock.set(at(100));
    scheduler.schedule(log.task("due", ns(0))).unwrap();
    scheduler.schedule(log.task("1 ns away", ns(1))).unwrap();
    for _ in 0..1_000 {
        scheduler.tick();
    }
    assert_eq!(log.take(), ["due"]);
    assert_eq!(scheduler.next_release(), Some(at(101)));
}

#[test]
fn behaviour_05_a_step_back_neither_stops_nor_repeats_time() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    scheduler.schedule(log.task("at 1000", ns(1_000))).unwrap();
    scheduler.schedule(log.task("at 2000", ns(2_000))).unwrap();
    clock.set(at(1_500));
    assert_eq!(scheduler.tick().started_at, at(1_500));
    clock.set(at(10));
    assert_eq!(scheduler.now(), at(1_500));
    assert_eq!(scheduler.tick().started_at, at(1_500));
    // A delay counts from the latest instant seen, not from the stepped clock.
    scheduler.schedule(log.task("at 1600", ns(100))).unwrap();
    assert_eq!(scheduler.next_release(), Some(at(1_600)));
    clock.set(at(1_599));
    scheduler.tick();
    assert_eq!(log.take(), ["at 1000"]);
    clock.set(at(2_000));
    scheduler.tick();
    assert_eq!(log.take(), ["at 1600", "at 2000"]);
}

#[test]
fn behaviour_05_what_was_due_before_a_step_back_stays_due() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 2, ..Config::default() });
    let log = Log::default();
    for n in 0..6 {
        scheduler.schedule(log.task(n, ns(100 + n))).unwrap();
    }
    clock.set(at(1_000));
    scheduler.tick();
    clock.set(at(0));
    scheduler.tick();
    clock.set(at(50));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due), (2, false));
    assert_eq!(log.take(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn behaviour_05_a_step_back_inside_a_job_costs_nothing() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    for n in 0..4 {
        let (log, clock) = (log.clone(), clock.clone());
        let body = move |cx: &mut Context<'_>| {
            clock.set(at(3));
            log.push((n, cx.now().as_nanos()));
        };
        // The deadline makes the tick read the clock between jobs.
        scheduler.schedule(Task::with_context(body, ns(n)).with_deadline(ns(1_000))).unwrap();
    }
    clock.set(at(500));
    let report = scheduler.tick();
    assert_eq!(report.duration, ns(0), "time that runs backwards counts as none");
    assert_eq!((report.executed, report.missed_deadlines), (4, 0));
    assert_eq!(log.take(), [(0, 500), (1, 500), (2, 500), (3, 500)]);
}

#[test]
fn behaviour_05_a_jump_of_hours_loses_nothing_and_keeps_the_order() {
    const HOUR: u64 = 3_600_000_000_000;
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 500, ..Config::default() });
    let log = Log::default();
    let mut expected = Vec::new();
    for n in 0..5_000u64 {
        let priority = Priority::ALL[scatter(n, 4) as usize];
        // From nanoseconds to days.
        let release = scatter(n + 9_000, (HOUR * 48) >> (n % 47));
        expected.push((priority, release, n));
        let task = log.task((priority, release, n), ns(release)).with_priority(priority);
        scheduler.schedule(task).unwrap();
    }
    expected.sort();
    for hours in [1, 7, 48] {
        clock.set(at(HOUR * hours));
        while scheduler.tick().more_due {}
        let (due, later): (Vec<_>, Vec<_>) =
            expected.into_iter().partition(|&(_, release, _)| release <= HOUR * hours);
        assert_eq!(log.take(), due, "after {hours} h");
        assert_eq!(scheduler.len(), later.len());
        expected = later;
    }
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_05_a_jump_into_a_crowd_runs_bounded_ticks() {
    let count = if cfg!(miri) { 2_000 } else { 50_000 };
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 64, ..Config::default() });
    let log = Log::default();
    for n in 0..count {
        let release = 1_000_000_000 + scatter(n, 1_000_000);
        scheduler.schedule(log.task((release, n), ns(release))).unwrap();
    }
    clock.set(at(2_000_000_000));
    let mut ran = Vec::new();
    while (ran.len() as u64) < count {
        let report = scheduler.tick();
        let jobs = log.take();
        assert_eq!((report.executed, jobs.len()), (jobs.len(), 64.min(count as usize - ran.len())));
        ran.extend(jobs);
    }
    assert!(ran.is_sorted());
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_05_periods_survive_stalls_steps_and_jumps() {
    let (mut scheduler, clock) =
        manual(Config { missed_tick: MissedTick::Skip, ..Config::default() });
    let log = Log::default();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| log2.push(cx.release().as_nanos());
    scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    for now in [10, 10, 20, 5, 0, 25, 29, 30, 1 << 60, 3, (1 << 60) + 3, (1 << 60) + 4] {
        clock.set(at(now));
        scheduler.tick();
    }
    // 2^60 ends in 6: the last release before it is 2^60 - 6, the next 2^60 + 4.
    assert_eq!(log.take(), [10, 20, 30, 40, (1 << 60) + 4]);
}

/// A clock that answers from a list, and then with its last entry.
#[derive(Clone)]
struct Erratic {
    readings: Log<u64>,
    last: ManualClock,
}

impl Clock for Erratic {
    fn now(&self) -> TimePoint {
        let mut left = self.readings.take();
        if let Some(next) = left.pop() {
            self.last.set(at(next));
        }
        left.into_iter().for_each(|reading| self.readings.push(reading));
        self.last.now()
    }
}

#[test]
fn behaviour_05_an_erratic_clock_never_makes_a_task_early_or_lost() {
    for seed in 0..50 {
        let clock = Erratic { readings: Log::default(), last: ManualClock::new() };
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let log = Log::default();
        let mut latest = TimePoint::ZERO;
        for round in 0..60 {
            let number = seed * 1_000 + round;
            clock.readings.push(scatter(number, 10_000));
            let delay = scatter(number + 500, 3_000);
            let log2 = log.clone();
            let body = move |cx: &mut Context<'_>| log2.push((round, cx.release(), cx.now()));
            scheduler.schedule(Task::with_context(body, ns(delay))).unwrap();
            clock.readings.push(scatter(number + 700, 10_000));
            let report = scheduler.tick();
            assert!(report.started_at >= latest, "time went back");
            latest = report.started_at;
        }
        clock.readings.push(20_000);
        scheduler.tick();
        let mut ran = log.take();
        assert!(ran.iter().all(|(_, release, now)| release <= now), "seed {seed}");
        ran.sort();
        assert!(ran.iter().map(|(round, ..)| *round).eq(0..60), "seed {seed}");
    }
}

#[test]
fn behaviour_05_a_clock_may_start_anywhere() {
    for origin in [1, 1 << 36, (1 << 60) - 1, u64::MAX - 1, u64::MAX] {
        let clock = ManualClock::new();
        clock.set(at(origin));
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let log = Log::default();
        scheduler.schedule(log.task("now", ns(0))).unwrap();
        scheduler.schedule(log.task("past", ns(0)).at(at(0))).unwrap();
        assert_eq!(scheduler.tick().executed, 2);
        assert_eq!(log.take(), ["past", "now"]);
        clock.set(at(0));
        assert_eq!(scheduler.now(), at(origin));
    }
}

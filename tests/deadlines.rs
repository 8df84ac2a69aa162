//! Soft deadlines: which jobs missed theirs, by the figures of a clock that moves inside the jobs.

mod common;

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{
    Clock, Config, DeadlineViolation, ManualClock, MetricsLevel, Priority, Scheduler, Task,
};

fn log_misses(scheduler: &mut Scheduler<impl Clock>) -> Log<DeadlineViolation> {
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_deadline_miss(move |miss| log2.push(miss));
    log
}

/// A body that takes `time`.
fn takes(clock: &ManualClock, time: u64) -> impl FnOnce() + 'static {
    let clock = clock.clone();
    move || clock.advance(ns(time))
}

#[test]
fn a_miss_is_reported_with_task_deadline_and_finish() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    let slow = Task::new(takes(&clock, 21), ns(10)).with_deadline(ns(20)).with_name("slow");
    let slow = scheduler.schedule(slow).unwrap();
    let waits = Task::new(takes(&clock, 4), ns(10)).with_deadline(ns(24));
    let waits = scheduler.schedule(waits).unwrap();
    clock.set(at(10));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.missed_deadlines), (2, 2));
    let expected = [
        DeadlineViolation::SoftMiss { task: slow, expected: at(30), actual: at(31) },
        DeadlineViolation::SoftMiss { task: waits, expected: at(34), actual: at(35) },
    ];
    assert_eq!(misses.take(), expected);
    assert_eq!(scheduler.metrics().missed_deadlines, 2);
    assert_eq!(report.duration, ns(25));
}

#[test]
fn a_job_that_finishes_at_its_deadline_keeps_it() {
    for (time, missed) in [(0, 0), (19, 0), (20, 0), (21, 1)] {
        let (mut scheduler, clock) = manual(Config::default());
        let misses = log_misses(&mut scheduler);
        let task = Task::new(takes(&clock, time), ns(0)).with_deadline(ns(20));
        scheduler.schedule(task).unwrap();
        assert_eq!(scheduler.tick().missed_deadlines, missed, "a job of {time} ns");
        assert_eq!(misses.take().len(), missed);
    }
}

#[test]
fn a_late_start_counts_from_the_release() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    let id = scheduler.schedule(Task::new(|| (), ns(5)).with_deadline(ns(10))).unwrap();
    clock.set(at(16));
    scheduler.tick();
    let miss = DeadlineViolation::SoftMiss { task: id, expected: at(15), actual: at(16) };
    assert_eq!(misses.take(), [miss]);
}

#[test]
fn every_job_of_a_repeating_task_has_its_own_deadline() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    let clock2 = clock.clone();
    let mut times = [3, 9, 2, 50].into_iter();
    let body = move |_: &mut nanosecond_scheduler::Context<'_>| {
        clock2.advance(ns(times.next().unwrap_or(0)));
    };
    let task = Task::periodic(body, ns(10)).with_deadline(ns(5)).with_name("control");
    scheduler.schedule(task).unwrap();
    scheduler.run_until(at(100));
    let figures: Vec<_> =
        misses.take().into_iter().map(|miss| (miss.expected(), miss.actual())).collect();
    // The job of 40 takes 50 ns and delays those of 50 to 90.
    let expected = [(25, 29), (45, 90), (55, 90), (65, 90), (75, 90), (85, 90)];
    assert_eq!(figures, expected.map(|(deadline, finish)| (at(deadline), at(finish))));
    assert_eq!(scheduler.metrics().missed_deadlines, 6);
}

#[test]
fn misses_are_counted_without_a_handler_and_at_every_level() {
    for metrics in [MetricsLevel::Off, MetricsLevel::Counters] {
        let (mut scheduler, clock) = manual(Config { metrics, ..Config::default() });
        scheduler.schedule(Task::new(takes(&clock, 9), ns(0)).with_deadline(ns(0))).unwrap();
        assert_eq!(scheduler.tick().missed_deadlines, 1);
        let counted = u64::from(metrics == MetricsLevel::Counters);
        assert_eq!(scheduler.metrics().missed_deadlines, counted);
    }
}

#[test]
fn a_late_job_still_runs_and_does_not_change_the_order() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    scheduler.schedule(log.task("first", ns(0))).unwrap();
    scheduler.schedule(log.task("urgent deadline", ns(1)).with_deadline(ns(0))).unwrap();
    scheduler.schedule(log.task("second", ns(0))).unwrap();
    scheduler.schedule(log.task("high", ns(9)).with_priority(Priority::High)).unwrap();
    clock.set(at(20));
    scheduler.tick();
    assert_eq!(log.take(), ["high", "first", "second", "urgent deadline"]);
}

#[test]
fn a_task_without_a_deadline_never_misses_one() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    let task = Task::new(takes(&clock, 1_000), ns(0)).with_name("no deadline");
    scheduler.schedule(task).unwrap();
    scheduler.schedule(Task::new(|| (), ns(0)).with_deadline(ns(1_000))).unwrap();
    assert_eq!(scheduler.tick().missed_deadlines, 0);
    assert!(misses.take().is_empty());
}

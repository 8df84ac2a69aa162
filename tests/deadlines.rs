//! Deadlines: which jobs missed theirs, to the nanosecond, and what is told, counted and skipped.

mod common;

use common::timed::{log_misses, take_in_turn, takes};
use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::DeadlineKind::{self, Firm, Hard, Soft};
use nanosecond_scheduler::{
    Config, DeadlineViolation, ManualClock, MetricsLevel, MissedTick, Policy, Priority,
    ScheduleErrorKind, Scheduler, Task, TimePoint,
};

const KINDS: [DeadlineKind; 3] = [Soft, Firm, Hard];

/// A task whose jobs have the relative deadline `nanos`.
fn with_deadline(task: Task, kind: DeadlineKind, nanos: u64) -> Task {
    match kind {
        Soft => task.with_deadline(ns(nanos)),
        Firm => task.with_firm_deadline(ns(nanos)),
        Hard => task.with_hard_deadline(ns(nanos)),
    }
}

/// The only miss that was told: of which variant, by when, and when.
fn only_miss(misses: &Log<DeadlineViolation>) -> (bool, TimePoint, TimePoint) {
    let [miss] = misses.take()[..] else { panic!("there was not one miss") };
    let is_hard = matches!(miss, DeadlineViolation::HardMiss { .. });
    (is_hard, miss.expected(), miss.actual())
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
    let said =
        format!("task {} missed its soft or firm deadline of 0.000000015s by 1ns", id.to_bits());
    assert_eq!(miss.to_string(), said);
}

#[test]
fn every_job_of_a_repeating_task_has_its_own_deadline() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    let body = take_in_turn(&clock, [3, 9, 2, 50]);
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

#[test]
fn at_the_deadline_is_in_time_and_a_nanosecond_later_is_not_for_each_kind() {
    for kind in KINDS {
        for absolute in [false, true] {
            for (time, is_missed) in [(20, false), (21, true)] {
                let (mut scheduler, clock) = manual(Config::default());
                let misses = log_misses(&mut scheduler);
                clock.set(at(100));
                let task = Task::new(takes(&clock, time), ns(5));
                let task = match absolute {
                    false => with_deadline(task, kind, 20),
                    true => task.with_deadline_at(kind, at(125)),
                };
                scheduler.schedule(task).unwrap();
                clock.set(at(105));
                let report = scheduler.tick();
                let counts = (report.executed, report.missed_deadlines, report.skipped);
                assert_eq!(counts, (1, usize::from(is_missed), 0), "{kind:?} {absolute} {time}");
                if is_missed {
                    assert_eq!(only_miss(&misses), (kind == Hard, at(125), at(126)));
                }
                assert!(misses.take().is_empty());
            }
        }
    }
}

#[test]
fn a_job_that_is_late_before_it_starts_is_told_once_and_skipped_if_firm() {
    for kind in KINDS {
        for (now, is_late) in [(30, false), (31, true)] {
            let (mut scheduler, clock) = manual(Config::default());
            let (misses, drops) = (log_misses(&mut scheduler), Drops::default());
            let (token, log) = (drops.token(), Log::default());
            let log2 = log.clone();
            let body = move || {
                token.touch();
                log2.push(());
            };
            let id = scheduler.schedule(with_deadline(Task::new(body, ns(10)), kind, 20)).unwrap();
            clock.set(at(now));
            let report = scheduler.tick();
            let skipped = usize::from(kind == Firm && is_late);
            let counts = (report.executed, report.missed_deadlines, report.skipped);
            assert_eq!(counts, (1 - skipped, usize::from(is_late), skipped), "{kind:?} at {now}");
            assert_eq!(log.take().len(), 1 - skipped);
            assert!(!scheduler.is_pending(id) && drops.count() == 1);
            if is_late {
                assert_eq!(only_miss(&misses), (kind == Hard, at(30), at(31)));
            }
            let metrics = scheduler.metrics();
            assert_eq!(metrics.executed, 1 - skipped as u64);
            assert_eq!(
                (metrics.missed_deadlines, metrics.skipped),
                (is_late.into(), skipped as u64)
            );
        }
    }
}

#[test]
fn a_late_job_that_finishes_even_later_has_missed_one_deadline() {
    for kind in [Soft, Hard] {
        let (mut scheduler, clock) = manual(Config::default());
        let misses = log_misses(&mut scheduler);
        let task = Task::new(takes(&clock, 50), ns(0)).with_deadline_at(kind, at(3));
        scheduler.schedule(task).unwrap();
        clock.set(at(10));
        assert_eq!(scheduler.tick().missed_deadlines, 1);
        assert_eq!(only_miss(&misses), (kind == Hard, at(3), at(10)));
    }
}

#[test]
fn a_firm_job_that_started_in_time_is_not_skipped() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    scheduler.schedule(Task::new(takes(&clock, 30), ns(0)).with_firm_deadline(ns(20))).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.missed_deadlines, report.skipped), (1, 1, 0));
    assert_eq!(only_miss(&misses), (false, at(20), at(30)));
}

#[test]
fn a_late_job_is_told_before_it_runs_though_a_long_one_held_the_loop() {
    for policy in [
        Policy::Priority,
        Policy::EarliestDeadlineFirst,
        Policy::RateMonotonic,
        Policy::DeadlineMonotonic,
        Policy::LeastLaxity,
    ] {
        let (mut scheduler, clock) = manual(Config { policy, ..Config::default() });
        let log: Log<String> = Log::default();
        let log2 = log.clone();
        scheduler.on_deadline_miss(move |miss| {
            log2.push(format!("missed {} at {}", miss.expected(), miss.actual()));
        });
        let (log2, clock2) = (log.clone(), clock.clone());
        let long = move || {
            log2.push("long".to_owned());
            clock2.advance(ns(1_000));
        };
        scheduler.schedule(Task::new(long, ns(0))).unwrap();
        // Not released yet when the long one starts.
        scheduler.schedule(log.task("late".to_owned(), ns(5)).with_deadline(ns(10))).unwrap();
        scheduler.tick();
        let expected = ["long", "missed 0.000000015s at 0.000001000s", "late"];
        assert_eq!(log.take(), expected, "{policy:?}");
    }
}

/// A tick that is full when a job has become late leaves it to the next one to see that.
#[test]
fn what_a_partial_tick_leaves_is_told_late_by_the_next_one() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 1, ..Config::default() });
    let misses = log_misses(&mut scheduler);
    let long = Task::new(takes(&clock, 100), ns(0)).with_priority(Priority::High);
    scheduler.schedule(long).unwrap();
    scheduler.schedule(Task::new(|| (), ns(0)).with_hard_deadline(ns(10))).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.missed_deadlines, report.more_due), (0, true));
    clock.advance(ns(5));
    let report = scheduler.tick();
    assert_eq!((report.missed_deadlines, report.more_due), (1, false));
    assert_eq!(only_miss(&misses), (true, at(10), at(105)));
}

#[test]
fn skipped_jobs_count_towards_the_bound_of_a_tick() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 2, ..Config::default() });
    for _ in 0..3 {
        scheduler.schedule(Task::new(|| (), ns(0)).with_firm_deadline(ns(0))).unwrap();
    }
    clock.set(at(1));
    let ticks = [scheduler.tick(), scheduler.tick()];
    assert_eq!(ticks.map(|report| report.skipped), [2, 1]);
    assert_eq!(ticks.map(|report| report.more_due), [true, false]);
    assert_eq!(scheduler.metrics().ticks, 2, "a tick that only skips is not idle");
}

#[test]
fn a_periodic_task_goes_on_after_a_skipped_job_by_its_missed_tick() {
    // Period 10, deadline 5. At 47 the jobs of 10, 20, 30 and 40 are late.
    let cases: [(MissedTick, usize, u64, &[u64]); 3] = [
        (MissedTick::Burst, 4, 3, &[50, 60]),
        (MissedTick::Skip, 1, 3, &[50, 60]),
        (MissedTick::Delay, 1, 3, &[57, 67]),
    ];
    for (missed_tick, skipped, missed_ticks, releases) in cases {
        let (mut scheduler, clock) = manual(Config { missed_tick, ..Config::default() });
        let log = Log::default();
        let log2 = log.clone();
        let task = Task::periodic(move |cx| log2.push(cx.release()), ns(10));
        scheduler.schedule(task.with_firm_deadline(ns(5))).unwrap();
        clock.set(at(47));
        let report = scheduler.tick();
        assert_eq!((report.executed, report.skipped), (0, skipped), "{missed_tick:?}");
        assert_eq!(scheduler.metrics().missed_ticks, missed_ticks, "{missed_tick:?}");
        scheduler.run_until(at(67));
        let releases: Vec<_> = releases.iter().copied().map(at).collect();
        assert_eq!(log.take()[..2], releases, "{missed_tick:?}");
    }
}

#[test]
fn each_job_of_a_burst_has_the_deadline_of_its_own_release() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    scheduler.schedule(Task::periodic(|_| (), ns(10)).with_deadline(ns(15))).unwrap();
    clock.set(at(47));
    scheduler.tick();
    let expected: Vec<_> = misses.take().iter().map(DeadlineViolation::expected).collect();
    assert_eq!(expected, [at(25), at(35), at(45)], "that of 40 is due at 55");
}

#[test]
fn a_sporadic_task_can_be_triggered_after_a_skipped_job() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let task = Task::sporadic(move |cx| log2.push(cx.release()), ns(10)).with_firm_deadline(ns(5));
    let id = scheduler.schedule(task).unwrap();
    scheduler.trigger(id).unwrap();
    clock.set(at(6));
    assert_eq!(scheduler.tick().skipped, 1);
    assert_eq!(scheduler.trigger(id), Ok(at(10)), "the gap counts from the skipped job");
    clock.set(at(15));
    assert_eq!(scheduler.tick().executed, 1);
    assert_eq!(log.take(), [at(10)]);
}

#[test]
fn deadlines_beyond_the_end_of_time_are_its_last_instant() {
    for kind in KINDS {
        let clock = ManualClock::new();
        clock.set(at(u64::MAX - 10));
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let misses = log_misses(&mut scheduler);
        let task = Task::new(takes(&clock, 5), ns(0));
        scheduler.schedule(with_deadline(task, kind, 11)).unwrap();
        scheduler.schedule(with_deadline(Task::new(|| (), ns(10)), kind, u64::MAX)).unwrap();
        let task = Task::new(|| (), ns(0)).with_deadline_at(kind, TimePoint::MAX);
        scheduler.schedule(task).unwrap();
        clock.set(TimePoint::MAX);
        let report = scheduler.tick();
        assert_eq!((report.executed, report.missed_deadlines), (3, 0), "{kind:?}");
        assert!(misses.take().is_empty());
    }
}

#[test]
fn with_a_deadline_of_zero_only_a_job_without_any_delay_is_in_time() {
    for kind in KINDS {
        let (mut scheduler, clock) = manual(Config::default());
        let misses = log_misses(&mut scheduler);
        scheduler.schedule(with_deadline(Task::new(|| (), ns(7)), kind, 0)).unwrap();
        clock.set(at(7));
        let report = scheduler.tick();
        assert_eq!((report.executed, report.missed_deadlines, report.skipped), (1, 0, 0));
        scheduler.schedule(with_deadline(Task::new(takes(&clock, 1), ns(0)), kind, 0)).unwrap();
        assert_eq!(scheduler.tick().missed_deadlines, 1);
        assert_eq!(only_miss(&misses), (kind == Hard, at(7), at(8)));
    }
}

#[test]
fn an_absolute_deadline_before_the_release_is_late_from_the_start() {
    let (mut scheduler, clock) = manual(Config::default());
    let misses = log_misses(&mut scheduler);
    scheduler.schedule(Task::new(|| (), ns(10)).with_deadline_at(Firm, at(9))).unwrap();
    clock.set(at(10));
    assert_eq!(scheduler.tick().skipped, 1);
    assert_eq!(only_miss(&misses), (false, at(9), at(10)));
}

#[test]
fn a_repeating_task_with_an_absolute_deadline_comes_back() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let task = Task::periodic(move |_| log2.push(()), ns(10)).with_deadline_at(Soft, at(99));
    let error = scheduler.schedule(task).unwrap_err();
    assert_eq!(error.kind(), ScheduleErrorKind::AbsoluteDeadline);
    let sporadic = Task::sporadic(|_| (), ns(10)).with_deadline_at(Soft, at(99));
    let kind = scheduler.schedule(sporadic).unwrap_err().kind();
    assert_eq!(kind, ScheduleErrorKind::AbsoluteDeadline);
    // Whole, and with a relative one it is taken.
    scheduler.schedule(error.into_task().with_deadline(ns(10))).unwrap();
    clock.set(at(10));
    scheduler.tick();
    assert_eq!(log.take(), [()]);
}

#[test]
fn the_last_deadline_given_counts() {
    let (mut scheduler, clock) = manual(Config::default());
    let task = Task::new(|| (), ns(0)).with_firm_deadline(ns(1)).with_deadline_at(Soft, at(100));
    scheduler.schedule(task.with_hard_deadline(ns(20))).unwrap();
    let misses = log_misses(&mut scheduler);
    clock.set(at(21));
    assert_eq!(scheduler.tick().executed, 1);
    assert_eq!(only_miss(&misses), (true, at(20), at(21)));
}

#[test]
fn a_new_handler_of_misses_replaces_the_old_one() {
    let (mut scheduler, clock) = manual(Config::default());
    let (old, new) = (log_misses(&mut scheduler), log_misses(&mut scheduler));
    scheduler.schedule(Task::new(takes(&clock, 1), ns(0)).with_deadline(ns(0))).unwrap();
    scheduler.tick();
    assert_eq!((old.take().len(), new.take().len()), (0, 1));
}

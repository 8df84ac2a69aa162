//! Hazard: a late job that never gets its turn, because others are preferred, and of which nobody hears.
#![cfg(feature = "realtime")]

mod common;

use common::timed::{log_misses, takes};
use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::DeadlineKind::{self, Firm, Hard, Soft};
use nanosecond_scheduler::{
    Config, Context, DeadlineViolation, Emergency, ManualClock, MissedTick, Policy, Priority,
    Scheduler, Task, TaskId, TraceKind,
};

const POLICIES: [Policy; 5] = [
    Policy::Priority,
    Policy::EarliestDeadlineFirst,
    Policy::RateMonotonic,
    Policy::DeadlineMonotonic,
    Policy::LeastLaxity,
];
const KINDS: [DeadlineKind; 3] = [Soft, Firm, Hard];
/// Jobs that a tick deals with.
const LIMIT: usize = 8;

/// A scheduler with a task that every policy prefers, and whose jobs of 10 ns never end.
fn hogged(config: Config) -> (Scheduler<ManualClock>, ManualClock, TaskId) {
    let config = Config { max_tasks_per_tick: LIMIT, audit: true, ..config };
    let (mut scheduler, clock) = manual(config);
    let clock2 = clock.clone();
    let hog = Task::periodic(move |_| clock2.advance(ns(10)), ns(1)).with_delay(ns(0));
    let hog = hog.with_missed_tick(MissedTick::Burst).with_priority(Priority::Critical);
    let hog = scheduler.schedule(hog).unwrap();
    (scheduler, clock, hog)
}

/// A task that is preferred to none, and late from 26 on.
fn starved(task: Task, kind: DeadlineKind) -> Task {
    let task = match kind {
        Soft => task.with_deadline(ns(25)),
        Firm => task.with_firm_deadline(ns(25)),
        Hard => task.with_hard_deadline(ns(25)),
    };
    task.with_priority(Priority::Low)
}

fn periodic(log: &Log<u64>, period: u64) -> Task {
    let log = log.clone();
    let body = move |cx: &mut Context<'_>| log.push(cx.release().as_nanos());
    Task::periodic(body, ns(period)).with_delay(ns(0))
}

/// Deadlines and instants.
fn told(misses: &Log<DeadlineViolation>) -> Vec<(u64, u64)> {
    let figures = |miss: DeadlineViolation| (miss.expected().as_nanos(), miss.actual().as_nanos());
    misses.take().into_iter().map(figures).collect()
}

#[test]
fn a_late_job_is_told_at_the_first_decision_after_its_deadline_whoever_goes_first() {
    for policy in POLICIES {
        for kind in KINDS {
            for repeats in [false, true] {
                let (mut scheduler, _clock, _hog) = hogged(Config { policy, ..Config::default() });
                let misses = log_misses(&mut scheduler);
                let log = Log::default();
                let task = if repeats { periodic(&log, 1_000) } else { log.task(0, ns(0)) };
                let id = scheduler.schedule(starved(task, kind)).unwrap();
                let report = scheduler.tick();
                let case = format!("{policy:?} {kind:?} {repeats}");
                let skipped = usize::from(kind == Firm);
                let counts = (report.executed, report.missed_deadlines, report.skipped);
                assert_eq!(counts, (LIMIT - skipped, 1, skipped), "{case}");
                let [miss] = misses.take()[..] else { panic!("not one miss: {case}") };
                let expected = (id, at(25), at(30));
                assert_eq!((miss.task(), miss.expected(), miss.actual()), expected, "{case}");
                assert_eq!(matches!(miss, DeadlineViolation::HardMiss { .. }), kind == Hard);
                assert!(log.take().is_empty(), "it has had its turn: {case}");
                assert_eq!(scheduler.is_pending(id), kind != Firm || repeats, "{case}");
                assert_eq!(scheduler.inversions(), Some(0), "{case}");
            }
        }
    }
}

#[test]
fn it_is_told_once_though_it_finishes_even_later() {
    for policy in POLICIES {
        for kind in [Soft, Hard] {
            let (mut scheduler, clock, hog) = hogged(Config { policy, ..Config::default() });
            let misses = log_misses(&mut scheduler);
            let log = Log::default();
            let (log2, work) = (log.clone(), takes(&clock, 100));
            let body = move || {
                work();
                log2.push(());
            };
            scheduler.schedule(starved(Task::new(body, ns(0)), kind)).unwrap();
            scheduler.tick();
            scheduler.tick();
            assert_eq!(told(&misses), [(25, 30)]);
            scheduler.cancel(hog).unwrap();
            let report = scheduler.tick();
            assert_eq!((log.take().len(), report.missed_deadlines), (1, 0), "{policy:?} {kind:?}");
            assert!(misses.take().is_empty());
            assert_eq!(scheduler.metrics().missed_deadlines, 1);
        }
    }
}

#[test]
fn one_that_is_not_released_yet_is_not_told() {
    let (mut scheduler, _clock, _hog) = hogged(Config::default());
    let misses = log_misses(&mut scheduler);
    let low = |delay| Task::new(|| (), ns(delay)).with_priority(Priority::Low);
    // Its deadline is before its release.
    scheduler.schedule(low(45).with_deadline_at(Soft, at(20))).unwrap();
    // It waits for one that never runs.
    let first = scheduler.schedule(low(0)).unwrap();
    scheduler.schedule(low(0).after(&[first]).with_deadline_at(Soft, at(20))).unwrap();
    scheduler.tick();
    assert_eq!(told(&misses), [(20, 50)]);
}

#[test]
fn many_are_told_by_deadline_each_as_soon_as_it_is_late() {
    for policy in POLICIES {
        let (mut scheduler, _clock, _hog) = hogged(Config { policy, ..Config::default() });
        let misses = log_misses(&mut scheduler);
        for deadline in [25, 9, 55, 10, 12, 10_000] {
            let task = Task::new(|| (), ns(0)).with_deadline_at(Soft, at(deadline));
            scheduler.schedule(task.with_priority(Priority::Low)).unwrap();
        }
        scheduler.tick();
        let expected = [(9, 10), (10, 20), (12, 20), (25, 30), (55, 60)];
        // Under these, absolute deadlines are keys, and the hog is not preferred to the first ones.
        if !matches!(policy, Policy::EarliestDeadlineFirst | Policy::LeastLaxity) {
            assert_eq!(told(&misses), expected, "{policy:?}");
        }
        assert_eq!(scheduler.inversions(), Some(0));
    }
}

#[test]
fn what_a_firm_one_shot_owns_is_dropped_when_it_is_told() {
    for policy in POLICIES {
        let (mut scheduler, _clock, _hog) = hogged(Config { policy, ..Config::default() });
        let (drops, log) = (Drops::default(), Log::default());
        let token = drops.token();
        let first = starved(Task::new(move || token.touch(), ns(0)), Firm);
        let first = scheduler.schedule(first).unwrap();
        let after = log.task("after", ns(0)).after(&[first]);
        let after = scheduler.schedule(after.with_priority(Priority::Low)).unwrap();
        scheduler.tick();
        assert_eq!((drops.count(), scheduler.is_pending(after)), (1, false), "{policy:?}");
    }
}

/// Each period has its own miss, though none of them has its turn.
#[test]
fn a_firm_periodic_task_goes_on_and_each_of_its_jobs_is_told() {
    for policy in POLICIES {
        for (missed_tick, deadlines) in [
            (MissedTick::Burst, [(25, 30), (65, 70), (105, 110), (145, 150)]),
            (MissedTick::Skip, [(25, 30), (65, 70), (105, 110), (145, 150)]),
            (MissedTick::Delay, [(25, 30), (95, 100), (165, 170), (235, 240)]),
        ] {
            let (mut scheduler, _clock, hog) = hogged(Config { policy, ..Config::default() });
            let misses = log_misses(&mut scheduler);
            let log = Log::default();
            let task = starved(periodic(&log, 40), Firm).with_missed_tick(missed_tick);
            let id = scheduler.schedule(task).unwrap();
            let mut seen = Vec::new();
            for _ in 0..10 {
                scheduler.tick();
                seen.extend(told(&misses));
            }
            assert_eq!(seen[..4], deadlines, "{policy:?} {missed_tick:?}");
            assert_eq!(scheduler.metrics().skipped as usize, seen.len());
            scheduler.cancel(hog).unwrap();
            // The job after the last that was skipped is the only one there is.
            scheduler.run_for(ns(200));
            assert!(log.take().is_sorted_by(|one, next| next - one == 40), "{policy:?}");
            assert_eq!((scheduler.len(), scheduler.is_pending(id)), (1, true));
            assert_eq!(scheduler.inversions(), Some(0));
        }
    }
}

/// The entries of skipped jobs are in the middle of run, late heap, leaves and ready jobs.
#[test]
fn skipped_jobs_leave_no_trace_in_the_queue() {
    for policy in POLICIES {
        let (mut scheduler, _clock, hog) = hogged(Config { policy, ..Config::default() });
        let log = Log::default();
        let mut ids = Vec::new();
        for n in 0..300 {
            let log2 = log.clone();
            let task = Task::periodic(move |_| log2.push(n), ns(1_000 + n % 7));
            let task = task.with_delay(ns(common::scatter(n, 1_000))).with_priority(Priority::Low);
            ids.push(scheduler.schedule(task.with_firm_deadline(ns(5))).unwrap());
        }
        for _ in 0..2_000 {
            scheduler.tick();
        }
        assert!(scheduler.metrics().skipped > 3_000);
        for id in ids.iter().step_by(2) {
            scheduler.cancel(*id).unwrap();
        }
        scheduler.cancel(hog).unwrap();
        scheduler.run_for(ns(100));
        log.take();
        // None is late any more: each has a job in a period.
        scheduler.run_for(ns(1_006));
        let mut ran = log.take();
        ran.sort_unstable();
        ran.dedup();
        assert!(ran.iter().copied().eq((1..300).step_by(2)), "{policy:?}: {ran:?}");
        assert_eq!((scheduler.len(), scheduler.inversions()), (150, Some(0)), "{policy:?}");
    }
}

#[test]
fn a_sporadic_task_can_be_triggered_anew_when_its_job_was_skipped() {
    for policy in POLICIES {
        let (mut scheduler, clock, hog) = hogged(Config { policy, ..Config::default() });
        let log = Log::default();
        let log2 = log.clone();
        let task = Task::sporadic(move |cx| log2.push(cx.release()), ns(100));
        let id = scheduler.schedule(starved(task, Firm)).unwrap();
        scheduler.trigger(id).unwrap();
        assert_eq!(scheduler.tick().skipped, 1);
        assert_eq!(scheduler.trigger(id), Ok(at(100)), "{policy:?}");
        assert_eq!(scheduler.trigger(id), Ok(at(100)), "it counts as the same one");
        scheduler.cancel(hog).unwrap();
        assert_eq!(scheduler.next_release(), Some(at(100)), "{policy:?}");
        clock.set(at(100));
        scheduler.tick();
        assert_eq!(log.take(), [at(100)]);
        assert_eq!(scheduler.next_release(), None);
    }
}

#[test]
fn the_emergency_follows_at_once() {
    for policy in POLICIES {
        for emergency in [Emergency::SkipTask, Emergency::SafeMode, Emergency::Stop] {
            let (mut scheduler, _clock, _hog) =
                hogged(Config { policy, emergency, ..Config::default() });
            let misses = log_misses(&mut scheduler);
            let log = Log::default();
            let id = scheduler.schedule(starved(periodic(&log, 1_000), Hard)).unwrap();
            let report = scheduler.tick();
            let case = format!("{policy:?} {emergency:?}");
            let (executed, skipped) = match emergency {
                Emergency::Stop => (3, 1),
                Emergency::SkipTask => (LIMIT - 1, 1),
                _ => (LIMIT, 0),
            };
            assert_eq!((report.executed, report.skipped), (executed, skipped), "{case}");
            assert_eq!(told(&misses), [(25, 30)], "{case}");
            assert_eq!(scheduler.is_in_safe_mode(), emergency == Emergency::SafeMode, "{case}");
            assert_eq!(scheduler.is_pending(id), emergency != Emergency::SafeMode, "{case}");
            assert!(log.take().is_empty() && scheduler.inversions() == Some(0), "{case}");
        }
    }
}

/// Between two ticks, and by the job that goes before it.
#[test]
fn one_that_is_told_and_then_cancelled_has_missed_its_deadline() {
    let (mut scheduler, _clock, _hog) = hogged(Config { trace_capacity: 64, ..Config::default() });
    let misses = log_misses(&mut scheduler);
    let id = scheduler.schedule(starved(Task::new(|| (), ns(0)), Soft)).unwrap();
    scheduler.tick();
    scheduler.cancel(id).unwrap();
    scheduler.tick();
    assert_eq!(told(&misses), [(25, 30)]);
    assert_eq!((scheduler.metrics().missed_deadlines, scheduler.metrics().cancelled), (1, 1));
    let events = scheduler.trace().unwrap().events().filter(|event| event.task == id);
    let kinds: Vec<_> = events.map(|event| event.kind).collect();
    assert_eq!(kinds, [TraceKind::Miss, TraceKind::Cancel]);
}

#[test]
fn those_that_are_skipped_count_towards_the_bound_of_a_tick() {
    let (mut scheduler, clock, _hog) = hogged(Config::default());
    let misses = log_misses(&mut scheduler);
    for _ in 0..20 {
        scheduler.schedule(starved(Task::new(|| (), ns(0)), Firm)).unwrap();
    }
    clock.set(at(30));
    let reports = [(); 3].map(|()| scheduler.tick());
    assert_eq!(reports.map(|report| report.skipped), [LIMIT, LIMIT, 4]);
    assert_eq!(reports.map(|report| report.executed), [0, 0, 4]);
    assert!(told(&misses).iter().all(|miss| *miss == (25, 30)));
}

#[cfg(feature = "std")]
#[test]
fn the_job_that_goes_before_it_panics_under_its_own_name() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_panic(move |panic| log2.push((panic.id, panic.name)));
    let fails = Task::new(|| common::timed::fail("of a job"), ns(0));
    let fails = scheduler.schedule(fails.with_priority(Priority::High)).unwrap();
    let late = Task::new(|| (), ns(0)).with_name("late");
    scheduler.schedule(starved(late, Soft)).unwrap();
    clock.set(at(30));
    let report = scheduler.tick();
    assert_eq!((report.missed_deadlines, report.panicked), (1, 1));
    assert_eq!(log.take(), [(fails, None)]);
}

#[cfg(feature = "std")]
#[test]
fn a_handler_that_panics_ends_the_tick_and_what_it_was_not_told_comes_with_the_next() {
    use common::timed::{caught, fail};
    for kind in [Soft, Firm] {
        let (mut scheduler, clock, _hog) = hogged(Config::default());
        let log = Log::default();
        let log2 = log.clone();
        scheduler.on_deadline_miss(move |miss| {
            log2.push(miss.task());
            fail("of the handler");
        });
        let task = || starved(Task::new(|| (), ns(0)), kind);
        let ids = [(); 3].map(|()| scheduler.schedule(task()).unwrap());
        clock.set(at(30));
        for id in ids {
            assert_eq!(caught(|| scheduler.tick()), Err("of the handler"), "{kind:?}");
            assert_eq!(log.take(), [id], "{kind:?}");
        }
        assert_eq!(scheduler.tick().executed, LIMIT);
        assert_eq!(scheduler.metrics().missed_deadlines, 3);
    }
}

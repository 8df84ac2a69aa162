//! The trace of a schedule: which events, of whom, when, and in what order.

mod common;

use common::timed::{take_in_turn, takes};
use common::{at, manual, ns, scatter};
use nanosecond_scheduler::{
    Config, ConfigError, ManualClock, Policy, Priority, Scheduler, Task, TaskId, TimePoint, Trace,
    TraceEvent, TraceKind,
};

use TraceKind::{Cancel, Finish, Miss, Release, Skip, Start};

fn traced(capacity: usize) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { trace_capacity: capacity, ..Config::default() })
}

/// Kind, instant and name of each event.
fn events(scheduler: &Scheduler<ManualClock>) -> Vec<(TraceKind, u64, &'static str)> {
    let trace = scheduler.trace().expect("it is on");
    trace.events().map(|e| (e.kind, e.at.as_nanos(), e.name.unwrap_or("-"))).collect()
}

#[test]
fn it_is_off_by_default_and_its_capacity_is_bounded() {
    let (scheduler, _clock) = manual(Config::default());
    assert!(scheduler.trace().is_none());
    let value = Trace::MAX_CAPACITY + 1;
    let config = Config { trace_capacity: value, ..Config::default() };
    let error = Scheduler::with_clock(config, ManualClock::new()).map(|_| ()).unwrap_err();
    let (field, least, most) = ("trace_capacity", 1, Trace::MAX_CAPACITY);
    assert_eq!(error, ConfigError::OutOfRange { field, value, least, most });
    assert_eq!(traced(7).0.trace().unwrap().capacity(), 7);
    assert!(Trace::new(0).is_err());
}

#[test]
fn a_scripted_run_leaves_exactly_these_events() {
    let (mut scheduler, clock) = traced(100);
    let body = take_in_turn(&clock, [3, 12]);
    let control = Task::periodic(body, ns(10)).with_name("control").with_deadline(ns(5));
    let control = scheduler.schedule(control).unwrap();
    let plain = scheduler.schedule(Task::new(takes(&clock, 4), ns(11))).unwrap();
    let firm = Task::new(takes(&clock, 4), ns(21)).with_name("firm").with_firm_deadline(ns(5));
    scheduler.schedule(firm).unwrap();
    let after = Task::new(takes(&clock, 1), ns(0)).with_name("after").after(&[control]);
    scheduler.schedule(after).unwrap();
    let never = scheduler.schedule(Task::new(|| (), ns(500)).with_name("never")).unwrap();
    clock.set(at(10));
    scheduler.tick();
    clock.set(at(20));
    scheduler.tick();
    scheduler.cancel(never).unwrap();
    clock.set(at(33));
    scheduler.cancel(control).unwrap();
    let expected = [
        (Release, 10, "control"),
        (Start, 10, "control"),
        (Finish, 13, "control"),
        // Released by then, and before "after".
        (Release, 11, "-"),
        (Start, 13, "-"),
        (Finish, 17, "-"),
        (Release, 13, "after"),
        (Start, 17, "after"),
        (Finish, 18, "after"),
        (Release, 20, "control"),
        (Start, 20, "control"),
        (Miss, 32, "control"),
        (Finish, 32, "control"),
        (Miss, 32, "firm"),
        (Release, 21, "firm"),
        (Skip, 32, "firm"),
        // Released while the one before held the loop, and in time.
        (Release, 30, "control"),
        (Start, 32, "control"),
        (Finish, 32, "control"),
        // A cancel reads no clock.
        (Cancel, 32, "never"),
        (Cancel, 32, "control"),
    ];
    assert_eq!(events(&scheduler), expected);
    let trace = scheduler.trace().unwrap();
    assert_eq!((trace.len(), trace.lost(), trace.is_empty()), (21, 0, false));
    let of_plain = trace.events().filter(|event| event.task == plain).count();
    assert_eq!(of_plain, 3, "an unnamed task is told apart by its id");
}

#[test]
fn without_deadlines_the_order_of_events_is_that_in_which_they_were_noticed() {
    let (mut scheduler, clock) = traced(100);
    for (name, priority, time) in [("low", Priority::Low, 5), ("high", Priority::High, 7)] {
        let task = Task::new(takes(&clock, time), ns(1)).with_name(name).with_priority(priority);
        scheduler.schedule(task).unwrap();
    }
    clock.set(at(4));
    scheduler.tick();
    let expected = [
        (Release, 1, "high"),
        (Start, 4, "high"),
        (Finish, 11, "high"),
        (Release, 1, "low"),
        (Start, 11, "low"),
        (Finish, 16, "low"),
    ];
    assert_eq!(events(&scheduler), expected);
}

#[test]
fn a_late_job_is_told_to_miss_before_it_starts_and_one_that_becomes_late_as_it_finishes() {
    let (mut scheduler, clock) = traced(100);
    let task = |name, time, deadline| {
        Task::new(takes(&clock, time), ns(0)).with_name(name).with_deadline(ns(deadline))
    };
    scheduler.schedule(task("becomes late", 9, 8)).unwrap();
    scheduler.schedule(task("is late", 1, 8)).unwrap();
    scheduler.tick();
    let order: Vec<_> = events(&scheduler)
        .into_iter()
        .filter(|(kind, ..)| *kind != Release)
        .map(|(kind, at, name)| (name, kind, at))
        .collect();
    let expected = [
        ("becomes late", Start, 0),
        ("becomes late", Miss, 9),
        ("becomes late", Finish, 9),
        ("is late", Miss, 9),
        ("is late", Start, 9),
        ("is late", Finish, 10),
    ];
    assert_eq!(order, expected);
}

#[cfg(feature = "std")]
#[test]
fn a_panic_takes_the_place_of_the_finish_and_a_cascade_of_cancels_is_told_whole() {
    let (mut scheduler, clock) = traced(100);
    common::timed::log_panics(&mut scheduler);
    let clock2 = clock.clone();
    let body = move || {
        clock2.advance(ns(6));
        common::timed::fail("boom");
    };
    let bad = scheduler.schedule(Task::new(body, ns(0)).with_name("bad")).unwrap();
    let next = Task::new(|| (), ns(0)).with_name("next").after(&[bad]);
    let next = scheduler.schedule(next).unwrap();
    let last = Task::new(|| (), ns(0)).with_name("last").after(&[next]);
    scheduler.schedule(last).unwrap();
    scheduler.tick();
    let kinds: Vec<_> =
        events(&scheduler).into_iter().map(|(kind, _, name)| (kind, name)).collect();
    let expected = [
        (Release, "bad"),
        (Start, "bad"),
        (TraceKind::Panic, "bad"),
        (Cancel, "next"),
        (Cancel, "last"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(events(&scheduler)[2].1, 6);
}

#[test]
fn the_ring_keeps_the_latest_and_counts_what_it_lost() {
    for capacity in [1, 2, 3, 7, 64, 1_000] {
        let mut trace = Trace::new(capacity).unwrap();
        let event = |n| TraceEvent {
            at: at(n),
            task: TaskId::from_bits(n),
            name: None,
            kind: if n % 2 == 0 { Start } else { Finish },
        };
        for pushed in 1..=300 {
            trace.push(event(pushed));
            let kept = (capacity as u64).min(pushed);
            assert!(trace.events().copied().eq((pushed - kept + 1..=pushed).map(event)));
            assert_eq!((trace.len() as u64, trace.lost()), (kept, pushed - kept));
        }
        trace.clear();
        assert_eq!((trace.len(), trace.lost(), trace.is_empty()), (0, 0, true));
        trace.push(event(1));
        assert_eq!(trace.events().count(), 1);
    }
}

#[test]
fn a_schedulers_ring_wraps_as_well() {
    let (mut scheduler, _clock) = traced(4);
    for name in ["a", "b", "c"] {
        scheduler.schedule(Task::new(|| (), ns(0)).with_name(name)).unwrap();
    }
    scheduler.tick();
    let expected = [(Finish, 0, "b"), (Release, 0, "c"), (Start, 0, "c"), (Finish, 0, "c")];
    assert_eq!(events(&scheduler), expected);
    assert_eq!(scheduler.trace().unwrap().lost(), 5);
}

/// Each job: released, started, finished, or skipped; nothing twice, nothing that was not.
#[test]
fn of_a_random_run_every_job_is_there_once_and_times_never_go_back() {
    for policy in [Policy::Priority, Policy::EarliestDeadlineFirst] {
        let config = Config { trace_capacity: 1 << 16, policy, ..Config::default() };
        let (mut scheduler, clock) = manual(config);
        for n in 0..500 {
            let (delay, time) = (ns(scatter(n, 10_000)), scatter(n + 1_000, 40));
            let task = Task::new(takes(&clock, time), delay);
            let task = match n % 4 {
                0 => task,
                1 => task.with_deadline(ns(100)),
                2 => task.with_firm_deadline(ns(100)),
                _ => task.with_hard_deadline(ns(100)),
            };
            let id = scheduler.schedule(task.with_priority(Priority::ALL[n as usize % 3])).unwrap();
            if n % 10 == 9 {
                scheduler.cancel(id).unwrap();
            }
        }
        scheduler.run();
        let trace = scheduler.trace().unwrap();
        let count = |kind| trace.events().filter(|event| event.kind == kind).count() as u64;
        let metrics = scheduler.metrics();
        assert!(metrics.skipped > 0 && metrics.missed_deadlines > metrics.skipped);
        assert_eq!((count(Start), count(Finish)), (metrics.executed, metrics.executed));
        assert_eq!(count(Release), metrics.executed + metrics.skipped);
        assert_eq!((count(Skip), count(Cancel)), (metrics.skipped, metrics.cancelled));
        assert_eq!(count(Miss), metrics.missed_deadlines);
        let noticed = trace.events().filter(|event| event.kind != Release).map(|event| event.at);
        assert!(noticed.is_sorted(), "{policy:?}");
        let mut running: Option<TaskId> = None;
        let mut released: Option<(TaskId, TimePoint)> = None;
        for event in trace.events() {
            match event.kind {
                Release => released = Some((event.task, event.at)),
                Start => {
                    assert_eq!(running.replace(event.task), None, "one after the other");
                    let (task, release) = released.take().expect("it was released");
                    assert!(task == event.task && release <= event.at);
                }
                Finish => assert_eq!(running.take(), Some(event.task)),
                _ => (),
            }
        }
    }
}

#[test]
fn two_runs_of_a_program_leave_the_same_trace() {
    let run = || {
        let (mut scheduler, clock) = traced(256);
        for n in 0..200 {
            let task = Task::new(takes(&clock, scatter(n, 9)), ns(scatter(n, 500)));
            scheduler.schedule(task.with_deadline(ns(50))).unwrap();
        }
        scheduler.run();
        scheduler.trace().unwrap().to_chrome_json()
    };
    assert_eq!(run(), run());
}

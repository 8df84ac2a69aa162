//! Hazard: a panic that takes other tasks with it.
#![cfg(feature = "std")]

mod common;

use std::any::Any;
use std::panic::{catch_unwind, panic_any, resume_unwind, AssertUnwindSafe};

use common::{at, manual, ns, CountingClock, Drops, Log};
use nanosecond_scheduler::{Clock, Config, Context, MetricsLevel, Scheduler, Task, TickReport};

/// The report of a tick, or what it panicked with.
fn tick(scheduler: &mut Scheduler<impl Clock>) -> Result<TickReport, String> {
    catch_unwind(AssertUnwindSafe(|| scheduler.tick())).map_err(text)
}

fn text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<&str>() {
        Ok(text) => text.to_string(),
        Err(other) => *other.downcast::<String>().expect("a payload of these tests"),
    }
}

/// Panics without a message on the terminal.
fn fail(reason: &'static str) {
    resume_unwind(Box::new(reason));
}

/// Records every panic that the handler is told of: name and reason.
fn handle_panics(scheduler: &mut Scheduler<impl Clock>) -> Log<(Option<&'static str>, String)> {
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_panic(move |panic| log2.push((panic.name, text(panic.payload))));
    log
}

#[test]
fn behaviour_08_without_a_handler_tick_raises_the_panic_and_keeps_the_rest() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    scheduler.schedule(log.task("before", ns(0))).unwrap();
    scheduler.schedule(Task::new(|| panic_any("boom"), ns(0))).unwrap();
    scheduler.schedule(log.task("after", ns(0))).unwrap();
    scheduler.schedule(log.task("later", ns(50))).unwrap();
    assert_eq!(tick(&mut scheduler), Err("boom".to_owned()));
    assert_eq!(log.take(), ["before"]);
    assert_eq!(scheduler.len(), 2);
    assert_eq!(scheduler.next_release(), Some(at(0)));
    let metrics = scheduler.metrics();
    assert_eq!((metrics.executed, metrics.panicked), (2, 1));

    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked, report.next_release), (1, 0, Some(at(50))));
    assert_eq!(log.take(), ["after"]);
}

#[test]
fn behaviour_08_with_a_handler_the_tick_goes_on() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let panics = Log::default();
    let panics2 = panics.clone();
    scheduler.on_panic(move |panic| panics2.push((panic.id, panic.name, text(panic.payload))));
    scheduler.schedule(log.task(1, ns(0)).with_name("good")).unwrap();
    let bad = Task::new(|| panic_any("boom"), ns(0)).with_name("bad");
    let bad = scheduler.schedule(bad).unwrap();
    scheduler.schedule(log.task(2, ns(0))).unwrap();
    let worse = scheduler.schedule(Task::new(|| panic!("boom {}", 2), ns(0))).unwrap();
    scheduler.schedule(log.task(3, ns(0))).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked, report.more_due), (5, 2, false));
    assert_eq!(log.take(), [1, 2, 3]);
    let expected = [(bad, Some("bad"), "boom".to_owned()), (worse, None, "boom 2".to_owned())];
    assert_eq!(panics.take(), expected, "a name does not stick to the next task");
    assert!(scheduler.is_empty());
    assert_eq!(scheduler.metrics().panicked, 2);
}

/// Every third of 300 tasks panics; the others all run, once and in order.
fn run_with_panics(handled: bool, limit: usize) {
    let (mut scheduler, _clock) = manual(Config { max_tasks_per_tick: limit, ..Config::default() });
    let log = Log::default();
    let panics = handled.then(|| handle_panics(&mut scheduler));
    for n in 0..300u32 {
        let log = log.clone();
        let body = move || if n % 3 == 1 { fail("third") } else { log.push(n) };
        scheduler.schedule(Task::new(body, ns(0))).unwrap();
    }
    let mut raised = 0;
    while scheduler.next_release().is_some() {
        raised += u32::from(tick(&mut scheduler).is_err());
    }
    assert!(log.take().into_iter().eq((0..300).filter(|n| n % 3 != 1)));
    assert_eq!(raised, if handled { 0 } else { 100 });
    assert_eq!(panics.map_or(100, |panics| panics.take().len()), 100);
    let metrics = scheduler.metrics();
    assert_eq!((metrics.executed, metrics.panicked), (300, 100));
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_08_no_task_is_lost_to_the_panics_of_others() {
    for limit in [1, 7, 1_000] {
        run_with_panics(true, limit);
        run_with_panics(false, limit);
    }
}

#[test]
fn behaviour_08_a_panic_counts_towards_the_limit_of_a_tick() {
    let (mut scheduler, _clock) = manual(Config { max_tasks_per_tick: 3, ..Config::default() });
    let panics = handle_panics(&mut scheduler);
    for _ in 0..5 {
        scheduler.schedule(Task::new(|| fail("each"), ns(0))).unwrap();
    }
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked, report.more_due), (3, 3, true));
    assert_eq!(panics.take().len(), 3);
}

#[test]
fn behaviour_08_a_repeating_task_ends_with_its_panic() {
    let (mut scheduler, clock) = manual(Config { capacity: 2, ..Config::default() });
    let panics = handle_panics(&mut scheduler);
    let drops = Drops::default();
    let token = drops.token();
    let mut jobs = 0;
    let periodic = move |_: &mut Context<'_>| {
        token.touch();
        jobs += 1;
        if jobs == 3 {
            fail("third job");
        }
    };
    let periodic = Task::periodic(periodic, ns(10)).with_name("periodic");
    let periodic = scheduler.schedule(periodic).unwrap();
    let token = drops.token();
    let sporadic = move |cx: &mut Context<'_>| {
        token.touch();
        cx.trigger(cx.id()).unwrap();
        fail("with a job queued");
    };
    let sporadic = scheduler.schedule(Task::sporadic(sporadic, ns(1 << 40))).unwrap();
    scheduler.trigger(sporadic).unwrap();
    clock.set(at(100));
    assert_eq!(scheduler.tick().executed, 4);
    assert!(!scheduler.is_pending(periodic) && !scheduler.is_pending(sporadic));
    assert_eq!(drops.count(), 2);
    assert_eq!(scheduler.next_release(), None);
    let expected = [(None, "with a job queued".into()), (Some("periodic"), "third job".into())];
    assert_eq!(panics.take(), expected);
    // Their room is free again.
    for _ in 0..2 {
        scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    }
    assert_eq!(scheduler.tick().executed, 2);
}

#[test]
fn behaviour_08_what_a_task_did_before_its_panic_stays_done() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let victim = scheduler.schedule(log.task("victim", ns(5))).unwrap();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| {
        cx.cancel(victim).unwrap();
        cx.schedule(log2.task("child", ns(0))).unwrap();
        fail("after all that");
    };
    scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
    assert!(tick(&mut scheduler).is_err());
    assert_eq!(scheduler.len(), 1);
    scheduler.tick();
    assert_eq!(log.take(), ["child"]);
}

/// Only while a deadline is pending does a tick read the clock between jobs.
#[test]
fn behaviour_08_a_panicking_task_takes_its_deadline_along() {
    let clock = CountingClock::default();
    let config = Config { metrics: MetricsLevel::Off, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
    let panics = handle_panics(&mut scheduler);
    for task in [
        Task::new(|| fail("once"), ns(0)),
        Task::periodic(|_| fail("periodic"), ns(5)).with_delay(ns(0)),
    ] {
        scheduler.schedule(task.with_deadline(ns(0))).unwrap();
    }
    scheduler.tick();
    assert_eq!(panics.take().len(), 2);
    for _ in 0..9 {
        scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    }
    clock.reads();
    assert_eq!(scheduler.tick().executed, 9);
    assert_eq!(clock.reads(), 1);
}

#[test]
fn behaviour_08_a_panic_in_the_panic_handler_is_raised_and_loses_no_task() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    scheduler.on_panic(|_| fail("handler"));
    scheduler.schedule(log.task("before", ns(0))).unwrap();
    scheduler.schedule(Task::new(|| fail("task"), ns(0))).unwrap();
    scheduler.schedule(log.task("after", ns(0))).unwrap();
    scheduler.schedule(log.task("later", ns(70))).unwrap();
    assert_eq!(tick(&mut scheduler), Err("handler".to_owned()));
    assert_eq!(scheduler.len(), 2);
    assert_eq!(scheduler.next_release(), Some(at(0)));
    let metrics = scheduler.metrics();
    assert_eq!((metrics.executed, metrics.panicked), (2, 1), "the tick is still accounted for");
    scheduler.tick();
    assert_eq!(log.take(), ["before", "after"]);
    assert_eq!(scheduler.next_release(), Some(at(70)));
}

#[test]
fn behaviour_01_next_release_is_exact_after_a_panic_in_the_panic_handler() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.on_panic(|_| fail("handler"));
    scheduler.schedule(Task::new(|| fail("task"), ns(10))).unwrap();
    scheduler.schedule(Task::new(|| (), ns(70))).unwrap();
    clock.set(at(10));
    assert!(tick(&mut scheduler).is_err());
    assert_eq!(scheduler.next_release(), Some(at(70)));
}

#[test]
fn behaviour_08_a_panic_in_the_deadline_handler_is_one_of_its_task() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let panics = handle_panics(&mut scheduler);
    scheduler.on_deadline_miss(|_| fail("handler"));
    scheduler.schedule(Task::new(|| (), ns(0)).with_deadline(ns(5))).unwrap();
    scheduler.schedule(log.task("after", ns(0))).unwrap();
    clock.set(at(10));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked, report.missed_deadlines), (2, 1, 1));
    assert_eq!(panics.take(), [(None, "handler".to_owned())]);
    assert_eq!(log.take(), ["after"]);
}

/// Panics when it is dropped, unless a panic is under way already.
struct Bomb(Log<&'static str>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.push("dropped");
        if !std::thread::panicking() {
            fail("in drop");
        }
    }
}

#[test]
fn behaviour_08_a_panic_when_a_job_drops_its_captures_is_the_jobs() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let panics = handle_panics(&mut scheduler);
    let bomb = Bomb(log.clone());
    scheduler.schedule(Task::new(move || drop(bomb), ns(0)).with_name("once")).unwrap();
    let bomb = Bomb(log.clone());
    let ends = move |cx: &mut Context<'_>| {
        bomb.0.push("runs");
        cx.cancel(cx.id()).unwrap();
    };
    scheduler.schedule(Task::periodic(ends, ns(5)).with_name("periodic")).unwrap();
    scheduler.schedule(log.task("other", ns(5))).unwrap();
    clock.set(at(5));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked), (3, 2));
    assert_eq!(log.take(), ["dropped", "runs", "dropped", "other"]);
    let reason = || "in drop".to_owned();
    assert_eq!(panics.take(), [(Some("once"), reason()), (Some("periodic"), reason())]);
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_08_a_panic_when_cancel_drops_a_closure_reaches_the_caller() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let bomb = Bomb(log.clone());
    let body = move || drop(bomb);
    let id = scheduler.schedule(Task::new(body, ns(0)).with_deadline(ns(1))).unwrap();
    scheduler.schedule(log.task("other", ns(0))).unwrap();
    let cancel = catch_unwind(AssertUnwindSafe(|| scheduler.cancel(id)));
    assert_eq!(cancel.map_err(text), Err("in drop".to_owned()));
    assert!(!scheduler.is_pending(id));
    assert_eq!((scheduler.len(), scheduler.metrics().cancelled), (1, 1));
    assert_eq!(scheduler.tick().executed, 1);
    assert_eq!(log.take(), ["dropped", "other"]);
}

#[test]
fn behaviour_08_run_raises_a_panic_and_can_be_called_again() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    scheduler.schedule(log.task(10, ns(10))).unwrap();
    scheduler.schedule(Task::new(|| fail("boom"), ns(20))).unwrap();
    scheduler.schedule(log.task(30, ns(30))).unwrap();
    let run = catch_unwind(AssertUnwindSafe(|| scheduler.run()));
    assert_eq!(run.map_err(text), Err("boom".to_owned()));
    assert_eq!(clock.now(), at(20));
    scheduler.run();
    assert_eq!(log.take(), [10, 30]);
}

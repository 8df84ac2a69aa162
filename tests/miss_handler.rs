//! Hazard: the user's handler of missed deadlines, which may panic, and must not reach the scheduler
//! that calls it.
#![cfg(feature = "std")]

mod common;

use std::cell::RefCell;
use std::rc::Rc;

use common::timed::{caught, fail, log_panics, take_in_turn, takes};
use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, ManualClock, Scheduler, SendTask, Task};

/// A scheduler whose handler of misses panics.
fn with_failing_handler() -> (Scheduler<ManualClock>, ManualClock) {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.on_deadline_miss(|_| fail("of the handler"));
    (scheduler, clock)
}

#[test]
fn the_job_it_was_told_of_goes_on_and_the_tick_ends_with_its_panic() {
    let (mut scheduler, clock) = with_failing_handler();
    let log = Log::default();
    scheduler.schedule(log.task("late", ns(0)).with_deadline(ns(0))).unwrap();
    scheduler.schedule(log.task("next", ns(0))).unwrap();
    clock.set(at(1));
    assert_eq!(caught(|| scheduler.tick()), Err("of the handler"));
    assert_eq!(log.take(), ["late"]);
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked), (1, 0));
    assert_eq!(log.take(), ["next"]);
    let metrics = scheduler.metrics();
    assert_eq!((metrics.executed, metrics.panicked, metrics.missed_deadlines), (2, 1, 1));
}

#[test]
fn with_a_handler_of_panics_the_tick_goes_on() {
    let (mut scheduler, clock) = with_failing_handler();
    let panics = log_panics(&mut scheduler);
    let log = Log::default();
    scheduler.schedule(Task::new(takes(&clock, 5), ns(0)).with_deadline(ns(4))).unwrap();
    scheduler.schedule(log.task("skipped", ns(0)).with_firm_deadline(ns(4))).unwrap();
    scheduler.schedule(log.task("late", ns(0)).with_deadline(ns(4))).unwrap();
    scheduler.schedule(log.task("next", ns(0))).unwrap();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.skipped), (3, 1));
    assert_eq!((report.panicked, report.missed_deadlines), (3, 3));
    assert_eq!(log.take(), ["late", "next"]);
    assert_eq!(panics.take(), ["of the handler"; 3]);
}

#[test]
fn a_repeating_task_that_was_late_does_not_end() {
    for handled in [false, true] {
        let (mut scheduler, clock) = with_failing_handler();
        if handled {
            log_panics(&mut scheduler);
        }
        let task = Task::periodic(take_in_turn(&clock, [9, 0]), ns(10)).with_deadline(ns(5));
        let id = scheduler.schedule(task).unwrap();
        clock.set(at(10));
        assert_eq!(caught(|| scheduler.tick()).is_ok(), handled);
        assert!(scheduler.is_pending(id));
        clock.set(at(20));
        assert_eq!(scheduler.tick().executed, 1);
    }
}

#[test]
fn those_that_wait_for_the_late_job_are_released() {
    let (mut scheduler, clock) = with_failing_handler();
    let log = Log::default();
    let late = Task::new(takes(&clock, 5), ns(0)).with_deadline(ns(4));
    let late = scheduler.schedule(late).unwrap();
    scheduler.schedule(log.task("after", ns(0)).after(&[late])).unwrap();
    assert_eq!(caught(|| scheduler.tick()), Err("of the handler"));
    scheduler.tick();
    assert_eq!(log.take(), ["after"]);
}

/// One panic can be raised. The other must not turn up in a later tick, which it has nothing to do with.
#[test]
fn if_the_job_panics_too_one_of_the_panics_is_raised_and_the_next_tick_is_its_own() {
    let (mut scheduler, clock) = with_failing_handler();
    let log = Log::default();
    scheduler.schedule(Task::new(|| fail("of the job"), ns(0)).with_deadline(ns(0))).unwrap();
    scheduler.schedule(log.task("next", ns(0))).unwrap();
    clock.set(at(1));
    assert!(caught(|| scheduler.tick()).is_err());
    assert_eq!(scheduler.metrics().panicked, 2);
    assert_eq!(caught(|| scheduler.tick().executed), Ok(1));
    assert_eq!(log.take(), ["next"]);
}

/// Its type allows no reference to the scheduler, and what is shared is borrowed while a tick runs.
#[test]
fn it_cannot_borrow_the_scheduler_that_calls_it() {
    let (scheduler, clock) = manual(Config::default());
    let scheduler = Rc::new(RefCell::new(scheduler));
    let log = Log::default();
    let (log2, shared) = (log.clone(), Rc::downgrade(&scheduler));
    scheduler.borrow_mut().on_deadline_miss(move |_| {
        let scheduler = shared.upgrade().expect("it is ticking");
        log2.push(scheduler.try_borrow_mut().is_err());
    });
    let task = Task::new(takes(&clock, 1), ns(0)).with_deadline(ns(0));
    scheduler.borrow_mut().schedule(task).unwrap();
    scheduler.borrow_mut().tick();
    assert_eq!(log.take(), [true]);
}

#[test]
fn it_reaches_the_scheduler_through_a_remote_by_the_next_tick() {
    let (mut scheduler, clock) = manual(Config::default());
    let remote = scheduler.remote();
    scheduler.on_deadline_miss(move |_| {
        remote.schedule(SendTask::new(|| (), ns(0))).unwrap();
    });
    scheduler.schedule(Task::new(takes(&clock, 1), ns(0)).with_deadline(ns(0))).unwrap();
    assert_eq!([scheduler.tick().executed, scheduler.tick().executed], [1, 1]);
}

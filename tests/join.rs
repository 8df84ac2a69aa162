//! Results: when they come, why they do not, and who is woken.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as PollContext, Poll, Wake, Waker};

use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::{Clock, Config, JoinHandle, Task, WaitError};

/// Counts how often it is woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alarm {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<T>(handle: &mut JoinHandle<T>, alarm: &Arc<Alarm>) -> Poll<Result<T, WaitError>> {
    let waker = Waker::from(Arc::clone(alarm));
    Pin::new(handle).poll(&mut PollContext::from_waker(&waker))
}

#[test]
fn a_result_can_be_taken_once() {
    let (mut scheduler, clock) = manual(Config::default());
    let mut handle = scheduler.schedule_with_result(|| "done".to_owned(), ns(5)).unwrap();
    assert!(scheduler.is_pending(handle.id()));
    scheduler.tick();
    assert!(!handle.is_finished());
    assert_eq!(handle.try_take(), None);
    clock.set(at(5));
    scheduler.tick();
    assert!(handle.is_finished());
    assert_eq!(handle.try_take(), Some(Ok("done".to_owned())));
    assert!(handle.is_finished());
    assert_eq!(handle.try_take(), Some(Err(WaitError::Taken)));
}

#[test]
fn waiting_runs_until_the_result_is_there_and_no_further() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    scheduler.schedule(log.task("before", ns(10))).unwrap();
    let mut handle = scheduler.schedule_with_result(|| 42, ns(20)).unwrap();
    scheduler.schedule(log.task("after", ns(30))).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Ok(42));
    assert_eq!((log.take(), clock.now()), (vec!["before"], at(20)));
    assert_eq!(scheduler.wait_for_completion(&mut handle), Err(WaitError::Taken));
    assert_eq!(clock.now(), at(20), "there was nothing to wait for");
}

#[test]
fn a_result_that_is_there_costs_no_tick() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let mut handle = scheduler.schedule_with_result(|| 1, ns(0)).unwrap();
    scheduler.tick();
    scheduler.schedule(log.task("due", ns(0))).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Ok(1));
    assert!(log.take().is_empty());
}

#[test]
fn a_cancelled_cleared_or_dropped_task_tells_so() {
    let (mut scheduler, _clock) = manual(Config::default());
    let mut handles: Vec<_> =
        (0..3).map(|n| scheduler.schedule_with_result(move || n, ns(9)).unwrap()).collect();
    scheduler.cancel(handles[0].id()).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handles[0]), Err(WaitError::Cancelled));
    assert_eq!(handles[1].try_take(), None);
    scheduler.clear();
    assert_eq!(handles[1].try_take(), Some(Err(WaitError::Cancelled)));
    let mut last = scheduler.schedule_with_result(|| (), ns(9)).unwrap();
    drop(scheduler);
    assert_eq!(last.try_take(), Some(Err(WaitError::Cancelled)));
    assert_eq!(last.try_take(), Some(Err(WaitError::Taken)));
}

#[cfg(feature = "std")]
#[test]
fn a_panicked_task_tells_so() {
    use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

    let (mut scheduler, _clock) = manual(Config::default());
    let fail = || -> u8 { resume_unwind(Box::new("boom")) };
    let mut handle = scheduler.schedule_with_result(fail, ns(0)).unwrap();
    let wait = catch_unwind(AssertUnwindSafe(|| scheduler.wait_for_completion(&mut handle)));
    assert!(wait.is_err(), "without a handler the wait raises it");
    assert_eq!(handle.try_take(), Some(Err(WaitError::Panicked)));

    scheduler.on_panic(drop);
    let mut handle = scheduler.schedule_with_result(fail, ns(0)).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Err(WaitError::Panicked));
}

#[test]
fn a_stop_or_an_empty_queue_ends_the_wait() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (mut other, _other_clock) = manual(Config::default());
    let mut foreign = other.schedule_with_result(|| (), ns(5)).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut foreign), Err(WaitError::Stopped));

    let mut handle = scheduler.schedule_with_result(|| 7, ns(50)).unwrap();
    scheduler.schedule(Task::with_context(|cx| cx.stop(), ns(20))).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Err(WaitError::Stopped));
    assert_eq!(handle.try_take(), None, "the task is still to come");
    assert_eq!(scheduler.wait_for_completion(&mut handle), Ok(7));
}

#[test]
fn a_stop_in_the_tick_that_brings_the_result_does_not_hide_it() {
    let (mut scheduler, _clock) = manual(Config::default());
    let mut handle = scheduler.schedule_with_result(|| 7, ns(50)).unwrap();
    scheduler.schedule(Task::with_context(|cx| cx.stop(), ns(50))).unwrap();
    assert_eq!(scheduler.wait_for_completion(&mut handle), Ok(7));
}

#[test]
fn the_last_poller_is_woken_once_when_the_result_comes() {
    let (mut scheduler, clock) = manual(Config::default());
    let mut handle = scheduler.schedule_with_result(|| 5, ns(10)).unwrap();
    let (early, late) = (Arc::new(Alarm::default()), Arc::new(Alarm::default()));
    assert_eq!(poll(&mut handle, &early), Poll::Pending);
    assert_eq!(poll(&mut handle, &late), Poll::Pending);
    scheduler.tick();
    assert_eq!(late.count(), 0);
    clock.set(at(10));
    scheduler.tick();
    assert_eq!((early.count(), late.count()), (0, 1));
    assert_eq!(poll(&mut handle, &late), Poll::Ready(Ok(5)));
    assert_eq!(poll(&mut handle, &late), Poll::Ready(Err(WaitError::Taken)));
    assert_eq!(Arc::strong_count(&late), 1, "no waker is kept");
}

#[test]
fn a_poller_is_woken_also_when_no_result_will_come() {
    let (mut scheduler, _clock) = manual(Config::default());
    let alarm = Arc::new(Alarm::default());
    let mut cancelled = scheduler.schedule_with_result(|| (), ns(10)).unwrap();
    let mut dropped = scheduler.schedule_with_result(|| (), ns(10)).unwrap();
    assert!(poll(&mut cancelled, &alarm).is_pending() && poll(&mut dropped, &alarm).is_pending());
    scheduler.cancel(cancelled.id()).unwrap();
    assert_eq!(alarm.count(), 1);
    drop(scheduler);
    assert_eq!(alarm.count(), 2);
    assert_eq!(poll(&mut cancelled, &alarm), Poll::Ready(Err(WaitError::Cancelled)));
    assert_eq!(poll(&mut dropped, &alarm), Poll::Ready(Err(WaitError::Cancelled)));
}

#[test]
fn a_dropped_handle_neither_cancels_the_task_nor_leaks_its_result() {
    let (mut scheduler, _clock) = manual(Config::default());
    let drops = Drops::default();
    let log = Log::default();
    let (token, log2) = (drops.token(), log.clone());
    let body = move || {
        log2.push("ran");
        token
    };
    drop(scheduler.schedule_with_result(body, ns(0)).unwrap());
    assert_eq!(scheduler.len(), 1);
    scheduler.tick();
    assert_eq!((log.take(), drops.count()), (vec!["ran"], 1));
}

#[test]
fn an_untaken_result_is_dropped_with_its_handle() {
    let (mut scheduler, _clock) = manual(Config::default());
    let drops = Drops::default();
    let token = drops.token();
    let handle = scheduler.schedule_with_result(move || token, ns(0)).unwrap();
    scheduler.tick();
    drop(scheduler);
    assert_eq!(drops.count(), 0);
    drop(handle);
    assert_eq!(drops.count(), 1);
}

#[test]
fn every_reason_has_its_text() {
    let texts = [
        (WaitError::Cancelled, "the task was cancelled before it ran"),
        (WaitError::Panicked, "the task panicked"),
        (WaitError::Taken, "the result was taken before"),
        (WaitError::Stopped, "the scheduler stopped, or has nothing left to run"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}

//! Hazard: requests of remotes that are lost, doubled, reordered, or served at the wrong time.
//! Here all happens on one thread; `remote_threads.rs` has the others.
#![cfg(feature = "std")]

mod common;

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::Duration;

use common::{at, manual, ns};
use nanosecond_scheduler::{
    Config, Context, RemoteError, RemoteErrorKind, ScheduleErrorKind, SendTask, Task, TimePoint,
};

/// A task that sends `value` when it runs.
fn sends<T: Send + 'static>(channel: &Sender<T>, value: T, delay: u64) -> SendTask {
    let channel = channel.clone();
    SendTask::new(move || channel.send(value).expect("the receiver is alive"), ns(delay))
}

fn received<T>(channel: &Receiver<T>) -> Vec<T> {
    channel.try_iter().collect()
}

#[test]
fn requests_take_effect_in_order_at_the_next_tick() {
    let (mut scheduler, clock) = manual(Config::default());
    let remote = scheduler.remote();
    let (sender, receiver) = channel();
    remote.schedule(sends(&sender, "a", 0)).unwrap();
    remote.clone().schedule(sends(&sender, "b", 0)).unwrap();
    let dated = sends(&sender, "dated", 0).at(at(30));
    remote.schedule(dated).unwrap();
    remote.schedule(sends(&sender, "delayed", 10)).unwrap();
    assert_eq!((scheduler.len(), scheduler.next_release()), (0, None));
    clock.set(at(25));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.next_release), (2, Some(at(30))));
    assert_eq!(received(&receiver), ["a", "b"]);
    // A delay counts from the tick that accepts it.
    clock.set(at(35));
    scheduler.tick();
    assert_eq!(received(&receiver), ["dated", "delayed"]);
}

#[test]
fn every_kind_of_task_can_be_sent() {
    use nanosecond_scheduler::{MissedTick, Priority};
    let (mut scheduler, clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    remote.schedule(sends(&sender, 1, 5).with_priority(Priority::Low)).unwrap();
    let other = sender.clone();
    let periodic = SendTask::periodic(move |_| other.send(2).unwrap(), ns(10))
        .with_delay(ns(5))
        .with_missed_tick(MissedTick::Skip)
        .with_deadline(ns(0))
        .with_name("periodic");
    remote.schedule(periodic).unwrap();
    let other = sender.clone();
    let parent = move |cx: &mut Context<'_>| {
        let sporadic = SendTask::sporadic(move |_| other.send(3).unwrap(), ns(5));
        let sporadic = cx.schedule(sporadic).unwrap();
        cx.trigger(sporadic).unwrap();
    };
    remote.schedule(SendTask::with_context(parent, ns(5))).unwrap();
    scheduler.tick();
    clock.set(at(28));
    let report = scheduler.tick();
    assert_eq!(received(&receiver), [2, 3, 1]);
    assert_eq!((report.missed_deadlines, report.next_release), (1, Some(at(35))));
}

#[test]
fn a_full_queue_gives_the_task_back_and_blocks_nobody() {
    let (mut scheduler, _clock) = manual(Config { remote_capacity: 2, ..Config::default() });
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let first = remote.schedule(sends(&sender, 1, 0)).unwrap();
    remote.schedule(sends(&sender, 2, 0)).unwrap();
    let refused = remote.schedule(sends(&sender, 3, 0)).unwrap_err();
    assert_eq!(refused.kind(), RemoteErrorKind::Full { capacity: 2 });
    assert_eq!(
        refused.to_string(),
        "2 requests wait for the scheduler's next tick, which is Config::remote_capacity"
    );
    let cancel = remote.cancel(first).unwrap_err();
    assert_eq!(cancel.kind(), RemoteErrorKind::Full { capacity: 2 });
    assert!(cancel.into_task().is_none());
    scheduler.tick();
    assert_eq!(received(&receiver), [1, 2]);
    let task = refused.into_task().expect("the error holds the task");
    remote.schedule(task).unwrap();
    scheduler.tick();
    assert_eq!(received(&receiver), [3]);
}

#[test]
fn a_dropped_scheduler_gives_the_task_back() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let id = remote.schedule(sends(&sender, 1, 0)).unwrap();
    drop(scheduler);
    let refused = remote.schedule(sends(&sender, 2, 0)).unwrap_err();
    assert_eq!(refused.kind(), RemoteErrorKind::Closed);
    assert_eq!(refused.to_string(), "the scheduler was dropped");
    assert_eq!(remote.cancel(id).map_err(|error| error.kind()), Err(RemoteErrorKind::Closed));
    remote.wake();
    remote.stop();
    let task: Task = refused.into_task().expect("the error holds the task").into();
    let (mut other, _clock) = manual(Config::default());
    other.schedule(task).unwrap();
    other.tick();
    assert_eq!(received(&receiver), [2]);
}

#[test]
fn a_period_of_zero_is_refused_at_once() {
    let (mut scheduler, _clock) = manual(Config::default());
    let remote = scheduler.remote();
    let refused: RemoteError = remote.schedule(SendTask::periodic(|_| (), ns(0))).unwrap_err();
    let kind = ScheduleErrorKind::ZeroPeriod;
    assert_eq!(refused.kind(), RemoteErrorKind::Refused(kind));
    assert_eq!(refused.to_string(), kind.to_string());
    assert!(refused.into_task().is_some());
    assert_eq!(scheduler.tick().executed, 0);
}

#[test]
fn behaviour_04_a_delay_beyond_time_is_counted_and_the_next_request_is_served() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let endless = sends(&sender, 1, 0).with_delay(Duration::MAX);
    let endless = remote.schedule(endless).unwrap();
    remote.cancel(endless).unwrap();
    remote.schedule(sends(&sender, 2, 0)).unwrap();
    scheduler.tick();
    assert_eq!(received(&receiver), [2]);
    let metrics = scheduler.metrics();
    assert_eq!((metrics.remote_refused, metrics.cancelled), (1, 0));
}

#[test]
fn behaviour_06_a_remote_cancels_its_own_tasks_only_while_they_are_pending() {
    let (mut scheduler, clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let local = scheduler.schedule(Task::new(|| (), ns(500))).unwrap();
    let unseen = remote.schedule(sends(&sender, "unseen", 10)).unwrap();
    remote.cancel(unseen).unwrap();
    let pending = remote.schedule(sends(&sender, "pending", 10)).unwrap();
    let runs = remote.schedule(sends(&sender, "runs", 10)).unwrap();
    let repeats = remote.schedule(SendTask::periodic(|_| (), ns(3))).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.len(), 4);
    remote.clone().cancel(pending).unwrap();
    clock.set(at(10));
    scheduler.tick();
    assert_eq!(received(&receiver), ["runs"]);

    // What has run takes nobody's place: its slot may be another's by now.
    scheduler.schedule(Task::new(|| (), ns(500))).unwrap();
    for stale in [unseen, pending, runs] {
        remote.cancel(stale).unwrap();
    }
    remote.cancel(repeats).unwrap();
    remote.cancel(repeats).unwrap();
    scheduler.tick();
    assert!(scheduler.is_pending(local));
    assert_eq!((scheduler.len(), scheduler.metrics().cancelled), (2, 3));
}

#[test]
fn behaviour_10_at_capacity_remote_tasks_wait_in_order_and_lose_nothing() {
    let (mut scheduler, clock) = manual(Config { capacity: 2, ..Config::default() });
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    for n in 0..10 {
        remote.schedule(sends(&sender, n, 5)).unwrap();
    }
    let last = remote.schedule(sends(&sender, 99, 5)).unwrap();
    remote.cancel(last).unwrap();
    for round in 0..5 {
        scheduler.tick();
        assert_eq!(scheduler.len(), 2, "round {round}");
        clock.advance(ns(5));
        assert_eq!(scheduler.tick().executed, 2, "round {round}");
    }
    assert!(received(&receiver).into_iter().eq(0..10));
    clock.advance(ns(5));
    assert_eq!(scheduler.tick().executed, 0);
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_10_room_that_a_tick_leaves_is_used_at_its_end() {
    let (mut scheduler, _clock) = manual(Config { capacity: 1, ..Config::default() });
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    for n in 0..3 {
        remote.schedule(sends(&sender, n, 0)).unwrap();
    }
    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due), (1, true), "the next one came in");
    drop(remote);
    scheduler.run();
    assert!(received(&receiver).into_iter().eq(0..3), "run goes on for the stalled ones");
}

/// A closure that panics when a remote's cancel drops it must not leave the queue unheard.
#[test]
fn behaviour_08_a_panic_while_requests_are_served_loses_none() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            resume_unwind(Box::new("in drop"));
        }
    }

    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let bomb = Bomb;
    let id = remote.schedule(SendTask::new(move || drop(bomb), ns(100))).unwrap();
    scheduler.tick();
    remote.cancel(id).unwrap();
    remote.schedule(sends(&sender, "behind", 0)).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| scheduler.tick())).is_err());
    scheduler.tick();
    assert_eq!(received(&receiver), ["behind"]);
    assert!(scheduler.is_empty());
}

#[test]
fn a_wake_without_a_request_changes_nothing() {
    let (mut scheduler, _clock) = manual(Config::default());
    let remote = scheduler.remote();
    remote.wake();
    let report = scheduler.tick();
    assert_eq!((report.executed, report.next_release), (0, None));
    assert_eq!(scheduler.now(), TimePoint::ZERO);
}

#[test]
fn a_task_may_use_the_remote_of_its_own_scheduler() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let inner = remote.clone();
    let body = move || {
        let task = sends(&sender, "from inside", 0);
        inner.schedule(task).unwrap();
    };
    remote.schedule(SendTask::new(body, ns(0))).unwrap();
    assert_eq!(scheduler.tick().executed, 1);
    drop(remote);
    scheduler.run(); // The job's remote is gone with its closure: what it sent still runs.
    assert_eq!(received(&receiver), ["from inside"]);
}

#[test]
fn a_stop_before_the_run_ends_it_after_one_tick() {
    let (mut scheduler, clock) = manual(Config::default());
    let remote = scheduler.remote();
    scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    scheduler.schedule(Task::new(|| (), ns(10))).unwrap();
    remote.stop();
    scheduler.run();
    assert_eq!((scheduler.len(), scheduler.now()), (1, at(0)));
    drop(remote);
    scheduler.run();
    assert!(scheduler.is_empty());
    drop(clock);
}

/// A cancel that makes room must not wait behind a task that waits for room.
#[test]
fn a_cancel_overtakes_tasks_that_wait_for_room() {
    let (mut scheduler, _clock) = manual(Config { capacity: 1, ..Config::default() });
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let first = remote.schedule(sends(&sender, "first", 3_600_000)).unwrap();
    scheduler.tick();
    let second = remote.schedule(sends(&sender, "second", 0)).unwrap();
    remote.schedule(sends(&sender, "third", 0)).unwrap();
    scheduler.tick();
    remote.cancel(second).unwrap();
    remote.cancel(first).unwrap();
    scheduler.tick();
    scheduler.tick();
    assert_eq!(received(&receiver), ["third"]);
    assert!(scheduler.is_empty());
}

#[test]
fn run_until_idle_serves_what_its_tasks_send() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    let remote = scheduler.remote();
    let body = move || {
        remote.schedule(sends(&sender, "sent", 0)).unwrap();
    };
    scheduler.schedule(SendTask::new(body, ns(5))).unwrap();
    scheduler.run_until_idle();
    assert_eq!(received(&receiver), ["sent"]);
}

#[test]
fn a_task_that_asks_a_tick_of_the_callers_to_stop_stops_no_later_run() {
    let (mut scheduler, _clock) = manual(Config::default());
    let (sender, receiver) = channel();
    scheduler.schedule(SendTask::with_context(|cx| cx.stop(), ns(0))).unwrap();
    scheduler.tick();
    scheduler.schedule(sends(&sender, "ran", 50)).unwrap();
    scheduler.run();
    assert_eq!(received(&receiver), ["ran"]);
}

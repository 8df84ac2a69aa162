//! The remote's protocol under every interleaving and every stale read that the memory model
//! allows: `RUSTFLAGS="--cfg loom" cargo test --lib loom_tests`.
//!
//! A lost wake-up leaves the owner parked for ever, which loom reports as a deadlock. The counters
//! are std's, which loom does not see: they add no synchronisation of their own.

use core::time::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use loom::thread;

use super::{Remote, RemoteErrorKind};
use crate::{Clock, Config, ManualClock, MetricsLevel, Scheduler, SendTask, Task, TimePoint, Wait};

/// What became of a model's tasks.
#[derive(Clone, Default)]
struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    ran: AtomicUsize,
    dropped: AtomicUsize,
}

impl Tally {
    fn ran(&self) -> usize {
        self.0.ran.load(Ordering::SeqCst)
    }

    fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::SeqCst)
    }

    /// A task that counts its run and its end, and stops the loop with the `last`th run.
    fn task(&self, last: usize) -> SendTask {
        let end = CountDrop(self.clone());
        let body = move |cx: &mut crate::Context<'_>| {
            let ran = end.0 .0.ran.fetch_add(1, Ordering::SeqCst) + 1;
            if ran == last {
                cx.stop();
            }
        };
        SendTask::with_context(body, Duration::ZERO)
    }
}

struct CountDrop(Tally);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0 .0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// Unless `LOOM_MAX_PREEMPTIONS` says otherwise, a thread is preempted at most three times in an
/// execution: with every further one the models take ten times longer.
///
/// Loom's own first thread has 32 KiB of stack, which a scheduler's frames may not fit; so the model
/// runs in a thread of half a MiB (loom counts in words).
fn explore(model: fn()) {
    const STACK: usize = (512 << 10) / size_of::<usize>();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        let owner = thread::Builder::new().stack_size(STACK).spawn(model).unwrap();
        owner.join().unwrap();
    });
}

fn config(remote_capacity: usize) -> Config {
    Config { remote_capacity, metrics: MetricsLevel::Off, wait: Wait::Sleep, ..Config::default() }
}

fn scheduler(remote_capacity: usize) -> Scheduler<ManualClock> {
    Scheduler::with_clock(config(remote_capacity), ManualClock::new()).unwrap()
}

/// Sends and hands the remote on, so that its end is not what wakes the owner.
fn send(remote: Remote, task: SendTask) -> Remote {
    remote.schedule(task).unwrap();
    remote
}

#[test]
fn a_request_wakes_the_parked_owner() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(1);
        let (remote, task) = (scheduler.remote(), tally.task(1));
        let sender = thread::spawn(move || send(remote, task));
        scheduler.run();
        assert_eq!(tally.ran(), 1);
        drop(sender.join());
    });
}

#[test]
fn requests_of_two_senders_are_both_seen() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(2);
        let senders = [(); 2].map(|()| {
            let (remote, task) = (scheduler.remote(), tally.task(2));
            thread::spawn(move || send(remote, task))
        });
        scheduler.run();
        assert_eq!(tally.ran(), 2);
        drop(senders.map(|sender| sender.join()));
    });
}

/// Stands still, so that only a call ends a wait.
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> TimePoint {
        TimePoint::ZERO
    }
}

#[test]
fn a_request_wakes_the_owner_that_waits_for_a_release() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = Scheduler::with_clock(config(1), StoppedClock).unwrap();
        scheduler.schedule(Task::new(|| (), Duration::from_secs(3600))).unwrap();
        let (remote, task) = (scheduler.remote(), tally.task(1));
        let sender = thread::spawn(move || send(remote, task));
        scheduler.run();
        assert_eq!(tally.ran(), 1);
        drop(sender.join());
    });
}

#[test]
fn stop_ends_the_loop_also_beside_another_sender() {
    explore(|| {
        let mut scheduler = Scheduler::with_clock(config(1), StoppedClock).unwrap();
        scheduler.schedule(Task::new(|| (), Duration::from_secs(3600))).unwrap();
        let (stopper, waker) = (scheduler.remote(), scheduler.remote());
        let stopping = thread::spawn(move || {
            stopper.stop();
            stopper
        });
        let waking = thread::spawn(move || {
            waker.wake();
            waker
        });
        scheduler.run();
        drop((stopping.join(), waking.join()));
    });
}

#[test]
fn a_full_queue_hands_the_task_back() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(1);
        let senders = [(); 2].map(|()| {
            let (remote, task) = (scheduler.remote(), tally.task(0));
            thread::spawn(move || match remote.schedule(task) {
                Ok(_) => 1,
                Err(error) => {
                    assert_eq!(error.kind(), RemoteErrorKind::Full { capacity: 1 });
                    assert!(error.into_task().is_some());
                    0
                }
            })
        });
        scheduler.tick();
        let accepted: usize = senders.map(|sender| sender.join().unwrap()).iter().sum();
        scheduler.tick();
        assert!(accepted >= 1);
        assert_eq!(tally.ran(), accepted);
        assert_eq!(tally.dropped(), 2);
    });
}

#[test]
fn the_last_remote_ends_the_loop_after_its_requests() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(1);
        let (sends, idles) = (scheduler.remote(), scheduler.remote());
        let task = tally.task(0);
        let sender = thread::spawn(move || drop(send(sends, task)));
        let idler = thread::spawn(move || drop(idles));
        scheduler.run();
        assert_eq!(tally.ran(), 1);
        sender.join().unwrap();
        idler.join().unwrap();
    });
}

#[test]
fn a_closing_scheduler_neither_loses_nor_doubles_a_task() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(1);
        let (remote, task) = (scheduler.remote(), tally.task(0));
        let sender = thread::spawn(move || match remote.schedule(task) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), RemoteErrorKind::Closed);
                assert!(error.into_task().is_some());
                false
            }
        });
        drop(scheduler);
        sender.join().unwrap();
        assert_eq!((tally.ran(), tally.dropped()), (0, 1));
    });
}

#[test]
fn a_task_that_holds_its_own_remote_is_dropped_with_the_scheduler() {
    explore(|| {
        let tally = Tally::default();
        let mut scheduler = scheduler(1);
        let (remote, end) = (scheduler.remote(), CountDrop(tally.clone()));
        let sender = thread::spawn(move || {
            let held = (remote.clone(), end);
            let result = remote.schedule(SendTask::new(move || drop(held), Duration::ZERO));
            drop(result);
        });
        drop(scheduler);
        sender.join().unwrap();
        assert_eq!(tally.dropped(), 1);
    });
}

//! Hazard: other threads. Their requests are lost, or a run that waits is not woken by them.
#![cfg(feature = "std")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{ns, scatter};
use nanosecond_scheduler::{
    Clock, Config, MonotonicClock, Scheduler, SendTask, Task, TimePoint, Wait,
};

/// A scheduler on a real clock, for `run*` that really waits.
fn on_real_time(config: Config) -> Scheduler<MonotonicClock> {
    Scheduler::with_clock(config, MonotonicClock::new()).expect("the config is valid")
}

/// Every way to wait, with nothing and with a far task pending.
fn waiting_schedulers() -> impl Iterator<Item = Scheduler<MonotonicClock>> {
    let waits = [Wait::Spin, Wait::Hybrid, Wait::Sleep].into_iter();
    waits.flat_map(|wait| [false, true].map(|far_task| (wait, far_task))).map(|(wait, far_task)| {
        let mut scheduler = on_real_time(Config { wait, ..Config::default() });
        if far_task {
            scheduler.schedule(Task::new(|| (), Duration::from_secs(3_600))).unwrap();
        }
        scheduler
    })
}

#[test]
fn four_threads_send_through_a_small_queue_and_nothing_is_lost_or_doubled() {
    let per_thread: u32 = if cfg!(miri) { 50 } else { 5_000 };
    let config = Config { remote_capacity: 16, wait: Wait::Sleep, ..Config::default() };
    let mut scheduler = on_real_time(config);
    let (sender, receiver) = channel();
    let threads: Vec<_> = (0..4)
        .map(|name| {
            let (remote, sender) = (scheduler.remote(), sender.clone());
            thread::spawn(move || {
                for n in 0..per_thread {
                    let sender = sender.clone();
                    let body = move || sender.send((name, n)).expect("the receiver is alive");
                    let mut task = SendTask::new(body, ns(0));
                    while let Err(error) = remote.schedule(task) {
                        task = error.into_task().expect("the error holds the task");
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    scheduler.run(); // Ends when the last remote is dropped.
    threads.into_iter().for_each(|thread| thread.join().expect("the sender is well"));
    let mut next = [0; 4];
    for (name, n) in receiver.try_iter() {
        assert_eq!(n, next[name], "thread {name}'s tasks in order");
        next[name] += 1;
    }
    assert_eq!(next, [per_thread; 4]);
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_09_threads_that_schedule_and_cancel_at_random_leave_nothing_behind() {
    let alive = Arc::new(());
    let cancels = Arc::new(AtomicUsize::new(0));
    let config = Config { wait: Wait::Sleep, remote_capacity: 64, ..Config::default() };
    let mut scheduler = on_real_time(config);
    let threads: Vec<_> = (0..4u64)
        .map(|name| {
            let remote = scheduler.remote();
            let (alive, cancels) = (Arc::clone(&alive), Arc::clone(&cancels));
            thread::spawn(move || {
                for n in 0..if cfg!(miri) { 20 } else { 1_000 } {
                    let alive = Arc::clone(&alive);
                    let delay = ns(scatter(name * 1_000 + n, 50_000));
                    // Either may be refused: the queue is small.
                    let sent = remote.schedule(SendTask::new(move || drop(alive), delay));
                    if sent.is_ok_and(|id| n % 2 == 0 && remote.cancel(id).is_ok()) {
                        cancels.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    scheduler.run();
    threads.into_iter().for_each(|thread| thread.join().expect("the sender is well"));
    assert_eq!((scheduler.len(), Arc::strong_count(&alive)), (0, 1));
    let metrics = scheduler.metrics();
    assert!(metrics.cancelled <= cancels.load(Ordering::Relaxed) as u64, "{metrics}");
}

#[test]
fn run_ends_when_the_last_remote_is_dropped() {
    let mut scheduler = on_real_time(Config::default());
    let first = scheduler.remote();
    let second = first.clone();
    let dropped = Arc::new(AtomicBool::new(false));
    let dropping = Arc::clone(&dropped);
    let thread = thread::spawn(move || {
        drop(first);
        thread::sleep(Duration::from_millis(5));
        dropping.store(true, Ordering::SeqCst);
        drop(second);
    });
    scheduler.run();
    assert!(dropped.load(Ordering::SeqCst), "one remote was alive still");
    thread.join().unwrap();
}

#[test]
fn a_stop_ends_a_run_that_waits_and_counts_once() {
    for mut scheduler in waiting_schedulers() {
        let remote = scheduler.remote();
        let pending = scheduler.len();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(2));
            remote.stop();
            remote // Kept alive, or that alone would end the run.
        });
        scheduler.run();
        thread.join().unwrap();
        assert_eq!(scheduler.len(), pending);
        // The next run is not stopped by it.
        let end = scheduler.now() + Duration::from_millis(1);
        scheduler.run_until(end);
        assert!(scheduler.now() >= end);
    }
}

#[test]
fn a_task_wakes_a_run_that_waits() {
    for mut scheduler in waiting_schedulers() {
        let remote = scheduler.remote();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(2));
            remote.schedule(SendTask::with_context(|cx| cx.stop(), ns(0))).unwrap();
            remote // Kept alive, or that alone would end the run.
        });
        scheduler.run();
        thread.join().unwrap();
        assert_eq!(scheduler.metrics().executed, 1);
    }
}

/// A clock that tells how often it was read. A run that sleeps does not read it.
#[derive(Clone)]
struct Watched {
    clock: MonotonicClock,
    reads: Arc<AtomicUsize>,
}

impl Clock for Watched {
    fn now(&self) -> TimePoint {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.clock.now()
    }
}

#[test]
fn a_wake_makes_a_sleeping_run_look_at_the_clock() {
    for far_task in [false, true] {
        let reads = Arc::new(AtomicUsize::new(0));
        let clock = Watched { clock: MonotonicClock::new(), reads: Arc::clone(&reads) };
        let config = Config { wait: Wait::Sleep, ..Config::default() };
        let mut scheduler = Scheduler::with_clock(config, clock).unwrap();
        if far_task {
            scheduler.schedule(Task::new(|| (), Duration::from_secs(3_600))).unwrap();
        }
        let remote = scheduler.remote();
        let thread = thread::spawn(move || {
            let answered = (0..5).all(|_| {
                let (asked_at, before) = (Instant::now(), reads.load(Ordering::SeqCst));
                while reads.load(Ordering::SeqCst) < before + 3 {
                    remote.wake();
                    thread::sleep(Duration::from_micros(200));
                    if asked_at.elapsed() > Duration::from_secs(10) {
                        return false;
                    }
                }
                true
            });
            remote.stop();
            (answered, remote)
        });
        scheduler.run();
        assert!(thread.join().unwrap().0, "far task: {far_task}");
    }
}

//! Jobs on rayon's pool: which ones, that all are run and counted, and their panics.
#![cfg(feature = "parallel")]

mod common;

use std::collections::HashSet;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, ManualClock, Priority, Scheduler, SendTask, Task};

fn parallel() -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { parallel: true, ..Config::default() })
}

/// The threads that tasks ran on.
type Threads = Arc<Mutex<Vec<ThreadId>>>;

fn note_thread(threads: &Threads) -> impl FnOnce() + Send + 'static {
    let threads = Arc::clone(threads);
    move || threads.lock().unwrap().push(thread::current().id())
}

fn adds_one(counter: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let counter = Arc::clone(counter);
    move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn send_tasks_run_elsewhere_and_all_others_on_the_owners_thread() {
    let (mut scheduler, _clock) = parallel();
    let (elsewhere, here) = (Threads::default(), Threads::default());
    let owner = thread::current().id();
    let log = Log::default();
    for n in 0..50 {
        scheduler.schedule(SendTask::new(note_thread(&elsewhere), ns(0))).unwrap();
        let threads = Arc::clone(&here);
        let with_context = move |_: &mut nanosecond_scheduler::Context<'_>| {
            threads.lock().unwrap().push(thread::current().id());
        };
        scheduler.schedule(SendTask::with_context(with_context, ns(0))).unwrap();
        // A deadline's finish is to be told, so this one stays.
        let with_deadline = SendTask::new(note_thread(&here), ns(0)).with_deadline(ns(1));
        scheduler.schedule(with_deadline).unwrap();
        scheduler.schedule(log.task(n, ns(0))).unwrap();
    }
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked, report.more_due), (200, 0, false));
    assert!(log.take().into_iter().eq(0..50), "what stays keeps its order");
    assert_eq!(*here.lock().unwrap(), vec![owner; 100]);
    let elsewhere = elsewhere.lock().unwrap();
    assert_eq!(elsewhere.len(), 50);
    assert!(!elsewhere.contains(&owner), "the pool's threads are others");
    assert_eq!(scheduler.metrics().executed, 200);
    assert!(scheduler.is_empty());
}

/// Two jobs that wait for each other end only if they run at the same time.
#[test]
fn the_jobs_of_a_batch_run_at_the_same_time() {
    if thread::available_parallelism().map_or(1, usize::from) < 2 {
        return; // The pool has one thread.
    }
    let (mut scheduler, _clock) = parallel();
    let barrier = Arc::new(Barrier::new(2));
    for _ in 0..2 {
        let barrier = Arc::clone(&barrier);
        let body = move || {
            barrier.wait();
        };
        scheduler.schedule(SendTask::new(body, ns(0))).unwrap();
    }
    assert_eq!(scheduler.tick().executed, 2);
}

#[test]
fn without_the_config_send_tasks_stay() {
    let (mut scheduler, _clock) = manual(Config::default());
    let threads = Threads::default();
    for _ in 0..20 {
        scheduler.schedule(SendTask::new(note_thread(&threads), ns(0))).unwrap();
    }
    scheduler.tick();
    assert_eq!(*threads.lock().unwrap(), vec![thread::current().id(); 20]);
}

#[test]
fn tasks_of_remotes_run_elsewhere_too() {
    let (mut scheduler, _clock) = parallel();
    let remote = scheduler.remote();
    let threads = Threads::default();
    // One job alone is not worth another thread.
    let sent = [(); 2].map(|()| SendTask::new(note_thread(&threads), ns(0)));
    let ids = sent.map(|task| remote.schedule(task).unwrap());
    scheduler.tick();
    assert_eq!(threads.lock().unwrap().len(), 2);
    assert!(!threads.lock().unwrap().contains(&thread::current().id()));
    ids.iter().for_each(|&id| remote.cancel(id).unwrap());
    scheduler.tick();
    assert_eq!(scheduler.metrics().cancelled, 0);
}

#[test]
fn behaviour_01_a_batch_holds_only_what_is_due_and_within_the_limit() {
    let config = Config { parallel: true, max_tasks_per_tick: 30, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    let ran = Arc::new(AtomicUsize::new(0));
    for n in 0..100 {
        scheduler.schedule(SendTask::new(adds_one(&ran), ns(n))).unwrap();
    }
    clock.set(at(49));
    for (executed, total) in [(30, 30), (20, 50), (0, 50)] {
        assert_eq!(scheduler.tick().executed, executed);
        assert_eq!(ran.load(Ordering::Relaxed), total);
    }
    assert_eq!(scheduler.next_release(), Some(at(50)));
}

#[test]
fn behaviour_06_what_was_cancelled_is_in_no_batch() {
    let (mut scheduler, clock) = parallel();
    let ran = Arc::new(Mutex::new(HashSet::new()));
    let ids: Vec<_> = (0..100)
        .map(|n| {
            let ran = Arc::clone(&ran);
            let body = move || assert!(ran.lock().unwrap().insert(n));
            scheduler.schedule(SendTask::new(body, ns(5))).unwrap()
        })
        .collect();
    let victims = ids[50..].to_vec();
    let canceller = move |cx: &mut nanosecond_scheduler::Context<'_>| {
        victims.iter().for_each(|&id| cx.cancel(id).unwrap());
    };
    let canceller = Task::with_context(canceller, ns(5)).with_priority(Priority::Critical);
    scheduler.schedule(canceller).unwrap();
    clock.set(at(5));
    assert_eq!(scheduler.tick().executed, 51);
    assert_eq!(*ran.lock().unwrap(), (0..50).collect());
}

#[test]
fn behaviour_08_panics_of_a_batch_reach_the_handler_with_their_task() {
    let (mut scheduler, _clock) = parallel();
    let panics = Log::default();
    let panics2 = panics.clone();
    scheduler.on_panic(move |panic| {
        let n = *panic.payload.downcast::<usize>().expect("a payload of this test");
        panics2.push((panic.id, panic.name, n));
    });
    let ran = Arc::new(AtomicUsize::new(0));
    let mut expected = Vec::new();
    for n in 0..90usize {
        let ran = Arc::clone(&ran);
        let body = move || {
            if n % 3 == 0 {
                resume_unwind(Box::new(n));
            }
            ran.fetch_add(1, Ordering::Relaxed);
        };
        let mut task = SendTask::new(body, ns(0));
        let name = (n % 2 == 0).then_some("even");
        if let Some(name) = name {
            task = task.with_name(name);
        }
        let id = scheduler.schedule(task).unwrap();
        if n % 3 == 0 {
            expected.push((id, name, n));
        }
    }
    let report = scheduler.tick();
    assert_eq!((report.executed, report.panicked), (90, 30));
    assert_eq!(ran.load(Ordering::Relaxed), 60);
    assert_eq!(panics.take(), expected);
    assert_eq!(scheduler.metrics().panicked, 30);
}

#[test]
fn behaviour_08_without_a_handler_a_batchs_panic_is_raised_when_all_jobs_have_ended() {
    let (mut scheduler, _clock) = parallel();
    let ran = Arc::new(AtomicUsize::new(0));
    for n in 0..20 {
        let ran = Arc::clone(&ran);
        let body = move || {
            if n == 3 {
                resume_unwind(Box::new("boom"));
            }
            ran.fetch_add(1, Ordering::Relaxed);
        };
        scheduler.schedule(SendTask::new(body, ns(0))).unwrap();
    }
    let tick = catch_unwind(AssertUnwindSafe(|| scheduler.tick()));
    assert_eq!(tick.unwrap_err().downcast_ref(), Some(&"boom"));
    assert_eq!(ran.load(Ordering::Relaxed), 19);
    assert_eq!(scheduler.metrics().executed, 20);
}

#[test]
fn behaviour_08_a_panic_on_the_owners_thread_does_not_lose_the_batch() {
    let (mut scheduler, _clock) = parallel();
    let ran = Arc::new(AtomicUsize::new(0));
    scheduler.schedule(SendTask::new(adds_one(&ran), ns(0))).unwrap();
    scheduler.schedule(Task::new(|| resume_unwind(Box::new("boom")), ns(0))).unwrap();
    scheduler.schedule(SendTask::new(adds_one(&ran), ns(0))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| scheduler.tick())).is_err());
    scheduler.tick();
    assert_eq!(ran.load(Ordering::Relaxed), 2);
    assert!(scheduler.is_empty());
}

/// What was kept aside for the batch when the handler panics has left the store: it must still run.
#[test]
fn behaviour_08_a_panic_in_the_panic_handler_does_not_lose_the_batch() {
    let (mut scheduler, _clock) = parallel();
    scheduler.on_panic(|_| resume_unwind(Box::new("handler")));
    let ran = Arc::new(AtomicUsize::new(0));
    scheduler.schedule(SendTask::new(adds_one(&ran), ns(0))).unwrap();
    scheduler.schedule(Task::new(|| resume_unwind(Box::new("task")), ns(0))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| scheduler.tick())).is_err());
    scheduler.run_until_idle();
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}

#[test]
fn behaviour_09_a_scheduler_dropped_before_the_batch_drops_its_closures_once() {
    let (mut scheduler, _clock) = parallel();
    let alive = Arc::new(());
    for n in 0..10 {
        let alive = Arc::clone(&alive);
        scheduler.schedule(SendTask::new(move || drop(alive), ns(n))).unwrap();
    }
    scheduler.tick();
    assert_eq!(Arc::strong_count(&alive), 10);
    drop(scheduler);
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// When a job of the batch starts is not known, and so it is not claimed.
#[test]
fn jobs_of_the_batch_are_not_in_the_latency_histogram() {
    let metrics = nanosecond_scheduler::MetricsLevel::Histograms;
    let (mut scheduler, _clock) = manual(Config { parallel: true, metrics, ..Config::default() });
    scheduler.schedule(SendTask::new(|| (), ns(0))).unwrap();
    scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    assert_eq!(scheduler.tick().executed, 2);
    assert_eq!(scheduler.latency_stats().unwrap().count, 1);
}

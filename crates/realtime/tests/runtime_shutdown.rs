//! Hazard: a shutdown or a panic that loses a handle, hangs, or takes other tasks along.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;

use common::{block_all, block_on, runtime, until, Gate};
use nanosecond_realtime::{DeadlineError, Error, Job, Shutdown};
use nanosecond_scheduler::{Priority, SendTask};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn drain_runs_every_one_shot_and_ends_what_repeats() {
    let runtime = runtime(2);
    let gates = block_all(&runtime);
    let now = (0..10).map(|n| runtime.schedule(move || n).unwrap());
    let mut handles: Vec<_> = now.collect();
    handles.push(runtime.schedule(Job::new(|| 10).with_delay(2 * MS)).unwrap());
    let periodic = runtime.schedule_periodic(|| (), MS, Priority::High).unwrap();
    let sporadic = runtime.schedule(SendTask::sporadic(|_| (), MS)).unwrap();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| runtime.shutdown(Shutdown::Drain));
        until(|| runtime.schedule(|| ()).is_err());
        assert!(!drained.is_finished(), "jobs are running");
        gates.iter().for_each(Gate::open);
        assert_eq!(drained.join().unwrap(), Ok(()));
    });
    for (n, handle) in (0..).zip(handles) {
        assert_eq!(block_on(handle), Ok(n));
    }
    assert_eq!(block_on(periodic), Err(DeadlineError::Shutdown));
    assert_eq!(block_on(sporadic), Err(DeadlineError::Shutdown));
}

#[test]
fn cancel_drops_what_has_not_started_once_and_tells_its_handles() {
    let runtime = runtime(2);
    let captured = Arc::new(());
    let gates = block_all(&runtime);
    let task = |delay| {
        let held = Arc::clone(&captured);
        runtime.schedule(SendTask::new(move || drop(held), delay)).unwrap()
    };
    let mut handles = vec![task(HOUR), task(Duration::ZERO), task(Duration::ZERO)];
    let held = Arc::clone(&captured);
    let body = move || drop(Arc::clone(&held));
    handles.push(runtime.schedule_periodic(body, HOUR, Priority::Low).unwrap());
    assert_eq!(Arc::strong_count(&captured), 5);
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| runtime.shutdown(Shutdown::Cancel));
        until(|| runtime.schedule(|| ()).is_err());
        gates.iter().for_each(Gate::open);
        assert_eq!(stopped.join().unwrap(), Ok(()));
    });
    assert_eq!(Arc::strong_count(&captured), 1);
    for handle in handles {
        assert_eq!(block_on(handle), Err(DeadlineError::Shutdown));
    }
    let idle = runtime.run_until_idle_with_guarantee();
    assert_eq!(idle.unwrap().totals.executed, 2, "nobody waits for what never comes");
}

#[test]
fn after_a_shutdown_tasks_come_back() {
    let runtime = runtime(1);
    assert_eq!(runtime.shutdown(Shutdown::Drain), Ok(()));
    assert_eq!(runtime.shutdown(Shutdown::Cancel), Ok(()), "once more is no error");
    let refused = runtime.schedule(|| 7).unwrap_err();
    assert_eq!(*refused.reason(), Error::Shutdown);
    assert_eq!((refused.into_task())(), 7);
    let refused = runtime.schedule_periodic(|| (), MS, Priority::Low).unwrap_err();
    assert_eq!(*refused.reason(), Error::Shutdown);
    assert_eq!(runtime.inspect(0, |_| ()).unwrap_err(), Error::Shutdown);
}

#[test]
fn dropping_the_runtime_cancels() {
    let runtime = runtime(2);
    let pending = runtime.schedule(SendTask::new(|| (), HOUR)).unwrap();
    let periodic = runtime.schedule_periodic(|| (), MS, Priority::Low).unwrap();
    drop(runtime);
    assert_eq!(block_on(pending), Err(DeadlineError::Shutdown));
    periodic.abort();
    assert_eq!(block_on(periodic), Err(DeadlineError::Shutdown));
}

#[test]
fn a_job_may_drop_the_runtime_that_runs_it() {
    let runtime = Arc::new(runtime(2));
    let gate = Gate::default();
    let (inside, job) = (Arc::clone(&runtime), gate.clone());
    let handle = runtime.schedule(move || {
        job.pass();
        drop(inside);
    });
    let handle = handle.unwrap();
    let other = runtime.schedule(SendTask::new(|| (), HOUR)).unwrap();
    gate.arrived(1);
    drop(runtime);
    gate.open();
    assert_eq!(block_on(handle), Ok(()));
    assert_eq!(block_on(other), Err(DeadlineError::Shutdown));
}

#[test]
fn a_panic_is_contained_and_told() {
    let runtime = runtime(1);
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    runtime.on_panic(move |panic| {
        let message = *panic.payload.downcast::<&'static str>().unwrap();
        hook.lock().unwrap().push((panic.worker, panic.name, message));
    });
    let job = |name| Job::new(|| panic!("on purpose")).with_name(name).with_delay(MS);
    let waited = runtime.schedule(job("waited")).unwrap();
    assert_eq!(runtime.wait_for_completion::<()>(waited), Err(Error::Panicked));
    let awaited = runtime.schedule(job("awaited")).unwrap();
    assert_eq!(block_on(awaited), Err(DeadlineError::<()>::Cancelled));
    let mut runs = 0;
    let periodic = move || {
        runs += 1;
        assert!(runs < 3, "on purpose");
    };
    let periodic = runtime.schedule_periodic(periodic, MS / 10, Priority::Low).unwrap();
    assert_eq!(runtime.wait_for_completion(periodic), Err(Error::Panicked));
    assert_eq!(block_on(runtime.schedule(|| 1).unwrap()), Ok(1));
    let expected = ["waited", "awaited"].map(|name| (0, Some(name), "on purpose"));
    let told = told.lock().unwrap();
    assert_eq!(told[..2], expected);
    assert_eq!(told.len(), 3);
    let totals = runtime.worker_stats()[0].totals;
    assert_eq!((totals.executed, totals.panicked), (6, 3));
    assert!(!runtime.run_until_idle_with_guarantee().unwrap().holds());
}

#[test]
fn a_hook_that_panics_does_not_end_the_worker() {
    let runtime = runtime(1);
    let calls = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&calls);
    runtime.on_panic(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("in the hook");
    });
    for _ in 0..3 {
        let handle = runtime.schedule(|| panic!("on purpose")).unwrap();
        assert_eq!(runtime.wait_for_completion::<()>(handle), Err(Error::Panicked));
    }
    assert_eq!(block_on(runtime.schedule(|| 1).unwrap()), Ok(1));
    // Once for each task's panic, and once for its own.
    assert_eq!(calls.load(Ordering::SeqCst), 6);
}

/// Panics when it is dropped, unless a panic is under way.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

#[test]
fn a_panic_of_what_a_closure_held_loses_no_other_task() {
    let runtime = runtime(1);
    let (sender, told) = mpsc::channel();
    let sender = Mutex::new(sender);
    runtime.on_panic(move |panic| sender.lock().unwrap().send(panic.worker).unwrap());
    let gate = &block_all(&runtime)[0];
    let grenade = Grenade;
    let body = move || assert!(size_of_val(&grenade) == 0);
    let held = runtime.schedule_periodic(body, HOUR, Priority::Low).unwrap();
    held.abort();
    let others: Vec<_> = (0..5).map(|n| runtime.schedule(move || n).unwrap()).collect();
    gate.open();
    assert_eq!(block_on(held), Err(DeadlineError::Cancelled));
    for (n, other) in (0..).zip(others) {
        assert_eq!(block_on(other), Ok(n));
    }
    assert_eq!(told.recv(), Ok(0));

    // Left behind at the end.
    let grenade = Grenade;
    let body = move || assert!(size_of_val(&grenade) == 0);
    let last = runtime.schedule_periodic(body, HOUR, Priority::Low).unwrap();
    let other = runtime.schedule(SendTask::new(|| (), HOUR)).unwrap();
    assert_eq!(runtime.shutdown(Shutdown::Cancel), Ok(()));
    assert_eq!(block_on(last), Err(DeadlineError::Shutdown));
    assert_eq!(block_on(other), Err(DeadlineError::Shutdown));
}

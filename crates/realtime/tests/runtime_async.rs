//! Hazard: a handle that works on one executor only, or blocks its thread.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::{block_all, runtime, until};
use nanosecond_realtime::{
    DeadlineError, Error, Job, NanosecondScheduler, Refused, SchedulerConfig, TaskHandle,
};
use nanosecond_scheduler::Priority;

const HOUR: Duration = Duration::from_secs(3600);

/// Several tasks at once, awaited in turn, with an error among them.
async fn use_it(runtime: Arc<NanosecondScheduler>) -> Result<u32, Error> {
    let first = runtime.schedule_with_deadline(|| 1, HOUR, Priority::High)?;
    let second = runtime.schedule(Job::new(|| 2).with_delay(Duration::from_micros(300)))?;
    let third = runtime.schedule(Job::new(|| 3).with_delay(HOUR))?;
    third.abort();
    assert_eq!(third.await, Err(DeadlineError::Cancelled));
    Ok(first.await.unwrap() + second.await.unwrap())
}

#[test]
fn handles_work_on_tokio() {
    let runtime = Arc::new(runtime(2));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sum = executor.block_on(async {
        let tasks: Vec<_> = (0..10).map(|_| tokio::spawn(use_it(Arc::clone(&runtime)))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap().unwrap();
        }
        sum
    });
    assert_eq!(sum, 30);
}

#[test]
fn handles_work_on_smol() {
    let runtime = Arc::new(runtime(2));
    let executor = smol::Executor::new();
    let tasks: Vec<_> = (0..10).map(|_| executor.spawn(use_it(Arc::clone(&runtime)))).collect();
    let sum = smol::block_on(executor.run(async {
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    }));
    assert_eq!(sum, 30);
}

#[test]
fn handles_work_on_the_least_executor() {
    assert_eq!(common::block_on(use_it(Arc::new(runtime(1)))), Ok(3));
}

struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_poll_never_blocks_and_the_latest_waker_is_woken_once() {
    let runtime = runtime(1);
    let gate = &block_all(&runtime)[0];
    let mut handle = pin!(runtime.schedule(|| 5).unwrap());
    let wakers = [(); 2].map(|()| Arc::new(Count(AtomicU32::new(0))));
    for waker in [&wakers[0], &wakers[1], &wakers[1]] {
        let waker = Waker::from(Arc::clone(waker));
        assert_eq!(handle.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
    }
    gate.open();
    until(|| wakers[1].0.load(Ordering::SeqCst) > 0);
    let waker = Waker::from(Arc::clone(&wakers[1]));
    assert_eq!(handle.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(5)));
    assert_eq!(wakers.each_ref().map(|waker| waker.0.load(Ordering::SeqCst)), [0, 1]);
}

#[test]
fn what_crosses_threads_may() {
    fn assert_send<T: Send + 'static>() {}
    fn assert_sync<T: Sync>() {}
    assert_send::<NanosecondScheduler>();
    assert_sync::<NanosecondScheduler>();
    assert_send::<TaskHandle<String>>();
    assert_sync::<TaskHandle<String>>();
    assert_send::<SchedulerConfig>();
    assert_send::<Refused<fn()>>();
    assert_send::<DeadlineError<String>>();
}

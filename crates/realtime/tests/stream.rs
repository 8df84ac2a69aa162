//! Hazard: outputs out of order, more futures at a time than allowed, misses that are not told or
//! not counted, a stream that stalls on some executor.
#![cfg(not(target_arch = "wasm32"))]

#[allow(unexpected_cfgs, reason = "it asks for features of the root")]
#[path = "../../../tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use common::{ns, scatter};
use futures_core::Stream;
use futures_util::{stream, StreamExt};
use nanosecond_realtime::{
    DeadlineError, LatencyStreamExt, LocalExecutor, LocalHandle, DEFAULT_CONCURRENCY,
};
use nanosecond_scheduler::{Clock, Config, ManualClock, Scheduler, TimePoint};

/// An executor on a manual clock, and the clock.
fn manual() -> (LocalExecutor<ManualClock>, ManualClock) {
    let (scheduler, clock): (Scheduler<ManualClock>, _) = common::manual(Config::default());
    (LocalExecutor::with_scheduler(scheduler), clock)
}

/// Takes `time` of the executor's clock, and gives it back.
async fn takes(handle: LocalHandle, time: u64) -> u64 {
    handle.sleep(ns(time)).await;
    time
}

/// Counts how many live at a time.
#[derive(Clone, Default)]
struct Crowd(Rc<(Cell<usize>, Cell<usize>)>);

impl Crowd {
    fn enter(&self) -> Member {
        self.0 .0.set(self.0 .0.get() + 1);
        self.0 .1.set(self.0 .1.get().max(self.0 .0.get()));
        Member(self.clone())
    }

    fn greatest(&self) -> usize {
        self.0 .1.get()
    }
}

struct Member(Crowd);

impl Drop for Member {
    fn drop(&mut self) {
        self.0 .0 .0.set(self.0 .0 .0.get() - 1);
    }
}

#[test]
fn outputs_keep_the_order_though_futures_finish_out_of_order() {
    let (mut executor, clock) = manual();
    let times: Vec<u64> = (0..200).map(|n| scatter(n, 1_000)).collect();
    let handle = executor.handle();
    let outputs = stream::iter(times.clone())
        .map(|time| takes(handle.clone(), time))
        .with_latency_guarantee_on(clock, ns(1_000))
        .with_concurrency(32)
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    assert_eq!(executor.block_on(outputs), times);
}

#[test]
fn concurrency_reaches_its_bound_and_never_exceeds_it() {
    for bound in [None, Some(1), Some(7), Some(1_000)] {
        let (mut executor, clock) = manual();
        let (handle, crowd) = (executor.handle(), Crowd::default());
        let inner = crowd.clone();
        let futures = stream::iter(0..100).map(|n| {
            let (handle, member) = (handle.clone(), inner.enter());
            async move {
                let _member = member;
                takes(handle, scatter(n, 50) + 1).await
            }
        });
        let mut outputs = futures.with_latency_guarantee_on(clock, ns(100));
        if let Some(bound) = bound {
            outputs = outputs.with_concurrency(bound);
        }
        assert_eq!(executor.block_on(outputs.count()), 100);
        assert_eq!(crowd.greatest(), bound.unwrap_or(DEFAULT_CONCURRENCY).min(100));
    }
}

#[test]
#[should_panic(expected = "it must be at least 1")]
fn a_concurrency_of_zero_is_refused() {
    let futures = stream::iter([std::future::ready(())]);
    let _ = futures.with_latency_guarantee(ns(1)).with_concurrency(0);
}

#[test]
fn late_outputs_are_delivered_told_and_counted() {
    let (mut executor, clock) = manual();
    let handle = executor.handle();
    let mut outputs = stream::iter([100, 101, 5, 350, 0])
        .map(|time| takes(handle.clone(), time))
        .with_latency_guarantee_on(clock, ns(100));
    let (all, stats, misses) = executor.block_on(async {
        let mut all = Vec::new();
        while let Some(output) = outputs.next().await {
            all.push(output);
        }
        (all, outputs.stats(), outputs.misses())
    });
    let late =
        |late_by, value| Err(DeadlineError::Missed { late_by: ns(late_by), value: Some(value) });
    assert_eq!(all, [Ok(100), late(1, 101), Ok(5), late(250, 350), Ok(0)]);
    assert_eq!((stats.completed, stats.misses, misses), (5, 2, 2));
    assert_eq!(stats.max_latency, ns(350));
}

#[test]
fn latency_counts_from_when_the_future_was_taken() {
    let (mut executor, clock) = manual();
    let handle = executor.handle();
    let mut outputs = stream::iter([60, 60, 60])
        .map(|time| takes(handle.clone(), time))
        .with_latency_guarantee_on(clock, ns(100))
        .with_concurrency(1);
    let all = executor.block_on(async {
        let mut all = Vec::new();
        while let Some(output) = outputs.next().await {
            all.push(output);
            handle.sleep(ns(500)).await; // Nothing was taken yet that this could make late.
        }
        all
    });
    assert_eq!(all, [Ok(60), Ok(60), Ok(60)]);
}

#[test]
fn a_guarantee_of_zero_and_one_without_end() {
    let (mut executor, clock) = manual();
    let handle = executor.handle();
    let run = |max_latency| {
        stream::iter([0, 1])
            .map(|time| takes(handle.clone(), time))
            .with_latency_guarantee_on(clock.clone(), max_latency)
            .map(|output| output.is_ok())
            .collect::<Vec<_>>()
    };
    let (none, endless) = (run(Duration::ZERO), run(Duration::MAX));
    assert_eq!(executor.block_on(none), [true, false]);
    assert_eq!(executor.block_on(endless), [true, true]);
}

/// Items that come `gap` apart.
struct Paced {
    handle: LocalHandle,
    left: u64,
    sleep: Pin<Box<nanosecond_realtime::Sleep>>,
}

impl Paced {
    fn new(handle: LocalHandle, items: u64) -> Self {
        let sleep = Box::pin(handle.sleep(ns(10)));
        Paced { handle, left: items, sleep }
    }
}

impl Stream for Paced {
    type Item = std::future::Ready<TimePoint>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        use std::future::Future;
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.sleep.as_mut().poll(cx));
        self.left -= 1;
        self.sleep = Box::pin(self.handle.sleep(ns(10)));
        Poll::Ready(Some(std::future::ready(self.handle.now())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap();
        (left, Some(left))
    }
}

#[test]
fn it_waits_for_a_stream_that_has_nothing_yet_and_ends_once() {
    let (mut executor, clock) = manual();
    let paced = Paced::new(executor.handle(), 3);
    let mut outputs = paced.with_latency_guarantee_on(clock, ns(0));
    assert_eq!(outputs.size_hint(), (3, Some(3)));
    let instants = executor.block_on(async {
        let mut instants = Vec::new();
        while let Some(output) = outputs.next().await {
            instants.push(output.unwrap().as_nanos());
        }
        assert_eq!(outputs.next().await, None);
        instants
    });
    assert_eq!(instants, [10, 20, 30]);
    assert_eq!(outputs.size_hint(), (0, Some(0)));
}

#[test]
fn dropping_the_stream_drops_its_futures() {
    let (mut executor, clock) = manual();
    let (handle, drops) = (executor.handle(), common::Drops::default());
    let mut outputs = stream::iter([1, 1_000, 1_000])
        .map(|time| {
            let (handle, token) = (handle.clone(), drops.token());
            async move {
                token.touch();
                takes(handle, time).await
            }
        })
        .with_latency_guarantee_on(clock.clone(), ns(100));
    let first = executor.block_on(outputs.next());
    assert_eq!((first, drops.count()), (Some(Ok(1)), 1));
    drop(outputs);
    assert_eq!(drops.count(), 3);
    executor.run_until_idle();
    assert_eq!((executor.scheduler().len(), clock.now()), (0, TimePoint::from_nanos(1)));
}

#[test]
fn it_runs_on_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outputs = stream::iter([20, 1, 5])
        .map(|millis| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            millis
        })
        .with_latency_guarantee(Duration::from_millis(10));
    let outputs = runtime.block_on(outputs.collect::<Vec<_>>());
    assert!(matches!(&outputs[0], Err(DeadlineError::Missed { value: Some(20), .. })));
    assert_eq!(outputs.len(), 3);
}

#[test]
fn it_runs_on_the_threads_of_smol() {
    let outputs = stream::iter([20, 1, 5])
        .map(|millis| async move {
            smol::Timer::after(Duration::from_millis(millis)).await;
            millis
        })
        .with_latency_guarantee(Duration::from_millis(10));
    // Spawned, and so `Send`.
    let outputs = smol::block_on(smol::spawn(outputs.collect::<Vec<_>>()));
    assert!(matches!(&outputs[0], Err(DeadlineError::Missed { value: Some(20), .. })));
    assert_eq!(outputs.len(), 3);
}

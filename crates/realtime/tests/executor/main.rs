//! Hazard: async tasks that run early, out of order, twice or never; wakes, panics and drops that
//! get lost between the tasks, their handles and the scheduler.
#![cfg(not(target_arch = "wasm32"))]

mod cancel;
#[allow(unexpected_cfgs, reason = "it asks for features of the root")]
#[path = "../../../../tests/common/mod.rs"]
mod common;
mod embedded;
mod ends;
mod order;
mod time;
mod wakes;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{at, manual, ns, scatter, Drops, Log};
use nanosecond_realtime::{JoinError, LocalExecutor, LocalHandle, SpawnOptions};
use nanosecond_scheduler::{
    Config, Emergency, ManualClock, Policy, Priority, Scheduler, SendTask, Task, TimePoint,
};

type Executor = LocalExecutor<ManualClock>;

fn executor(config: Config) -> (Executor, ManualClock) {
    let (scheduler, clock) = manual(config);
    (LocalExecutor::with_scheduler(scheduler), clock)
}

fn simple() -> Executor {
    executor(Config::default()).0
}

/// Sleeps until `instant`, then records `value` and when that was.
fn sleeper<T: 'static>(
    handle: &LocalHandle,
    log: &Log<(T, u64)>,
    value: T,
    instant: u64,
) -> impl Future<Output = ()> {
    let (handle, log) = (handle.clone(), log.clone());
    async move {
        handle.sleep_until(at(instant)).await;
        log.push((value, handle.now().as_nanos()));
    }
}

/// Pending once, and woken at once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Ready when somebody sets the flag and wakes the waker that it left.
#[derive(Clone, Default)]
struct Gate(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Gate {
    fn open(&self) {
        self.0 .0.store(true, Ordering::Release);
        if let Some(waker) = self.0 .1.lock().unwrap().take() {
            waker.wake();
        }
    }

    fn is_awaited(&self) -> bool {
        self.0 .1.lock().unwrap().is_some()
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = self.0 .1.lock().unwrap();
        if self.0 .0.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

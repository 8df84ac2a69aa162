//! [`LocalExecutor`]: `async` tasks on one core scheduler.

use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use nanosecond_scheduler::{Clock, Config, DefaultClock, Scheduler, TickReport, TimePoint};

mod handle;
mod job;
mod shared;
mod sleep;
mod task;
mod wake;

pub use handle::{LocalHandle, SpawnOptions};
use shared::Shared;
pub use sleep::Sleep;
pub use task::{JoinError, LocalTask};
use wake::{TaskRef, Wakes, ROOT};

/// Runs `async` tasks, which need not be `Send`, on one core [`Scheduler`].
///
/// Each poll of a task is a job of the scheduler, so tasks compete with each other, and with plain
/// tasks of the scheduler, by priority, then release, then the order in which they were woken. The
/// release of a sleeper is the instant that it slept for, to the nanosecond. Under a
/// [`ManualClock`](nanosecond_scheduler::ManualClock) a program's trace repeats byte for byte.
///
/// Wakers may be used from any thread and end the wait of a running executor. A task's panic goes to
/// its [`LocalTask`], or, if that was dropped or detached, to
/// [`Scheduler::on_panic`](nanosecond_scheduler::Scheduler::on_panic).
///
/// ```
/// use std::time::Duration;
/// use nanosecond_realtime::LocalExecutor;
/// use nanosecond_scheduler::{Config, ManualClock, Scheduler, TimePoint};
///
/// let scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
/// let mut executor = LocalExecutor::with_scheduler(scheduler);
/// let handle = executor.handle();
/// let woke_at = executor.block_on(async {
///     let other = handle.clone();
///     let task = handle.spawn(async move {
///         other.sleep(Duration::from_nanos(1_500)).await;
///         other.now()
///     });
///     task.await.unwrap()
/// });
/// assert_eq!(woke_at, TimePoint::from_nanos(1_500));
/// ```
pub struct LocalExecutor<C = DefaultClock> {
    handle: LocalHandle,
    scheduler: Scheduler<C>,
}

impl LocalExecutor {
    /// An executor on a scheduler of its own, with the default configuration and clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_scheduler(Scheduler::new(Config::default()))
    }
}

impl Default for LocalExecutor {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock + Clone + 'static> LocalExecutor<C> {
    /// An executor on `scheduler`, whose clock it shares.
    #[must_use]
    pub fn with_scheduler(mut scheduler: Scheduler<C>) -> Self {
        let clock = Box::new(scheduler.clock().clone());
        let shared = Shared::new(clock, Wakes::new(scheduler.remote()));
        LocalExecutor { handle: LocalHandle { shared }, scheduler }
    }
}

impl<C: Clock> LocalExecutor<C> {
    /// A handle for tasks to spawn and sleep with.
    #[must_use]
    pub fn handle(&self) -> LocalHandle {
        self.handle.clone()
    }

    /// As [`LocalHandle::spawn`].
    pub fn spawn<F: Future + 'static>(&self, future: F) -> LocalTask<F::Output> {
        self.handle.spawn(future)
    }

    /// As [`LocalHandle::spawn_with`].
    pub fn spawn_with<F: Future + 'static>(
        &self,
        options: SpawnOptions,
        future: F,
    ) -> LocalTask<F::Output> {
        self.handle.spawn_with(options, future)
    }

    /// As [`LocalHandle::now`].
    #[must_use]
    pub fn now(&self) -> TimePoint {
        self.handle.now()
    }

    /// The scheduler: for plain tasks, metrics, `on_panic` and the like.
    ///
    /// Clearing it cancels the tasks that sleep or are woken. It is to be run by the executor only,
    /// whose wakers use its stop: a [`Remote::stop`](nanosecond_scheduler::Remote::stop) of somebody
    /// else does not end the executor's loops.
    pub fn scheduler(&mut self) -> &mut Scheduler<C> {
        &mut self.scheduler
    }

    /// Runs what is due and returns without waiting, for those who own the loop. The report's
    /// `next_release` tells when there is more to do, unless a task is woken before.
    ///
    /// # Panics
    ///
    /// As [`Scheduler::tick`]. So do all methods that run tasks.
    pub fn tick(&mut self) -> TickReport {
        self.settle();
        let mut report = self.scheduler.tick();
        self.settle(); // Of plain tasks that woke ours.
        report.next_release = self.scheduler.next_release();
        report.more_due |= report.next_release.is_some_and(|next| next <= report.started_at);
        report
    }

    /// Runs until nothing is released and nobody sleeps. Tasks may be left that wait for something
    /// else. On wasm32, where nothing may wait, it returns after one tick.
    pub fn run_until_idle(&mut self) {
        self.settle();
        loop {
            match self.next_release_if_stalled() {
                Some(next) => self.scheduler.run_until(next),
                None => self.scheduler.run_until_idle(),
            }
            let is_idle = !self.settle() && self.scheduler.next_release().is_none();
            if is_idle || cfg!(target_arch = "wasm32") {
                return;
            }
        }
    }

    /// Runs all tasks until `future` is ready, and waits as the scheduler's configuration says.
    ///
    /// The future itself is polled between ticks; spawn what is to keep its place in the order.
    /// Tasks that have not ended by then stay.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let root = self.root();
        loop {
            if let Poll::Ready(output) = self.poll_root(&root, future.as_mut()) {
                return output;
            }
            if root.is_woken() {
                self.scheduler.tick();
            } else if let Some(next) = self.next_release_if_stalled() {
                self.scheduler.run_until(next);
            } else {
                self.scheduler.run();
            }
        }
    }

    /// Runs all tasks until `future` is ready, within another executor, whose thread it never blocks:
    /// it awaits `sleep(time)` where [`block_on`](Self::block_on) would wait.
    ///
    /// `sleep` makes a timer of the other executor: `tokio::time::sleep`, say, `smol::Timer::after`, or
    /// `setTimeout` as a future. It may end early or late; a late one makes tasks late. What a
    /// [`Remote`](nanosecond_scheduler::Remote) sends is noticed at the next wake or release.
    pub async fn drive<F: Future, S: Future>(
        &mut self,
        future: F,
        mut sleep: impl FnMut(Duration) -> S,
    ) -> F::Output {
        let mut future = pin!(future);
        let mut timer = pin!(None::<S>);
        let root = self.root();
        poll_fn(|cx| {
            self.handle.shared.wakes.set_host(cx.waker());
            if let Poll::Ready(output) = self.poll_root(&root, future.as_mut()) {
                return Poll::Ready(output);
            }
            let report = self.tick();
            let left = report.next_release.map(|next| next.duration_since(self.now()));
            timer.set(left.filter(|left| !left.is_zero()).map(&mut sleep));
            let ends_at_once =
                timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(cx).is_ready());
            if root.is_woken() || left.is_some_and(|left| left.is_zero()) || ends_at_once {
                cx.waker().wake_by_ref(); // More is due; but first it is others' turn.
            }
            Poll::Pending
        })
        .await
    }

    /// A future that is polled here instead of by a job: woken, and without a slot.
    fn root(&self) -> Arc<TaskRef> {
        let root = TaskRef::new(ROOT, &self.handle.shared.wakes);
        root.mark();
        root
    }

    /// Polls a root, if it was woken, and hands over what was requested meanwhile.
    fn poll_root<F: Future>(
        &mut self,
        root: &Arc<TaskRef>,
        future: Pin<&mut F>,
    ) -> Poll<F::Output> {
        let _attending = self.handle.shared.attend(&mut self.scheduler);
        if !root.unmark() {
            return Poll::Pending;
        }
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(root))))
    }

    fn settle(&mut self) -> bool {
        self.handle.shared.settle(&mut self.scheduler)
    }

    /// When there may be room for the requests that wait for it.
    fn next_release_if_stalled(&mut self) -> Option<TimePoint> {
        if self.handle.shared.is_stalled() {
            return self.scheduler.next_release();
        }
        None
    }
}

/// Drops all tasks, in the order of their slots.
impl<C> Drop for LocalExecutor<C> {
    fn drop(&mut self) {
        self.handle.shared.close();
    }
}

impl<C> fmt::Debug for LocalExecutor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalExecutor")
            .field("tasks", &self.handle.shared.len())
            .field("scheduler", &self.scheduler)
            .finish()
    }
}

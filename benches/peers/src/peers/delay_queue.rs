//! tokio-util's `DelayQueue` on virtual time. It counts milliseconds, so one of its milliseconds
//! stands for one of our microseconds.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_util::time::delay_queue::{DelayQueue, Key};

pub const NAME: &str = "DelayQueue, 1 µs ticks";

pub struct Delays<T> {
    queue: DelayQueue<T>,
    runtime: Runtime,
    origin: tokio::time::Instant,
    now_us: u64,
    advancing: Duration,
}

impl<T> Delays<T> {
    pub fn new() -> Self {
        let runtime =
            Builder::new_current_thread().enable_time().start_paused(true).build().expect("timers");
        let _in_runtime = runtime.enter();
        let (queue, origin) = (DelayQueue::new(), tokio::time::Instant::now());
        drop(_in_runtime);
        Delays { queue, runtime, origin, now_us: 0, advancing: Duration::ZERO }
    }

    /// Runs `work` where the queue finds its runtime.
    #[inline]
    pub fn enter<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let handle = self.runtime.handle().clone();
        let _in_runtime = handle.enter();
        work(self)
    }

    #[inline]
    pub fn schedule(&mut self, at_ns: u64, value: T) -> Key {
        let at = self.origin + Duration::from_millis(at_ns.div_ceil(1_000));
        self.queue.insert_at(value, at)
    }

    #[inline]
    pub fn cancel(&mut self, key: Key) {
        self.queue.remove(&key);
    }

    /// Hands what is due by `now_ns` to `run`.
    #[inline]
    pub fn run_until(&mut self, now_ns: u64, mut run: impl FnMut(T)) {
        let start = Instant::now();
        let now_us = now_ns / 1_000;
        let by = Duration::from_millis(now_us - self.now_us);
        self.now_us = now_us;
        self.runtime.block_on(tokio::time::advance(by));
        self.advancing += start.elapsed();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(expired)) = self.queue.poll_expired(&mut cx) {
            run(expired.into_inner());
        }
    }

    /// Time spent on moving tokio's virtual clock, which users of the real one do not pay.
    pub fn advancing(&self) -> Duration {
        self.advancing
    }
}

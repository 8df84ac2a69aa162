//! tokio-util's `DelayQueue` on virtual time. It counts milliseconds, so one of its milliseconds
//! stands for one of our microseconds.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio_util::time::delay_queue::{DelayQueue, Key};

pub const NAME: &str = "DelayQueue, 1 µs ticks";

pub struct Delays<T> {
    queue: DelayQueue<T>,
    runtime: &'static Runtime,
    /// The queue finds its clock here.
    _in_runtime: EnterGuard<'static>,
    origin: tokio::time::Instant,
    now_us: u64,
    advancing: Duration,
}

impl<T> Delays<T> {
    pub fn new() -> Self {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let runtime: &'static Runtime = Box::leak(Box::new(runtime));
        let _in_runtime = runtime.enter();
        Delays {
            queue: DelayQueue::new(),
            runtime,
            _in_runtime,
            origin: tokio::time::Instant::now(),
            now_us: 0,
            advancing: Duration::ZERO,
        }
    }

    #[inline]
    pub fn schedule(&mut self, at_ns: u64, value: T) -> Key {
        let at = self.origin + Duration::from_millis(at_ns.div_ceil(1_000));
        self.queue.insert_at(value, at)
    }

    #[inline]
    pub fn cancel(&mut self, key: &Key) {
        self.queue.remove(key);
    }

    /// Hands what is due by `now_ns` to `run`.
    #[inline]
    pub fn run_until(&mut self, now_ns: u64, mut run: impl FnMut(T)) {
        self.advance_to(now_ns / 1_000);
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(expired)) = self.queue.poll_expired(&mut cx) {
            run(expired.into_inner());
        }
    }

    fn advance_to(&mut self, now_us: u64) {
        let start = Instant::now();
        let by = Duration::from_millis(now_us - self.now_us);
        self.runtime.block_on(tokio::time::advance(by));
        self.now_us = now_us;
        self.advancing += start.elapsed();
    }

    /// Time spent on moving tokio's virtual clock, which users of the real one do not pay.
    pub fn advancing(&self) -> Duration {
        self.advancing
    }
}

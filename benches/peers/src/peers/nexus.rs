//! `nexus-timer` on virtual time, with ticks of 1 µs. Within a tick its order is its own.

use std::time::{Duration, Instant};

use nexus_timer::{TimerHandle, Wheel, WheelBuilder};

pub const NAME: &str = "nexus-timer, 1 µs ticks";

/// Timers per piece of memory: its documentation's value.
const CHUNK: usize = 4096;

pub struct Nexus<T: 'static> {
    wheel: Wheel<T>,
    origin: Instant,
}

impl<T> Nexus<T> {
    pub fn new() -> Self {
        let origin = Instant::now();
        let builder = WheelBuilder::new().tick_duration(Duration::from_micros(1));
        let wheel = builder.unbounded(CHUNK).build(origin).expect("a valid config");
        Nexus { wheel, origin }
    }

    fn instant(&self, at_ns: u64) -> Instant {
        self.origin + Duration::from_nanos(at_ns)
    }

    #[inline]
    pub fn schedule(&mut self, at_ns: u64, value: T) -> TimerHandle<T> {
        self.wheel.schedule(self.instant(at_ns), value)
    }

    /// Without a handle to cancel it.
    #[inline]
    pub fn schedule_forget(&mut self, at_ns: u64, value: T) {
        self.wheel.schedule_forget(self.instant(at_ns), value);
    }

    /// Drops the value of a timer that is pending.
    #[inline]
    pub fn cancel(&mut self, handle: TimerHandle<T>) {
        assert!(self.wheel.cancel(handle).is_some(), "cancelled a timer that had fired");
    }

    /// Gives back the handle of a timer that has fired.
    #[inline]
    pub fn free(&mut self, handle: TimerHandle<T>) {
        self.wheel.free(handle);
    }

    /// Appends what is due by `now_ns`.
    #[inline]
    pub fn poll(&mut self, now_ns: u64, due: &mut Vec<T>) {
        self.wheel.poll_and_rebalance(self.instant(now_ns), due);
    }
}

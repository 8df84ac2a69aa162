//! What most test files share: a scheduler under a manual clock, a log, a drop counter.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod graph;
pub(crate) mod timed;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{Clock, Config, ManualClock, Scheduler, Task, TimePoint};

pub(crate) const fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

pub(crate) const fn at(nanos: u64) -> TimePoint {
    TimePoint::from_nanos(nanos)
}

/// A scheduler and the hand on its clock, which reads 0.
pub(crate) fn manual(config: Config) -> (Scheduler<ManualClock>, ManualClock) {
    let clock = ManualClock::new();
    let scheduler = Scheduler::with_clock(config, clock.clone()).expect("the config is valid");
    (scheduler, clock)
}

/// The same number for the same `n`, below `bound`, and without a pattern.
pub(crate) fn scatter(n: u64, bound: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((u128::from(x ^ x >> 31) * u128::from(bound)) >> 64) as u64
}

/// What happened, in order. Clones share the record.
#[derive(Debug)]
pub(crate) struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Log(Rc::clone(&self.0))
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Log(Rc::default())
    }
}

impl<T: 'static> Log<T> {
    pub(crate) fn push(&self, value: T) {
        self.0.borrow_mut().push(value);
    }

    /// The record so far, which is empty afterwards.
    pub(crate) fn take(&self) -> Vec<T> {
        self.0.take()
    }

    /// A task that records `value` when it runs.
    pub(crate) fn task(&self, value: T, delay: Duration) -> Task {
        let log = self.clone();
        Task::new(move || log.push(value), delay)
    }
}

/// Counts how many of its tokens have been dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Rc<Cell<usize>>);

/// Held by a closure whose end is to be seen.
pub(crate) struct Token(Rc<Cell<usize>>);

impl Drops {
    pub(crate) fn token(&self) -> Token {
        Token(Rc::clone(&self.0))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }
}

impl Token {
    /// Makes a closure that calls it own the token.
    pub(crate) fn touch(&self) {}
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A manual clock that counts how often it is read.
#[derive(Clone, Default)]
pub(crate) struct CountingClock {
    pub(crate) time: ManualClock,
    reads: Rc<Cell<usize>>,
}

impl CountingClock {
    /// Readings since this was asked last.
    pub(crate) fn reads(&self) -> usize {
        self.reads.take()
    }
}

impl Clock for CountingClock {
    fn now(&self) -> TimePoint {
        self.reads.set(self.reads.get() + 1);
        self.time.now()
    }
}

//! Timeouts that are mostly cancelled: each of `n` timers is re-armed over and over, that is,
//! cancelled and scheduled anew with a new closure; about 1 in 100 expires first, and is then
//! armed again. One re-arm per µs of virtual time, a poll after each 64.

use std::cell::{Cell, RefCell};
use std::mem;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Config, Task, TaskId, TimePoint};

use crate::harness::{interleave, Contender, Plan, Table};
use crate::peers::delay_queue::{self, Delays};
use crate::peers::heap::{FourAry, HeapKind, Std};
use crate::peers::lazy::{self, Closure, LazyHeap};
use crate::peers::nexus::{self, Nexus};
use crate::peers::ours::Ours;
use crate::rng::Rng;

const PER_POLL: usize = 64;
/// Time from one re-arm to the next.
const GAP_NS: u64 = 1_000;

/// Which timer is re-armed next.
#[derive(Clone, Copy, PartialEq)]
pub enum Order {
    Random,
    OldestFirst,
}

impl Order {
    /// Least and greatest timeout, in hundredths of the mean time between two re-arms of the same
    /// timer, such that 1 % expire. In random order that time is exponentially distributed, and
    /// E[exp(-T)] = (exp(-2.85) - exp(-8.55)) / 5.7 = 0.0101; else it is constant, and 5/500 are
    /// shorter.
    fn timeouts(self) -> (u64, u64) {
        match self {
            Order::Random => (285, 855),
            Order::OldestFirst => (95, 595),
        }
    }
}

pub fn run(plan: Plan, table: &mut Table) {
    rearm(plan, table, "timeouts, 100k live, random order", Order::Random, 0.40);
    rearm(plan, table, "timeouts, 100k live, oldest first", Order::OldestFirst, 0.15);
}

fn rearm(plan: Plan, table: &mut Table, work: &str, order: Order, target: f64) {
    let live = plan.size(100_000, 1_000);
    let mut ours = Bench::new(Ours::new(Config::default()), live, order, true);
    let mut std = Bench::new(LazyHeap::<Std>::new(), live, order, true);
    let mut four_ary = Bench::new(LazyHeap::<FourAry>::new(), live, order, true);
    let mut delays = Bench::new(Delays::new(), live, order, false);
    let mut nexus = Bench::new(NexusTimers::new(), live, order, false);
    let series = interleave(
        plan.repeats(),
        vec![
            Contender::new("ours", || ours.rearm(10 * live)),
            Contender::new("std BinaryHeap, lazy", || std.rearm(10 * live)),
            Contender::new(delay_queue::NAME, || delays.rearm(10 * live)),
            Contender::new("dary_heap, 4-ary, lazy", || four_ary.rearm(10 * live)),
            Contender::new(nexus::NAME, || nexus.rearm(10 * live)),
        ],
    );
    assert_eq!(ours.trace(), std.trace(), "the same timers expire in the same order");
    assert_eq!(ours.trace(), four_ary.trace(), "the same timers expire in the same order");
    for (peer, target) in series[1..].iter().zip([Some(target), Some(0.7), None, None]) {
        table.versus(work, &series[0], peer, target);
    }
}

/// What expired of one contender.
pub struct Log {
    /// Whether timers must expire in exact order, and not a µs early.
    exact: bool,
    now_ns: Cell<u64>,
    last_ns: Cell<u64>,
    expired: RefCell<Vec<usize>>,
    trace: Cell<u64>,
}

/// What a timer's closure captures: 32 bytes.
struct Expiry {
    log: &'static Log,
    timer: usize,
    armed_at_ns: u64,
    at_ns: u64,
}

impl Expiry {
    #[inline]
    fn run(self) {
        let log = self.log;
        let slack_ns = if log.exact { 0 } else { 1_000 };
        assert!(self.armed_at_ns <= self.at_ns && self.at_ns <= log.now_ns.get() + slack_ns);
        assert!(!log.exact || log.last_ns.get() <= self.at_ns, "expired out of order");
        log.last_ns.set(self.at_ns);
        log.trace.set(log.trace.get().rotate_left(5) ^ self.at_ns ^ self.timer as u64);
        log.expired.borrow_mut().push(self.timer);
    }
}

trait Timers {
    type Key;
    fn arm(&mut self, expiry: Expiry) -> Self::Key;
    fn cancel(&mut self, key: Self::Key);
    /// Runs what has expired by this instant.
    fn run_until(&mut self, now_ns: u64);
    /// Told of the key of a timer that has expired.
    fn expired(&mut self, _key: Self::Key) {}
    /// Time spent on what is no part of the work.
    fn untimed(&self) -> Duration {
        Duration::ZERO
    }
    /// Does the work in the surroundings that the timers need.
    fn surround(bench: &mut Bench<Self>, work: impl FnOnce(&mut Bench<Self>))
    where
        Self: Sized,
    {
        work(bench);
    }
}

/// `live` timers that stand at some instant.
pub struct Bench<T: Timers> {
    timers: T,
    keys: Vec<Option<T::Key>>,
    order: Order,
    log: &'static Log,
    rng: Rng,
    next: usize,
    now_ns: u64,
    expired: usize,
}

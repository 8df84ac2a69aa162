//! Timeouts that are mostly cancelled: each of `n` timers is re-armed over and over, that is,
//! cancelled and scheduled anew with a new closure; about 1 in 100 expires first, and is then
//! armed again. One re-arm per µs of virtual time, a poll after each 64.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Config, Task, TaskId, TimePoint};

use crate::harness::{interleave, short, Contender, Plan, Table};
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
    /// In turn, with timeouts of all lengths.
    OldestFirst,
    /// In turn, with one timeout for all but the 1 % that expire, as servers have.
    OldestFirstAlike,
}

impl Order {
    /// A timeout such that 1 % expire, given a hundredth of the mean time between two re-arms of
    /// the same timer. In random order that time is exponentially distributed, and
    /// E[exp(-T)] = (exp(-2.85) - exp(-8.55)) / 5.7 = 0.0101; else it is constant, and 5/500 or
    /// 1/100 are shorter.
    #[inline]
    fn timeout_ns(self, unit_ns: u64, rng: &mut Rng) -> u64 {
        match self {
            Order::Random => unit_ns * 285 + rng.below(unit_ns * 570),
            Order::OldestFirst => unit_ns * 95 + rng.below(unit_ns * 500),
            Order::OldestFirstAlike => unit_ns * if rng.below(100) == 0 { 50 } else { 200 },
        }
    }
}

pub fn run(plan: Plan, table: &mut Table) {
    rearm(plan, table, "random order", Order::Random, 0.40);
    rearm(plan, table, "oldest first", Order::OldestFirst, 0.15);
    rearm(plan, table, "oldest first, alike", Order::OldestFirstAlike, 0.15);
}

fn rearm(plan: Plan, table: &mut Table, order_name: &str, order: Order, target: f64) {
    let live = plan.size(100_000, 10_000);
    let work = format!("timeouts, {} live, {order_name}", short(live));
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
    for share in [ours.share_expired(), delays.share_expired(), nexus.share_expired()] {
        assert!((0.008..0.012).contains(&share), "{share} of the timers expired");
    }
    for (peer, target) in series[1..].iter().zip([Some(target), Some(0.7), None, None]) {
        table.versus(&work, &series[0], peer, target);
    }
}

/// What expired of one contender.
struct Log {
    /// Whether timers must expire in exact order, and not a µs early.
    exact: bool,
    now_ns: Cell<u64>,
    last_ns: Cell<u64>,
    expired: RefCell<Vec<usize>>,
    trace: Cell<u64>,
}

/// What a timer's closure captures: 32 bytes.
pub struct Expiry {
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

pub trait Timers {
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
    rearmed: usize,
    expired: usize,
}

impl<T: Timers> Bench<T> {
    pub fn new(timers: T, live: usize, order: Order, exact: bool) -> Self {
        let log: &'static Log = Box::leak(Box::new(Log {
            exact,
            now_ns: Cell::new(0),
            last_ns: Cell::new(0),
            expired: RefCell::new(Vec::with_capacity(live)),
            trace: Cell::new(0),
        }));
        let keys = (0..live).map(|_| None).collect();
        let rng = Rng(live as u64);
        let (next, now_ns, rearmed, expired) = (0, 0, 0, 0);
        let mut bench = Bench { timers, keys, order, log, rng, next, now_ns, rearmed, expired };
        for timer in 0..live {
            bench.arm(timer, 0);
        }
        bench
    }

    /// Re-arms this many timers; ns per re-arm.
    pub fn rearm(&mut self, count: usize) -> f64 {
        let untimed = self.timers.untimed();
        let start = Instant::now();
        for _ in 0..count / PER_POLL {
            self.poll();
            for step in 0..PER_POLL as u64 {
                let timer = self.next_timer();
                if let Some(key) = self.keys[timer].take() {
                    self.timers.cancel(key);
                }
                self.arm(timer, self.now_ns + step * GAP_NS);
            }
        }
        let spent = start.elapsed() - (self.timers.untimed() - untimed);
        self.rearmed += count;
        spent.as_nanos() as f64 / count as f64
    }

    /// Moves time, runs what has expired and arms it again.
    fn poll(&mut self) {
        self.now_ns += PER_POLL as u64 * GAP_NS;
        self.log.now_ns.set(self.now_ns);
        self.timers.run_until(self.now_ns);
        while let Some(timer) = self.pop_expired() {
            self.expired += 1;
            let key = self.keys[timer].take().expect("it was armed, and expired once");
            self.timers.expired(key);
            self.arm(timer, self.now_ns);
        }
    }

    fn pop_expired(&self) -> Option<usize> {
        self.log.expired.borrow_mut().pop()
    }

    #[inline]
    fn next_timer(&mut self) -> usize {
        if self.order == Order::Random {
            return self.rng.below(self.keys.len() as u64) as usize;
        }
        let timer = self.next;
        self.next = if timer + 1 == self.keys.len() { 0 } else { timer + 1 };
        timer
    }

    #[inline]
    fn arm(&mut self, timer: usize, armed_at_ns: u64) {
        let unit_ns = self.keys.len() as u64 * GAP_NS / 100;
        let at_ns = armed_at_ns + self.order.timeout_ns(unit_ns, &mut self.rng);
        let expiry = Expiry { log: self.log, timer, armed_at_ns, at_ns };
        self.keys[timer] = Some(self.timers.arm(expiry));
    }

    fn share_expired(&self) -> f64 {
        self.expired as f64 / self.rearmed as f64
    }

    /// How many have expired, and a digest of which and when, in order.
    fn trace(&self) -> (usize, u64) {
        (self.expired, self.log.trace.get())
    }
}

impl<T: Timers> Drop for Bench<T> {
    fn drop(&mut self) {
        for key in self.keys.drain(..).flatten() {
            self.timers.cancel(key);
        }
    }
}

impl Timers for Ours {
    type Key = TaskId;

    #[inline]
    fn arm(&mut self, expiry: Expiry) -> TaskId {
        let at = TimePoint::from_nanos(expiry.at_ns);
        let task = Task::new(move || expiry.run(), Duration::ZERO).at(at);
        self.scheduler.schedule(task).expect("room for it")
    }

    #[inline]
    fn cancel(&mut self, key: TaskId) {
        self.scheduler.cancel(key).expect("it is pending");
    }

    fn run_until(&mut self, now_ns: u64) {
        self.run_until(now_ns);
    }
}

fn boxed(expiry: Expiry) -> Closure {
    Box::new(move || expiry.run())
}

impl<K: HeapKind> Timers for LazyHeap<K> {
    type Key = lazy::Key;

    #[inline]
    fn arm(&mut self, expiry: Expiry) -> lazy::Key {
        self.schedule(expiry.at_ns, boxed(expiry))
    }

    #[inline]
    fn cancel(&mut self, key: lazy::Key) {
        self.cancel(key);
    }

    fn run_until(&mut self, now_ns: u64) {
        self.run_until(now_ns);
    }
}

impl Timers for Delays<Closure> {
    type Key = tokio_util::time::delay_queue::Key;

    #[inline]
    fn arm(&mut self, expiry: Expiry) -> Self::Key {
        self.schedule(expiry.at_ns, boxed(expiry))
    }

    #[inline]
    fn cancel(&mut self, key: Self::Key) {
        self.cancel(&key);
    }

    fn run_until(&mut self, now_ns: u64) {
        self.run_until(now_ns, |closure| closure());
    }

    fn untimed(&self) -> Duration {
        self.advancing()
    }
}

struct NexusTimers {
    timers: Nexus<Closure>,
    due: Vec<Closure>,
}

impl NexusTimers {
    fn new() -> Self {
        NexusTimers { timers: Nexus::new(), due: Vec::new() }
    }
}

impl Timers for NexusTimers {
    type Key = nexus_timer::TimerHandle<Closure>;

    #[inline]
    fn arm(&mut self, expiry: Expiry) -> Self::Key {
        self.timers.schedule(expiry.at_ns, boxed(expiry))
    }

    #[inline]
    fn cancel(&mut self, key: Self::Key) {
        self.timers.cancel(key);
    }

    fn run_until(&mut self, now_ns: u64) {
        self.timers.poll(now_ns, &mut self.due);
        for closure in self.due.drain(..) {
            closure();
        }
    }

    fn expired(&mut self, key: Self::Key) {
        self.timers.free(key);
    }
}

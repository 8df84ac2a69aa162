//! The hold model: run the earliest event, whose closure schedules one successor.
//!
//! One event falls on each µs of virtual time, on average; everybody is polled every [`POLL_NS`].

use std::cell::Cell;
use std::time::Instant;

use nanosecond_scheduler::{Config, Context, Task, TimePoint};

use crate::harness::{interleave, short, Contender, Plan, Table};
use crate::peers::heap::{FourAry, HeapKind, MinHeap, Std, Timed};
use crate::peers::nexus::{self, Nexus};
use crate::peers::ours::Ours;
use crate::rng::Rng;

/// 64 events, on average.
const POLL_NS: u64 = 64_000;
/// Mean time from one event to the next.
const GAP_NS: u64 = 1_000;

pub fn run(plan: Plan, table: &mut Table) {
    hold(plan, table, plan.size(100_000, 5_000), 4, 0.40);
    hold(plan, table, plan.size(1_000_000, 10_000), 1, 0.15);
}

/// `turns` times as many events as are pending, in each sample.
fn hold(plan: Plan, table: &mut Table, pending: usize, turns: usize, target: f64) {
    let work = format!("hold, {} pending", short(pending));
    let events = (pending * turns) as u64;
    let mut ours = Line::new(Ours::new(Config::default()), pending, true);
    let mut std = Line::new(Events::<Std>::default(), pending, true);
    let mut four_ary = Line::new(Events::<FourAry>::default(), pending, true);
    let mut nexus = Line::new(NexusEvents::new(), pending, false);
    let series = interleave(
        plan.repeats(),
        vec![
            Contender::new("ours", || ours.hold(events)),
            Contender::new(Std::NAME, || std.hold(events)),
            Contender::new(FourAry::NAME, || four_ary.hold(events)),
            Contender::new(nexus::NAME, || nexus.hold(events)),
        ],
    );
    assert_eq!(ours.log.trace(), std.log.trace(), "the same events in the same order");
    assert_eq!(ours.log.trace(), four_ary.log.trace(), "the same events in the same order");
    for (peer, target) in series[1..].iter().zip([Some(target), None, None]) {
        table.versus(&work, &series[0], peer, target);
    }
}

/// Our side alone: ten times as many events as are pending, in each call.
pub fn ours(pending: usize) -> impl FnMut() {
    let mut line = Line::new(Ours::new(Config::default()), pending, true);
    move || {
        line.hold(10 * pending as u64);
    }
}

/// What the events of one contender have done.
struct Log {
    /// Whether events must come in order.
    ordered: bool,
    /// Delays are up to this long.
    spread_ns: u64,
    ran: Cell<u64>,
    last_ns: Cell<u64>,
    trace: Cell<u64>,
}

impl Log {
    /// How many events, and a digest of their instants in their order.
    fn trace(&self) -> (u64, u64) {
        (self.ran.get(), self.trace.get())
    }
}

/// What an event's closure captures: 24 bytes.
struct Hop {
    log: &'static Log,
    at_ns: u64,
    rng: Rng,
}

impl Hop {
    /// The event itself; returns its successor.
    #[inline]
    fn run(mut self) -> Hop {
        let log = self.log;
        assert!(!log.ordered || log.last_ns.get() <= self.at_ns, "an event out of order");
        log.last_ns.set(self.at_ns);
        log.ran.set(log.ran.get() + 1);
        log.trace.set(log.trace.get().rotate_left(5) ^ self.at_ns);
        self.at_ns += 1 + self.rng.below(log.spread_ns);
        self
    }
}

trait Simulation {
    fn schedule(&mut self, hop: Hop);
    /// Runs every event up to this instant, successors included.
    fn run_until(&mut self, now_ns: u64);
    fn pending(&self) -> usize;
}

/// A simulation that stands at some instant.
struct Line<S> {
    simulation: S,
    log: &'static Log,
    now_ns: u64,
    pending: usize,
}

impl<S: Simulation> Line<S> {
    fn new(mut simulation: S, pending: usize, ordered: bool) -> Self {
        let log: &'static Log = Box::leak(Box::new(Log {
            ordered,
            spread_ns: 2 * GAP_NS * pending as u64,
            ran: Cell::new(0),
            last_ns: Cell::new(0),
            trace: Cell::new(0),
        }));
        let mut rng = Rng(pending as u64);
        for _ in 0..pending {
            let at_ns = rng.below(log.spread_ns);
            simulation.schedule(Hop { log, at_ns, rng: Rng(rng.next()) });
        }
        Line { simulation, log, now_ns: 0, pending }
    }

    /// Runs about this many events; ns per event.
    fn hold(&mut self, events: u64) -> f64 {
        let before = self.log.ran.get();
        let start = Instant::now();
        while self.log.ran.get() < before + events {
            self.now_ns += POLL_NS;
            self.simulation.run_until(self.now_ns);
        }
        let spent = start.elapsed();
        assert_eq!(self.simulation.pending(), self.pending, "each event has one successor");
        spent.as_nanos() as f64 / (self.log.ran.get() - before) as f64
    }
}

fn task(hop: Hop) -> Task {
    let at = TimePoint::from_nanos(hop.at_ns);
    let body = move |cx: &mut Context<'_>| {
        cx.schedule(task(hop.run())).expect("room for it");
    };
    Task::with_context(body, std::time::Duration::ZERO).at(at)
}

impl Simulation for Ours {
    fn schedule(&mut self, hop: Hop) {
        self.scheduler.schedule(task(hop)).expect("room for it");
    }

    fn run_until(&mut self, now_ns: u64) {
        self.run_until(now_ns);
    }

    fn pending(&self) -> usize {
        self.scheduler.len()
    }
}

type Body<S> = Box<dyn FnOnce(&mut S)>;

/// The boxed closure of an event, for those who keep closures in boxes.
fn body<S: Simulation>(hop: Hop) -> Body<S> {
    Box::new(move |simulation| simulation.schedule(hop.run()))
}

struct Events<K: HeapKind> {
    heap: K::Heap<Timed<Body<Self>>>,
    sequence: u64,
}

impl<K: HeapKind> Default for Events<K> {
    fn default() -> Self {
        Events { heap: Default::default(), sequence: 0 }
    }
}

impl<K: HeapKind> Simulation for Events<K> {
    #[inline]
    fn schedule(&mut self, hop: Hop) {
        let (at_ns, sequence) = (hop.at_ns, self.sequence);
        self.sequence += 1;
        self.heap.push(Timed { at_ns, sequence, value: body(hop) });
    }

    fn run_until(&mut self, now_ns: u64) {
        while self.heap.peek().is_some_and(|first| first.at_ns <= now_ns) {
            let Some(first) = self.heap.pop() else { return };
            (first.value)(self);
        }
    }

    fn pending(&self) -> usize {
        self.heap.len()
    }
}

struct NexusEvents {
    timers: Nexus<Body<Self>>,
    due: Vec<Body<Self>>,
    pending: usize,
}

impl NexusEvents {
    fn new() -> Self {
        NexusEvents { timers: Nexus::new(), due: Vec::new(), pending: 0 }
    }
}

impl Simulation for NexusEvents {
    #[inline]
    fn schedule(&mut self, hop: Hop) {
        self.pending += 1;
        self.timers.schedule_forget(hop.at_ns, body(hop));
    }

    fn run_until(&mut self, now_ns: u64) {
        let mut due = std::mem::take(&mut self.due);
        loop {
            self.timers.poll(now_ns, &mut due);
            if due.is_empty() {
                break;
            }
            self.pending -= due.len();
            for body in due.drain(..) {
                body(self);
            }
        }
        self.due = due;
    }

    fn pending(&self) -> usize {
        self.pending
    }
}

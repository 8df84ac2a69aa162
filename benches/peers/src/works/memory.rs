//! Bytes and allocations: 100k pending closures of 32 bytes, and then the steady state.

use std::hint::black_box;
use std::time::Duration;

use nanosecond_scheduler::{Config, Task};

use super::hold;
use super::timeouts::{Bench, Order};
use crate::counting::{count, Usage};
use crate::harness::{short, Plan, Table};
use crate::peers::heap::Std;
use crate::peers::lazy::LazyHeap;
use crate::peers::ours::Ours;
use crate::rng::Rng;

/// Delays are up to this long.
const SPREAD_NS: u64 = 1_000_000_000;

pub fn run(plan: Plan, table: &mut Table) {
    growth(plan, table);
    steady_state(plan, table);
}

fn growth(plan: Plan, table: &mut Table) {
    let tasks = plan.size(100_000, 10_000);
    let ours = per_task(tasks, fill_ours);
    let pending = short(tasks);
    let live = format!("memory per task, {pending} pending");
    let peak = format!("memory per task, peak up to {pending}");
    let allocations = format!("allocations per task up to {pending}");
    table.limit(&live, "B", ours.live, "limit", 112.0);
    table.limit(&peak, "B", ours.peak, "limit", 112.0);
    table.limit(&allocations, "", ours.allocations, "limit", 0.01);
    let past = ("0.1.1", per_task(tasks, fill_past));
    let heap = ("std BinaryHeap, lazy", per_task(tasks, fill_heap));
    for (name, theirs) in [past, heap] {
        table.compare(&live, "B", ours.live, name, theirs.live);
        table.compare(&allocations, "", ours.allocations, name, theirs.allocations);
    }
}

struct PerTask {
    live: f64,
    peak: f64,
    allocations: f64,
}

/// Instants in random order, and what the closure to be run then captures.
type Jobs<'a> = &'a mut dyn Iterator<Item = (u64, [u64; 4])>;

/// Counts what `fill` does to the heap.
fn per_task<S>(tasks: usize, fill: impl FnOnce(Jobs<'_>) -> S) -> PerTask {
    let mut rng = Rng(tasks as u64);
    let mut jobs = (0..tasks).map(|_| (rng.below(SPREAD_NS), [rng.next(); 4]));
    let (filled, Usage { live, peak, allocations }) = count(|| fill(&mut jobs));
    drop(filled);
    let per_task = |total: i64| total as f64 / tasks as f64;
    PerTask { live: per_task(live), peak: per_task(peak), allocations: per_task(allocations) }
}

fn fill_ours(jobs: Jobs<'_>) -> Ours {
    let mut ours = Ours::new(Config::default());
    for (at_ns, captured) in jobs {
        let job = move || {
            black_box(captured);
        };
        let task = Task::new(job, Duration::from_nanos(at_ns));
        ours.scheduler.schedule(task).expect("room for it");
    }
    ours
}

fn fill_past(jobs: Jobs<'_>) -> old::Scheduler {
    let past = old::Scheduler::new(old::Config::default());
    for (at_ns, captured) in jobs {
        let job = move || {
            black_box(captured);
        };
        past.schedule(old::Task::new(job, Duration::from_nanos(at_ns)));
    }
    past
}

fn fill_heap(jobs: Jobs<'_>) -> LazyHeap<Std> {
    let mut heap = LazyHeap::new();
    for (at_ns, captured) in jobs {
        let job = move || {
            black_box(captured);
        };
        heap.schedule(at_ns, Box::new(job));
    }
    heap
}

fn steady_state(plan: Plan, table: &mut Table) {
    let live = plan.size(100_000, 10_000);
    for (name, order) in [("random order", Order::Random), ("oldest first", Order::OldestFirst)] {
        let work = format!("allocations in steady state, timeouts, {name}");
        let mut bench = Bench::new(Ours::new(Config::default()), live, order, true);
        allocations_after_warm_up(table, &work, || {
            bench.rearm(10 * live);
        });
    }
    let work = "allocations in steady state, hold";
    allocations_after_warm_up(table, work, hold::ours(live));
}

fn allocations_after_warm_up(table: &mut Table, work: &str, mut turn: impl FnMut()) {
    turn();
    let ((), usage) = count(turn);
    table.limit(work, "", usage.allocations as f64, "limit", 0.0);
}

//! A million tasks within one millisecond, a second ahead: what does the slowest tick cost?
//!
//! The virtual clock moves by 10 µs from tick to tick, and a tick runs at most 64 tasks. The same
//! ticks are replayed, and each counts with its fastest replay: what the machine does now and then
//! falls away, what the scheduler does each time stays.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Config, Context, Task, TimePoint};

use crate::harness::{short, Plan, Table};
use crate::peers::ours::Ours;
use crate::rng::Rng;

const REPLAYS: usize = 5;
const TICK_NS: u64 = 10_000;
const SLOT_START_NS: u64 = 1_000_000_000;
const SLOT_NS: u64 = 1_000_000;
const TASKS_PER_TICK: usize = 64;

/// Where the first tick finds the clock.
#[derive(Clone, Copy)]
enum Approach {
    /// At the start, a second before the slot.
    Steadily,
    /// In the middle of the slot.
    ByJump,
}

pub fn run(plan: Plan, table: &mut Table) {
    for tasks in [plan.size(10_000, 1_000), plan.size(1_000_000, 50_000)] {
        let work = format!("crowded slot, {}", short(tasks));
        judge(table, &work, tasks, Approach::Steadily);
        judge(table, &format!("{work}, after a jump"), tasks, Approach::ByJump);
    }
}

fn judge(table: &mut Table, work: &str, tasks: usize, approach: Approach) {
    let mut ticks = replay(tasks, approach);
    for _ in 1..REPLAYS {
        let again = replay(tasks, approach);
        assert_eq!(ticks.len(), again.len(), "replays are identical");
        for (tick, again) in ticks.iter_mut().zip(again) {
            assert_eq!(tick.executed, again.executed, "replays are identical");
            tick.spent = tick.spent.min(again.spent);
        }
    }
    let us = |tick: &Tick| tick.spent.as_nanos() as f64 / 1e3;
    if let Approach::ByJump = approach {
        table.limit(&format!("{work}: first tick"), "µs", us(&ticks[0]), "limit", 50.0);
    }
    ticks.sort_unstable_by_key(|tick| tick.spent);
    let slowest = ticks.last().map_or(0.0, us);
    // Of the ticks that had something to run: idle ones would hide behind their number.
    ticks.retain(|tick| tick.executed > 0);
    let p999 = us(&ticks[(ticks.len() - 1) * 999 / 1000]);
    table.limit(&format!("{work}: p99.9"), "µs", p999, "limit", 10.0);
    table.limit(&format!("{work}: slowest"), "µs", slowest, "limit", 50.0);
}

struct Tick {
    executed: usize,
    spent: Duration,
}

/// Ticks until everything ran.
fn replay(tasks: usize, approach: Approach) -> Vec<Tick> {
    let config = Config { max_tasks_per_tick: TASKS_PER_TICK, ..Config::default() };
    let Ours { clock, mut scheduler } = Ours::new(config);
    let ran = Rc::new(Cell::new((0, TimePoint::ZERO)));
    let mut rng = Rng(tasks as u64);
    for _ in 0..tasks {
        let ran = Rc::clone(&ran);
        let job = move |cx: &mut Context<'_>| {
            let (count, last) = ran.get();
            assert!(last <= cx.release() && cx.release() <= cx.now(), "out of order or early");
            ran.set((count + 1, cx.release()));
        };
        let at = TimePoint::from_nanos(SLOT_START_NS + rng.below(SLOT_NS));
        scheduler.schedule(Task::with_context(job, Duration::ZERO).at(at)).expect("room for it");
    }
    if let Approach::ByJump = approach {
        clock.set(TimePoint::from_nanos(SLOT_START_NS + SLOT_NS / 2));
    }
    let mut ticks = Vec::with_capacity(1 << 17);
    while ran.get().0 < tasks {
        let start = Instant::now();
        let report = black_box(scheduler.tick());
        ticks.push(Tick { executed: report.executed, spent: start.elapsed() });
        clock.advance(Duration::from_nanos(TICK_NS));
    }
    assert_eq!(ticks.iter().map(|tick| tick.executed).sum::<usize>(), tasks);
    assert!(scheduler.is_empty());
    ticks
}

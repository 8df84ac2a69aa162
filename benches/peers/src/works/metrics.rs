//! What the metrics levels cost a tick that runs 64 due tasks.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Clock, Config, DefaultClock, MetricsLevel, Scheduler, Task};

use crate::harness::{interleave, Contender, Plan, Table};

const TASKS_PER_TICK: usize = 64;

/// Differences of few ns want many repeats.
const REPEATS_FACTOR: usize = 5;

pub fn run(plan: Plan, table: &mut Table) {
    let ticks = plan.size(2_000, 50);
    let level = |name: &str, metrics| {
        let mut scheduler = Scheduler::new(Config { metrics, ..Config::default() });
        Contender::new(name, move || busy_ticks(&mut scheduler, ticks))
    };
    let clock = DefaultClock::new();
    let series = interleave(
        plan.repeats() * REPEATS_FACTOR,
        vec![
            level("Off", MetricsLevel::Off),
            level("Counters", MetricsLevel::Counters),
            level("Histograms", MetricsLevel::Histograms),
            Contender::new("clock", || read(&clock, ticks * TASKS_PER_TICK)),
        ],
    );
    let [off, counters, histograms, clock] = &series[..] else { unreachable!("four contenders") };
    let over_off = |level: &crate::harness::Series| level.paired(off, |level, off| level - off);
    table.limit("Counters over Off, per task", "ns", over_off(counters), "limit", 2.0);
    let limit = clock.median() + 6.0;
    table.limit("Histograms over Off, per task", "ns", over_off(histograms), "clock + 6 ns", limit);
}

/// ns per task to schedule and run [`TASKS_PER_TICK`] of them, this many times.
fn busy_ticks(scheduler: &mut Scheduler, ticks: usize) -> f64 {
    let ran = Rc::new(Cell::new(0_usize));
    let start = Instant::now();
    for _ in 0..ticks {
        for _ in 0..TASKS_PER_TICK {
            let ran = Rc::clone(&ran);
            let job = move || ran.set(ran.get() + 1);
            scheduler.schedule(Task::new(job, Duration::ZERO)).expect("room for it");
        }
        assert_eq!(black_box(scheduler.tick()).executed, TASKS_PER_TICK);
    }
    let spent = start.elapsed();
    assert_eq!(ran.get(), ticks * TASKS_PER_TICK);
    spent.as_nanos() as f64 / ran.get() as f64
}

/// ns per clock read.
fn read(clock: &DefaultClock, count: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(clock.now());
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

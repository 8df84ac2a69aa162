//! When up to a million tasks crowd into one millisecond, what does a single tick cost?
//!
//! They lie a second ahead. A tick comes every 10 µs of virtual time, or follows a jump of the
//! clock into their midst, and runs at most 64 tasks. One iteration is one replay of all ticks; the
//! figure is that replay's mean, 99.9th percentile or slowest tick, pauses of the machine included.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion, SamplingMode};
use nanosecond_scheduler::{Config, TimePoint};

use crate::lane::Lane;
use crate::rng::Rng;
use crate::timed;

const TICK_NS: u64 = 10_000;
const SLOT_START_NS: u64 = 1_000_000_000;
const SLOT_NS: u64 = 1_000_000;
const TASKS_PER_TICK: u64 = 64;

/// Makes a crowd of so many tasks and measures one figure of its ticks.
type Replay = fn(u64) -> Duration;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crowded_slot");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (name, tasks) in [("10k", 10_000), ("1M", 1_000_000)] {
        let figures: [(&str, Replay); 4] = [
            ("mean_tick", |tasks| mean(&busy_ticks(tasks))),
            ("p999_tick", |tasks| quantile(busy_ticks(tasks), 0.999)),
            ("slowest_tick", |tasks| quantile(busy_ticks(tasks), 1.0)),
            ("first_tick_after_jump", first_tick_after_jump),
        ];
        for (figure, replay) in figures {
            let id = BenchmarkId::new(figure, name);
            group.bench_function(id, |bencher| replays(bencher, tasks, replay));
        }
    }
}

fn replays(bencher: &mut Bencher<'_>, tasks: u64, replay: Replay) {
    bencher.iter_custom(|iterations| (0..iterations).map(|_| replay(tasks)).sum());
}

/// A lane with the crowd a second ahead.
fn crowd(tasks: u64) -> Lane {
    let max_tasks_per_tick = TASKS_PER_TICK as usize;
    let mut lane = Lane::new(Config { max_tasks_per_tick, ..Config::default() });
    let mut rng = Rng(tasks);
    for _ in 0..tasks {
        lane.schedule(SLOT_START_NS + rng.below(SLOT_NS));
    }
    lane
}

/// Approaches the slot tick by tick until all tasks have run; the time of each tick that ran some.
/// Idle ones would hide the others behind their number.
fn busy_ticks(tasks: u64) -> Vec<Duration> {
    let mut lane = crowd(tasks);
    let mut ticks = Vec::with_capacity((tasks / TASKS_PER_TICK) as usize + 200);
    while !lane.scheduler.is_empty() {
        let mut executed = 0;
        let spent = timed(|| executed = black_box(lane.scheduler.tick()).executed);
        if executed > 0 {
            ticks.push(spent);
        }
        lane.clock.advance(Duration::from_nanos(TICK_NS));
    }
    assert_eq!(lane.ledger.ran(), tasks);
    assert!(ticks.len() as u64 >= tasks / TASKS_PER_TICK);
    ticks
}

/// The first tick after the clock has jumped from the start to the middle of the slot.
fn first_tick_after_jump(tasks: u64) -> Duration {
    let mut lane = crowd(tasks);
    lane.clock.set(TimePoint::from_nanos(SLOT_START_NS + SLOT_NS / 2));
    let spent = timed(|| {
        black_box(lane.scheduler.tick());
    });
    assert_eq!(lane.ledger.ran(), TASKS_PER_TICK);
    assert_eq!(lane.scheduler.len() as u64, tasks - TASKS_PER_TICK);
    spent
}

fn mean(ticks: &[Duration]) -> Duration {
    ticks.iter().sum::<Duration>() / ticks.len() as u32
}

fn quantile(mut ticks: Vec<Duration>, quantile: f64) -> Duration {
    ticks.sort_unstable();
    ticks[((ticks.len() - 1) as f64 * quantile) as usize]
}

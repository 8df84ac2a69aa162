//! Wall-clock benchmarks: one group per question a user asks of a scheduler.
//!
//! `cargo bench --bench scheduler` measures, `cargo bench --bench scheduler -- --test` runs each
//! benchmark once. Every benchmark refills its queue and checks how many jobs ran, and in which
//! order. Queues that must see the same instants each time run under a clock that the benchmark
//! moves; that clock is virtual, the figures are always wall time.

mod admission;
mod crowded_slot;
mod events;
mod hold;
mod lane;
mod ledger;
mod parallel_execution;
mod reflection;
mod rng;
mod schedule_cancel;
mod task_throughput;
mod tick_overhead;

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};

/// Queue sizes, with the names they have in reports.
const SIZES: [(&str, u64); 3] = [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000)];

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    tick_overhead::group(&mut criterion);
    task_throughput::group(&mut criterion);
    schedule_cancel::group(&mut criterion);
    hold::group(&mut criterion);
    crowded_slot::group(&mut criterion);
    parallel_execution::group(&mut criterion);
    admission::group(&mut criterion);
    reflection::group(&mut criterion);
    criterion.final_summary();
}

/// Prepares a group for benchmarks that handle `elements` each iteration, so that large ones are
/// not repeated for minutes.
fn expect_elements(group: &mut BenchmarkGroup<'_, WallTime>, elements: u64) {
    group.throughput(Throughput::Elements(elements));
    group.sample_size(if elements < 100_000 { 50 } else { 10 });
    group.sampling_mode(SamplingMode::Flat);
}

/// How long `work` takes.
#[inline]
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

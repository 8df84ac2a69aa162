//! What does a tick cost when nothing, one task, or 64 tasks are due?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput};
use nanosecond_scheduler::{Clock, Config, DefaultClock, Scheduler, Task};

use crate::lane::Lane;
use crate::rng::Rng;
use crate::{timed, SIZES};

const HOUR_NS: u64 = 3_600_000_000_000;
/// Virtual time from one busy tick to the next.
const TICK_NS: u64 = 1_000;
/// Busy ticks between refills.
const TICKS_PER_FILL: u64 = 1_000;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick_overhead");
    let clock = DefaultClock::new();
    // The yardstick for the idle tick, which reads the clock once.
    group.bench_function("clock_read", |bencher| bencher.iter(|| clock.now()));
    for (name, pending) in SIZES {
        let id = BenchmarkId::new("idle", name);
        group.bench_function(id, |bencher| idle(bencher, pending));
    }
    for due in [1, 64] {
        group.throughput(Throughput::Elements(due));
        let id = BenchmarkId::new("busy", due);
        group.bench_function(id, |bencher| busy(bencher, due));
    }
}

/// Ticks on the real clock while all tasks lie one to two hours ahead.
fn idle(bencher: &mut Bencher<'_>, pending: u64) {
    let mut scheduler = Scheduler::new(Config::default());
    let mut rng = Rng(pending);
    for _ in 0..pending {
        let delay = Duration::from_nanos(HOUR_NS + rng.below(HOUR_NS));
        let task = Task::new(|| unreachable!("an hour has not passed"), delay);
        scheduler.schedule(task).expect("room for it");
    }
    bencher.iter_custom(|iterations| {
        let before = scheduler.metrics().idle_ticks;
        let spent = timed(|| {
            for _ in 0..iterations {
                black_box(scheduler.tick());
            }
        });
        assert_eq!(scheduler.metrics().idle_ticks - before, iterations);
        assert_eq!(scheduler.len() as u64, pending);
        spent
    });
}

/// Ticks of which each finds `due` tasks; scheduling them is not timed.
fn busy(bencher: &mut Bencher<'_>, due: u64) {
    let mut lane = Lane::new(Config::default());
    bencher.iter_custom(|iterations| {
        let mut spent = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let ticks = left.min(TICKS_PER_FILL);
            spent += busy_ticks(&mut lane, ticks, due);
            left -= ticks;
        }
        spent
    });
}

fn busy_ticks(lane: &mut Lane, ticks: u64, due: u64) -> Duration {
    let (start_ns, before) = (lane.scheduler.now().as_nanos(), lane.ledger.ran());
    for tick in 1..=ticks {
        for _ in 0..due {
            lane.schedule(start_ns + tick * TICK_NS);
        }
    }
    let spent = timed(|| {
        for _ in 0..ticks {
            lane.advance(TICK_NS);
        }
    });
    assert_eq!(lane.ledger.ran() - before, ticks * due);
    assert!(lane.scheduler.is_empty());
    spent
}

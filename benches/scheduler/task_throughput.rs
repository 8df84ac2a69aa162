//! What does a task cost from `schedule` to the end of its job?

use std::hint::black_box;
use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion};
use nanosecond_scheduler::{Config, Scheduler, Task};

use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::rng::Rng;
use crate::{expect_elements, SIZES};

/// Polls with which a span of virtual time is passed.
const POLLS: u64 = 1_000;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("task_throughput");
    for (name, tasks) in SIZES {
        expect_elements(&mut group, tasks);
        let id = BenchmarkId::new("due_now", name);
        group.bench_function(id, |bencher| due_now(bencher, tasks));
    }
    for (name, tasks, span_ms) in [
        ("1k_over_1ms", 1_000, 1),
        ("100k_over_50ms", 100_000, 50),
        ("1M_over_1s", 1_000_000, 1000),
    ] {
        expect_elements(&mut group, tasks);
        let id = BenchmarkId::new("future", name);
        group.bench_function(id, |bencher| future(bencher, tasks, span_ms * 1_000_000));
    }
}

/// Schedules tasks without a delay on the real clock, then ticks until they have run.
fn due_now(bencher: &mut Bencher<'_>, tasks: u64) {
    let mut scheduler = Scheduler::new(Config::default());
    let ledger = Ledger::leaked();
    bencher.iter(|| {
        let before = ledger.ran();
        for _ in 0..tasks {
            // The ledger needs no release here: a later task is never released earlier.
            let task = Task::new(ledger.job(0), Duration::ZERO);
            scheduler.schedule(task).expect("room for it");
        }
        while black_box(scheduler.tick()).more_due {}
        assert_eq!(ledger.ran() - before, tasks);
    });
    assert!(scheduler.is_empty());
}

/// Schedules tasks at random instants of a span of virtual time, then passes it poll by poll.
fn future(bencher: &mut Bencher<'_>, tasks: u64, span_ns: u64) {
    let mut lane = Lane::new(Config::default());
    let mut rng = Rng(tasks);
    bencher.iter(|| {
        let (start_ns, before) = (lane.scheduler.now().as_nanos(), lane.ledger.ran());
        for _ in 0..tasks {
            lane.schedule(start_ns + 1 + rng.below(span_ns));
        }
        for _ in 0..POLLS {
            lane.advance(span_ns / POLLS);
        }
        assert_eq!(lane.ledger.ran() - before, tasks);
    });
    assert!(lane.scheduler.is_empty());
}

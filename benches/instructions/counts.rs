//! The operations whose instructions are counted, under a clock that stands still until moved.
//!
//! Each function below is one measurement: Valgrind counts from its entry to its return, so what
//! precedes it (`setup`) and follows it (`teardown`, which checks what it did) is free. Run by
//! `check.sh`.

#[path = "../scheduler/events.rs"]
mod events;
#[path = "../scheduler/lane.rs"]
mod lane;
#[path = "../scheduler/ledger.rs"]
mod ledger;
#[path = "../scheduler/rng.rs"]
mod rng;

use std::hint::black_box;

use gungraun::prelude::*;
use gungraun::Callgrind;
use nanosecond_scheduler::{Config, TaskId};

use crate::lane::Lane;
use crate::rng::Rng;

/// Tasks that are pending where that matters.
const PENDING: u64 = 10_000;
/// Tasks that are due at once, and idle ticks counted.
const THOUSAND: u64 = 1_000;
const GAP_NS: u64 = events::GAP_NS;

/// A queue that has been grown and emptied before, and the order in which to cancel its tasks.
struct Queue {
    lane: Lane,
    releases_ns: Vec<u64>,
    ids: Vec<TaskId>,
}

impl Queue {
    fn schedule(&mut self) {
        for release_ns in &self.releases_ns {
            self.ids.push(self.lane.schedule(*release_ns));
        }
    }

    fn cancel(&mut self) {
        for id in self.ids.drain(..) {
            self.lane.scheduler.cancel(id).expect("it is pending");
        }
    }
}

fn empty_queue() -> Queue {
    let mut rng = Rng(PENDING);
    let mut queue = Queue {
        lane: Lane::new(Config::default()),
        releases_ns: (0..PENDING).map(|_| 1 + rng.below(PENDING * GAP_NS)).collect(),
        ids: Vec::with_capacity(PENDING as usize),
    };
    queue.schedule();
    queue.cancel();
    queue
}

fn full_queue() -> Queue {
    let mut queue = empty_queue();
    queue.schedule();
    Rng(THOUSAND).shuffle(&mut queue.ids);
    queue
}

fn thousand_due() -> Lane {
    let Queue { mut lane, .. } = empty_queue();
    for release_ns in 1..=THOUSAND {
        lane.schedule(release_ns);
    }
    lane
}

/// Not one of the tasks was due.
fn is_full(queue: Queue) {
    assert_eq!(queue.lane.scheduler.len() as u64, PENDING);
    assert_eq!(queue.lane.ledger.ran(), 0);
}

fn is_empty(queue: Queue) {
    assert!(queue.lane.scheduler.is_empty());
    assert_eq!(queue.lane.ledger.ran(), 0);
}

fn thousand_ran(lane: Lane) {
    assert!(lane.scheduler.is_empty());
    assert_eq!(lane.ledger.ran(), THOUSAND);
}

/// One event falls on each gap, by and large.
fn events_ran(lane: Lane) {
    assert_eq!(lane.scheduler.len() as u64, PENDING);
    assert!(lane.ledger.ran().abs_diff(PENDING) < 500, "{} events ran", lane.ledger.ran());
}

#[library_benchmark(setup = full_queue, teardown = is_full)]
#[bench::x1k()]
fn tick_idle(mut queue: Queue) -> Queue {
    for _ in 0..THOUSAND {
        black_box(queue.lane.scheduler.tick());
    }
    queue
}

#[library_benchmark(setup = thousand_due, teardown = thousand_ran)]
#[bench::due_1k()]
fn tick(mut lane: Lane) -> Lane {
    lane.advance(THOUSAND);
    lane
}

#[library_benchmark(setup = empty_queue, teardown = is_full)]
#[bench::x10k()]
fn schedule(mut queue: Queue) -> Queue {
    queue.schedule();
    queue
}

#[library_benchmark(setup = full_queue, teardown = is_empty)]
#[bench::random_x10k()]
fn cancel(mut queue: Queue) -> Queue {
    queue.cancel();
    queue
}

#[library_benchmark(setup = events::fill, teardown = events_ran)]
#[bench::pending_10k(PENDING)]
fn hold(mut lane: Lane) -> Lane {
    for _ in 0..PENDING / 50 {
        lane.advance(50 * GAP_NS);
    }
    lane
}

library_benchmark_group!(name = counts, benchmarks = [tick_idle, tick, schedule, cancel, hold]);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = counts
);

//! The hold model: run the earliest event, which schedules one successor. What does that cost when
//! 1k to 1M events are pending?

use criterion::{Bencher, BenchmarkId, Criterion, Throughput};

use crate::events::{self, GAP_NS};
use crate::{timed, SIZES};

/// Events per poll, on average.
const POLL_EVENTS: u64 = 64;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hold");
    group.throughput(Throughput::Elements(1));
    for (name, pending) in SIZES {
        let id = BenchmarkId::from_parameter(name);
        group.bench_function(id, |bencher| hold(bencher, pending));
    }
}

fn hold(bencher: &mut Bencher<'_>, pending: u64) {
    let mut lane = events::fill(pending);
    bencher.iter_custom(|iterations| {
        let before = lane.ledger.ran();
        let spent = timed(|| {
            while lane.ledger.ran() < before + iterations {
                lane.advance(POLL_EVENTS * GAP_NS);
            }
        });
        assert_eq!(lane.scheduler.len() as u64, pending, "each event has one successor");
        // The last poll may have run some events more than were asked for.
        spent.mul_f64(iterations as f64 / (lane.ledger.ran() - before) as f64)
    });
}

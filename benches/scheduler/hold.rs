//! The hold model: run the earliest event, which schedules one successor. What does that cost when
//! 1k to 1M events are pending?

use criterion::{Bencher, BenchmarkId, Criterion, Throughput};
use nanosecond_scheduler::{Config, Context, Task, TimePoint};

use crate::lane::{timed, Lane};
use crate::ledger::Ledger;
use crate::rng::Rng;
use crate::SIZES;

/// Mean virtual time from one event to the next.
const GAP_NS: u64 = 1_000;
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
    let mut lane = fill(pending);
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

/// A lane with `pending` events.
pub(crate) fn fill(pending: u64) -> Lane {
    let mut lane = Lane::new(Config::default());
    let mut rng = Rng(pending);
    let spread_ns = 2 * GAP_NS * pending;
    for _ in 0..pending {
        let release_ns = rng.below(spread_ns);
        let event = Event { ledger: lane.ledger, release_ns, spread_ns, rng: Rng(rng.next()) };
        lane.scheduler.schedule(event.into_task()).expect("room for it");
    }
    lane
}

/// What an event's closure captures: 32 bytes.
struct Event {
    ledger: &'static Ledger,
    release_ns: u64,
    /// The successor comes up to this much later.
    spread_ns: u64,
    rng: Rng,
}

impl Event {
    #[inline]
    fn into_task(self) -> Task {
        let release = TimePoint::from_nanos(self.release_ns);
        let body = move |cx: &mut Context<'_>| {
            cx.schedule(self.run().into_task()).expect("room for it");
        };
        Task::with_context(body, std::time::Duration::ZERO).at(release)
    }

    /// The event itself; returns its successor.
    #[inline]
    fn run(mut self) -> Event {
        self.ledger.sign(self.release_ns, 0);
        self.release_ns += 1 + self.rng.below(self.spread_ns);
        self
    }
}

//! Events that each schedule one successor, so that their number stays the same.

use std::time::Duration;

use nanosecond_scheduler::{Config, Context, Task, TimePoint};

use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::rng::Rng;

/// Mean virtual time from one event to the next, of all that are pending.
pub(crate) const GAP_NS: u64 = 1_000;

/// A lane with `pending` events.
pub(crate) fn fill(pending: u64) -> Lane {
    let mut lane = Lane::new(Config::default());
    let mut rng = Rng(pending);
    let spread_ns = 2 * GAP_NS * pending;
    for _ in 0..pending {
        // The lesser of two makes the first events as frequent as all that follow.
        let release_ns = rng.below(spread_ns).min(rng.below(spread_ns));
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
        Task::with_context(body, Duration::ZERO).at(release)
    }

    /// The event itself; returns its successor.
    #[inline]
    fn run(mut self) -> Event {
        self.ledger.sign(self.release_ns, 0);
        self.release_ns += 1 + self.rng.below(self.spread_ns);
        self
    }
}

//! What do scheduling and cancelling cost, and both together where timeouts are mostly cancelled?

use std::time::Duration;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput};
use nanosecond_scheduler::{Config, TaskId};

use crate::lane::Lane;
use crate::rng::Rng;
use crate::{expect_elements, timed, SIZES};

/// Releases lie this far apart on average.
const GAP_NS: u64 = 1_000;
/// Re-arms between two ticks.
const REARMS_PER_TICK: u64 = 64;

#[derive(Clone, Copy)]
enum Timed {
    Schedule,
    CancelOldestFirst,
    CancelRandom,
}

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedule_cancel");
    for (name, tasks) in SIZES {
        expect_elements(&mut group, tasks);
        for (part, timed) in [
            ("schedule", Timed::Schedule),
            ("cancel_oldest_first", Timed::CancelOldestFirst),
            ("cancel_random", Timed::CancelRandom),
        ] {
            let id = BenchmarkId::new(part, name);
            group.bench_function(id, |bencher| fill_and_cancel(bencher, tasks, timed));
        }
    }
    for (name, timers) in SIZES {
        group.throughput(Throughput::Elements(1));
        let id = BenchmarkId::new("rearm", name);
        group.bench_function(id, |bencher| rearm(bencher, timers));
    }
}

/// Schedules tasks at random instants, then cancels all of them; times one of the two.
fn fill_and_cancel(bencher: &mut Bencher<'_>, tasks: u64, part: Timed) {
    let mut lane = Lane::new(Config::default());
    let mut rng = Rng(tasks);
    let mut ids: Vec<TaskId> = Vec::with_capacity(tasks as usize);
    bencher.iter_custom(|iterations| {
        let mut spent = Duration::ZERO;
        for _ in 0..iterations {
            let schedule = timed(|| {
                ids.extend((0..tasks).map(|_| lane.schedule(1 + rng.below(tasks * GAP_NS))));
            });
            assert_eq!(lane.scheduler.len() as u64, tasks);
            if let Timed::CancelRandom = part {
                rng.shuffle(&mut ids);
            }
            let cancel = timed(|| {
                for id in ids.drain(..) {
                    lane.scheduler.cancel(id).expect("it is pending");
                }
            });
            assert!(lane.scheduler.is_empty());
            spent += if let Timed::Schedule = part { schedule } else { cancel };
        }
        spent
    });
    lane.advance(tasks * GAP_NS);
    assert_eq!(lane.ledger.ran(), 0, "a cancelled task ran");
}

/// Timers in steady state. Each iteration advances the clock, cancels a random timer and arms it
/// anew; one in about a hundred has expired before its turn comes.
fn rearm(bencher: &mut Bencher<'_>, timers: u64) {
    let mut lane = Lane::new(Config::default());
    let mut rng = Rng(timers);
    // Its turn comes after an exponentially distributed time T with the mean `timers * GAP_NS`.
    // For timeouts uniform from 2.85 to 8.55 of these means, E[P(T > timeout)] is 1 %.
    let turn_ns = timers * GAP_NS;
    let mut timeout_ns = move || 1 + turn_ns * (285 + rng.below(570)) / 100;
    let mut pick = Rng(!timers);
    let mut ids: Vec<TaskId> = (0..timers).map(|_| lane.schedule(timeout_ns())).collect();
    let mut expired = 0;
    bencher.iter_custom(|iterations| {
        let spent = timed(|| {
            for turn in 1..=iterations {
                let release_ns = lane.scheduler.now().as_nanos() + timeout_ns();
                let id = &mut ids[pick.below(timers) as usize];
                expired += u64::from(lane.scheduler.cancel(*id).is_err());
                *id = lane.schedule(release_ns);
                if turn % REARMS_PER_TICK == 0 {
                    lane.advance(REARMS_PER_TICK * GAP_NS);
                }
            }
        });
        // Who has run and was not found expired since is waiting for its turn.
        let waiting = lane.ledger.ran() - expired;
        assert_eq!(lane.scheduler.len() as u64 + waiting, timers);
        spent
    });
}

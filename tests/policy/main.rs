//! Hazard: released tasks in another order than the policy's: by key, then class, then first in,
//! first out; whatever arrives, leaves or repeats while they wait.

#[path = "../common/mod.rs"]
mod common;
mod order;
mod ready;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use common::{at, manual, ns, scatter, Drops, Log};
use nanosecond_scheduler::{
    Config, Context, DeadlineKind, ManualClock, MaxEstimator, MissedTick, Policy, Priority,
    Scheduler, Task, TaskId,
};
use Policy::{DeadlineMonotonic, EarliestDeadlineFirst, LeastLaxity, RateMonotonic};

/// All policies but the default, which never has ready tasks.
const BY_KEY: [Policy; 4] = [EarliestDeadlineFirst, RateMonotonic, DeadlineMonotonic, LeastLaxity];

type Names = Log<&'static str>;

fn with_policy(policy: Policy) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { policy, audit: true, ..Config::default() })
}

fn limited(policy: Policy, max_tasks_per_tick: usize) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { policy, audit: true, max_tasks_per_tick, ..Config::default() })
}

/// A body that logs a name.
fn logs(log: &Names, name: &'static str) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = log.clone();
    move |_| log.push(name)
}

/// A job of `urgency` 0, 1, 2 …, the less the earlier, by the key of any policy but `Priority`.
fn urgent<T: Copy + 'static>(log: &Log<T>, name: T, urgency: u64) -> Task {
    let log = log.clone();
    let body = move |cx: &mut Context<'_>| {
        log.push(name);
        cx.cancel(cx.id()).unwrap();
    };
    Task::periodic(body, ns(1_000 + urgency)).with_delay(ns(0)).with_deadline(ns(1_000 + urgency))
}

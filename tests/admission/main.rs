//! Hazard: admission that accepts what misses deadlines, forgets who has gone, or loses what it refuses.

#[path = "../common/mod.rs"]
mod common;
mod fresh;
mod kept;
mod no_verdict;
mod refusal;
mod room;
mod tick_rate;

use std::rc::Rc;
use std::time::Duration;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::analysis::{nonpreemptive, Response, TaskModel, Verdict};
use nanosecond_scheduler::{
    Admission, AdmissionControl, Config, Context, DeadlineKind, Emergency, ManualClock, MissedTick,
    OnFailure, Policy, Priority, Rejection, ScheduleErrorKind, Scheduler, Task, TaskId,
    UnknownCause, UnknownVerdict,
};

const POLICIES: [Policy; 4] = [
    Policy::Priority,
    Policy::RateMonotonic,
    Policy::DeadlineMonotonic,
    Policy::EarliestDeadlineFirst,
];

fn config(policy: Policy, admission: Admission) -> Config {
    Config { policy, admission, ..Config::default() }
}

fn model(wcet: u64, period: u64, deadline: u64) -> TaskModel {
    TaskModel::new(wcet, period, deadline).unwrap()
}

fn control(policy: Policy) -> AdmissionControl {
    AdmissionControl::new(Admission::Exact, policy, UnknownVerdict::Refuse)
}

/// A task that takes what it declares.
fn works(clock: &ManualClock, wcet: u64, period: u64) -> Task {
    let clock = clock.clone();
    Task::periodic(move |_| clock.advance(ns(wcet)), ns(period)).with_wcet(ns(wcet))
}

fn once(wcet: u64, deadline: u64) -> Task {
    Task::new(|| (), Duration::ZERO).with_wcet(ns(wcet)).with_deadline(ns(deadline))
}

/// The reason for which a task is refused.
fn rejection(scheduler: &mut Scheduler<ManualClock>, task: Task) -> Rejection {
    match scheduler.schedule(task).expect_err("it is refused").kind() {
        ScheduleErrorKind::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

fn is_accepted(scheduler: &mut Scheduler<ManualClock>, task: Task) -> bool {
    scheduler.schedule(task).is_ok()
}

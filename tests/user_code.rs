//! Hazard: estimators and operators of the user's that panic in the middle of a phase, and with it lose
//! tasks, or panics of jobs.
#![cfg(all(feature = "std", feature = "realtime"))]

mod common;

use common::timed::{caught, fail};
use common::{at, manual, ns, Log};
use nanosecond_scheduler::strange_loop::{Bound, Observation, Observer, Operator};
use nanosecond_scheduler::{Config, Policy, Task, WcetEstimator};

/// Panics when it is asked.
struct Speechless;

impl WcetEstimator for Speechless {
    fn record(&mut self, _execution_ns: u64) {}

    fn estimate_ns(&self) -> Option<u64> {
        fail("of an estimate");
        None
    }
}

#[test]
fn an_estimate_that_panics_is_none_and_no_released_task_is_lost() {
    let config = Config { policy: Policy::LeastLaxity, audit: true, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    scheduler.estimate_wcet(|_| Box::new(Speechless));
    let log = Log::default();
    for n in 0..5 {
        let task = log.task(n, ns(10)).with_deadline(ns(100 - n));
        scheduler.schedule(if n % 2 == 0 { task.with_name("asked") } else { task }).unwrap();
    }
    clock.set(at(10));
    // The tick ends after its first job, as ever when there is something to raise.
    assert_eq!(caught(|| scheduler.tick().executed), Err("of an estimate"));
    assert_eq!((log.take(), scheduler.len()), (vec![4], 4));
    assert_eq!(caught(|| scheduler.tick().executed), Ok(4));
    assert_eq!(log.take(), [3, 2, 1, 0], "by deadline");
    assert_eq!((scheduler.len(), scheduler.inversions()), (0, Some(0)));
}

#[test]
fn no_other_policy_asks_for_estimates() {
    for policy in [Policy::Priority, Policy::EarliestDeadlineFirst, Policy::RateMonotonic] {
        let (mut scheduler, _clock) = manual(Config { policy, ..Config::default() });
        scheduler.estimate_wcet(|_| Box::new(Speechless));
        scheduler.schedule(Task::new(|| (), ns(0)).with_name("asked")).unwrap();
        assert_eq!(scheduler.tick().executed, 1);
    }
}

/// Panics whenever it is applied.
struct Stuck;

impl Operator for Stuck {
    fn dim(&self) -> usize {
        1
    }

    fn apply(&mut self, _x: &[f64], _out: &mut [f64]) {
        fail("of an operator");
    }

    fn lipschitz(&self) -> Option<Bound> {
        None
    }
}

impl Observer for Stuck {
    fn observe(&mut self, _observation: &Observation) {}
}

#[test]
fn a_panic_of_an_operator_is_raised_when_the_tick_is_done() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.attach_operator(Stuck, &[0.0], 1).unwrap();
    let log = Log::default();
    for delay in [0, 0, 50] {
        scheduler.schedule(log.task(delay, ns(delay))).unwrap();
    }
    assert_eq!(caught(|| scheduler.tick().executed), Err("of an operator"));
    assert_eq!((log.take(), scheduler.next_release()), (vec![0, 0], Some(at(50))));
    assert_eq!((scheduler.metrics().executed, scheduler.strange_loop().observations), (2, 1));
    // One of a job goes before it, and nothing is left for the tick after.
    scheduler.schedule(Task::new(|| fail("of a job"), ns(0))).unwrap();
    assert_eq!(caught(|| scheduler.tick().executed), Err("of a job"));
    assert_eq!(scheduler.tick().executed, 0);
    clock.set(at(50));
    assert_eq!(caught(|| scheduler.tick().executed), Err("of an operator"));
    assert_eq!((log.take(), scheduler.len()), (vec![50], 0));
}

//! Hazards: a nonsensical request that reaches the system, a refusal that `require` lets pass.

use std::time::Duration;

use nanosecond_realtime::os::{self, Outcome, PriorityClasses, SchedClass, Throttling};
use nanosecond_scheduler::Priority;

#[test]
fn the_default_classes_are_fifo_99_90_50_and_other() {
    let classes = PriorityClasses::default();
    let by_priority = Priority::ALL.map(|priority| classes.of(priority));
    assert_eq!(
        by_priority,
        [SchedClass::Fifo(99), SchedClass::Fifo(90), SchedClass::Fifo(50), SchedClass::Normal]
    );
}

#[test]
fn require_fails_unless_applied() {
    assert_eq!(Outcome::Applied.require(), Ok(()));
    let denied = Outcome::Denied { errno: 1, hint: "get the right".into() };
    let error = denied.clone().require().unwrap_err();
    assert_eq!(error.outcome(), &denied);
    assert_eq!(error.to_string(), "denied (error 1): get the right");
    let unsupported = Outcome::Unsupported { hint: "do without".into() };
    let error = unsupported.require().unwrap_err();
    assert_eq!(error.to_string(), "unsupported: do without");
}

#[test]
fn classes_without_sense_are_denied() {
    let ms = Duration::from_millis;
    let deadline = |runtime, deadline, period| SchedClass::Deadline { runtime, deadline, period };
    for (class, named) in [
        (SchedClass::Fifo(0), "priority 0"),
        (SchedClass::Fifo(100), "priority 100"),
        (SchedClass::RoundRobin(0), "priority 0"),
        (SchedClass::RoundRobin(255), "priority 255"),
        (deadline(ms(0), ms(1), ms(1)), "0ns"),
        (deadline(ms(3), ms(2), ms(4)), "3ms, 2ms"),
        (deadline(ms(1), ms(5), ms(4)), "5ms, 4ms"),
    ] {
        match os::set_class(class) {
            Outcome::Denied { hint, .. } => assert!(hint.contains(named), "{class}: {hint}"),
            other => panic!("{class}: {other}"),
        }
    }
}

#[test]
fn nice_values_out_of_range_are_denied() {
    for nice in [i32::MIN, -21, 20, i32::MAX] {
        match os::set_nice(nice) {
            Outcome::Denied { hint, .. } => assert!(hint.contains(&nice.to_string()), "{hint}"),
            other => panic!("{nice}: {other}"),
        }
    }
}

#[test]
fn there_is_a_core() {
    let cores = os::available_cores();
    assert!(!cores.is_empty());
    assert!(cores.is_sorted());
}

#[test]
fn throttling_is_a_share() {
    let throttling =
        Throttling { runtime: Duration::from_millis(950), period: Duration::from_secs(1) };
    assert_eq!(throttling.share(), 0.95);
    assert!(throttling.to_string().ends_with("may stall for 50ms"), "{throttling}");
}

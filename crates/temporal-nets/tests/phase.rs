//! Hazard: phases that drift or jump at the origin, and locking that is not SciPy's.

mod common;

use std::f64::consts::{PI, TAU};
use std::time::Duration;

use common::{floats, json};
use nanosecond_scheduler::TimePoint;
use temporal_nets::{PhaseOscillator, VectorStrength};

#[test]
fn vector_strengths_are_scipys() {
    let cases = json("phase_locking.json");
    let mut count = 0;
    for (name, case) in cases.as_object().unwrap() {
        let period = case["period"].as_f64().unwrap();
        // SciPy's times have any unit; ours are ns, of which these have a million.
        let oscillator =
            PhaseOscillator::new(TimePoint::ZERO, Duration::from_nanos((period * 1e6) as u64));
        let mut locking = VectorStrength::default();
        for time in floats(&case["times"]) {
            let at = TimePoint::from_nanos((time * 1e6).round() as u64);
            locking.add(oscillator.phase(at));
        }
        let expected = floats(&case["vs"]);
        let strength = locking.strength().unwrap();
        assert!((strength - expected[0]).abs() < 1e-12, "{name}: {strength}, {expected:?}");
        if expected[0] > 1e-6 {
            let difference = locking.mean_phase().unwrap() - expected[1];
            let difference = (difference + PI).rem_euclid(TAU) - PI;
            assert!(difference.abs() < 1e-11, "{name}: off by {difference}, {expected:?}");
        }
        count += 1;
    }
    assert!(count >= 4, "only {count} cases");
}

#[test]
fn nothing_has_no_phase() {
    let nothing = VectorStrength::default();
    assert_eq!((nothing.count(), nothing.strength(), nothing.mean_phase()), (0, None, None));
}

#[test]
fn a_phase_does_not_drift_and_goes_on_before_the_origin() {
    let origin = 1_000_000_007;
    let oscillator =
        PhaseOscillator::new(TimePoint::from_nanos(origin), Duration::from_nanos(1_003));
    for cycle in [0, 1, 2, 1_000_000_007, 18_000_000_000_000] {
        for offset in [0, 1, 500, 1_002] {
            let at = TimePoint::from_nanos(origin + cycle * 1_003 + offset);
            assert_eq!(oscillator.phase(at), offset as f64 / 1_003.0 * TAU);
            assert_eq!(oscillator.cycle(at), i128::from(cycle));
        }
    }
    let before = |by: u64| TimePoint::from_nanos(origin - by);
    assert_eq!(oscillator.phase(before(1)), 1_002.0 / 1_003.0 * TAU);
    assert_eq!(oscillator.phase(before(1_003)), 0.0);
    assert_eq!((oscillator.cycle(before(1)), oscillator.cycle(before(1_003))), (-1, -1));
    assert_eq!(oscillator.cycle(before(1_004)), -2);
    assert!(oscillator.phase(TimePoint::MAX) < TAU);
    let slow = PhaseOscillator::new(TimePoint::ZERO, Duration::from_nanos(u64::MAX));
    assert!(slow.phase(TimePoint::from_nanos(u64::MAX - 1)) <= TAU);
}

#[test]
#[should_panic(expected = "must be positive")]
fn a_period_of_zero_is_refused() {
    let _ = PhaseOscillator::new(TimePoint::ZERO, Duration::ZERO);
}

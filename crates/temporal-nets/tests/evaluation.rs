//! Hazard: routing that is judged by other figures than the literature's, or thresholds that escalate
//! more than was allowed.

mod common;

use common::{json, Rng};
use temporal_nets::{Case, Evaluation, EvaluationError};

fn case(doubt: f64, swarm_is_right: bool, expensive_is_right: bool) -> Case {
    Case { doubt, swarm_is_right, expensive_is_right }
}

/// Cases that give the curve of an oracle's run, by (escalated, right) counts from nothing escalated to
/// everything. Those between two points have the same doubt.
fn cases(points: &[(usize, usize)]) -> Vec<Case> {
    let total = points[points.len() - 1].0;
    let mut cases = Vec::new();
    for (k, pair) in points.windows(2).enumerate() {
        let doubt = 1.0 - k as f64 / points.len() as f64;
        let gained = pair[1].1 as i64 - pair[0].1 as i64;
        for nth in 0..(pair[1].0 - pair[0].0) as i64 {
            let differs = nth < gained.abs();
            cases.push(case(doubt, !(differs && gained > 0), !(differs && gained < 0)));
        }
    }
    // Cases that both get wrong make up for the rest.
    let mut surplus = cases.iter().filter(|case| case.swarm_is_right).count() - points[0].1;
    for case in cases.iter_mut().filter(|case| case.swarm_is_right && case.expensive_is_right) {
        if surplus > 0 {
            (case.swarm_is_right, case.expensive_is_right) = (false, false);
            surplus -= 1;
        }
    }
    assert!(surplus == 0 && cases.len() == total);
    cases
}

#[test]
fn curves_and_apgr_are_those_of_another_router() {
    for run in json("router_digits.json")["runs"].as_array().unwrap() {
        let total = run["n_test"].as_f64().unwrap();
        let count = |share: &serde_json::Value| (share.as_f64().unwrap() * total).round() as usize;
        for rule in ["ci", "jsd"] {
            let curve = run["curve"].as_array().unwrap().iter().filter(|at| at["rule"] == rule);
            let points: Vec<_> =
                curve.map(|at| (count(&at["escalation"]), count(&at["acc"]))).collect();
            let evaluation = Evaluation::new(cases(&points)).unwrap();
            let ours: Vec<_> = evaluation.curve().collect();
            assert_eq!(ours.len(), points.len());
            for (ours, point) in ours.iter().zip(&points) {
                assert_eq!(ours.escalation_rate, point.0 as f64 / total);
                assert_eq!(ours.accuracy, point.1 as f64 / total);
            }
            // The oracle's is over all samples, the points are ten of them.
            let expected = run[format!("apgr_{rule}").as_str()].as_f64().unwrap();
            let apgr = evaluation.apgr().unwrap();
            assert!((apgr - expected).abs() < 0.01, "{rule}: {apgr} instead of {expected}");
        }
    }
}

#[test]
fn apgr_of_the_best_the_worst_and_no_order() {
    // A tenth is gained by escalation. First: 1 - 0.1 / 2. Last: 0.1 / 2. By chance: 1/2.
    let apgr = |doubt: fn(usize) -> f64| {
        let cases = (0..1_000).map(|k| case(doubt(k), k >= 100, true));
        Evaluation::new(cases.collect()).unwrap().apgr().unwrap()
    };
    assert!((apgr(|k| 1.0 - k as f64 / 1e3) - 0.95).abs() < 1e-12);
    assert!((apgr(|k| k as f64 / 1e3) - 0.05).abs() < 1e-12);
    assert!((apgr(|_| 0.5) - 0.5).abs() < 1e-12);
    assert!((apgr(|k| Rng(k as u64).below(1_000) as f64 / 1e3) - 0.5).abs() < 0.1);
    let no_gap = Evaluation::new(vec![case(0.5, true, true)]).unwrap();
    assert_eq!(no_gap.apgr(), None);
}

#[test]
fn thresholds_keep_to_their_rate() {
    let mut rng = Rng(3);
    let cases: Vec<_> = (0..500)
        .map(|_| case(rng.below(40) as f64 / 40.0, rng.below(4) > 0, rng.below(9) > 0))
        .collect();
    let evaluation = Evaluation::new(cases.clone()).unwrap();
    for percent in 0..100 {
        let rate = f64::from(percent) / 100.0;
        let threshold = evaluation.threshold_for(rate);
        let above =
            |threshold: f64| cases.iter().filter(|case| case.doubt > threshold).count() as f64;
        assert_eq!(evaluation.routed(threshold).escalation_rate, above(threshold) / 500.0);
        assert!(above(threshold) <= rate * 500.0, "{rate}");
        // The next lower threshold would be too low.
        assert!(threshold == 0.0 || above(threshold - 1e-9) > rate * 500.0, "{rate}");
    }
    assert_eq!(evaluation.threshold_for(1.0), 0.0);
}

#[test]
fn accuracy_is_counted_case_by_case() {
    let cases = vec![
        case(0.9, false, true),
        case(0.8, true, false),
        case(0.3, true, true),
        case(0.1, false, true),
    ];
    let evaluation = Evaluation::new(cases).unwrap();
    assert_eq!((evaluation.swarm_accuracy(), evaluation.expensive_accuracy()), (0.5, 0.75));
    let at: Vec<_> = [1.0, 0.85, 0.8, 0.5, 0.1, 0.0]
        .iter()
        .map(|threshold| {
            let routed = evaluation.routed(*threshold);
            (routed.escalation_rate, routed.accuracy, routed.accuracy_delta)
        })
        .collect();
    assert_eq!(at[..2], [(0.0, 0.5, -0.25), (0.25, 0.75, 0.0)]);
    assert_eq!(
        at[2..],
        [(0.25, 0.75, 0.0), (0.5, 0.5, -0.25), (0.75, 0.5, -0.25), (1.0, 0.75, 0.0)]
    );
}

#[test]
fn cases_without_sense_are_refused() {
    assert_eq!(Evaluation::new(vec![]), Err(EvaluationError::NoCases));
    let error = Evaluation::new(vec![case(0.5, true, true), case(1.5, true, true)]).unwrap_err();
    assert_eq!(error.to_string(), "case 1 has a doubt of 1.5; it must be from 0 to 1");
    assert!(Evaluation::new(vec![case(f64::NAN, true, true)]).is_err());
}

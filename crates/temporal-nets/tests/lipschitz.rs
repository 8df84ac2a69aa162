//! Hazard: a bound below the truth, or weights left above the limit that was asked for.

mod common;

use common::{floats, json, Rng};
use temporal_nets::{spectral_bound, Activation, DenseNet, NoLipschitz};

/// Each matrix of the oracle: name, weights, columns, true norm, and its entry.
fn cases() -> Vec<(String, Vec<f32>, usize, f64, serde_json::Value)> {
    let cases = json("lipschitz.json");
    let case = |case: &serde_json::Value| {
        let rows: Vec<Vec<f64>> = case["W"].as_array().unwrap().iter().map(floats).collect();
        let weights = rows.iter().flatten().map(|&w| w as f32).collect();
        let norm = case["sigma_max"].as_f64().unwrap();
        (case["name"].to_string(), weights, rows[0].len(), norm, case.clone())
    };
    cases.as_array().unwrap().iter().map(case).collect()
}

#[test]
fn bounds_are_never_below_the_norm_and_close_to_it() {
    let mut close = 0;
    let cases = cases();
    for (name, weights, columns, norm, case) in &cases {
        let bound = spectral_bound(weights, *columns);
        // The oracle's weights have more digits than ours.
        assert!(bound >= norm * (1.0 - 1e-7), "{name}: {bound} < {norm}");
        assert!(bound <= case["fro"].as_f64().unwrap() * (1.0 + 1e-6), "{name}");
        close += usize::from(bound <= norm * 1.001);
    }
    assert!(close + 1 >= cases.len(), "only {close} of {} bounds are within 0.1 %", cases.len());
}

#[test]
fn a_matrix_and_its_transpose_have_one_norm() {
    let mut rng = Rng(4);
    let (rows, columns) = (5, 9);
    let w: Vec<f32> = (0..rows * columns).map(|_| rng.below(2001) as f32 / 1e3 - 1.0).collect();
    let transposed: Vec<f32> =
        (0..rows * columns).map(|k| w[k % rows * columns + k / rows]).collect();
    let (a, b) = (spectral_bound(&w, columns), spectral_bound(&transposed, rows));
    assert!((a / b - 1.0).abs() < 1e-12, "{a}, {b}");
}

#[test]
fn edges() {
    assert_eq!(spectral_bound(&[0.0; 6], 3), 0.0);
    assert_eq!(spectral_bound(&[1.0, f32::NAN], 1), f64::INFINITY);
    assert_eq!(spectral_bound(&[1.0, f32::INFINITY], 1), f64::INFINITY);
    let most = spectral_bound(&[f32::MAX; 4], 2);
    assert!((most / (2.0 * f64::from(f32::MAX)) - 1.0).abs() < 1e-9);
    let least = spectral_bound(&[f32::from_bits(1)], 1);
    assert!((least / f64::from(f32::from_bits(1)) - 1.0).abs() < 1e-9);
}

fn net(seed: u64, range: f32) -> DenseNet {
    let mut net =
        DenseNet::new(&[6, 12, 6], Activation::SigmoidSymmetric, Activation::Linear).unwrap();
    net.randomize(seed, range);
    net
}

#[test]
fn an_enforced_limit_holds_and_is_used_up() {
    for limit in [0.1, 0.9, 1.0, 5.0] {
        let mut net = net(2, 4.0);
        assert!(net.lipschitz().unwrap() > limit);
        net.enforce_lipschitz(limit).unwrap();
        let after = net.lipschitz().unwrap();
        assert!(after <= limit && after > 0.999 * limit, "{after} for {limit}");
    }
}

#[test]
fn a_network_within_its_limit_is_left_alone() {
    let mut within = net(2, 0.01);
    let before = within.clone();
    within.enforce_lipschitz(1.0).unwrap();
    assert_eq!(within, before);
}

#[test]
fn outputs_never_differ_more_than_the_bound_says() {
    let mut net = net(8, 3.0);
    net.enforce_lipschitz(0.9).unwrap();
    let bound = net.lipschitz().unwrap();
    let mut rng = Rng(9);
    let mut steepest = 0.0f64;
    for _ in 0..2_000 {
        let a: Vec<f32> = (0..6).map(|_| rng.below(2001) as f32 / 1e3 - 1.0).collect();
        let b: Vec<f32> = a.iter().map(|x| x + rng.below(201) as f32 / 1e3 - 0.1).collect();
        let (fa, fb) = (net.run(&a).to_vec(), net.run(&b).to_vec());
        steepest = steepest.max(distance(&fa, &fb) / distance(&a, &b).max(1e-3));
    }
    assert!(steepest <= bound, "{steepest} > {bound}");
    assert!(steepest > 0.1, "a vacuous test: {steepest}");
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn weights_at_the_ends_of_f32_are_limited_or_refused() {
    let mut net = DenseNet::new(&[3, 3], Activation::Linear, Activation::Linear).unwrap();
    net.layers_mut()[0].set_activation(0..3, Activation::Linear, 1.0);
    for neuron in 0..3 {
        (0..3).for_each(|input| net.layers_mut()[0].set_weight(neuron, input, f32::MAX));
    }
    for limit in [0.9, 0.7, 0.3, 0.1, 0.07, 0.03] {
        let mut net = net.clone();
        net.enforce_lipschitz(limit).unwrap();
        let after = net.lipschitz().unwrap();
        assert!(after <= limit && after > 0.999 * limit, "{after} for {limit}");
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        net.layers_mut()[0].set_weight(1, 2, bad);
        assert_eq!(net.enforce_lipschitz(0.9), Err(NoLipschitz::NotFinite { layer: 1 }));
        assert_eq!(net.layers()[0].weight(0, 0), f32::MAX);
        assert_eq!(net.lipschitz(), Some(f64::INFINITY));
    }
}

#[test]
fn no_limit_for_functions_that_jump_nor_a_limit_that_is_none() {
    let mut net = net(2, 1.0);
    for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(net.enforce_lipschitz(limit), Err(NoLipschitz::Limit(_))), "{limit}");
    }
    net.layers_mut()[0].set_activation(3..4, Activation::Threshold, 0.5);
    let before = net.clone();
    assert_eq!(net.lipschitz(), None);
    assert_eq!(net.enforce_lipschitz(0.5), Err(NoLipschitz::Jump));
    assert_eq!(net, before);
}

//! Hazard: a network that grows for ever, stops before its error bound holds, or says that it does when
//! it does not.

mod common;

use std::f32::consts::PI;

use temporal_nets::{Activation, CascadeNet, Growth, GrowthError, TemporalNetwork};

type Sample = (Vec<f32>, Vec<f32>);

fn slices(samples: &[Sample]) -> Vec<(&[f32], &[f32])> {
    samples.iter().map(|(x, y)| (&x[..], &y[..])).collect()
}

fn net(inputs: usize, outputs: usize) -> CascadeNet {
    let (hidden, output) = (Activation::SigmoidSymmetric, Activation::SigmoidSymmetric);
    CascadeNet::new(inputs, outputs, hidden, output).unwrap()
}

/// The greatest error, by running the network.
fn error(net: &mut CascadeNet, samples: &[Sample]) -> f32 {
    let errors = samples.iter().flat_map(|(x, y)| {
        let output = net.run(x).to_vec();
        output.into_iter().zip(y.clone()).map(|(o, t)| (o - t).abs())
    });
    errors.collect::<Vec<_>>().into_iter().fold(0.0, f32::max)
}

fn parity(bits: u32) -> Vec<Sample> {
    let sign = |bit: bool| if bit { 1.0 } else { -1.0 };
    (0..1u32 << bits)
        .map(|n| {
            let input = (0..bits).map(|bit| sign(n >> bit & 1 == 1)).collect();
            (input, vec![sign(n.count_ones() % 2 == 1)])
        })
        .collect()
}

#[test]
fn what_is_linear_takes_no_hidden_neuron() {
    let samples: Vec<Sample> = parity(2)
        .into_iter()
        .map(|(x, _)| {
            let or = if x[0].max(x[1]) > 0.0 { 0.9 } else { -0.9 };
            (x, vec![or, -or])
        })
        .collect();
    let mut net = net(2, 2);
    let grown = net.grow(&slices(&samples), &Growth::default()).unwrap();
    assert!(grown.holds && grown.added == 0, "{grown:?}");
    assert_eq!(net.hidden_len(), 0);
    assert_eq!(net.weight_len(), 6);
}

/// Fahlman and Lebiere report about as many hidden neurons as bits, or fewer.
#[test]
fn parity_takes_some_and_the_bound_holds() {
    for bits in 2..=5 {
        let samples = parity(bits);
        let mut net = net(bits as usize, 1);
        let growth = Growth { bound: 0.2, ..Growth::default() };
        let grown = net.grow(&slices(&samples), &growth).unwrap();
        assert!(grown.holds, "{bits} bits: {grown:?}");
        assert!((1..=2 * bits as usize).contains(&grown.added), "{bits} bits: {grown:?}");
        assert_eq!(grown.added, net.hidden_len());
        assert_eq!(error(&mut net, &samples), grown.error);
        assert!(grown.error <= 0.2);
    }
}

/// The paper's benchmark: two spirals of `CASCADE_TURNS` turns, 3 in the paper, which takes 12 to 19
/// hidden neurons there; 1 unless given. Outputs count as right within 0.4. `CASCADE_SEEDS` runs, one
/// unless given.
#[test]
fn two_spirals() {
    let size = |name: &str| std::env::var(name).map_or(1, |n| n.parse().unwrap());
    let samples: Vec<Sample> = (0..=32 * size("CASCADE_TURNS"))
        .flat_map(|k| {
            let (angle, radius) = (k as f32 * PI / 16.0, 6.5 * (104 - k) as f32 / 104.0);
            let (x, y) = (radius * angle.sin(), radius * angle.cos());
            [(vec![x, y], vec![0.5]), (vec![-x, -y], vec![-0.5])]
        })
        .collect();
    for seed in 0..size("CASCADE_SEEDS") {
        let mut net = net(2, 1);
        let growth = Growth { bound: 0.4, seed, ..Growth::default() };
        let grown = net.grow(&slices(&samples), &growth).unwrap();
        println!("{} samples: {grown:?}", samples.len());
        assert!(grown.holds && grown.added > 0, "{grown:?}");
        assert!(error(&mut net, &samples) <= 0.4);
    }
}

#[test]
fn it_stops_at_the_limit_and_can_go_on() {
    let samples = parity(4);
    let mut net = net(4, 1);
    let growth = Growth { most_hidden: 1, ..Growth::default() };
    let first = net.grow(&slices(&samples), &growth).unwrap();
    assert!(!first.holds && first.added == 1 && first.error > growth.bound, "{first:?}");
    assert_eq!(error(&mut net, &samples), first.error);
    let more = Growth { most_hidden: 20, seed: 2, ..Growth::default() };
    let second = net.grow(&slices(&samples), &more).unwrap();
    assert!(second.holds && net.hidden_len() == 1 + second.added, "{second:?}");
}

#[test]
fn growth_repeats() {
    let grow = || {
        let mut net = net(3, 1);
        let grown = net.grow(&slices(&parity(3)), &Growth::default()).unwrap();
        (grown, parity(3).iter().map(|(x, _)| net.run(x)[0].to_bits()).collect::<Vec<_>>())
    };
    assert_eq!(grow(), grow());
}

#[test]
fn contradictions_are_not_learned_but_reported() {
    let samples = vec![(vec![1.0], vec![0.5]), (vec![1.0], vec![-0.5])];
    let growth = Growth { most_hidden: 3, ..Growth::default() };
    let grown = net(1, 1).grow(&slices(&samples), &growth).unwrap();
    assert!(!grown.holds && grown.added == 3 && grown.error >= 0.5, "{grown:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |samples: &[Sample], growth: Growth| {
        let mut net = net(2, 1);
        let error = net.grow(&slices(samples), &growth).unwrap_err();
        assert_eq!(net.hidden_len(), 0);
        error
    };
    let good = parity(2);
    assert_eq!(refused(&[], Growth::default()), GrowthError::NoSamples);
    let error = refused(&parity(3), Growth::default());
    assert_eq!(error.to_string(), "sample 0 has 3 inputs and 1 targets; the network has 2 and 1");
    // Before a sample whose target a new network meets: that alone must not make the bound hold.
    for (x, y) in [(f32::NAN, 0.0), (0.0, f32::NAN), (f32::INFINITY, 0.0)] {
        let samples = [(vec![x, 0.0], vec![y]), (vec![0.0, 0.0], vec![0.0])];
        let error = refused(&samples, Growth::default());
        assert_eq!(error.to_string(), "sample 0 has an input or a target that is not finite");
    }
    let bound = refused(&good, Growth { bound: f32::NAN, ..Growth::default() });
    assert!(matches!(bound, GrowthError::Bound(_)), "{bound}");
    let zero = refused(&good, Growth { candidates: 0, ..Growth::default() });
    assert_eq!(zero, GrowthError::Zero("candidates"));
    let mut jumps = CascadeNet::new(2, 1, Activation::Threshold, Activation::Sigmoid).unwrap();
    let error = jumps.grow(&slices(&good), &Growth::default()).unwrap_err();
    assert_eq!(error, GrowthError::NoSlope(Activation::Threshold));
    assert!(CascadeNet::new(0, 1, Activation::Sigmoid, Activation::Sigmoid).is_err());
}

#[test]
fn a_grown_network_takes_steps() {
    let mut net = net(2, 1);
    net.grow(&slices(&parity(2)), &Growth::default()).unwrap();
    assert_eq!((TemporalNetwork::input_len(&net), TemporalNetwork::output_len(&net)), (2, 1));
    let expected = net.run(&[1.0, -1.0]).to_vec();
    assert_eq!(net.step(&[1.0, -1.0], std::time::Duration::from_nanos(1)), expected);
}

//! Hazard: an adapter that hands out another network's outputs.
#![cfg(feature = "ruv-fann")]

use std::time::Duration;

use ruv_fann::{ActivationFunction, NetworkBuilder};
use temporal_nets::{Activation, DenseNet, RuvNetwork, TemporalNetwork};

#[test]
fn a_network_of_ruv_fann_runs_like_ours_with_its_weights() {
    let mut ruv = NetworkBuilder::<f32>::new()
        .input_layer(3)
        .hidden_layer_with_activation(5, ActivationFunction::Tanh, 0.5)
        .output_layer_with_activation(2, ActivationFunction::Linear, 0.5)
        .build();
    let mut net =
        DenseNet::new(&[3, 5, 2], Activation::SigmoidSymmetric, Activation::Linear).unwrap();
    net.randomize(6, 1.0);
    let weights: Vec<f32> = net
        .layers()
        .iter()
        .flat_map(|layer| (0..layer.neuron_len()).map(move |n| (layer, n)))
        .flat_map(|(layer, n)| (0..=layer.input_len()).map(move |i| layer.weight(n, i)))
        .collect();
    ruv.set_weights(&weights).unwrap();
    let mut ruv = RuvNetwork::new(ruv).unwrap();
    assert_eq!((ruv.input_len(), ruv.output_len()), (3, 2));
    for k in 0..10 {
        let input = [k as f32 * 0.1, -0.3, 0.5 - k as f32 * 0.07];
        let (ours, theirs) = (net.run(&input), ruv.step(&input, Duration::ZERO));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 1e-6, "{ours:?}, {theirs:?}");
        }
    }
}

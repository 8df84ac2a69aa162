//! Hazard: a network that computes something else than its weights say, at run-time or compile-time sizes.

use temporal_nets::{Activation, DenseNet, FixedNet, ShapeError};

fn net(sizes: &[usize], hidden: Activation, output: Activation) -> DenseNet {
    let mut net = DenseNet::new(sizes, hidden, output).unwrap();
    net.randomize(sizes.iter().sum::<usize>() as u64, 0.5);
    net
}

fn inputs(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 29 + 7) % 41) as f32 / 20.0 - 1.0).collect()
}

/// Weighted sums one by one, in f64.
fn layer_by_layer(net: &DenseNet, input: &[f32]) -> Vec<f32> {
    net.layers().iter().fold(input.to_vec(), |values, layer| {
        let sum = |neuron: usize| {
            let weights = (0..values.len()).map(|i| f64::from(layer.weight(neuron, i)));
            let sum: f64 = weights.zip(&values).map(|(w, x)| w * f64::from(*x)).sum();
            let mut value = [(sum + f64::from(layer.weight(neuron, values.len()))) as f32];
            let (activation, steepness) = layer.activation(neuron);
            activation.apply(steepness, &mut value);
            value[0]
        };
        (0..layer.neuron_len()).map(sum).collect()
    })
}

/// Sums are made 16, 8, 4 and 1 at a time: every number of neurons up to two of the greatest and some.
#[test]
fn every_size_of_layer_computes_its_weighted_sums() {
    for neurons in 1..=37 {
        for others in [1, 3, 8] {
            let (hidden, output) = (Activation::SigmoidSymmetric, Activation::Linear);
            let mut net = net(&[others, neurons, others], hidden, output);
            let input = inputs(others);
            let expected = layer_by_layer(&net, &input);
            let mut found = vec![0.0; others];
            net.run_into(&input, &mut found);
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5, "{others}-{neurons}: {found}, {expected}");
            }
            assert_eq!(net.output(), found);
            assert_eq!(net.run(&input), found);
        }
    }
}

#[test]
fn functions_of_single_neurons_are_kept_apart() {
    let mut net = net(&[2, 7, 1], Activation::Gaussian, Activation::Linear);
    let hidden = &mut net.layers_mut()[0];
    hidden.set_activation(2..5, Activation::Sin, 0.8);
    hidden.set_activation(4..5, Activation::Gaussian, 0.5);
    let functions: Vec<_> = (0..7).map(|n| hidden.activation(n)).collect();
    let (gaussian, sine) = ((Activation::Gaussian, 0.5), (Activation::Sin, 0.8));
    assert_eq!(functions, [gaussian, gaussian, sine, sine, gaussian, gaussian, gaussian]);
    let expected = layer_by_layer(&net, &[0.3, -0.9])[0];
    assert!((net.run(&[0.3, -0.9])[0] - expected).abs() < 1e-5);
}

#[test]
fn a_fixed_network_computes_what_its_model_does() {
    fn check<const I: usize, const H: usize, const O: usize>(activation: Activation) {
        let mut net = net(&[I, H, O], activation, Activation::Sigmoid);
        net.layers_mut()[1].set_activation(0..O, Activation::Elliot, 0.7);
        let fixed = FixedNet::<I, H, O>::try_from(&net).unwrap();
        let input = inputs(I);
        let found = fixed.run(input.as_slice().try_into().unwrap());
        for (found, expected) in found.iter().zip(net.run(&input)) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{activation} {I}-{H}-{O}: {found}, {expected}"
            );
        }
    }
    for activation in Activation::ALL {
        check::<8, 16, 4>(activation);
        check::<3, 5, 1>(activation);
        check::<1, 29, 2>(activation);
    }
}

#[test]
fn a_fixed_network_of_another_shape_is_refused() {
    let linear = |sizes: &[usize]| net(sizes, Activation::Linear, Activation::Linear);
    let refused = |net: &DenseNet| FixedNet::<8, 16, 4>::try_from(net).unwrap_err().to_string();
    for (sizes, message) in [
        (&[8, 16, 16, 4][..], "a network of 4 layers; a FixedNet has 3: inputs, hidden, outputs"),
        (&[8, 4], "a network of 2 layers; a FixedNet has 3: inputs, hidden, outputs"),
        (&[7, 16, 4], "layer 0 has 7 neurons; the FixedNet has 8"),
        (&[8, 15, 4], "layer 1 has 15 neurons; the FixedNet has 16"),
        (&[8, 16, 5], "layer 2 has 5 neurons; the FixedNet has 4"),
    ] {
        assert_eq!(refused(&linear(sizes)), message);
    }
    let mut mixed = linear(&[8, 16, 4]);
    mixed.layers_mut()[0].set_activation(3..4, Activation::Sin, 0.5);
    assert_eq!(refused(&mixed), "layer 1 has several activation functions; it must have one");
}

#[test]
fn shapes_that_cannot_be_are_refused() {
    let refused =
        |sizes: &[usize]| DenseNet::new(sizes, Activation::Linear, Activation::Linear).unwrap_err();
    assert_eq!(refused(&[]), ShapeError::Layers(0));
    assert_eq!(
        refused(&[3]).to_string(),
        "a network of 1 layers; inputs and outputs make 2 at least"
    );
    assert_eq!(refused(&[3, 0, 1]), ShapeError::Size { layer: 1, size: 0 });
    let message = refused(&[3, 1, 16_385]).to_string();
    assert_eq!(message, "layer 2 has 16385 neurons; it must have from 1 to 16384");
}

#[test]
fn the_same_seed_draws_the_same_weights_within_the_range() {
    let draw = |seed: u64| {
        let mut net = DenseNet::new(&[9, 9, 9], Activation::Linear, Activation::Linear).unwrap();
        net.randomize(seed, 0.1);
        net
    };
    let weights = |net: &DenseNet| -> Vec<f32> {
        let layer = &net.layers()[1];
        (0..9).flat_map(|n| (0..10).map(move |i| layer.weight(n, i))).collect()
    };
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5), draw(6));
    let drawn = weights(&draw(5));
    assert!(drawn.iter().all(|weight| weight.abs() <= 0.1));
    assert!(drawn.iter().any(|w| *w > 0.05) && drawn.iter().any(|w| *w < -0.05), "{drawn:?}");
}

#[test]
fn inputs_of_another_length_are_refused() {
    let panic = std::panic::catch_unwind(|| {
        net(&[2, 3, 1], Activation::Linear, Activation::Linear).run(&[1.0; 3]).to_vec()
    });
    assert_eq!(panic.unwrap_err().downcast_ref::<String>().unwrap(), "3 inputs for a network of 2");
}

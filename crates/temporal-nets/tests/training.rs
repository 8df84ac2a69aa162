//! Hazard: training that does not learn, learns something else, or leaves the Lipschitz limit.

mod common;

use temporal_nets::fann::Header;
use temporal_nets::{
    Activation, Algorithm, DenseNet, ErrorFunction, NoLipschitz, TrainError, Trainer, Training,
};

type Samples = Vec<(Vec<f32>, Vec<f32>)>;

fn epoch(trainer: &mut Trainer, net: &mut DenseNet, samples: &Samples) -> f32 {
    trainer.epoch(net, samples.iter().map(|(x, y)| (&x[..], &y[..])))
}

fn xor() -> Samples {
    let sample = |a: f32, b: f32| (vec![a, b], vec![-a * b]);
    vec![sample(-1.0, -1.0), sample(-1.0, 1.0), sample(1.0, -1.0), sample(1.0, 1.0)]
}

fn xor_net(seed: u64) -> DenseNet {
    let tanh = Activation::SigmoidSymmetric;
    let mut net = DenseNet::new(&[2, 4, 1], tanh, tanh).unwrap();
    net.randomize(seed, 0.5);
    net
}

fn training(algorithm: Algorithm) -> Training {
    Training { algorithm, ..Training::default() }
}

#[test]
fn every_algorithm_learns_xor_from_every_seed() {
    // One sample at a time, FANN's rate of 0.7 is too fast for tanh, and its tanh error even more so.
    let incremental = Training {
        learning_rate: 0.1,
        momentum: 0.5,
        error: ErrorFunction::Linear,
        ..training(Algorithm::Incremental)
    };
    for (settings, epochs) in [
        (incremental, 2_500),
        (training(Algorithm::Batch), 1_200),
        (training(Algorithm::Rprop), 50),
    ] {
        for seed in 1..=8 {
            let mut net = xor_net(seed);
            let mut trainer = Trainer::new(&net, settings).unwrap();
            let first = epoch(&mut trainer, &mut net, &xor());
            let mut errors = (0..epochs).map(|_| epoch(&mut trainer, &mut net, &xor()));
            let last = errors.find(|&error| error < 1e-3).unwrap_or(first);
            let algorithm = settings.algorithm;
            assert!(last < 1e-3 && first > 0.1, "{algorithm:?}, seed {seed}: {first} to {last}");
            for (x, y) in xor() {
                assert!((net.run(&x)[0] - y[0]).abs() < 0.15, "{algorithm:?}, seed {seed}");
            }
        }
    }
}

#[test]
fn the_same_seed_learns_the_same_weights() {
    let learn = || {
        let mut net = xor_net(3);
        let mut trainer = Trainer::new(&net, Training::default()).unwrap();
        for _ in 0..50 {
            epoch(&mut trainer, &mut net, &xor());
        }
        net
    };
    assert_eq!(learn(), learn());
}

#[test]
fn momentum_carries_the_last_change_on() {
    let mut net = DenseNet::new(&[1, 1], Activation::Linear, Activation::Linear).unwrap();
    net.layers_mut()[0].set_activation(0..1, Activation::Linear, 1.0);
    let settings = Training {
        algorithm: Algorithm::Incremental,
        learning_rate: 0.1,
        momentum: 0.5,
        error: ErrorFunction::Linear,
        ..Training::default()
    };
    let mut trainer = Trainer::new(&net, settings).unwrap();
    // The error is 1, then 1 - 2 * 0.1; weight and bias change by 0.1, then by 0.08 + 0.05.
    assert_eq!(trainer.learn(&mut net, &[1.0], &[1.0]), 1.0);
    assert!((net.layers()[0].weight(0, 0) - 0.1).abs() < 1e-6);
    assert!((trainer.learn(&mut net, &[1.0], &[1.0]) - 0.64).abs() < 1e-6);
    assert!((net.layers()[0].weight(0, 1) - 0.23).abs() < 1e-6);
}

/// Half the sum of squared errors over the samples, as the slopes of batch training have it.
fn loss(net: &mut DenseNet, samples: &Samples) -> f64 {
    let error = |(x, y): &(Vec<f32>, Vec<f32>)| {
        let output = net.run(x);
        output.iter().zip(y).map(|(a, b)| f64::from(a - b).powi(2) / 2.0).sum::<f64>()
    };
    samples.iter().map(error).sum()
}

#[test]
fn a_batch_follows_the_numerical_gradient() {
    // Functions whose slopes FANN does not clip, on three layers.
    let mut net = DenseNet::new(&[3, 5, 4, 2], Activation::Gaussian, Activation::Sin).unwrap();
    net.randomize(17, 0.8);
    net.layers_mut()[1].set_activation(0..2, Activation::Elliot, 1.5);
    net.layers_mut()[0].set_activation(2..4, Activation::Cos, 0.7);
    let samples: Samples = (0..6)
        .map(|k| {
            let x = |i: usize| ((k * 5 + i * 3) % 7) as f32 / 3.5 - 1.0;
            (vec![x(0), x(1), x(2)], vec![x(3), x(4)])
        })
        .collect();
    let settings = Training {
        algorithm: Algorithm::Batch,
        learning_rate: 1e-2,
        error: ErrorFunction::Linear,
        ..Training::default()
    };
    let mut after = net.clone();
    epoch(&mut Trainer::new(&net, settings).unwrap(), &mut after, &samples);
    let mut checked = 0;
    for k in 0..3 {
        let (neurons, inputs) = (net.layers()[k].neuron_len(), net.layers()[k].input_len());
        for (neuron, input) in (0..neurons).flat_map(|n| (0..=inputs).map(move |i| (n, i))) {
            let weight = net.layers()[k].weight(neuron, input);
            let at = |shift: f32| {
                let mut moved = net.clone();
                moved.layers_mut()[k].set_weight(neuron, input, weight + shift);
                loss(&mut moved, &samples)
            };
            let gradient = (at(5e-3) - at(-5e-3)) / 1e-2;
            let change = f64::from(after.layers()[k].weight(neuron, input) - weight);
            let expected = -gradient * 1e-2 / samples.len() as f64;
            assert!((change - expected).abs() < 2e-6, "layer {k}: {change:e}, not {expected:e}");
            checked += usize::from(expected.abs() > 2e-5);
        }
    }
    assert!(checked > 20, "only {checked} gradients were not near zero");
}

#[test]
fn the_lipschitz_limit_holds_after_every_update() {
    for algorithm in [Algorithm::Incremental, Algorithm::Batch, Algorithm::Rprop] {
        let mut net = xor_net(1);
        let settings = Training { lipschitz: Some(0.6), ..training(algorithm) };
        let mut trainer = Trainer::new(&net, settings).unwrap();
        // As steep as the outputs' distance of 1.8 and the inputs' of 2 allow, and steeper than 0.6.
        let samples = vec![(vec![-1.0, 0.0], vec![-0.9]), (vec![1.0, 0.0], vec![0.9])];
        let mut most = 0.0f64;
        for _ in 0..300 {
            epoch(&mut trainer, &mut net, &samples);
            most = most.max(net.lipschitz().unwrap());
        }
        assert!(most <= 0.6, "{algorithm:?}: {most}");
        assert!(most > 0.59, "{algorithm:?}: the limit was never reached: {most}");
        let rise = (net.run(&[1.0, 0.0])[0] - net.run(&[-1.0, 0.0])[0]) / 2.0;
        assert!(rise > 0.3, "{algorithm:?} learned a slope of {rise}");
    }
}

#[test]
fn no_samples_change_nothing() {
    let mut net = xor_net(1);
    let before = net.clone();
    let mut trainer = Trainer::new(&net, Training::default()).unwrap();
    assert_eq!(trainer.epoch(&mut net, []), 0.0);
    assert_eq!(net, before);
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let net = xor_net(1);
    let with = |change: fn(&mut Training)| {
        let mut settings = Training::default();
        change(&mut settings);
        Trainer::new(&net, settings).map(drop)
    };
    for (change, setting) in [
        ((|t| t.learning_rate = 0.0) as fn(&mut Training), "learning_rate"),
        (|t| t.learning_rate = f32::NAN, "learning_rate"),
        (|t| t.momentum = 1.0, "momentum"),
        (|t| t.rprop.increase = 0.9, "rprop.increase"),
        (|t| t.rprop.decrease = 1.0, "rprop.decrease"),
        (|t| t.rprop.delta_min = 60.0, "rprop.delta_max"),
        (|t| t.rprop.delta_zero = -1.0, "rprop.delta_zero"),
    ] {
        let error = with(change).unwrap_err();
        assert!(matches!(error, TrainError::Setting { setting: s, .. } if s == setting), "{error}");
        assert!(error.to_string().contains(setting), "{error}");
    }
    let limit = with(|t| t.lipschitz = Some(0.0)).unwrap_err();
    assert_eq!(limit, TrainError::Lipschitz(NoLipschitz::Limit(0.0)));

    let mut jumps = xor_net(1);
    jumps.layers_mut()[0].set_activation(1..2, Activation::Threshold, 0.5);
    let error = Trainer::new(&jumps, Training::default()).unwrap_err();
    assert_eq!(error, TrainError::NoSlope(Activation::Threshold));
    // Stepwise functions are learned by their curve's slope, but have no Lipschitz constant.
    jumps.layers_mut()[0].set_activation(1..2, Activation::SigmoidStepwise, 0.5);
    assert!(Trainer::new(&jumps, Training::default()).is_ok());
    let limited = Training { lipschitz: Some(1.0), ..Training::default() };
    let error = Trainer::new(&jumps, limited).unwrap_err();
    assert_eq!(error, TrainError::Lipschitz(NoLipschitz::Jump));
}

#[test]
#[should_panic(expected = "another shape")]
fn a_network_of_another_shape_is_refused() {
    let mut trainer = Trainer::new(&xor_net(1), Training::default()).unwrap();
    let mut other = DenseNet::new(&[2, 5, 1], Activation::Linear, Activation::Linear).unwrap();
    trainer.learn(&mut other, &[0.0, 0.0], &[0.0]);
}

#[test]
fn settings_come_from_a_file_of_fann() {
    let mut header = Header::default();
    assert_eq!(Training::try_from(&header), Ok(Training::default()));
    assert!(header.set("training_algorithm", 1.0) && header.set("learning_momentum", 0.25));
    let read = Training::try_from(&header).unwrap();
    assert_eq!((read.algorithm, read.momentum), (Algorithm::Batch, 0.25));
    assert!(header.set("training_algorithm", 3.0));
    let error = Training::try_from(&header).unwrap_err().to_string();
    assert_eq!(error, "training_algorithm is 3; supported is 0, 1 or 2");
}

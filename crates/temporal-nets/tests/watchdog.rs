//! Hazard: feedback that diverges unseen, or a stable network that is halted.

mod common;

use std::time::Duration;

use temporal_nets::{
    Activation, DenseNet, Divergence, DivergenceCause, DivergenceLimits, TemporalNetwork, Watchdog,
};

const DT: Duration = Duration::from_millis(1);

/// Outputs are fed back as inputs.
struct Feedback {
    net: DenseNet,
    state: Vec<f32>,
}

impl TemporalNetwork for Feedback {
    fn input_len(&self) -> usize {
        self.state.len()
    }
    fn output_len(&self) -> usize {
        self.state.len()
    }
    fn reset_state(&mut self) {
        self.state.fill(0.0);
    }
    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        self.state.iter_mut().zip(input).for_each(|(x, u)| *x += u);
        let next = self.net.run(&self.state);
        self.state.copy_from_slice(next);
        &self.state
    }
}

/// A linear network of high gain in feedback; its functions bound nothing below FANN's limit of 15,000.
fn high_gain() -> Feedback {
    let mut net = DenseNet::new(&[4, 8, 4], Activation::Linear, Activation::Linear).unwrap();
    net.randomize(3, 2.0);
    for layer in net.layers_mut() {
        let neurons = 0..layer.neuron_len();
        layer.set_activation(neurons, Activation::Linear, 0.01);
        for neuron in 0..layer.neuron_len() {
            for input in 0..=layer.input_len() {
                layer.set_weight(neuron, input, 100.0 * layer.weight(neuron, input));
            }
        }
    }
    Feedback { net, state: vec![0.0; 4] }
}

fn limits() -> DivergenceLimits {
    DivergenceLimits { magnitude: 100.0, ..DivergenceLimits::default() }
}

const PUSH: [f32; 4] = [0.1, -0.1, 0.05, 0.0];

#[test]
fn high_gain_feedback_is_halted_and_reported_without_the_constraint() {
    let mut watched = Watchdog::new(high_gain(), limits());
    assert!(watched.network().net.lipschitz().unwrap() > 1.0);
    let mut last_good = vec![0.0; 4];
    while watched.divergence().is_none() {
        last_good = watched.step(&PUSH, DT).to_vec();
    }
    let Divergence { step, cause } = watched.divergence().unwrap();
    assert!((2..50).contains(&step), "step {step}");
    assert!(matches!(cause, DivergenceCause::Magnitude { value, .. } if value.abs() > 100.0));
    // Halted: the outputs are the last good ones, and the network runs no more.
    assert!(last_good.iter().all(|y| y.abs() <= 100.0));
    let state = watched.network().state.clone();
    assert_eq!(watched.step(&PUSH, DT), last_good);
    assert_eq!(watched.network().state, state);
    let report = watched.divergence().unwrap().to_string();
    assert!(report.starts_with(&format!("diverged in step {step}: output ")), "{report}");
    // And after a reset it starts anew.
    watched.reset_state();
    assert_eq!(watched.divergence(), None);
    watched.step(&PUSH, DT);
    assert_ne!(watched.step(&PUSH, DT), [0.0; 4]);
}

#[test]
fn the_same_network_stays_bounded_with_the_constraint() {
    let mut feedback = high_gain();
    feedback.net.enforce_lipschitz(0.9).unwrap();
    let mut watched = Watchdog::new(feedback, limits());
    let mut rest = watched.network().net.clone();
    let at_zero = norm(rest.run(&[0.0; 4]));
    // ‖xₙ₊₁‖ ≤ k (‖xₙ‖ + ‖u‖) + ‖f(0)‖, so at most this in the limit.
    let bound = (0.9 * norm(&PUSH) + at_zero) / (1.0 - 0.9);
    for _ in 0..10_000 {
        let found = norm(watched.step(&PUSH, DT));
        assert!(found <= bound * 1.000_01, "{found} > {bound}");
    }
    assert_eq!(watched.divergence(), None);
    assert!(norm(&watched.network().state) > 0.0);
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn growth_is_noticed_before_the_magnitude_is_great() {
    let limits = DivergenceLimits { magnitude: 1e9, growing_steps: 3, growth: 1.5 };
    let mut watched =
        Watchdog::new(Scripted::new(&[1.0, 2.0, 4.0, 5.0, 8.0, 16.0, 32.0, 64.0]), limits);
    // From nothing to 1 counts as growth; 4 to 5 does not.
    let outputs: Vec<f32> = (0..8).map(|_| watched.step(&[], DT)[0]).collect();
    assert_eq!(outputs, [1.0, 2.0, 4.0, 5.0, 8.0, 16.0, 32.0, 32.0]);
    let divergence = watched.divergence().unwrap();
    assert_eq!(divergence, Divergence { step: 8, cause: DivergenceCause::Growth { norm: 64.0 } });
    assert_eq!(
        divergence.to_string(),
        "diverged in step 8: the outputs' norm kept growing, up to 64"
    );
}

#[test]
fn silence_is_no_growth_and_growth_is_forgotten_by_a_reset() {
    let mut silent = Watchdog::new(Scripted::new(&[0.0; 40]), DivergenceLimits::default());
    (0..40).for_each(|_| assert_eq!(silent.step(&[], DT), [0.0]));
    assert_eq!(silent.divergence(), None);

    let limits = DivergenceLimits { growing_steps: 3, ..DivergenceLimits::default() };
    let script = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
    let mut watched = Watchdog::new(Scripted::new(script), limits);
    let halted = |watched: &mut Watchdog<Scripted>| {
        (0..4).for_each(|_| drop(watched.step(&[], DT).to_vec()));
        let cause = watched.divergence().map(|divergence| (divergence.step, divergence.cause));
        watched.reset_state();
        cause
    };
    let grown = |norm| Some((4, DivergenceCause::Growth { norm }));
    assert_eq!(halted(&mut watched), grown(8.0));
    assert_eq!(halted(&mut watched), grown(128.0), "four steps anew");
}

#[test]
fn what_is_not_finite_is_noticed_at_once() {
    const SCRIPTS: [[f32; 2]; 3] =
        [[1.0, f32::NAN], [1.0, f32::INFINITY], [1.0, f32::NEG_INFINITY]];
    for script in &SCRIPTS {
        let mut watched = Watchdog::new(Scripted::new(script), DivergenceLimits::default());
        watched.step(&[], DT);
        assert_eq!(watched.step(&[], DT), [1.0]);
        let cause = DivergenceCause::NotFinite { output: 0 };
        assert_eq!(watched.divergence(), Some(Divergence { step: 2, cause }));
    }
}

/// Outputs what it was told to.
struct Scripted(&'static [f32], [f32; 1]);

impl Scripted {
    fn new(script: &'static [f32]) -> Self {
        Scripted(script, [0.0])
    }
}

impl TemporalNetwork for Scripted {
    fn input_len(&self) -> usize {
        0
    }
    fn output_len(&self) -> usize {
        1
    }
    fn reset_state(&mut self) {}
    fn step(&mut self, _input: &[f32], _dt: Duration) -> &[f32] {
        let (next, rest) = self.0.split_first().expect("the script goes on");
        (self.0, self.1) = (rest, [*next]);
        &self.1
    }
}

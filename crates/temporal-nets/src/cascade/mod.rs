//! [`CascadeNet`]: a network that grows hidden neurons one by one.

mod grow;

use core::time::Duration;

pub use grow::{Grown, Growth, GrowthError};

use crate::dense::{check_sizes, Activation, ShapeError};
use crate::network::TemporalNetwork;
use crate::rng::Rng;

/// FANN's steepness, as everywhere.
const STEEPNESS: f32 = 0.5;

/// A cascade network (Fahlman, Lebiere: The Cascade-Correlation Learning Architecture, 1990): every
/// hidden neuron sees the inputs and all hidden neurons before it, and every output sees them all.
///
/// It begins without hidden neurons, and [`grow`](Self::grow) adds them until an error bound holds.
/// Running it is O(weights) and allocates nothing.
///
/// ```
/// use temporal_nets::{Activation, CascadeNet, Growth};
///
/// let mut net = CascadeNet::new(2, 1, Activation::SigmoidSymmetric, Activation::Sigmoid)?;
/// let xor: [([f32; 2], [f32; 1]); 4] =
///     [([0.0, 0.0], [0.0]), ([0.0, 1.0], [1.0]), ([1.0, 0.0], [1.0]), ([1.0, 1.0], [0.0])];
/// let samples: Vec<_> = xor.iter().map(|(x, y)| (&x[..], &y[..])).collect();
/// let grown = net.grow(&samples, &Growth { bound: 0.1, ..Growth::default() })?;
/// assert!(grown.holds && net.hidden_len() >= 1); // XOR takes a hidden neuron
/// assert!(xor.iter().all(|(x, y)| (net.run(x)[0] - y[0]).abs() <= 0.1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CascadeNet {
    inputs: usize,
    hidden: Activation,
    output: Activation,
    /// A hidden neuron's weights: from the inputs, the bias, and the hidden neurons before it.
    hidden_weights: Vec<Vec<f32>>,
    /// An output's weights: from the inputs, the bias, and all hidden neurons.
    output_weights: Vec<Vec<f32>>,
    /// Of the last run: inputs, 1 for the bias, hidden neurons.
    values: Vec<f32>,
    outputs: Vec<f32>,
}

impl CascadeNet {
    /// A network without hidden neurons whose weights are zero.
    ///
    /// # Errors
    ///
    /// A [`ShapeError`] as of [`DenseNet::new`](crate::DenseNet::new).
    pub fn new(
        inputs: usize,
        outputs: usize,
        hidden: Activation,
        output: Activation,
    ) -> Result<Self, ShapeError> {
        check_sizes(&[inputs, outputs])?;
        let mut values = vec![0.0; inputs];
        values.push(1.0);
        Ok(CascadeNet {
            inputs,
            hidden,
            output,
            hidden_weights: Vec::new(),
            output_weights: vec![vec![0.0; inputs + 1]; outputs],
            values,
            outputs: vec![0.0; outputs],
        })
    }

    /// Computes the outputs for `input`. They stay readable until the next run.
    ///
    /// # Panics
    ///
    /// If `input` is not as long as the network's inputs.
    pub fn run(&mut self, input: &[f32]) -> &[f32] {
        assert!(input.len() == self.inputs, "{} inputs for {}", input.len(), self.inputs);
        self.values[..self.inputs].copy_from_slice(input);
        for (k, weights) in self.hidden_weights.iter().enumerate() {
            let place = self.inputs + 1 + k;
            let sum = dot(weights, &self.values[..place]);
            self.values[place] = activate(self.hidden, sum);
        }
        for (output, weights) in self.outputs.iter_mut().zip(&self.output_weights) {
            *output = activate(self.output, dot(weights, &self.values));
        }
        &self.outputs
    }

    /// Hidden neurons so far.
    #[must_use]
    pub fn hidden_len(&self) -> usize {
        self.hidden_weights.len()
    }

    /// Number of weights and biases.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.hidden_weights.iter().chain(&self.output_weights).map(Vec::len).sum()
    }

    /// Adds a hidden neuron with these weights, which no output sees yet.
    fn add_hidden(&mut self, weights: Vec<f32>) {
        self.hidden_weights.push(weights);
        self.values.push(0.0);
        self.output_weights.iter_mut().for_each(|weights| weights.push(0.0));
    }
}

/// Feedforward: outputs depend on the step's input only, and not on time.
impl TemporalNetwork for CascadeNet {
    fn input_len(&self) -> usize {
        self.inputs
    }
    fn output_len(&self) -> usize {
        self.outputs.len()
    }
    fn reset_state(&mut self) {}
    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        self.run(input)
    }
}

fn dot(weights: &[f32], values: &[f32]) -> f32 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

fn activate(activation: Activation, sum: f32) -> f32 {
    let mut value = [sum];
    activation.apply(STEEPNESS, &mut value);
    value[0]
}

/// So many weights from ±`range`.
fn random(rng: &mut Rng, len: usize, range: f32) -> Vec<f32> {
    (0..len).map(|_| rng.symmetric(range)).collect()
}

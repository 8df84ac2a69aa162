//! One fully connected layer: weights, activation functions, values.

use core::ops::Range;

use super::activation::Activation;
use crate::rng::Rng;

/// A fully connected layer with a bias. Neurons and inputs are counted from 0.
#[derive(Clone, Debug)]
pub struct Layer {
    inputs: usize,
    neurons: usize,
    /// Row i holds the weights from input i to every neuron, and the last row the biases: what is
    /// added up for neighbouring neurons lies side by side.
    pub(crate) weights: Vec<f32>,
    /// Which function each neuron has, as runs of neurons with the same one.
    segments: Vec<Segment>,
    /// Of the last run.
    pub(crate) values: Vec<f32>,
}

/// Layers are equal that compute the same, whatever they computed last.
impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        (self.inputs, self.neurons) == (other.inputs, other.neurons)
            && self.weights == other.weights
            && self.segments == other.segments
    }
}

/// Neurons from the end of the segment before up to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    end: usize,
    activation: Activation,
    steepness: f32,
}

impl Layer {
    pub(crate) fn new(inputs: usize, neurons: usize, activation: Activation) -> Self {
        Layer {
            inputs,
            neurons,
            weights: vec![0.0; (inputs + 1) * neurons],
            segments: vec![Segment { end: neurons, activation, steepness: 0.5 }],
            values: vec![0.0; neurons],
        }
    }

    /// Number of inputs, the bias not counted.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.inputs
    }

    /// Number of neurons.
    #[must_use]
    pub fn neuron_len(&self) -> usize {
        self.neurons
    }

    /// The weight from `input` to `neuron`; `input` = [`input_len`](Self::input_len) is the bias.
    ///
    /// # Panics
    ///
    /// If either is out of range.
    #[must_use]
    pub fn weight(&self, neuron: usize, input: usize) -> f32 {
        self.weights[self.index(neuron, input)]
    }

    /// Sets the weight from `input` to `neuron`; `input` = [`input_len`](Self::input_len) is the
    /// bias.
    ///
    /// # Panics
    ///
    /// If either is out of range.
    pub fn set_weight(&mut self, neuron: usize, input: usize, weight: f32) {
        let index = self.index(neuron, input);
        self.weights[index] = weight;
    }

    fn index(&self, neuron: usize, input: usize) -> usize {
        assert!(neuron < self.neurons, "neuron {neuron} of a layer of {}", self.neurons);
        assert!(input <= self.inputs, "input {input} of {} and the bias", self.inputs);
        input * self.neurons + neuron
    }

    /// The function and steepness of a neuron.
    ///
    /// # Panics
    ///
    /// If it is out of range.
    #[must_use]
    pub fn activation(&self, neuron: usize) -> (Activation, f32) {
        let segment = self.segments.iter().find(|segment| neuron < segment.end);
        let segment =
            segment.unwrap_or_else(|| panic!("neuron {neuron} of a layer of {}", self.neurons));
        (segment.activation, segment.steepness)
    }

    /// Gives `neurons` another function.
    ///
    /// # Panics
    ///
    /// If the range is out of the layer, or `steepness` is negative or not finite.
    pub fn set_activation(
        &mut self,
        neurons: Range<usize>,
        activation: Activation,
        steepness: f32,
    ) {
        assert!(neurons.end <= self.neurons, "neurons {neurons:?} of a layer of {}", self.neurons);
        assert!(
            steepness >= 0.0 && steepness.is_finite(),
            "steepness is {steepness}; it must be finite and not negative"
        );
        let functions: Vec<_> = (0..self.neurons)
            .map(|neuron| match neurons.contains(&neuron) {
                true => (activation, steepness),
                false => self.activation(neuron),
            })
            .collect();
        self.set_activations(&functions);
    }

    /// Sets every neuron's function and steepness.
    pub(crate) fn set_activations(&mut self, functions: &[(Activation, f32)]) {
        self.segments.clear();
        for (neuron, &(activation, steepness)) in functions.iter().enumerate() {
            match self.segments.last_mut() {
                Some(last) if (last.activation, last.steepness) == (activation, steepness) => {
                    last.end = neuron + 1;
                }
                _ => self.segments.push(Segment { end: neuron + 1, activation, steepness }),
            }
        }
    }

    /// The neurons' ranges with their functions and steepnesses.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (Range<usize>, Activation, f32)> + '_ {
        self.segments.iter().scan(0, |start, segment| {
            let range = *start..segment.end;
            *start = segment.end;
            Some((range, segment.activation, segment.steepness))
        })
    }

    /// The biggest [`Activation::lipschitz`] of its neurons, `None` if one has none.
    pub(crate) fn activation_lipschitz(&self) -> Option<f64> {
        self.segments().try_fold(0.0, |most: f64, (_, activation, steepness)| {
            activation.lipschitz(steepness).map(|constant| most.max(constant))
        })
    }

    /// The weights, a row for each input.
    pub(super) fn without_biases(&self) -> &[f32] {
        &self.weights[..self.inputs * self.neurons]
    }

    pub(super) fn without_biases_mut(&mut self) -> &mut [f32] {
        &mut self.weights[..self.inputs * self.neurons]
    }

    pub(crate) fn randomize(&mut self, rng: &mut Rng, range: f32) {
        for weight in &mut self.weights {
            *weight = rng.symmetric(range);
        }
    }

    /// Weighted sums into `values`.
    #[inline]
    pub(crate) fn sum(&mut self, input: &[f32]) {
        let (rows, biases) = self.weights.split_at(self.inputs * self.neurons);
        weighted_sums(rows, biases, input, &mut self.values);
    }

    /// Turns the sums in `values` into values.
    #[inline]
    pub(crate) fn activate(&mut self) {
        let mut start = 0;
        for segment in &self.segments {
            let sums = &mut self.values[start..segment.end];
            segment.activation.apply(segment.steepness, sums);
            start = segment.end;
        }
    }
}

/// sums = biases + rows · input, where row i holds what input i adds to each sum.
#[inline(always)]
pub(super) fn weighted_sums(rows: &[f32], biases: &[f32], input: &[f32], sums: &mut [f32]) {
    let mut start = tiles::<16>(rows, biases, input, sums, 0);
    start = tiles::<8>(rows, biases, input, sums, start);
    start = tiles::<4>(rows, biases, input, sums, start);
    tiles::<1>(rows, biases, input, sums, start);
}

/// As many sums as make tiles of `W`, from `start` on; returns where it stopped. A tile's sums are
/// kept in registers while the inputs pass by.
#[inline(always)]
fn tiles<const W: usize>(
    rows: &[f32],
    biases: &[f32],
    input: &[f32],
    sums: &mut [f32],
    mut start: usize,
) -> usize {
    let neurons = sums.len();
    while start + W <= neurons {
        let tile = start..start + W;
        let mut sum: [f32; W] = biases[tile.clone()].try_into().expect("a slice of W");
        for (row, &x) in rows.chunks_exact(neurons).zip(input) {
            for (sum, weight) in sum.iter_mut().zip(&row[tile.clone()]) {
                *sum += weight * x;
            }
        }
        sums[tile].copy_from_slice(&sum);
        start += W;
    }
    start
}

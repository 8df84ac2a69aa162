//! Growth: outputs are trained as far as they go, then the best of some candidates becomes a hidden
//! neuron, and so on.

use core::fmt;

use super::{activate, dot, random, CascadeNet, STEEPNESS};
use crate::dense::{rprop_step, Activation, Rprop};
use crate::rng::Rng;

/// How a [`CascadeNet`] grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Growth ends when no output of any sample is farther from its target than this. Default 0.1; positive.
    pub bound: f32,
    /// Hidden neurons that may be added. Default 32.
    pub most_hidden: usize,
    /// Candidates of which the best becomes a hidden neuron. Default 8; at least 1.
    pub candidates: usize,
    /// Epochs in which outputs, or candidates, are trained. Default 200; at least 1.
    pub epochs: u32,
    /// Of the candidates' first weights. Default 1.
    pub seed: u64,
    /// Step sizes. Default FANN's, but of 2 at most, so that candidates do not saturate.
    pub rprop: Rprop,
}

impl Default for Growth {
    fn default() -> Self {
        let rprop = Rprop { delta_max: 2.0, ..Rprop::default() };
        Growth { bound: 0.1, most_hidden: 32, candidates: 8, epochs: 200, seed: 1, rprop }
    }
}

/// What growth came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grown {
    /// Whether the bound holds for every output of every sample.
    pub holds: bool,
    /// The greatest distance of an output from its target.
    pub error: f32,
    /// Hidden neurons added.
    pub added: usize,
}

/// Why a network cannot grow so.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum GrowthError {
    /// There are no samples.
    NoSamples,
    /// A sample has not the network's shape.
    Sample {
        /// Which.
        sample: usize,
        /// Its inputs and targets.
        shape: (usize, usize),
        /// Those of the network.
        expected: (usize, usize),
    },
    /// A sample has an input or a target that is not finite, by which nothing can be judged.
    NotFinite {
        /// Which.
        sample: usize,
    },
    /// [`Growth::bound`] is this, and not positive.
    Bound(f32),
    /// [`Growth::candidates`] or [`Growth::epochs`] is 0.
    Zero(&'static str),
    /// The function has no slope to follow.
    NoSlope(Activation),
}

impl fmt::Display for GrowthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GrowthError::NoSamples => f.write_str("there are no samples to grow by"),
            GrowthError::Sample { sample, shape, expected } => write!(
                f,
                "sample {sample} has {} inputs and {} targets; the network has {} and {}",
                shape.0, shape.1, expected.0, expected.1
            ),
            GrowthError::NotFinite { sample } => {
                write!(f, "sample {sample} has an input or a target that is not finite")
            }
            GrowthError::Bound(bound) => write!(f, "Growth::bound is {bound}; it must be positive"),
            GrowthError::Zero(setting) => {
                write!(f, "Growth::{setting} is 0; it must be 1 at least")
            }
            GrowthError::NoSlope(activation) => {
                write!(f, "{activation} has no slope: it cannot be trained")
            }
        }
    }
}

impl core::error::Error for GrowthError {}

/// Added to the slopes of outputs, so that one that is saturated on the wrong side is not stuck there
/// (Fahlman: Faster-Learning Variations on Back-Propagation, 1988).
const SLOPE_OFFSET: f32 = 0.05;

/// What growth works with: all that is before the outputs, for every sample.
struct Bench<'a> {
    samples: &'a [(&'a [f32], &'a [f32])],
    growth: &'a Growth,
    /// Per sample: inputs, 1 for the bias, hidden neurons.
    values: Vec<Vec<f32>>,
    /// Per sample and output: how much the square error falls per rise of the output's sum, halved.
    /// After the training it is orthogonal to all that outputs see, so that what goes along with it is
    /// news to them; plain errors are not.
    errors: Vec<Vec<f32>>,
}

/// Weights that are being trained.
struct Trainee {
    weights: Vec<f32>,
    slopes: Vec<f32>,
    previous: Vec<f32>,
    steps: Vec<f32>,
}

impl Trainee {
    fn new(weights: Vec<f32>, rprop: &Rprop) -> Self {
        let len = weights.len();
        let steps = vec![rprop.delta_zero; len];
        Trainee { weights, slopes: vec![0.0; len], previous: vec![0.0; len], steps }
    }

    /// A sum rises by its input per rise of a weight.
    fn add_slope(&mut self, slope: f32, values: &[f32]) {
        self.slopes.iter_mut().zip(values).for_each(|(sum, value)| *sum += slope * value);
    }

    fn step(&mut self, rprop: &Rprop) {
        for (i, weight) in self.weights.iter_mut().enumerate() {
            let slope = core::mem::take(&mut self.slopes[i]);
            *weight = rprop_step(rprop, *weight, slope, &mut self.previous[i], &mut self.steps[i]);
        }
    }
}

impl CascadeNet {
    /// Adds hidden neurons, and trains, until every output of every sample is within the bound of its
    /// target, or there are as many as allowed. Hidden neurons that are there stay as they are, so that
    /// a network can grow again on further samples. O(added · epochs · candidates · samples · weights of
    /// a neuron).
    ///
    /// # Errors
    ///
    /// A [`GrowthError`]; the network stays as it is.
    pub fn grow(
        &mut self,
        samples: &[(&[f32], &[f32])],
        growth: &Growth,
    ) -> Result<Grown, GrowthError> {
        self.check(samples, growth)?;
        let mut rng = Rng::new(growth.seed);
        let errors = vec![Vec::new(); samples.len()];
        let mut bench = Bench { samples, growth, values: Vec::new(), errors };
        for (input, _) in samples {
            self.run(input);
            bench.values.push(self.values.clone());
        }
        let mut added = 0;
        loop {
            let error = bench.train_outputs(self);
            let holds = error <= growth.bound;
            if holds || added == growth.most_hidden {
                return Ok(Grown { holds, error, added });
            }
            let weights = bench.best_candidate(self, &mut rng);
            for values in &mut bench.values {
                values.push(activate(self.hidden, dot(&weights, values)));
            }
            self.add_hidden(weights);
            added += 1;
        }
    }

    fn check(&self, samples: &[(&[f32], &[f32])], growth: &Growth) -> Result<(), GrowthError> {
        let expected = (self.inputs, self.outputs.len());
        let shape = |(input, target): &(&[f32], &[f32])| (input.len(), target.len());
        if samples.is_empty() {
            return Err(GrowthError::NoSamples);
        }
        if let Some(sample) = samples.iter().position(|sample| shape(sample) != expected) {
            return Err(GrowthError::Sample { sample, shape: shape(&samples[sample]), expected });
        }
        let is_finite = |(input, target): &(&[f32], &[f32])| {
            input.iter().chain(*target).all(|value| value.is_finite())
        };
        if let Some(sample) = samples.iter().position(|sample| !is_finite(sample)) {
            return Err(GrowthError::NotFinite { sample });
        }
        if growth.bound.is_nan() || growth.bound <= 0.0 {
            return Err(GrowthError::Bound(growth.bound));
        }
        for (setting, value) in
            [("candidates", growth.candidates), ("epochs", growth.epochs as usize)]
        {
            if value == 0 {
                return Err(GrowthError::Zero(setting));
            }
        }
        let has_slope = |activation: &Activation| activation.slope(STEEPNESS, 0.0, 0.0).is_some();
        match [self.hidden, self.output].into_iter().find(|activation| !has_slope(activation)) {
            Some(activation) => Err(GrowthError::NoSlope(activation)),
            None => Ok(()),
        }
    }
}

impl Bench<'_> {
    /// Trains the outputs by their square errors, and keeps the weights with the least, or the first
    /// that satisfy the bound. Leaves their errors in `errors`, and returns the greatest.
    fn train_outputs(&mut self, net: &mut CascadeNet) -> f32 {
        let Growth { rprop, epochs, bound, .. } = self.growth;
        let mut trainees: Vec<_> =
            net.output_weights.iter().map(|weights| Trainee::new(weights.clone(), rprop)).collect();
        let (mut least, mut greatest) = self.judge(net);
        let mut best = net.output_weights.clone();
        for _ in 0..*epochs {
            if greatest <= *bound {
                return greatest;
            }
            for ((n, trainee), weights) in
                trainees.iter_mut().enumerate().zip(&mut net.output_weights)
            {
                for (values, errors) in self.values.iter().zip(&self.errors) {
                    trainee.add_slope(errors[n], values);
                }
                trainee.step(rprop);
                weights.clone_from(&trainee.weights);
            }
            let square;
            (square, greatest) = self.judge(net);
            if square < least || greatest <= *bound {
                least = square;
                best.clone_from(&net.output_weights);
            }
        }
        net.output_weights = best;
        self.judge(net).1
    }

    /// Computes the errors. Returns the sum of the squares of target - output, and the greatest.
    fn judge(&mut self, net: &CascadeNet) -> (f32, f32) {
        let (mut square, mut greatest) = (0.0, 0.0);
        for ((values, (_, target)), errors) in
            self.values.iter().zip(self.samples).zip(&mut self.errors)
        {
            errors.clear();
            for (weights, target) in net.output_weights.iter().zip(*target) {
                let sum = dot(weights, values);
                let value = activate(net.output, sum);
                let slope = net.output.slope(STEEPNESS, sum, value).unwrap_or(0.0);
                let difference = target - value;
                errors.push(difference * (slope + SLOPE_OFFSET));
                square += difference * difference;
                // One that is not a number is the greatest, and stays it.
                if difference.abs().total_cmp(&greatest).is_gt() {
                    greatest = difference.abs();
                }
            }
        }
        (square, greatest)
    }

    /// The weights of the candidate whose value goes along best with the errors.
    fn best_candidate(&self, net: &CascadeNet, rng: &mut Rng) -> Vec<f32> {
        let inputs = net.values.len();
        let candidates = (0..self.growth.candidates).map(|_| {
            let trainee = Trainee::new(random(rng, inputs, 1.0), &self.growth.rprop);
            self.train_candidate(net.hidden, trainee)
        });
        let best = candidates.max_by(|(a, _), (b, _)| a.total_cmp(b));
        best.map_or_else(Vec::new, |(_, weights)| weights)
    }

    /// Maximises Σ over outputs |covariance of the value with the error|, Fahlman and Lebiere's S.
    /// Returns the greatest and its weights.
    fn train_candidate(&self, hidden: Activation, mut trainee: Trainee) -> (f32, Vec<f32>) {
        let mean_errors = self.mean_errors();
        let mut best = (f32::NEG_INFINITY, trainee.weights.clone());
        let mut sums = vec![(0.0, 0.0); self.values.len()];
        for _ in 0..self.growth.epochs {
            for (at, values) in sums.iter_mut().zip(&self.values) {
                let sum = dot(&trainee.weights, values);
                *at = (sum, activate(hidden, sum));
            }
            let covariances = self.covariances(&sums, &mean_errors);
            let score = covariances.iter().map(|covariance| covariance.abs()).sum();
            if score > best.0 {
                best = (score, trainee.weights.clone());
            }
            for ((&(sum, value), errors), values) in sums.iter().zip(&self.errors).zip(&self.values)
            {
                let towards: f32 = covariances
                    .iter()
                    .zip(errors.iter().zip(&mean_errors))
                    .map(|(covariance, (error, mean))| covariance.signum() * (error - mean))
                    .sum();
                let slope = hidden.slope(STEEPNESS, sum, value).unwrap_or(0.0);
                trainee.add_slope(towards * slope, values);
            }
            trainee.step(&self.growth.rprop);
        }
        best
    }

    fn mean_errors(&self) -> Vec<f32> {
        let count = self.errors.len() as f32;
        let outputs = self.errors.first().map_or(0, Vec::len);
        (0..outputs).map(|n| self.errors.iter().map(|e| e[n]).sum::<f32>() / count).collect()
    }

    /// With each output's error. The value's mean need not be subtracted, as errors have theirs taken off.
    fn covariances(&self, sums: &[(f32, f32)], mean_errors: &[f32]) -> Vec<f32> {
        let with_output = |(n, mean): (usize, &f32)| {
            sums.iter()
                .zip(&self.errors)
                .map(|((_, value), errors)| value * (errors[n] - mean))
                .sum()
        };
        mean_errors.iter().enumerate().map(with_output).collect()
    }
}

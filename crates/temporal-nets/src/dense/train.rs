//! [`Trainer`]: backpropagation, by single samples, by batches, and by iRPROP⁻.

use super::layer::Layer;
use super::training::{Algorithm, ErrorFunction, Rprop, TrainError, Training};
use super::{DenseNet, NoLipschitz};

/// Trains networks of one shape. Allocates when made, and not while training, unless a Lipschitz
/// limit has to be certified.
///
/// ```
/// use temporal_nets::{Activation, DenseNet, Trainer, Training};
///
/// let mut net = DenseNet::new(&[2, 3, 1], Activation::SigmoidSymmetric, Activation::Sigmoid)?;
/// net.randomize(3, 0.5);
/// let xor: [([f32; 2], [f32; 1]); 4] =
///     [([0.0, 0.0], [0.0]), ([0.0, 1.0], [1.0]), ([1.0, 0.0], [1.0]), ([1.0, 1.0], [0.0])];
/// let mut trainer = Trainer::new(&net, Training::default())?;
/// for _ in 0..200 {
///     trainer.epoch(&mut net, xor.iter().map(|(x, y)| (&x[..], &y[..])));
/// }
/// assert!(xor.iter().all(|(x, y)| (net.run(x)[0] - y[0]).abs() < 0.1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trainer {
    training: Training,
    layers: Vec<LayerState>,
}

/// What training keeps for a layer; weights' entries are in the order of [`Layer::weights`].
#[derive(Clone, Debug)]
struct LayerState {
    /// Sums of the last run, before the functions.
    sums: Vec<f32>,
    /// Of the last run: how much the error falls per rise of each sum.
    errors: Vec<f32>,
    /// How much the error falls per rise of each weight, added up over a batch.
    slopes: Vec<f32>,
    previous_slopes: Vec<f32>,
    /// RPROP's step sizes, or what single samples changed last, for the momentum.
    steps: Vec<f32>,
}

impl Trainer {
    /// A trainer of networks that have the shape and the functions of `net`.
    ///
    /// # Errors
    ///
    /// A [`TrainError`] if a function has no slope, a setting is out of bounds, or a Lipschitz limit is
    /// asked for of a function that jumps.
    pub fn new(net: &DenseNet, training: Training) -> Result<Self, TrainError> {
        training.check()?;
        for layer in net.layers() {
            for (_, activation, steepness) in layer.segments() {
                if activation.slope(steepness, 0.0, 0.0).is_none() {
                    return Err(TrainError::NoSlope(activation));
                }
            }
            if training.lipschitz.is_some() && layer.activation_lipschitz().is_none() {
                return Err(TrainError::Lipschitz(NoLipschitz::Jump));
            }
        }
        let first_step = match training.algorithm {
            Algorithm::Rprop => training.rprop.delta_zero,
            Algorithm::Incremental | Algorithm::Batch => 0.0,
        };
        let state = |layer: &Layer| LayerState {
            sums: vec![0.0; layer.neuron_len()],
            errors: vec![0.0; layer.neuron_len()],
            slopes: vec![0.0; layer.weights.len()],
            previous_slopes: vec![0.0; layer.weights.len()],
            steps: vec![first_step; layer.weights.len()],
        };
        Ok(Trainer { training, layers: net.layers().iter().map(state).collect() })
    }

    /// Shows the network every sample once: changes weights after each sample, or after the last, as
    /// the algorithm has it. Returns the mean square error from before those changes, as FANN reckons
    /// it, which halves the errors of symmetric functions; 0 for no samples.
    ///
    /// # Panics
    ///
    /// If a network or a sample is not of the trainer's shape.
    pub fn epoch<'a>(
        &mut self,
        net: &mut DenseNet,
        samples: impl IntoIterator<Item = (&'a [f32], &'a [f32])>,
    ) -> f32 {
        let (mut error, mut count) = (0.0, 0usize);
        for (input, target) in samples {
            if self.training.algorithm == Algorithm::Incremental {
                error += self.learn(net, input, target);
            } else {
                error += self.backpropagate(net, input, target);
                self.add_slopes(net, input);
            }
            count += 1;
        }
        if count == 0 {
            return 0.0;
        }
        match self.training.algorithm {
            Algorithm::Incremental => return error / count as f32,
            Algorithm::Batch => self.descend(net, self.training.learning_rate / count as f32),
            Algorithm::Rprop => self.step_by_signs(net),
        }
        self.project(net);
        error / count as f32
    }

    /// Learns one sample at once, whatever the algorithm. Returns its mean square error from before.
    ///
    /// # Panics
    ///
    /// If the network or the sample is not of the trainer's shape.
    pub fn learn(&mut self, net: &mut DenseNet, input: &[f32], target: &[f32]) -> f32 {
        let error = self.backpropagate(net, input, target);
        let Training { learning_rate, momentum, .. } = self.training;
        for (k, state) in self.layers.iter_mut().enumerate() {
            let (layer, below) = layer_and_input(net, k, input);
            let mut changes = state.steps.chunks_exact_mut(state.errors.len());
            let mut weights = layer.weights.chunks_exact_mut(state.errors.len());
            for &x in below.iter().chain(&[1.0]) {
                let (Some(changes), Some(weights)) = (changes.next(), weights.next()) else {
                    break;
                };
                for ((change, weight), e) in changes.iter_mut().zip(weights).zip(&state.errors) {
                    *change = learning_rate * e * x + momentum * *change;
                    *weight += *change;
                }
            }
        }
        self.project(net);
        error
    }

    /// Runs the network and computes every neuron's error. Returns the mean square error.
    fn backpropagate(&mut self, net: &mut DenseNet, input: &[f32], target: &[f32]) -> f32 {
        assert!(target.len() == net.output_len(), "{} targets", target.len());
        assert!(input.len() == net.input_len(), "{} inputs", input.len());
        assert!(
            net.layers.len() == self.layers.len()
                && net
                    .layers
                    .iter()
                    .zip(&self.layers)
                    .all(|(l, s)| l.weights.len() == s.slopes.len()),
            "a network of another shape than the trainer's"
        );
        for k in 0..self.layers.len() {
            let (layer, below) = layer_and_input(net, k, input);
            layer.sum(below);
            self.layers[k].sums.copy_from_slice(&layer.values);
            layer.activate();
        }
        let error = self.output_errors(net, target);
        for k in (1..self.layers.len()).rev() {
            let (below, above) = self.layers.split_at_mut(k);
            let rows = net.layers[k].weights.chunks_exact(net.layers[k].neuron_len());
            for (error, row) in below[k - 1].errors.iter_mut().zip(rows) {
                *error = row.iter().zip(&above[0].errors).map(|(weight, e)| weight * e).sum();
            }
            below[k - 1].times_activation_slopes(&net.layers[k - 1]);
        }
        error
    }

    fn output_errors(&mut self, net: &DenseNet, target: &[f32]) -> f32 {
        let (Some(layer), Some(state)) = (net.layers.last(), self.layers.last_mut()) else {
            return 0.0;
        };
        let mut sum = 0.0;
        for (range, activation, _) in layer.segments() {
            let half = if activation.is_symmetric() { 0.5 } else { 1.0 };
            for n in range {
                let difference = half * (target[n] - layer.values[n]);
                sum += difference * difference;
                state.errors[n] = match self.training.error {
                    ErrorFunction::Linear => difference,
                    ErrorFunction::Tanh => tanh_error(difference),
                };
            }
        }
        state.times_activation_slopes(layer);
        sum / target.len() as f32
    }

    fn add_slopes(&mut self, net: &mut DenseNet, input: &[f32]) {
        for (k, state) in self.layers.iter_mut().enumerate() {
            let (_, below) = layer_and_input(net, k, input);
            let rows = state.slopes.chunks_exact_mut(state.errors.len());
            for (row, x) in rows.zip(below.iter().chain(&[1.0])) {
                for (slope, e) in row.iter_mut().zip(&state.errors) {
                    *slope += e * x;
                }
            }
        }
    }

    fn descend(&mut self, net: &mut DenseNet, rate: f32) {
        for (state, layer) in self.layers.iter_mut().zip(&mut net.layers) {
            for (weight, slope) in layer.weights.iter_mut().zip(&mut state.slopes) {
                *weight += rate * core::mem::take(slope);
            }
        }
    }

    fn step_by_signs(&mut self, net: &mut DenseNet) {
        for (state, layer) in self.layers.iter_mut().zip(&mut net.layers) {
            for (i, weight) in layer.weights.iter_mut().enumerate() {
                let slope = core::mem::take(&mut state.slopes[i]);
                let previous = &mut state.previous_slopes[i];
                *weight =
                    rprop_step(&self.training.rprop, *weight, slope, previous, &mut state.steps[i]);
            }
        }
    }

    fn project(&mut self, net: &mut DenseNet) {
        if let Some(limit) = self.training.lipschitz {
            match net.enforce_lipschitz(limit) {
                // Training has diverged, as the next error will tell.
                Ok(()) | Err(NoLipschitz::NotFinite { .. }) => {}
                Err(error) => panic!("checked when the trainer was made: {error}"),
            }
        }
    }
}

impl LayerState {
    fn times_activation_slopes(&mut self, layer: &Layer) {
        for (range, activation, steepness) in layer.segments() {
            for n in range {
                let slope = activation.slope(steepness, self.sums[n], layer.values[n]);
                self.errors[n] *= slope.unwrap_or(0.0);
            }
        }
    }
}

/// Layer `k`, and the values below it.
fn layer_and_input<'a>(
    net: &'a mut DenseNet,
    k: usize,
    input: &'a [f32],
) -> (&'a mut Layer, &'a [f32]) {
    let (below, above) = net.layers.split_at_mut(k);
    (&mut above[0], below.last().map_or(input, |layer| &layer.values))
}

/// FANN's error function of the same name: punishes big differences more than in proportion.
fn tanh_error(difference: f32) -> f32 {
    match difference {
        d if d < -0.999_999_9 => -17.0,
        d if d > 0.999_999_9 => 17.0,
        d => ((1.0 + d) / (1.0 - d)).ln(),
    }
}

/// iRPROP⁻ (Igel, Hüsken 2000) as FANN has it: where the slope's sign has changed, the step is shortened
/// and then taken upwards, while the paper takes none: so stop when the error is small enough.
pub(crate) fn rprop_step(
    rprop: &Rprop,
    weight: f32,
    slope: f32,
    previous: &mut f32,
    step: &mut f32,
) -> f32 {
    // FANN's bounds: a step of zero would never grow again, a weight cannot run away.
    const LEAST_STEP: f32 = 1e-4;
    const MOST_WEIGHT: f32 = 1500.0;
    let last = step.max(LEAST_STEP);
    let same_sign = *previous * slope >= 0.0;
    *step = if same_sign {
        (last * rprop.increase).min(rprop.delta_max)
    } else {
        (last * rprop.decrease).max(rprop.delta_min)
    };
    *previous = if same_sign { slope } else { 0.0 };
    if *previous < 0.0 {
        (weight - *step).max(-MOST_WEIGHT)
    } else {
        (weight + *step).min(MOST_WEIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step that a slope leads to, the slope that is kept, and the new weight, from a weight of 0.
    fn after(step: f32, previous: f32, slope: f32) -> (f32, f32, f32) {
        let (mut step, mut previous) = (step, previous);
        let weight = rprop_step(&Rprop::default(), 0.0, slope, &mut previous, &mut step);
        (step, previous, weight)
    }

    #[test]
    fn steps_grow_along_a_slope_and_shrink_where_its_sign_changes() {
        assert_eq!(after(0.5, 2.0, 1.0), (0.6, 1.0, 0.6));
        assert_eq!(after(0.5, -2.0, -1.0), (0.6, -1.0, -0.6));
        // The slope is forgotten, so that the next step grows again, and the step goes upwards.
        assert_eq!(after(0.5, 2.0, -1.0), (0.25, 0.0, 0.25));
        assert_eq!(after(0.5, -2.0, 1.0), (0.25, 0.0, 0.25));
        assert_eq!(after(49.0, 1.0, 1.0).0, 50.0, "the greatest step");
        assert_eq!(after(0.0, 1.0, 1.0).0, 1e-4 * 1.2, "a step of 0 would never grow");
    }

    #[test]
    fn a_weight_does_not_run_away() {
        for (slope, end) in [(1.0, 1_500.0), (-1.0, -1_500.0)] {
            let (mut step, mut previous, mut weight) = (50.0, slope, 0.0);
            for _ in 0..100 {
                weight = rprop_step(&Rprop::default(), weight, slope, &mut previous, &mut step);
            }
            assert_eq!(weight, end);
        }
    }
}

//! [`DenseNet`]: small fully connected feedforward networks, compatible with FANN.

mod activation;
pub mod fann;
mod fixed;
mod layer;
mod lipschitz;
mod train;
mod training;

use core::fmt;

pub use activation::Activation;
pub use fixed::FixedNet;
pub use layer::Layer;
pub use lipschitz::{spectral_bound, NoLipschitz};
pub(crate) use train::rprop_step;
pub use train::Trainer;
pub use training::{Algorithm, ErrorFunction, Rprop, TrainError, Training};

use crate::rng::Rng;

/// A fully connected feedforward network in `f32`, with FANN's functions and files.
///
/// A new network has weights of zero; [`randomize`](Self::randomize) it, set them one by one, or read
/// a file of libfann with [`fann::read`]. Running it allocates nothing.
///
/// ```
/// use temporal_nets::{Activation, DenseNet};
///
/// let mut net = DenseNet::new(&[2, 3, 1], Activation::SigmoidSymmetric, Activation::Linear)?;
/// net.randomize(7, 0.5);
/// let output = net.run(&[0.25, -1.0]);
/// assert_eq!(output.len(), 1);
/// # Ok::<(), temporal_nets::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DenseNet {
    layers: Vec<Layer>,
}

impl DenseNet {
    /// The most neurons that a layer may have.
    pub const MAX_NEURONS: usize = 1 << 14;

    /// A network of `sizes`: inputs, hidden layers, outputs. Hidden neurons have the function `hidden`
    /// and outputs `output`, both with FANN's steepness of 0.5.
    ///
    /// # Errors
    ///
    /// A [`ShapeError`] for fewer than two sizes, or one that is not 1 to
    /// [`MAX_NEURONS`](Self::MAX_NEURONS).
    pub fn new(
        sizes: &[usize],
        hidden: Activation,
        output: Activation,
    ) -> Result<Self, ShapeError> {
        check_sizes(sizes)?;
        let last = sizes.len() - 2;
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(k, pair)| Layer::new(pair[0], pair[1], if k == last { output } else { hidden }));
        Ok(DenseNet { layers: layers.collect() })
    }

    /// Draws every weight and bias uniformly from ±`range`. The same seed gives the same weights on
    /// every machine. FANN's range is 0.1.
    pub fn randomize(&mut self, seed: u64, range: f32) {
        let mut rng = Rng::new(seed);
        for layer in &mut self.layers {
            layer.randomize(&mut rng, range);
        }
    }

    /// Computes the outputs for `input`. They stay readable until the next run. O(weights).
    ///
    /// # Panics
    ///
    /// If `input` is not [`input_len`](Self::input_len) long.
    #[inline]
    pub fn run(&mut self, input: &[f32]) -> &[f32] {
        let expected = self.input_len();
        assert!(input.len() == expected, "{} inputs for a network of {expected}", input.len());
        let mut values = input;
        for layer in &mut self.layers {
            layer.sum(values);
            layer.activate();
            values = &layer.values;
        }
        self.output()
    }

    /// As [`run`](Self::run), into `output`.
    ///
    /// # Panics
    ///
    /// If `input` or `output` has not the network's length.
    #[inline]
    pub fn run_into(&mut self, input: &[f32], output: &mut [f32]) {
        output.copy_from_slice(self.run(input));
    }

    /// The outputs of the last run; zeros before the first.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        self.layers.last().map_or(&[], |layer| &layer.values)
    }

    /// Number of inputs.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.layers.first().map_or(0, Layer::input_len)
    }

    /// Number of outputs.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.layers.last().map_or(0, Layer::neuron_len)
    }

    /// Number of weights and biases.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len()).sum()
    }

    /// The layers after the input, in order.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layers after the input, to change weights and functions.
    pub fn layers_mut(&mut self) -> &mut [Layer] {
        &mut self.layers
    }
}

pub(crate) fn check_sizes(sizes: &[usize]) -> Result<(), ShapeError> {
    if sizes.len() < 2 {
        return Err(ShapeError::Layers(sizes.len()));
    }
    match sizes.iter().position(|size| !(1..=DenseNet::MAX_NEURONS).contains(size)) {
        Some(layer) => Err(ShapeError::Size { layer, size: sizes[layer] }),
        None => Ok(()),
    }
}

/// Why there is no network of such a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// This many sizes were given; inputs and outputs are the least.
    Layers(usize),
    /// A layer's size is out of bounds.
    Size {
        /// Which layer, the input being 0.
        layer: usize,
        /// The size given.
        size: usize,
    },
    /// A [`FixedNet`] has three layers, and the network this many.
    Depth(usize),
    /// A layer has not the size that the [`FixedNet`] has.
    Differs {
        /// Which layer, the input being 0.
        layer: usize,
        /// The network's size.
        size: usize,
        /// The `FixedNet`'s.
        expected: usize,
    },
    /// A layer has several functions where one is needed.
    MixedActivations {
        /// Which layer, the input being 0.
        layer: usize,
    },
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShapeError::Layers(count) => {
                write!(f, "a network of {count} layers; inputs and outputs make 2 at least")
            }
            ShapeError::Depth(count) => {
                write!(f, "a network of {count} layers; a FixedNet has 3: inputs, hidden, outputs")
            }
            ShapeError::Differs { layer, size, expected } => {
                write!(f, "layer {layer} has {size} neurons; the FixedNet has {expected}")
            }
            ShapeError::MixedActivations { layer } => {
                write!(f, "layer {layer} has several activation functions; it must have one")
            }
            ShapeError::Size { layer, size } => write!(
                f,
                "layer {layer} has {size} neurons; it must have from 1 to {}",
                DenseNet::MAX_NEURONS
            ),
        }
    }
}

impl core::error::Error for ShapeError {}

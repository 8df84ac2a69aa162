//! [`FixedNet`]: a network whose shape the compiler knows.

use super::layer::weighted_sums;
use super::{Activation, DenseNet, Layer, ShapeError};

/// A network of one hidden layer with `I` inputs, `H` hidden neurons and `O` outputs, known to the
/// compiler: a copy of a [`DenseNet`] that lies in one piece, without heap memory, and runs without `mut`.
///
/// ```
/// use temporal_nets::{Activation, DenseNet, FixedNet};
///
/// let mut net = DenseNet::new(&[8, 16, 4], Activation::SigmoidSymmetric, Activation::Sigmoid)?;
/// net.randomize(1, 0.5);
/// let fixed = FixedNet::<8, 16, 4>::try_from(&net)?;
/// assert_eq!(fixed.run(&[0.5; 8]), *net.run(&[0.5; 8]));
/// # Ok::<(), temporal_nets::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FixedNet<const I: usize, const H: usize, const O: usize> {
    hidden: FixedLayer<I, H>,
    output: FixedLayer<H, O>,
}

impl<const I: usize, const H: usize, const O: usize> FixedNet<I, H, O> {
    /// The outputs for `input`. O(weights).
    #[inline]
    #[must_use]
    pub fn run(&self, input: &[f32; I]) -> [f32; O] {
        self.output.run(&self.hidden.run(input))
    }
}

/// Refuses networks of another shape, and such as have more than one function within a layer.
impl<const I: usize, const H: usize, const O: usize> TryFrom<&DenseNet> for FixedNet<I, H, O> {
    type Error = ShapeError;

    fn try_from(net: &DenseNet) -> Result<Self, ShapeError> {
        let [hidden, output] = net.layers() else {
            return Err(ShapeError::Depth(net.layers().len() + 1));
        };
        Ok(FixedNet { hidden: FixedLayer::copy(0, hidden)?, output: FixedLayer::copy(1, output)? })
    }
}

#[derive(Clone, Debug, PartialEq)]
struct FixedLayer<const I: usize, const N: usize> {
    /// Row i holds the weights from input i to every neuron.
    weights: [[f32; N]; I],
    biases: [f32; N],
    activation: Activation,
    steepness: f32,
}

impl<const I: usize, const N: usize> FixedLayer<I, N> {
    /// Layer `index` of a network.
    fn copy(index: usize, layer: &Layer) -> Result<Self, ShapeError> {
        for (layer, size, expected) in
            [(index, layer.input_len(), I), (index + 1, layer.neuron_len(), N)]
        {
            if size != expected {
                return Err(ShapeError::Differs { layer, size, expected });
            }
        }
        let (activation, steepness) = layer.activation(0);
        if layer.segments().count() > 1 {
            return Err(ShapeError::MixedActivations { layer: index + 1 });
        }
        let row = |input: usize| std::array::from_fn(|neuron| layer.weight(neuron, input));
        Ok(FixedLayer { weights: std::array::from_fn(row), biases: row(I), activation, steepness })
    }

    #[inline]
    fn run(&self, input: &[f32; I]) -> [f32; N] {
        let mut values = [0.0; N];
        weighted_sums(self.weights.as_flattened(), &self.biases, input, &mut values);
        self.activation.apply(self.steepness, &mut values);
        values
    }
}

//! Lipschitz bounds of networks: certified from above, and enforced by scaling weights.

use core::fmt;

use nanosecond_scheduler::strange_loop::bounds;

use super::layer::Layer;
use super::DenseNet;

/// An upper bound of the spectral norm of a matrix with `columns` columns, given row by row: the
/// core's certificate, [`bounds::spectral_norm`]; infinite if a weight is not finite. Allocates.
///
/// # Panics
///
/// As that.
#[must_use]
pub fn spectral_bound(weights: &[f32], columns: usize) -> f64 {
    bounds::spectral_norm(&widened(weights), columns)
}

fn widened(weights: &[f32]) -> Vec<f64> {
    weights.iter().copied().map(f64::from).collect()
}

impl Layer {
    /// An upper bound of the spectral norm of its weights, without the biases.
    #[must_use]
    pub fn spectral_bound(&self) -> f64 {
        spectral_bound(self.without_biases(), self.neuron_len())
    }

    /// Scales the weights so that their spectral norm is at most `limit`, certified; biases stay.
    fn limit_spectral_norm(&mut self, limit: f64) {
        // Most updates leave the norm where it was, which the bounds of O(weights) can tell.
        let (weights, columns) = (widened(self.without_biases()), self.neuron_len());
        if bounds::frobenius_norm(&weights).min(bounds::mixed_norm(&weights, columns)) <= limit {
            return;
        }
        // Scaling rounds each weight, which costs less than this.
        const ROUNDING: f64 = 1.0 - 1e-6;
        let bound = bounds::spectral_norm(&weights, columns);
        if bound > limit {
            // In f64, in which it keeps its precision however small.
            let factor = limit / bound * ROUNDING;
            let weights = self.without_biases_mut().iter_mut();
            weights.for_each(|weight| *weight = (f64::from(*weight) * factor) as f32);
        }
    }
}

impl DenseNet {
    /// A certified L with ‖f(a) - f(b)‖ ≤ L ‖a - b‖ for all inputs a and b, in the Euclidean norm: the
    /// product over the layers of spectral norm and steepest slope.
    ///
    /// `None` if a function jumps: thresholds, and FANN's stepwise ones.
    #[must_use]
    pub fn lipschitz(&self) -> Option<f64> {
        self.layers.iter().try_fold(1.0, |product, layer| {
            Some(product * layer.spectral_bound() * layer.activation_lipschitz()?)
        })
    }

    /// Scales weights until [`lipschitz`](Self::lipschitz) is at most `limit`. Every layer gets an equal
    /// share of it, its n-th root; layers below their share stay as they are.
    ///
    /// # Errors
    ///
    /// [`NoLipschitz`] if a function jumps, a weight is not finite, or `limit` is not positive and
    /// finite; the network stays as it is.
    pub fn enforce_lipschitz(&mut self, limit: f64) -> Result<(), NoLipschitz> {
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(NoLipschitz::Limit(limit));
        }
        let share = limit.powf(1.0 / self.layers.len() as f64);
        let slopes: Option<Vec<f64>> =
            self.layers.iter().map(Layer::activation_lipschitz).collect();
        let slopes = slopes.ok_or(NoLipschitz::Jump)?;
        let is_finite = |layer: &Layer| layer.without_biases().iter().all(|w| w.is_finite());
        if let Some(layer) = self.layers.iter().position(|layer| !is_finite(layer)) {
            return Err(NoLipschitz::NotFinite { layer: layer + 1 });
        }
        for (layer, slope) in self.layers.iter_mut().zip(slopes) {
            if slope > 0.0 {
                layer.limit_spectral_norm(share / slope);
            }
        }
        Ok(())
    }
}

/// Why a network cannot have the Lipschitz bound asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoLipschitz {
    /// This limit is not positive and finite.
    Limit(f64),
    /// A neuron's function jumps, so no weights but zero would do.
    Jump,
    /// A weight is NaN or infinite, which no scaling mends.
    NotFinite {
        /// In which layer, the input being 0.
        layer: usize,
    },
}

impl fmt::Display for NoLipschitz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoLipschitz::Limit(limit) => {
                write!(f, "the Lipschitz limit is {limit}; it must be positive and finite")
            }
            NoLipschitz::Jump => {
                f.write_str("a threshold or stepwise function jumps: it has no Lipschitz constant")
            }
            NoLipschitz::NotFinite { layer } => {
                write!(f, "a weight of layer {layer} is not finite: nothing bounds the network")
            }
        }
    }
}

impl core::error::Error for NoLipschitz {}

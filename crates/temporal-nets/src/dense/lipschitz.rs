//! Lipschitz bounds of networks: certified from above, and enforced by scaling weights.

use core::fmt;

use super::layer::Layer;
use super::DenseNet;

/// Steps of Gram iteration for a certificate; more change less than 0.1 %.
const GRAM_STEPS: u32 = 4;

/// An upper bound of the spectral norm of a matrix with `columns` columns, given row by row: the
/// least of Frobenius' norm, √(‖W‖₁ ‖W‖∞), and Gram iteration. Zero for no matrix, NaN for one with
/// NaN. O(rows · columns · min(rows, columns)), and allocates.
///
/// Unlike power iteration, which approaches the norm from below, each of the three is a certificate.
/// Rounding is accounted for.
#[must_use]
pub fn spectral_bound(weights: &[f32], columns: usize) -> f64 {
    norm_bound(weights, columns).min(gram_bound(weights, columns, GRAM_STEPS))
}

/// The bound after `steps` ≥ 1 steps of Gram iteration (Delattre, Barthélemy, Araujo, Allauzen:
/// Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration, 2023):
/// σ(W) ≤ ‖(WᵀW)^(2^(steps - 1))‖^(1 / 2^steps), in Frobenius' norm.
#[must_use]
pub fn gram_bound(weights: &[f32], columns: usize, steps: u32) -> f64 {
    if weights.is_empty() {
        return 0.0;
    }
    // The norm of the matrix is that of its transpose: squares of the smaller side will do.
    let rows = weights.len() / columns;
    let (mut gram, n) = if columns <= rows {
        (square(columns, rows, |i, k| f64::from(weights[k * columns + i])), columns)
    } else {
        (square(rows, columns, |i, k| f64::from(weights[i * columns + k])), rows)
    };
    // gram times e^log_scale is the true power of WᵀW.
    let mut log_scale = 0.0;
    for _ in 1..steps {
        let norm = frobenius(gram.iter().copied());
        if norm == 0.0 {
            return 0.0;
        }
        gram.iter_mut().for_each(|x| *x /= norm);
        log_scale = 2.0 * (log_scale + norm.ln());
        gram = square(n, n, |i, k| gram[i * n + k]);
    }
    let log_norm = log_scale + frobenius(gram.iter().copied()).ln();
    round_up((log_norm / f64::from(1u32 << steps)).exp(), weights.len())
}

/// A · Aᵀ for an `n` × `inner` matrix.
fn square(n: usize, inner: usize, a: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut product = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..inner).map(|k| a(i, k) * a(j, k)).sum();
            product[i * n + j] = sum;
            product[j * n + i] = sum;
        }
    }
    product
}

/// The bounds that take O(weights).
fn norm_bound(weights: &[f32], columns: usize) -> f64 {
    let magnitude = |weight: &f32| f64::from(weight.abs());
    let mut column_sums = vec![0.0; columns];
    let mut most_in_row = 0.0f64;
    for row in weights.chunks_exact(columns.max(1)) {
        row.iter().zip(&mut column_sums).for_each(|(weight, sum)| *sum += magnitude(weight));
        most_in_row = greater(most_in_row, row.iter().map(magnitude).sum());
    }
    let most_in_column = column_sums.into_iter().fold(0.0, greater);
    let bound = frobenius(weights.iter().map(magnitude)).min((most_in_row * most_in_column).sqrt());
    round_up(bound, weights.len())
}

/// The greater, or NaN if one is.
fn greater(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() {
        a
    } else {
        b
    }
}

fn frobenius(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

/// Makes up for rounding in a bound of `terms` weights: an entry of a product is off by its number of
/// terms times epsilon, relatively to Frobenius' norm, which the spectral norm may be less than by the
/// root of the rank. Both together are less than the number of weights.
fn round_up(bound: f64, terms: usize) -> f64 {
    bound * (1.0 + 16.0 * f64::EPSILON * (terms as f64 + 16.0))
}

impl Layer {
    /// An upper bound of the spectral norm of its weights, without the biases.
    #[must_use]
    pub fn spectral_bound(&self) -> f64 {
        spectral_bound(self.without_biases(), self.neuron_len())
    }

    /// Scales the weights so that their spectral norm is at most `limit`, certified; biases stay.
    fn limit_spectral_norm(&mut self, limit: f64) {
        let columns = self.neuron_len();
        if norm_bound(self.without_biases(), columns) <= limit {
            return;
        }
        // Scaling rounds each weight, which costs less than this.
        const ROUNDING: f64 = 1.0 - 1e-6;
        let bound = self.spectral_bound();
        if bound > limit {
            let factor = (limit / bound * ROUNDING) as f32;
            self.without_biases_mut().iter_mut().for_each(|weight| *weight *= factor);
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
    /// [`NoLipschitz`] if a function jumps or `limit` is not positive and finite; the network stays as it is.
    pub fn enforce_lipschitz(&mut self, limit: f64) -> Result<(), NoLipschitz> {
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(NoLipschitz::Limit(limit));
        }
        let share = limit.powf(1.0 / self.layers.len() as f64);
        let slopes: Option<Vec<f64>> =
            self.layers.iter().map(Layer::activation_lipschitz).collect();
        let slopes = slopes.ok_or(NoLipschitz::Jump)?;
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
        }
    }
}

impl core::error::Error for NoLipschitz {}

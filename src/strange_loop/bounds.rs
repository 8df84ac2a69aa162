//! Upper bounds of a matrix's spectral norm, its greatest singular value.
//!
//! They are certificates: the norm is at most what they say, rounding included. Power iteration is
//! not among them, because it approaches the norm from below.

use alloc::vec::Vec;

/// Steps of Gram iteration that [`spectral_norm`] takes: the error falls doubly exponentially.
const GRAM_STEPS: u32 = 6;

/// The least of the upper bounds below for a matrix in row-major order; infinite if an entry is
/// not finite. O(n³) for n the lesser dimension, and O(rows · columns · n).
///
/// # Panics
///
/// If `columns` is 0 or does not divide the number of weights.
#[must_use]
pub fn spectral_norm(weights: &[f64], columns: usize) -> f64 {
    frobenius_norm(weights)
        .min(mixed_norm(weights, columns))
        .min(gram_norm(weights, columns, GRAM_STEPS))
}

/// ‖W‖_F, the root of the sum of squares, made an upper bound of itself. O(weights).
#[must_use]
pub fn frobenius_norm(weights: &[f64]) -> f64 {
    certified(frobenius(weights), weights.len())
}

/// √(‖W‖₁ ‖W‖_∞), the greatest sums over columns and rows. O(weights).
///
/// # Panics
///
/// As [`spectral_norm`].
#[must_use]
pub fn mixed_norm(weights: &[f64], columns: usize) -> f64 {
    let rows = rows_of(weights, columns);
    let magnitude = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).sum::<f64>();
    let row_sums = weights.chunks(columns).map(|row| magnitude(&mut row.iter().copied()));
    let column_sums =
        (0..columns).map(|j| magnitude(&mut weights.iter().skip(j).step_by(columns).copied()));
    // Each its own root, since the product may vanish or overflow.
    let bound = libm::sqrt(greatest(row_sums)) * libm::sqrt(greatest(column_sums));
    certified(bound, rows.max(columns))
}

/// The bound after so many steps of Gram iteration (Delattre, Barthélemy, Araujo, Allauzen 2023,
/// "Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration"): with
/// G₀ = W and Gᵢ = Gᵢ₋₁ᵀGᵢ₋₁ it is ‖Gₙ‖_F to the power of 2⁻ⁿ. Each Gᵢ is scaled to norm 1,
/// so that nothing overflows. O(steps · n³) for n the lesser dimension.
///
/// # Panics
///
/// As [`spectral_norm`].
#[must_use]
pub fn gram_norm(weights: &[f64], columns: usize, steps: u32) -> f64 {
    let rows = rows_of(weights, columns);
    let mut gram: Vec<f64> = weights.to_vec();
    let mut shape = (rows, columns);
    let mut scales = Vec::with_capacity(steps as usize + 1);
    for _ in 0..steps {
        scales.push(normalize(&mut gram));
        gram = gram_of(&gram, shape);
        let least = shape.0.min(shape.1);
        shape = (least, least);
    }
    scales.push(frobenius(&gram));
    // W = s₀ G₀ and σ(Gᵢ₋₁)² = σ(Gᵢ), from the last to the first.
    let bound = scales.iter().rev().copied().reduce(|inner, scale| scale * libm::sqrt(inner));
    certified(bound.unwrap_or(0.0), rows.max(columns))
}

/// Scales a matrix down, if need be, so that its spectral norm is at most `limit`; returns the
/// factor, at most 1.
///
/// # Errors
///
/// Gives back the norm's bound if it is not finite; the weights are as they were then.
///
/// # Panics
///
/// If `limit` is negative or NaN, and as [`spectral_norm`].
pub fn enforce_lipschitz(weights: &mut [f64], columns: usize, limit: f64) -> Result<f64, f64> {
    assert!(limit >= 0.0, "the limit {limit} must be at least 0");
    let norm = spectral_norm(weights, columns);
    if !norm.is_finite() {
        return Err(norm);
    }
    if norm <= limit {
        return Ok(1.0);
    }
    // Rounding of the products may add half an ulp to each weight.
    let factor = limit / norm * (1.0 - 4.0 * f64::EPSILON);
    weights.iter_mut().for_each(|weight| *weight *= factor);
    Ok(factor)
}

fn rows_of(weights: &[f64], columns: usize) -> usize {
    assert!(
        columns > 0 && weights.len() % columns == 0,
        "{} weights cannot have {columns} columns",
        weights.len()
    );
    weights.len() / columns
}

/// Enlarges a computed bound by what rounding may have taken from it, n^1.5 ε for products of
/// n × n matrices whose norm is 1; what is not a number bounds nothing.
fn certified(bound: f64, n: usize) -> f64 {
    if bound.is_nan() {
        return f64::INFINITY;
    }
    let n = n as f64;
    bound * (1.0 + 4.0 * n * libm::sqrt(n) * f64::EPSILON)
}

/// The root of the sum of squares; scaled, so that squares neither overflow nor vanish.
fn frobenius(values: &[f64]) -> f64 {
    let scale = greatest(values.iter().map(|value| value.abs()));
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    let squares = values.iter().map(|value| (value / scale) * (value / scale));
    scale * libm::sqrt(squares.sum())
}

/// The greatest value; NaN if there is one.
fn greatest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most, value| if value > most || value.is_nan() { value } else { most })
}

/// Scales to norm 1, unless it is 0 or not finite; returns the norm.
fn normalize(values: &mut [f64]) -> f64 {
    let norm = frobenius(values);
    if norm > 0.0 && norm.is_finite() {
        values.iter_mut().for_each(|value| *value /= norm);
    }
    norm
}

/// GᵀG or GGᵀ, whichever is smaller: they have the same norm.
fn gram_of(matrix: &[f64], (rows, columns): (usize, usize)) -> Vec<f64> {
    let n = rows.min(columns);
    let at = |vector: usize, k: usize| match columns <= rows {
        true => matrix[k * columns + vector],
        false => matrix[vector * columns + k],
    };
    let mut gram = alloc::vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let product = (0..rows.max(columns)).map(|k| at(i, k) * at(j, k)).sum();
            gram[i * n + j] = product;
            gram[j * n + i] = product;
        }
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_lie_above_known_norms_of_any_scale() {
        for scale in [1e-200, 1e-3, 1.0, 1e200] {
            let weights = [3.0 * scale, 0.0, 0.0, 0.0, -4.0 * scale, 0.0]; // σ = 4, 3
            for columns in [3, 2] {
                let norm = spectral_norm(&weights, columns);
                let known = if columns == 3 { 4.0 } else { 5.0 } * scale;
                assert!(norm >= known * 0.8 && norm <= known * (1.0 + 1e-9), "{norm} {columns}");
            }
            assert!(gram_norm(&weights, 3, 6) >= 4.0 * scale);
        }
    }

    #[test]
    fn what_is_not_finite_is_not_bounded() {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut weights = [1.0, bad];
            assert_eq!(spectral_norm(&weights, 1), f64::INFINITY);
            assert_eq!(enforce_lipschitz(&mut weights, 1, 0.5), Err(f64::INFINITY));
        }
        assert_eq!(spectral_norm(&[0.0; 4], 2), 0.0);
    }

    #[test]
    fn enforcement_is_certified_afterwards_and_leaves_small_weights_alone() {
        let mut weights = [0.3, 0.7, -1.9, 2.5];
        let factor = enforce_lipschitz(&mut weights, 2, 0.9).unwrap();
        assert!(factor < 1.0);
        assert!(spectral_norm(&weights, 2) <= 0.9 * (1.0 + 1e-12));
        let mut small = [0.1, 0.2];
        assert_eq!(enforce_lipschitz(&mut small, 2, 0.9), Ok(1.0));
        assert_eq!(small, [0.1, 0.2]);
    }
}

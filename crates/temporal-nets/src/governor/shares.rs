//! Shares of classes: from outputs, and how doubtful they are.

use super::config::Outputs;

/// Reads a net's outputs as shares that add up to 1. False if they cannot be: some output is not
/// finite, or there are too many or too few.
pub(super) fn read(outputs: &[f32], how: Outputs, shares: &mut [f64]) -> bool {
    if outputs.len() != shares.len() || !outputs.iter().all(|y| y.is_finite()) {
        return false;
    }
    let greatest = outputs.iter().fold(f32::NEG_INFINITY, |most, y| most.max(*y));
    for (share, &y) in shares.iter_mut().zip(outputs) {
        *share = match how {
            Outputs::Shares => f64::from(y.max(0.0)),
            Outputs::Softmax => (f64::from(y) - f64::from(greatest)).exp(),
        };
    }
    if !normalise(shares) {
        shares.fill(1.0 / shares.len() as f64);
    }
    true
}

/// Makes them add up to 1. False if that cannot be: the sum is 0, or not finite.
pub(super) fn normalise(shares: &mut [f64]) -> bool {
    let sum: f64 = shares.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return false;
    }
    shares.iter_mut().for_each(|share| *share /= sum);
    true
}

/// The class with the greatest share, the first of equals, that share, and the next greatest.
pub(super) fn greatest(shares: &[f64]) -> (usize, f64, f64) {
    let (mut class, mut most, mut next) = (0, 0.0, 0.0);
    for (k, &share) in shares.iter().enumerate() {
        if share > most {
            (class, most, next) = (k, share, most);
        } else if share > next {
            next = share;
        }
    }
    (class, most, next)
}

/// Shannon's entropy in nats.
pub(super) fn entropy(shares: &[f64]) -> f64 {
    shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum()
}

/// Half the sum of differences: 0 for equal shares, 1 for shares of different classes.
pub(super) fn total_variation(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}

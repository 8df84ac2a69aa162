//! The expensive model: least squares in the space of an RBF kernel, one against all.

use nanosecond_scheduler::TimePoint;
use temporal_nets::ExpensiveModel;

use crate::dataset::{Sample, CLASSES, PIXELS};

/// A least-squares support vector machine without bias (Suykens & Vandewalle 1999), which is kernel ridge
/// regression on one target per class. Every training image is a support vector.
pub(crate) struct KernelMachine {
    support: Vec<[f32; PIXELS]>,
    /// A row for each support vector.
    coefficients: Vec<[f64; CLASSES]>,
    width: f64,
}

/// Added to the kernel's diagonal.
const RIDGE: f64 = 0.03;
/// Logarithms of shares are scores times this.
const SHARPNESS: f64 = 10.0;

impl KernelMachine {
    /// O(n³).
    pub(crate) fn train(samples: &[Sample]) -> Self {
        let support: Vec<_> = samples.iter().map(|sample| sample.pixels).collect();
        let width = 1.0 / (PIXELS as f64 * variance(&support));
        let mut matrix: Vec<Vec<f64>> = support
            .iter()
            .enumerate()
            .map(|(i, a)| support[..=i].iter().map(|b| kernel(a, b, width)).collect())
            .collect();
        matrix.iter_mut().enumerate().for_each(|(i, row)| row[i] += RIDGE);
        let mut coefficients: Vec<_> = samples
            .iter()
            .map(|sample| std::array::from_fn(|class| f64::from(u8::from(class == sample.digit))))
            .collect();
        decompose(&mut matrix);
        solve(&matrix, &mut coefficients);
        KernelMachine { support, coefficients, width }
    }

    pub(crate) fn digit(&self, pixels: &[f32]) -> usize {
        let scores = self.scores(pixels);
        (0..CLASSES).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
    }

    /// About 1 for an image's class and 0 for the others. O(n).
    fn scores(&self, pixels: &[f32]) -> [f64; CLASSES] {
        let mut scores = [0.0; CLASSES];
        for (support, coefficients) in self.support.iter().zip(&self.coefficients) {
            let nearness = kernel(pixels, support, self.width);
            scores.iter_mut().zip(coefficients).for_each(|(sum, c)| *sum += c * nearness);
        }
        scores
    }
}

impl ExpensiveModel for KernelMachine {
    type Error = std::convert::Infallible;

    fn answer(
        &mut self,
        input: &[f32],
        _deadline: Option<TimePoint>,
        answer: &mut [f64],
    ) -> Result<(), Self::Error> {
        let scores = self.scores(input);
        answer.iter_mut().zip(scores).for_each(|(share, score)| *share = (SHARPNESS * score).exp());
        Ok(())
    }
}

/// Of all pixels of all images.
fn variance(images: &[[f32; PIXELS]]) -> f64 {
    let count = (images.len() * PIXELS) as f64;
    let pixels = || images.iter().flatten().map(|pixel| f64::from(*pixel));
    let mean = pixels().sum::<f64>() / count;
    pixels().map(|pixel| (pixel - mean).powi(2)).sum::<f64>() / count
}

fn kernel(a: &[f32], b: &[f32], width: f64) -> f64 {
    let distance: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    (-width * f64::from(distance)).exp()
}

/// Cholesky's decomposition of a positive definite matrix, given by its lower triangle, in place.
fn decompose(matrix: &mut [Vec<f64>]) {
    for i in 0..matrix.len() {
        let (above, rest) = matrix.split_at_mut(i);
        let row = &mut rest[0];
        for j in 0..i {
            row[j] = (row[j] - dot(&row[..j], &above[j][..j])) / above[j][j];
        }
        row[i] = (row[i] - dot(&row[..i], &row[..i])).sqrt();
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Replaces right-hand sides by solutions: forwards by the triangle, backwards by its transpose.
fn solve(triangle: &[Vec<f64>], sides: &mut [[f64; CLASSES]]) {
    let take_away = |from: &mut [f64; CLASSES], factor: f64, row: [f64; CLASSES]| {
        from.iter_mut().zip(row).for_each(|(from, x)| *from -= factor * x);
    };
    for i in 0..sides.len() {
        for j in 0..i {
            let row = sides[j];
            take_away(&mut sides[i], triangle[i][j], row);
        }
        sides[i] = sides[i].map(|x| x / triangle[i][i]);
    }
    for i in (0..sides.len()).rev() {
        sides[i] = sides[i].map(|x| x / triangle[i][i]);
        let row = sides[i];
        for j in 0..i {
            take_away(&mut sides[j], triangle[i][j], row);
        }
    }
}

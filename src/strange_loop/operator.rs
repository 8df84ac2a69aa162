//! What is iterated: [`Operator`], and how far it may stretch: [`Bound`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::bounds;

/// An upper bound of an operator's Lipschitz constant k in the Euclidean norm, and where it is
/// from. Below 1 the operator is a contraction: it has one fixed point, and iteration finds it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Bound {
    /// Someone says so.
    Declared(f64),
    /// It was computed, see [`bounds`].
    Certified(f64),
}

impl Bound {
    /// k itself.
    #[must_use]
    pub fn constant(self) -> f64 {
        match self {
            Bound::Declared(k) | Bound::Certified(k) => k,
        }
    }
}

/// A map of a space of `dim` real numbers into itself.
pub trait Operator {
    /// Numbers in `x` and in `out`.
    fn dim(&self) -> usize;

    /// Writes the image of `x`.
    fn apply(&mut self, x: &[f64], out: &mut [f64]);

    /// What is known of its Lipschitz constant; `None` if nothing is.
    fn lipschitz(&self) -> Option<Bound>;
}

impl<O: Operator + ?Sized> Operator for Box<O> {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        (**self).apply(x, out);
    }

    fn lipschitz(&self) -> Option<Bound> {
        (**self).lipschitz()
    }
}

/// A function as an operator.
#[derive(Clone)]
pub struct Function<F> {
    dim: usize,
    lipschitz: Option<Bound>,
    apply: F,
}

impl<F: FnMut(&[f64], &mut [f64])> Function<F> {
    /// An operator of `dim` numbers that writes its image into the second slice.
    pub fn new(dim: usize, lipschitz: Option<Bound>, apply: F) -> Self {
        Function { dim, lipschitz, apply }
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Function");
        debug.field("dim", &self.dim).field("lipschitz", &self.lipschitz).finish_non_exhaustive()
    }
}

impl<F: FnMut(&[f64], &mut [f64])> Operator for Function<F> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        (self.apply)(x, out);
    }

    fn lipschitz(&self) -> Option<Bound> {
        self.lipschitz
    }
}

/// x ↦ Wx + b, its bound certified.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    weights: Vec<f64>,
    offset: Vec<f64>,
    norm: f64,
}

impl Affine {
    /// With W in row-major order. O(n³), for the certificate.
    ///
    /// # Panics
    ///
    /// If `weights` does not have the square of `offset`'s length, or that is 0.
    #[must_use]
    pub fn new(weights: Vec<f64>, offset: Vec<f64>) -> Self {
        let n = offset.len();
        assert!(n > 0 && weights.len() == n * n, "{} weights for {n} offsets", weights.len());
        let norm = bounds::spectral_norm(&weights, n);
        Affine { weights, offset, norm }
    }

    /// Scales W, if need be, so that its norm is at most `limit`; returns the factor.
    ///
    /// # Errors
    ///
    /// As [`bounds::enforce_lipschitz`].
    ///
    /// # Panics
    ///
    /// As [`bounds::enforce_lipschitz`].
    pub fn enforce_lipschitz(&mut self, limit: f64) -> Result<f64, f64> {
        let n = self.offset.len();
        let factor = bounds::enforce_lipschitz(&mut self.weights, n, limit)?;
        self.norm = bounds::spectral_norm(&self.weights, n);
        Ok(factor)
    }
}

impl Operator for Affine {
    fn dim(&self) -> usize {
        self.offset.len()
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        let rows = self.weights.chunks_exact(self.offset.len());
        for ((out, row), offset) in out.iter_mut().zip(rows).zip(&self.offset) {
            *out = offset + row.iter().zip(x).map(|(weight, x)| weight * x).sum::<f64>();
        }
    }

    fn lipschitz(&self) -> Option<Bound> {
        Some(Bound::Certified(self.norm))
    }
}

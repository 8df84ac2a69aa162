//! Anderson acceleration: the next iterate from those before it.

use alloc::vec::Vec;

/// Columns whose part that the others do not explain is smaller than this share of them are left
/// out: what they say is rounding.
const LEAST_SHARE: f64 = 1e-10;

/// Differences of the last iterates and residuals, and how they are combined.
///
/// With residuals f = T(x) − x it finds γ that minimises ‖f − ΔF γ‖, by QR with modified
/// Gram–Schmidt, and goes to x + f − (ΔX + ΔF) γ (Walker and Ni 2011, "Anderson Acceleration for
/// Fixed-Point Iterations"). The normal equations would square the condition number, and a ridge
/// would have to know the problem's scale.
#[derive(Clone, Debug)]
pub(super) struct Anderson {
    depth: usize,
    /// Columns Δx and Δf, the oldest first.
    columns: Vec<Column>,
    last: Option<Column>,
    /// Room for Q, one column after the other.
    basis: Vec<f64>,
    /// Which columns are in it, with their norms R_jj and products R_ij.
    factors: Vec<(usize, Vec<f64>)>,
}

#[derive(Clone, Debug)]
struct Column {
    x: Vec<f64>,
    f: Vec<f64>,
}

impl Anderson {
    /// Looks back `depth` iterates, but never more than there are dimensions.
    pub(super) fn new(depth: usize, dim: usize) -> Self {
        let depth = depth.min(dim);
        Anderson {
            depth,
            columns: Vec::with_capacity(depth),
            last: None,
            basis: Vec::with_capacity(depth * dim),
            factors: Vec::with_capacity(depth),
        }
    }

    /// Forgets what was before.
    pub(super) fn restart(&mut self) {
        self.columns.clear();
        self.last = None;
    }

    /// Writes the next iterate over `x`, whose residual is `f`.
    pub(super) fn advance(&mut self, x: &mut [f64], f: &[f64]) {
        self.remember(x, f);
        let gamma = self.coefficients(f);
        for (i, x) in x.iter_mut().enumerate() {
            let back =
                gamma.iter().map(|(j, g)| g * (self.columns[*j].x[i] + self.columns[*j].f[i]));
            *x += f[i] - back.sum::<f64>();
        }
    }

    fn remember(&mut self, x: &[f64], f: &[f64]) {
        let Some(last) = &mut self.last else {
            self.last = Some(Column { x: x.to_vec(), f: f.to_vec() });
            return;
        };
        if self.depth == 0 {
            return;
        }
        let mut column = match self.columns.len() < self.depth {
            true => Column { x: x.to_vec(), f: f.to_vec() },
            false => self.columns.remove(0),
        };
        let difference = |to: &mut [f64], new: &[f64], old: &mut [f64]| {
            for ((to, new), old) in to.iter_mut().zip(new).zip(old) {
                *to = new - *old;
                *old = *new;
            }
        };
        difference(&mut column.x, x, &mut last.x);
        difference(&mut column.f, f, &mut last.f);
        self.columns.push(column);
    }

    /// γ by column. The newest columns come first into Q, so that the oldest are left out when they
    /// depend on each other.
    fn coefficients(&mut self, f: &[f64]) -> Vec<(usize, f64)> {
        let dim = f.len();
        self.basis.clear();
        self.factors.clear();
        for j in (0..self.columns.len()).rev() {
            self.orthogonalize(j, dim);
        }
        let mut rest = f.to_vec();
        let mut gamma: Vec<(usize, f64)> = Vec::with_capacity(self.factors.len());
        for ((j, _), q) in self.factors.iter().zip(self.basis.chunks_exact(dim)) {
            gamma.push((*j, project(&mut rest, q)));
        }
        // R γ = Qᵀf, from the last row up.
        for i in (0..gamma.len()).rev() {
            let known: f64 = (i + 1..gamma.len()).map(|k| self.factors[k].1[i] * gamma[k].1).sum();
            gamma[i].1 = (gamma[i].1 - known) / self.factors[i].1[i];
        }
        gamma
    }

    fn orthogonalize(&mut self, j: usize, dim: usize) {
        let mut column = self.columns[j].f.clone();
        let whole = norm(&column);
        let mut products: Vec<f64> =
            self.basis.chunks_exact(dim).map(|q| project(&mut column, q)).collect();
        // Once more, since the first time leaves rounding errors of the size of the whole.
        for (q, product) in self.basis.chunks_exact(dim).zip(&mut products) {
            *product += project(&mut column, q);
        }
        let rest = norm(&column);
        if rest > LEAST_SHARE * whole && whole.is_finite() {
            self.basis.extend(column.iter().map(|value| value / rest));
            products.push(rest);
            self.factors.push((j, products));
        }
    }
}

/// Takes from `vector` its part along the unit vector `q`; returns how much that is.
fn project(vector: &mut [f64], q: &[f64]) -> f64 {
    let product: f64 = vector.iter().zip(q).map(|(v, q)| v * q).sum();
    vector.iter_mut().zip(q).for_each(|(v, q)| *v -= product * q);
    product
}

/// The Euclidean norm.
pub(super) fn norm(vector: &[f64]) -> f64 {
    libm::sqrt(vector.iter().map(|value| value * value).sum())
}

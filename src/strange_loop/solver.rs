//! [`FixedPoint`]: iterates an operator until it stands still, within stated bounds.

use alloc::vec::Vec;
use core::fmt;

use super::anderson::{norm, Anderson};
use super::operator::{Bound, Operator};

/// Residuals that may grow one after the other before the iteration counts as diverged.
const MAX_GROWTH: u32 = 10;

/// How the next iterate comes from an operator's image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Method {
    /// The image itself. Of all contractions it is sure.
    #[default]
    Picard,
    /// So far of the way to the image, above 0 up to 1: for operators that overshoot.
    Damped(f64),
    /// Anderson acceleration over so many iterates, at most as many as there are dimensions. Falls
    /// back to Picard, and starts anew, when a residual has grown.
    Anderson(usize),
}

/// Where an iteration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Status {
    /// It may go on.
    Running,
    /// The residual is at most the tolerance.
    Converged,
    /// The evaluations allowed were used up.
    MaxIterations,
    /// A number was not finite, or the residual grew ten times in a row.
    Diverged,
}

/// Why a [`FixedPoint`] cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FixedPointError {
    /// The start has another number of values than the operator, or none.
    Dimension {
        /// Values of the start.
        start: usize,
        /// Values of the operator.
        operator: usize,
    },
    /// The operator's bound is not below 1, so iteration need not converge.
    NotAContraction {
        /// What is said of it.
        bound: Bound,
    },
    /// The start's value is not finite.
    Start {
        /// Which.
        index: usize,
        /// The value.
        value: f64,
    },
    /// The damping must be above 0 and at most 1.
    Damping(f64),
    /// The tolerance must be finite and at least 0.
    Tolerance(f64),
}

impl fmt::Display for FixedPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FixedPointError::Dimension { start, operator } => write!(
                f,
                "the start has {start} values and the operator {operator}; they must be as many, \
                 and at least 1"
            ),
            FixedPointError::NotAContraction { bound } => write!(
                f,
                "the operator's Lipschitz constant is {bound:?}; it must be at least 0 and below 1"
            ),
            FixedPointError::Start { index, value } => {
                write!(f, "value {index} of the start is {value}; it must be finite")
            }
            FixedPointError::Damping(damping) => {
                write!(f, "the damping is {damping}; it must be above 0 and at most 1")
            }
            FixedPointError::Tolerance(tolerance) => {
                write!(f, "the tolerance is {tolerance}; it must be finite and at least 0")
            }
        }
    }
}

impl core::error::Error for FixedPointError {}

/// An iteration towards x = T(x), which can be stopped after any evaluation and resumed.
///
/// ```
/// use nanosecond_scheduler::strange_loop::{Bound, FixedPoint, Function, Method, Status};
///
/// let halve = Function::new(1, Some(Bound::Declared(0.5)), |x, out| out[0] = 0.5 * x[0] + 0.5);
/// let mut solver = FixedPoint::new(halve, &[0.0])?.with_method(Method::Anderson(5))?;
/// assert_eq!(solver.solve(), Status::Converged);
/// assert!((solver.state()[0] - 1.0).abs() <= solver.error_bound().unwrap());
/// # Ok::<(), nanosecond_scheduler::strange_loop::FixedPointError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FixedPoint<O> {
    operator: O,
    method: Method,
    anderson: Anderson,
    tolerance: f64,
    max_evaluations: u64,
    /// The bound's constant, below 1.
    k: Option<f64>,
    /// The next iterate.
    x: Vec<f64>,
    /// The image of the one before, and by how much they differ.
    image: Vec<f64>,
    difference: Vec<f64>,
    evaluations: u64,
    residual: f64,
    first_residual: f64,
    growth: u32,
    status: Status,
}

impl<O: Operator> FixedPoint<O> {
    /// Starts at `start`, by [`Method::Picard`], to a residual of 1e-10, with 10,000 evaluations.
    ///
    /// # Errors
    ///
    /// An operator that is not known to contract is taken; one whose bound is not below 1 is
    /// refused, and so are dimensions that differ and values that are not finite.
    pub fn new(operator: O, start: &[f64]) -> Result<Self, FixedPointError> {
        let dim = operator.dim();
        if dim == 0 || start.len() != dim {
            return Err(FixedPointError::Dimension { start: start.len(), operator: dim });
        }
        if let Some((index, &value)) = start.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(FixedPointError::Start { index, value });
        }
        let bound = operator.lipschitz();
        if let Some(bound) = bound.filter(|bound| !(0.0..1.0).contains(&bound.constant())) {
            return Err(FixedPointError::NotAContraction { bound });
        }
        Ok(FixedPoint {
            operator,
            method: Method::Picard,
            anderson: Anderson::new(0, dim),
            tolerance: 1e-10,
            max_evaluations: 10_000,
            k: bound.map(Bound::constant),
            x: start.to_vec(),
            image: start.to_vec(),
            difference: alloc::vec![0.0; dim],
            evaluations: 0,
            residual: f64::INFINITY,
            first_residual: f64::INFINITY,
            growth: 0,
            status: Status::Running,
        })
    }

    /// Sets how iterates follow each other.
    ///
    /// # Errors
    ///
    /// If the damping is out of bounds.
    pub fn with_method(mut self, method: Method) -> Result<Self, FixedPointError> {
        match method {
            Method::Damped(damping) if !(damping > 0.0 && damping <= 1.0) => {
                return Err(FixedPointError::Damping(damping));
            }
            Method::Anderson(depth) => self.anderson = Anderson::new(depth, self.x.len()),
            _ => {}
        }
        self.method = method;
        Ok(self)
    }

    /// Sets the residual ‖T(x) − x‖ at which it has converged.
    ///
    /// # Errors
    ///
    /// If the tolerance is negative or not finite.
    pub fn with_tolerance(mut self, tolerance: f64) -> Result<Self, FixedPointError> {
        if !(tolerance.is_finite() && tolerance >= 0.0) {
            return Err(FixedPointError::Tolerance(tolerance));
        }
        self.tolerance = tolerance;
        Ok(self)
    }

    /// Sets how often the operator may be applied in all.
    #[must_use]
    pub fn with_max_evaluations(mut self, most: u64) -> Self {
        self.max_evaluations = most;
        self
    }

    /// Applies the operator until the iteration ends.
    pub fn solve(&mut self) -> Status {
        self.advance(u64::MAX)
    }

    /// Applies the operator at most `evaluations` times. Once the iteration has ended it does nothing.
    pub fn advance(&mut self, evaluations: u64) -> Status {
        for _ in 0..evaluations {
            if self.status == Status::Running && self.evaluations >= self.max_evaluations {
                self.status = Status::MaxIterations;
            }
            if self.status != Status::Running {
                break;
            }
            self.evaluate();
        }
        self.status
    }

    fn evaluate(&mut self) {
        self.operator.apply(&self.x, &mut self.image);
        self.evaluations += 1;
        let differences = self.image.iter().zip(&self.x).map(|(image, x)| image - x);
        self.difference.iter_mut().zip(differences).for_each(|(to, value)| *to = value);
        let before = core::mem::replace(&mut self.residual, norm(&self.difference));
        if self.evaluations == 1 {
            self.first_residual = self.residual;
        }
        let has_grown = self.residual > before;
        self.growth = if has_grown { self.growth + 1 } else { 0 };
        self.status = match self.residual {
            residual if residual <= self.tolerance => Status::Converged,
            residual if !residual.is_finite() || self.growth >= MAX_GROWTH => Status::Diverged,
            _ => Status::Running,
        };
        if self.status == Status::Running {
            self.next_iterate(has_grown);
        }
    }

    fn next_iterate(&mut self, has_grown: bool) {
        match self.method {
            Method::Picard => self.x.copy_from_slice(&self.image),
            Method::Damped(damping) => {
                self.x.iter_mut().zip(&self.difference).for_each(|(x, f)| *x += damping * f);
            }
            Method::Anderson(_) => {
                if has_grown {
                    self.anderson.restart();
                }
                self.anderson.advance(&mut self.x, &self.difference);
                if self.x.iter().any(|x| !x.is_finite()) {
                    self.anderson.restart();
                    self.x.copy_from_slice(&self.image);
                }
            }
        }
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The best that is known of the fixed point: the last image, or the start.
    pub fn state(&self) -> &[f64] {
        &self.image
    }

    /// ‖T(x) − x‖ of the last evaluation; infinite before the first.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// How often the operator was applied.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// At most how far [`state`](Self::state) is from the fixed point, from the last residual:
    /// k/(1−k) · ‖T(x) − x‖ (Banach's a posteriori bound). `None` if k is not known, or before the
    /// first evaluation. Rounding adds about 8 ε‖x‖.
    pub fn error_bound(&self) -> Option<f64> {
        let k = self.k.filter(|_| self.evaluations > 0)?;
        Some(k / (1.0 - k) * self.residual)
    }

    /// At most how far the n-th Picard iterate is from the fixed point, known after the first:
    /// kⁿ/(1−k) · ‖x₁ − x₀‖ (Banach's a priori bound). O(log n).
    pub fn a_priori_bound(&self, n: u32) -> Option<f64> {
        let k = self.k.filter(|_| self.evaluations > 0)?;
        Some(power(k, n) / (1.0 - k) * self.first_residual)
    }

    /// The operator, to change it between evaluations: for instance to give it a new input. Call
    /// [`resume`](Self::resume) afterwards.
    pub fn operator_mut(&mut self) -> &mut O {
        &mut self.operator
    }

    /// Notes the operator's bound, which may have changed, unless it has diverged. Nothing bounds the
    /// error of one that is no contraction any more, which counts as diverged.
    pub(super) fn read_bound(&mut self) {
        if self.status == Status::Diverged {
            return;
        }
        self.k = self.operator.lipschitz().map(Bound::constant);
        if self.k.take_if(|k| !(0.0..1.0).contains(k)).is_some() {
            self.status = Status::Diverged;
        }
    }

    /// Lets an iteration that has ended go on from where it is, as after a change of the operator;
    /// its evaluations count from 0. One that has diverged stays so, and so does one whose operator
    /// is no contraction any more.
    pub fn resume(&mut self) {
        self.read_bound();
        if self.status != Status::Diverged {
            self.status = Status::Running;
            self.evaluations = 0;
            self.residual = f64::INFINITY;
            self.growth = 0;
            self.anderson.restart();
            self.x.copy_from_slice(&self.image);
        }
    }
}

/// base to the power of n, by squaring.
fn power(base: f64, n: u32) -> f64 {
    let squares = core::iter::successors(Some(base), |square| Some(square * square));
    let bits = (0..u32::BITS - n.leading_zeros()).zip(squares);
    bits.filter(|(bit, _)| n >> bit & 1 == 1).map(|(_, square)| square).product()
}

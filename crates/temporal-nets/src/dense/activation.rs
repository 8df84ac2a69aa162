//! [`Activation`]: FANN's functions from a neuron's sum to its value, and their slopes.

use core::fmt;

/// A function from a neuron's weighted sum to its value, by FANN's definition.
///
/// Every function is applied to `steepness * sum`, limited to ±150 / steepness as libfann does. The
/// discriminants are FANN's, so that they are the numbers in its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Activation {
    /// x
    Linear = 0,
    /// 0 below zero, else 1. Has no slope: cannot be trained.
    Threshold = 1,
    /// -1 below zero, else 1. Has no slope: cannot be trained.
    ThresholdSymmetric = 2,
    /// 1 / (1 + e⁻²ˣ), in (0, 1)
    Sigmoid = 3,
    /// [`Sigmoid`](Self::Sigmoid) in five straight pieces
    SigmoidStepwise = 4,
    /// tanh x, in (-1, 1)
    SigmoidSymmetric = 5,
    /// [`SigmoidSymmetric`](Self::SigmoidSymmetric) in five straight pieces
    SigmoidSymmetricStepwise = 6,
    /// exp(-x²), in (0, 1]
    Gaussian = 7,
    /// 2 exp(-x²) - 1, in (-1, 1]
    GaussianSymmetric = 8,
    /// x / 2 / (1 + |x|) + 1/2, in (0, 1)
    Elliot = 10,
    /// x / (1 + |x|), in (-1, 1)
    ElliotSymmetric = 11,
    /// x limited to 0 to 1
    LinearPiece = 12,
    /// x limited to -1 to 1
    LinearPieceSymmetric = 13,
    /// sin x
    SinSymmetric = 14,
    /// cos x
    CosSymmetric = 15,
    /// sin x / 2 + 1/2
    Sin = 16,
    /// cos x / 2 + 1/2
    Cos = 17,
}

use Activation::*;

impl Activation {
    /// All functions, by FANN's number.
    pub const ALL: [Activation; 17] = [
        Linear,
        Threshold,
        ThresholdSymmetric,
        Sigmoid,
        SigmoidStepwise,
        SigmoidSymmetric,
        SigmoidSymmetricStepwise,
        Gaussian,
        GaussianSymmetric,
        Elliot,
        ElliotSymmetric,
        LinearPiece,
        LinearPieceSymmetric,
        SinSymmetric,
        CosSymmetric,
        Sin,
        Cos,
    ];

    /// FANN's number of this function.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The function with FANN's number `code`. FANN itself has none behind 9, its stepwise Gaussian.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Activation> {
        Self::ALL.into_iter().find(|activation| u32::from(activation.code()) == code)
    }

    /// Whether values range from -1 to 1, for which FANN halves errors before it squares them.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(
            self,
            ThresholdSymmetric
                | SigmoidSymmetric
                | SigmoidSymmetricStepwise
                | GaussianSymmetric
                | ElliotSymmetric
                | LinearPieceSymmetric
                | SinSymmetric
                | CosSymmetric
        )
    }

    /// Turns sums into values. Exponentials are within 3·10⁻⁷ of the exact ones, relatively.
    pub fn apply(self, steepness: f32, sums: &mut [f32]) {
        match self {
            Linear => map(steepness, sums, |x| x),
            Threshold => map(steepness, sums, |x| if x < 0.0 { 0.0 } else { 1.0 }),
            ThresholdSymmetric => map(steepness, sums, |x| if x < 0.0 { -1.0 } else { 1.0 }),
            Sigmoid => map(steepness, sums, sigmoid),
            SigmoidStepwise => map(steepness, sums, |x| stepwise(&SIGMOID_STEPS, 0.0, x)),
            SigmoidSymmetric => map(steepness, sums, tanh),
            SigmoidSymmetricStepwise => map(steepness, sums, |x| stepwise(&TANH_STEPS, -1.0, x)),
            Gaussian => map(steepness, sums, gaussian),
            GaussianSymmetric => map(steepness, sums, |x| 2.0 * gaussian(x) - 1.0),
            Elliot => map(steepness, sums, |x| 0.5 * x / (1.0 + x.abs()) + 0.5),
            ElliotSymmetric => map(steepness, sums, |x| x / (1.0 + x.abs())),
            LinearPiece => map(steepness, sums, |x| x.clamp(0.0, 1.0)),
            LinearPieceSymmetric => map(steepness, sums, |x| x.clamp(-1.0, 1.0)),
            SinSymmetric => map(steepness, sums, f32::sin),
            CosSymmetric => map(steepness, sums, f32::cos),
            Sin => map(steepness, sums, |x| 0.5 * x.sin() + 0.5),
            Cos => map(steepness, sums, |x| 0.5 * x.cos() + 0.5),
        }
    }

    /// The slope d value / d sum for backpropagation, or `None` where there is no useful one.
    ///
    /// As in FANN, sigmoids and Elliots are taken at a value kept 1 % from their ends, so that a
    /// saturated neuron can still learn, and the pieces have the slope of their middle everywhere.
    /// Unlike FANN, whose slopes of sines and Gaussians count the steepness twice, these are true.
    #[must_use]
    pub fn slope(self, steepness: f32, sum: f32, value: f32) -> Option<f32> {
        let x = limited(steepness, sum);
        let slope = match self {
            Threshold | ThresholdSymmetric => return None,
            Linear | LinearPiece | LinearPieceSymmetric => 1.0,
            Sigmoid | SigmoidStepwise => {
                let value = value.clamp(0.01, 0.99);
                2.0 * value * (1.0 - value)
            }
            SigmoidSymmetric | SigmoidSymmetricStepwise => {
                let value = value.clamp(-0.98, 0.98);
                1.0 - value * value
            }
            Gaussian => -2.0 * x * value,
            GaussianSymmetric => -2.0 * x * (value + 1.0),
            Elliot => 0.5 / (1.0 + x.abs()).powi(2),
            ElliotSymmetric => 1.0 / (1.0 + x.abs()).powi(2),
            SinSymmetric => x.cos(),
            CosSymmetric => -x.sin(),
            Sin => 0.5 * x.cos(),
            Cos => -0.5 * x.sin(),
        };
        Some(steepness * slope)
    }

    /// The least L with |f(a) - f(b)| ≤ L |a - b| for all sums a and b, or `None` for functions that
    /// jump: thresholds, and FANN's stepwise ones, which jump to their limits.
    #[must_use]
    pub fn lipschitz(self, steepness: f32) -> Option<f64> {
        // The steepest point of exp(-x²) is x = 1/√2, where the slope is √(2/e).
        const GAUSSIAN: f64 = 0.857_763_884_960_706_8;
        let steepest = match self {
            Threshold | ThresholdSymmetric | SigmoidStepwise | SigmoidSymmetricStepwise => {
                return None;
            }
            Sigmoid | Elliot | Sin | Cos => 0.5,
            Gaussian => GAUSSIAN,
            GaussianSymmetric => 2.0 * GAUSSIAN,
            Linear | LinearPiece | LinearPieceSymmetric | SigmoidSymmetric | ElliotSymmetric
            | SinSymmetric | CosSymmetric => 1.0,
        };
        Some(f64::from(steepness) * steepest)
    }
}

/// The name of FANN's constant: `FANN_SIGMOID_SYMMETRIC`.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FANN")?;
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() {
                f.write_str("_")?;
            }
            write!(f, "{}", letter.to_ascii_uppercase())?;
        }
        Ok(())
    }
}

#[inline(always)]
fn map(steepness: f32, sums: &mut [f32], function: impl Fn(f32) -> f32) {
    for sum in sums {
        *sum = function(limited(steepness, *sum));
    }
}

/// The function's argument. Passes NaN on.
#[inline(always)]
fn limited(steepness: f32, sum: f32) -> f32 {
    let limit = 150.0 / steepness;
    let x = steepness * sum;
    let x = if x > limit { limit } else { x };
    if x < -limit {
        -limit
    } else {
        x
    }
}

/// eˣ - 1 as (s, t) with eˣ = s + t and eˣ - 1 = (s - 1) + t, accurate near zero too. Without
/// branches, so that loops over it become vector code. `x` must be in ±87 or NaN.
///
/// Reduction and polynomial are those of Cephes' `expf` (Moshier).
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    // Adding 1.5·2²³ rounds to an integer, which the sum then has in its low bits.
    const ROUND: f32 = 12_582_912.0;
    let rounded = x * core::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = ((((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r
        + 0.166_666_66)
        * r
        + 0.5;
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (scale, scale * (r + r * r * p))
}

/// `x` limited to ±`limit`; passes NaN on.
#[inline(always)]
fn within(x: f32, limit: f32) -> f32 {
    let x = if x > limit { limit } else { x };
    if x < -limit {
        -limit
    } else {
        x
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let (s, t) = exp_parts(within(-2.0 * x, 87.0));
    1.0 / (1.0 + s + t)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    // Beyond ±10 the nearest f32 is ±1.
    let (s, t) = exp_parts(within(2.0 * x, 20.0));
    let exp_m1 = (s - 1.0) + t;
    exp_m1 / (exp_m1 + 2.0)
}

#[inline(always)]
fn gaussian(x: f32) -> f32 {
    let (s, t) = exp_parts(within(-x * x, 87.0));
    s + t
}

/// FANN's corners (sum, value) between which its stepwise sigmoid is straight.
const SIGMOID_STEPS: [(f32, f32); 6] = [
    (-2.646_652_5, 0.005),
    (-1.472_219_5, 0.05),
    (-0.549_306_15, 0.25),
    (0.549_306_15, 0.75),
    (1.472_219_3, 0.95),
    (2.646_653, 0.995),
];

/// The same of its stepwise symmetric sigmoid.
const TANH_STEPS: [(f32, f32); 6] = [
    (-2.646_653, -0.99),
    (-1.472_219_3, -0.9),
    (-0.549_306_15, -0.5),
    (0.549_306_15, 0.5),
    (1.472_219_3, 0.9),
    (2.646_653, 0.99),
];

fn stepwise(corners: &[(f32, f32); 6], below: f32, x: f32) -> f32 {
    if x < corners[0].0 {
        return below;
    }
    for pair in corners.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x < x1 {
            return (y1 - y0) * (x - x0) / (x1 - x0) + y0;
        }
    }
    // Not a comparison with 1, so that NaN stays NaN.
    if x.is_nan() {
        x
    } else {
        1.0
    }
}

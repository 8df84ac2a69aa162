//! The front end of Pan and Tompkins (A Real-Time QRS Detection Algorithm, 1985): a band-pass around
//! the energy of QRS complexes, and the energy of the slope over 150 ms.

use crate::record::{millis, RATE};

/// Over how many samples the energy is taken.
pub(crate) const ENERGY_SPAN: usize = millis(150);

/// The pass band in Hz.
const BAND: (f64, f64) = (5.0, 15.0);

/// A second-order filter (Bristow-Johnson's cookbook, direct form 2 transposed).
#[derive(Clone, Debug)]
pub(crate) struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    pub(crate) fn high_pass(hz: f64) -> Self {
        Self::new(hz, |cos| [(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0])
    }

    pub(crate) fn low_pass(hz: f64) -> Self {
        Self::new(hz, |cos| [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0])
    }

    /// Butterworth's quality, 1/√2.
    fn new(hz: f64, b: impl Fn(f64) -> [f64; 3]) -> Self {
        let (sin, cos) = (std::f64::consts::TAU * hz / RATE as f64).sin_cos();
        let alpha = sin * std::f64::consts::FRAC_1_SQRT_2;
        let a0 = 1.0 + alpha;
        let a = [-2.0 * cos / a0, (1.0 - alpha) / a0];
        Biquad { b: b(cos).map(|b| b / a0), a, state: [0.0; 2] }
    }

    pub(crate) fn push(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// The band-pass.
#[derive(Clone, Debug)]
pub(crate) struct BandPass {
    high: Biquad,
    low: Biquad,
    /// The first sample, which is taken for what was before it.
    base: Option<f64>,
}

impl BandPass {
    pub(crate) fn new() -> Self {
        BandPass { high: Biquad::high_pass(BAND.0), low: Biquad::low_pass(BAND.1), base: None }
    }

    pub(crate) fn push(&mut self, x: f64) -> f64 {
        let base = *self.base.get_or_insert(x);
        self.low.push(self.high.push(x - base))
    }
}

/// Root of the slope's mean square over [`ENERGY_SPAN`]: in proportion to the signal.
#[derive(Clone, Debug)]
pub(crate) struct Energy {
    recent: [f64; 5],
    squares: [f64; ENERGY_SPAN],
    at: usize,
}

impl Energy {
    pub(crate) fn new() -> Self {
        Energy { recent: [0.0; 5], squares: [0.0; ENERGY_SPAN], at: 0 }
    }

    pub(crate) fn push(&mut self, filtered: f64) -> f64 {
        self.recent.rotate_left(1);
        self.recent[4] = filtered;
        let [a, b, _, d, e] = self.recent;
        let slope = (2.0 * e + d - b - 2.0 * a) / 8.0;
        self.squares[self.at] = slope * slope;
        self.at = (self.at + 1) % ENERGY_SPAN;
        // Summed up anew each time, so that no rounding error stays.
        (self.squares.iter().sum::<f64>() / ENERGY_SPAN as f64).sqrt()
    }
}

//! How overlapping windows share an instant: [`Blend`].

use core::fmt;

use super::spec::{Window, WindowSpec};

/// How much the sums of weights may differ, relative to their mean, to count as constant.
const COLA_TOLERANCE: f64 = 1e-10;

/// The form of a window's weights, as SciPy's periodic windows have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shape {
    /// 1 everywhere ("boxcar").
    Rectangular,
    /// From 0 to 1 and back in straight lines ("bartlett").
    Triangular,
    /// 0.5 − 0.5 cos 2πx.
    #[default]
    Hann,
    /// 0.54 − 0.46 cos 2πx.
    Hamming,
    /// 0.42 − 0.5 cos 2πx + 0.08 cos 4πx.
    Blackman,
    /// Half a period of a sine.
    Cosine,
    /// 1 in the middle half, towards the ends as Hann.
    Tukey,
}

impl Shape {
    /// The weight at `position` of `length`.
    fn at(self, position: u64, length: u64) -> f64 {
        let x = position as f64 / length as f64;
        let cos = |turns: f64| libm::cos(core::f64::consts::TAU * turns);
        match self {
            Shape::Rectangular => 1.0,
            Shape::Triangular => 1.0 - (2.0 * x - 1.0).abs(),
            Shape::Hann => 0.5 - 0.5 * cos(x),
            Shape::Hamming => 0.54 - 0.46 * cos(x),
            Shape::Blackman => 0.42 - 0.5 * cos(x) + 0.08 * cos(2.0 * x),
            Shape::Cosine => cos((position as f64 + 0.5) / (length as f64 + 1.0) / 2.0 - 0.25),
            Shape::Tukey => 0.5 - 0.5 * cos(2.0 * x.min(1.0 - x).min(0.25)),
        }
    }
}

/// No window, or none with a weight, lies over the instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlendError {
    /// The instant, in ns.
    pub at_ns: i128,
}

impl fmt::Display for BlendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no window has a weight at {} ns; it takes a smaller hop", self.at_ns)
    }
}

impl core::error::Error for BlendError {}

/// Weights by which what each of the overlapping windows says of an instant becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blend {
    /// Form of the weights.
    pub shape: Shape,
    /// The windows.
    pub spec: WindowSpec,
}

impl Blend {
    /// The windows that lie over an instant with their weights, which add up to 1. Where the shape
    /// satisfies COLA that is a constant factor; elsewhere they are normalised. O(overlap).
    ///
    /// # Errors
    ///
    /// Where all weights are 0, or no window is (NOLA fails).
    pub fn weights_at(
        self,
        at_ns: i128,
    ) -> Result<impl Iterator<Item = (Window, f64)>, BlendError> {
        let weight =
            move |window: Window| self.shape.at((at_ns - window.start_ns) as u64, self.spec.length);
        let total: f64 = self.spec.windows_at(at_ns).map(weight).sum();
        if total <= f64::EPSILON {
            return Err(BlendError { at_ns });
        }
        Ok(self.spec.windows_at(at_ns).map(move |window| (window, weight(window) / total)))
    }

    /// Whether the weights add up to the same at every instant (constant overlap-add). O(length).
    #[must_use]
    pub fn is_cola(self) -> bool {
        let (least, most) = self.sums();
        most - least <= COLA_TOLERANCE * most
    }

    /// Whether some window has a weight at every instant (nonzero overlap-add). O(length).
    #[must_use]
    pub fn is_nola(self) -> bool {
        self.sums().0 > COLA_TOLERANCE
    }

    /// The least and the greatest sum of weights over one hop.
    fn sums(self) -> (f64, f64) {
        let WindowSpec { length, hop, .. } = self.spec;
        let sum = |first: u64| -> f64 {
            (first..length).step_by(hop as usize).map(|at| self.shape.at(at, length)).sum()
        };
        (0..hop)
            .map(sum)
            .fold((f64::INFINITY, 0.0), |(least, most), sum| (least.min(sum), most.max(sum)))
    }
}

//! What may be a beat: the peaks of the slope's energy.

use crate::filter::ENERGY_SPAN;
use crate::history::History;
use crate::record::millis;

/// A peak is the greatest within this time to both sides.
pub(crate) const REACH: usize = millis(150);
/// How far behind the signal the filtered one is, in samples.
const DELAY: usize = millis(22);

/// A peak of the energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// The sample with the energy's peak.
    pub(crate) at: usize,
    /// The sample with the filtered signal's, where the complex is.
    pub(crate) center: usize,
    /// The energy there.
    pub(crate) energy: f32,
    /// Its strength by the windows it lies in, so far: a share of their levels.
    pub(crate) strength: f32,
}

impl Candidate {
    /// Where the complex is in the signal, which the filter delays.
    pub(crate) fn beat(&self) -> usize {
        self.center.saturating_sub(DELAY)
    }
}

/// The candidate [`REACH`] before the last sample, if there is one.
pub(crate) fn find(energy: &History<f32>, filtered: &History<f32>) -> Option<Candidate> {
    let at = energy.len().checked_sub(REACH + 1)?;
    let around = |k: isize| energy.at(at as isize + k);
    let peak = around(0);
    let reach = REACH as isize;
    // The first of equals.
    let is_peak = peak > 0.0
        && (-reach.min(at as isize)..0).all(|k| around(k) < peak)
        && (1..=reach).all(|k| around(k) <= peak);
    let magnitude = |k: usize| filtered.at(k as isize).abs();
    let span = at.saturating_sub(ENERGY_SPAN)..=at;
    let center = span.max_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b)))?;
    is_peak.then_some(Candidate { at, center, energy: peak, strength: 0.0 })
}

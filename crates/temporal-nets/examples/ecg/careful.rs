//! The careful detector, the expensive model: it filters 6 s around a candidate anew, forwards and
//! backwards, and applies what Pan and Tompkins have rules for: thresholds, T waves, missed beats.

use crate::filter::{BandPass, ENERGY_SPAN};
use crate::record::{millis, seconds};

/// What it wants to see before and behind a candidate.
pub(crate) const CONTEXT: usize = seconds(3);
/// No two beats are closer.
pub(crate) const REFRACTORY: usize = millis(200);
/// Within this time after a beat, something weaker may be its T wave.
const T_WAVE: usize = millis(360);
/// The energy, as a share of the usual, from which a candidate is a beat; and half of it, which will
/// do for one that looks like the others, or is overdue.
const STRONG: f64 = 0.5;
const WEAK: f64 = 0.25;
/// The correlation with the mean beat from which a candidate looks like it.
const SIMILAR: f64 = 0.8;
/// The pause, in usual intervals, after which a beat is overdue.
const OVERDUE: f64 = 1.66;
/// Half the mean beat's length.
const REACH: usize = millis(100);

/// Where the beats before a candidate were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rhythm {
    /// Since the last one, in samples.
    pub(crate) since_last: Option<usize>,
    /// The usual interval, in samples.
    pub(crate) interval: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) is_beat: bool,
    /// The peak in the context.
    pub(crate) peak: usize,
}

/// The detector, with the mean of the beats it has seen.
#[derive(Debug)]
pub(crate) struct Careful {
    mean_beat: Option<[f64; 2 * REACH + 1]>,
}

impl Careful {
    pub(crate) fn new() -> Self {
        Careful { mean_beat: None }
    }

    /// Judges the candidate whose QRS complex is at about `at` in `signal`. O(length · log length).
    pub(crate) fn judge(&mut self, signal: &[f64], at: usize, rhythm: Rhythm) -> Verdict {
        let filtered = zero_phase(signal);
        let energy = energy(&filtered);
        let top = top(&energy, at, ENERGY_SPAN / 2);
        let peak = self.peak(&filtered, top);
        let is_beat = !is_shadowed(&energy, top)
            && !is_noise(&energy, top)
            && self.is_strong(&filtered, &energy, top, peak, rhythm);
        if is_beat {
            self.remember(&filtered, peak);
        }
        Verdict { is_beat, peak }
    }

    /// The greatest deflection, to either side.
    fn peak(&self, filtered: &[f64], top: usize) -> usize {
        let magnitudes: Vec<f64> = filtered.iter().map(|x| x.abs()).collect();
        self::top(&magnitudes, top, ENERGY_SPAN / 2)
    }

    fn is_strong(
        &self,
        filtered: &[f64],
        energy: &[f64],
        top: usize,
        peak: usize,
        rhythm: Rhythm,
    ) -> bool {
        let strength = energy[top] / usual_peak(energy);
        let is_overdue = || match (rhythm.since_last, rhythm.interval) {
            (Some(since), Some(interval)) => since as f64 > OVERDUE * interval as f64,
            _ => false,
        };
        strength >= STRONG
            || strength >= WEAK && (self.similarity(filtered, peak) >= SIMILAR || is_overdue())
    }

    /// Correlation with the mean beat, -1 to 1.
    fn similarity(&self, filtered: &[f64], peak: usize) -> f64 {
        match (&self.mean_beat, normalized(filtered, peak)) {
            (Some(mean), Some(beat)) => {
                let norm = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
                mean.iter().zip(&beat).map(|(x, y)| x * y).sum::<f64>() / norm
            }
            _ => 0.0,
        }
    }

    fn remember(&mut self, filtered: &[f64], peak: usize) {
        let Some(beat) = normalized(filtered, peak) else { return };
        match &mut self.mean_beat {
            None => self.mean_beat = Some(beat),
            Some(mean) => mean.iter_mut().zip(beat).for_each(|(m, b)| *m += (b - *m) / 8.0),
        }
    }
}

/// The place of the greatest value up to `reach` from `at`.
fn top(values: &[f64], at: usize, reach: usize) -> usize {
    let range = at.saturating_sub(reach)..(at + reach + 1).min(values.len());
    range.max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(at)
}

fn zero_phase(signal: &[f64]) -> Vec<f64> {
    let mut values = signal.to_vec();
    for _ in 0..2 {
        let mut band = BandPass::new();
        values.iter_mut().for_each(|x| *x = band.push(*x));
        values.reverse();
    }
    values
}

/// Root of the slope's mean square around each sample.
fn energy(filtered: &[f64]) -> Vec<f64> {
    let slope = |k: usize| (filtered[k + 1] - filtered[k - 1]) / 2.0;
    let mut sums = vec![0.0; filtered.len() + 1];
    for k in 0..filtered.len() {
        let inside = k > 0 && k + 1 < filtered.len();
        sums[k + 1] = sums[k] + if inside { slope(k).powi(2) } else { 0.0 };
    }
    let around = |k: usize| {
        let from = k.saturating_sub(ENERGY_SPAN / 2);
        let to = (k + ENERGY_SPAN / 2).min(filtered.len());
        ((sums[to] - sums[from]) / ENERGY_SPAN as f64).max(0.0).sqrt()
    };
    (0..filtered.len()).map(around).collect()
}

/// The second greatest of the peaks in four quarters: one artefact does not spoil it, nor do quarters
/// without a beat.
fn usual_peak(energy: &[f64]) -> f64 {
    let quarters = energy.chunks(energy.len().div_ceil(4));
    let mut peaks: Vec<f64> =
        quarters.map(|quarter| quarter.iter().copied().fold(0.0, f64::max)).collect();
    peaks.sort_by(f64::total_cmp);
    peaks.iter().rev().nth(1).copied().unwrap_or(0.0).max(f64::MIN_POSITIVE)
}

/// Whether it is too close to something stronger: to be a beat of its own at all, or to be more than a
/// T wave, whose slopes are less than half as steep.
fn is_shadowed(energy: &[f64], top: usize) -> bool {
    let most = |from: usize, to: usize| {
        energy[from..to.min(energy.len())].iter().copied().fold(0.0, f64::max)
    };
    let strength = energy[top];
    most(top.saturating_sub(REFRACTORY), top + REFRACTORY + 1) > strength
        || most(top.saturating_sub(T_WAVE), top) > 2.0 * strength
}

/// Whether it hardly stands out.
fn is_noise(energy: &[f64], top: usize) -> bool {
    let mut sorted = energy.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2] > 0.6 * energy[top]
}

/// The beat around `peak`, of norm 1; `None` if it is not all there, or nothing.
fn normalized(filtered: &[f64], peak: usize) -> Option<[f64; 2 * REACH + 1]> {
    let from = peak.checked_sub(REACH)?;
    let beat: [f64; 2 * REACH + 1] = filtered.get(from..=peak + REACH)?.try_into().ok()?;
    let norm = beat.iter().map(|x| x * x).sum::<f64>().sqrt();
    (norm > 0.0).then(|| beat.map(|x| x / norm))
}

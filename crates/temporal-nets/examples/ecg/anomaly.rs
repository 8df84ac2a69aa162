//! What is unusual about a window.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use nanosecond_scheduler::WindowSummary;

use crate::beats::Beats;
use crate::record::seconds;

/// Windows whose medians are typical.
const WINDOWS: usize = 15;
/// Intervals between beats, as shares of the usual one, below and above which they are unusual.
const EARLY: f64 = 0.8;
const LATE: f64 = 1.5;

/// A reason to look at a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Anomaly {
    /// No complex in it has a fifth of the usual energy.
    Flat,
    /// A peak has three times the usual energy.
    Burst,
    /// The energy is everywhere, or the signal twice as rough as it typically is.
    Noise,
    /// The base line moves by more than half of what complexes do.
    Wander,
    /// A beat comes early or late.
    Rhythm,
    /// A beat looks unlike the others.
    Shape,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anomaly::Flat => "flat",
            Anomaly::Burst => "burst",
            Anomaly::Noise => "noise",
            Anomaly::Wander => "wander",
            Anomaly::Rhythm => "rhythm",
            Anomaly::Shape => "shape",
        })
    }
}

impl Anomaly {
    /// Whether it is the signal that is disturbed, not the heart.
    pub(crate) fn is_artefact(self) -> bool {
        !matches!(self, Anomaly::Rhythm | Anomaly::Shape)
    }
}

/// A window's signal beside that of the windows before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Texture {
    /// How far the base line moves, as a share of how far the signal typically goes up and down.
    pub(crate) wander: f32,
    /// The change from sample to sample, complexes left out, as a share of the typical one.
    pub(crate) roughness: f32,
}

/// What the last windows were like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typical {
    ranges: VecDeque<f32>,
    roughness: VecDeque<f32>,
}

impl Typical {
    /// Compares a window's values with the windows before, of which it then is one.
    pub(crate) fn compare(&mut self, values: &[f32]) -> Texture {
        // Half a second's median is hardly moved by complexes.
        let base_line: Vec<f32> =
            values.chunks(seconds(1) / 2).map(|half| quantile(half, 0.5)).collect();
        let range = typical(&mut self.ranges, range(values));
        let steps: Vec<f32> = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        // The steepest quarter is complexes.
        let calm = quantile(&steps, 0.75);
        let calm: Vec<f32> = steps.into_iter().filter(|step| *step <= calm).collect();
        let rough = calm.iter().sum::<f32>() / calm.len().max(1) as f32;
        Texture {
            wander: self::range(&base_line) / range,
            roughness: rough / typical(&mut self.roughness, rough),
        }
    }
}

/// The median of the last windows' values, which `value` then is one of; itself if it is the first.
fn typical(last: &mut VecDeque<f32>, value: f32) -> f32 {
    let typical = if last.is_empty() { value } else { quantile(last.make_contiguous(), 0.5) };
    if last.len() == WINDOWS {
        last.pop_front();
    }
    last.push_back(value);
    typical.max(f32::MIN_POSITIVE)
}

fn range(values: &[f32]) -> f32 {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    (most - least).max(0.0)
}

/// The value that a share of all are below; 0 if there are none.
fn quantile(values: &[f32], share: f64) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get((share * values.len() as f64) as usize).copied().unwrap_or(0.0)
}

/// What is to be said of a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    pub(crate) samples: Range<usize>,
    pub(crate) beats: usize,
    pub(crate) anomalies: Vec<Anomaly>,
}

impl Note {
    /// Looks at a window whose beats are settled.
    pub(crate) fn new(
        summary: &WindowSummary,
        samples: Range<usize>,
        texture: Texture,
        beats: &Beats,
    ) -> Self {
        let inside: Vec<_> = beats.iter().filter(|beat| samples.contains(&beat.at)).collect();
        let (values, level) = (&summary.values, summary.carried);
        let is_off_beat = |at: usize| {
            let rhythm = beats.rhythm_before(at);
            match (rhythm.since_last, rhythm.interval) {
                (Some(since), Some(usual)) => {
                    !(EARLY..=LATE).contains(&(since as f64 / usual as f64))
                }
                _ => false,
            }
        };
        let is_everywhere = values.mean().is_some_and(|mean| mean > 0.5 * values.max);
        let checks = [
            (Anomaly::Flat, values.max < 0.2 * level),
            (Anomaly::Burst, values.max > 3.0 * level),
            (Anomaly::Noise, is_everywhere || texture.roughness > 2.0),
            (Anomaly::Wander, texture.wander > 0.5),
            (Anomaly::Rhythm, inside.is_empty() || inside.iter().any(|beat| is_off_beat(beat.at))),
            (Anomaly::Shape, inside.iter().any(|beat| beat.is_unusual)),
        ];
        let anomalies =
            checks.into_iter().filter_map(|(anomaly, is_so)| is_so.then_some(anomaly)).collect();
        Note { samples, beats: inside.len(), anomalies }
    }
}

//! The beats found.

use crate::careful::{Rhythm, REFRACTORY};

/// Intervals whose median is the usual one.
const INTERVALS: usize = 8;

/// Who found a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    Swarm,
    Careful,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beat {
    /// Its sample.
    pub(crate) at: usize,
    /// Its energy as a share of the usual.
    pub(crate) strength: f32,
    pub(crate) judge: Judge,
    /// Whether it looks unlike the others.
    pub(crate) is_unusual: bool,
}

/// Beats in order, none within the refractory time of another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beats(Vec<Beat>);

impl Beats {
    /// Adds a beat; of two that are too close the stronger stays.
    pub(crate) fn add(&mut self, beat: Beat) {
        let place = self.0.partition_point(|other| other.at < beat.at);
        let rivals = [place.checked_sub(1), Some(place)];
        let rival = rivals
            .into_iter()
            .flatten()
            .find(|&k| self.0.get(k).is_some_and(|other| other.at.abs_diff(beat.at) < REFRACTORY));
        match rival {
            None => self.0.insert(place, beat),
            Some(k) if self.0[k].strength < beat.strength => {
                self.0.remove(k);
                self.add(beat);
            }
            Some(_) => {}
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Beat> {
        self.0.iter()
    }

    /// Forgets what was found beyond the record's end.
    pub(crate) fn end_at(&mut self, end: usize) {
        self.0.retain(|beat| beat.at < end);
    }

    /// How the beats before sample `at` go.
    pub(crate) fn rhythm_before(&self, at: usize) -> Rhythm {
        let end = self.0.partition_point(|beat| beat.at < at);
        let recent = &self.0[end.saturating_sub(INTERVALS + 1)..end];
        let mut intervals: Vec<_> = recent.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        intervals.sort_unstable();
        Rhythm {
            since_last: recent.last().map(|beat| at - beat.at),
            interval: intervals.get(intervals.len() / 2).copied(),
        }
    }
}

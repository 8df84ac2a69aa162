//! How unlike other beats one is.

use temporal_nets::{Activation, DenseNet, Trainer, Training};

use crate::swarm::{Taps, TAPS};

/// Neurons in the narrow middle.
const MIDDLE: usize = 3;
/// Epochs of training at most, and the error at which it ends.
const EPOCHS: usize = 200;
const GOOD_ERROR: f32 = 0.000_2;
/// Beats that are learned from at most.
const MOST_BEATS: usize = 256;

/// A net that has learned to reproduce the beats of the first seconds through a narrow middle: it fails
/// at what it has not seen.
#[derive(Debug)]
pub(crate) struct Novelty {
    net: DenseNet,
    beats: Vec<Taps>,
    /// Errors above this are unusual; none is before the training.
    limit: f32,
}

impl Novelty {
    pub(crate) fn new() -> Self {
        let sizes = [TAPS, MIDDLE, TAPS];
        let mut net = DenseNet::new(&sizes, Activation::SigmoidSymmetric, Activation::Linear)
            .expect("sizes within bounds");
        net.randomize(1, 0.1);
        Novelty { net, beats: Vec::new(), limit: f32::INFINITY }
    }

    /// A beat of the first seconds.
    pub(crate) fn learn(&mut self, beat: Taps) {
        if self.limit.is_infinite() && self.beats.len() < MOST_BEATS {
            self.beats.push(beat);
        }
    }

    pub(crate) fn train(&mut self) {
        let mut trainer =
            Trainer::new(&self.net, Training::default()).expect("these functions have slopes");
        for _ in 0..EPOCHS {
            let samples = self.beats.iter().map(|beat| (&beat[..], &beat[..]));
            if trainer.epoch(&mut self.net, samples) < GOOD_ERROR {
                break;
            }
        }
        let mut errors: Vec<f32> =
            std::mem::take(&mut self.beats).iter().map(|beat| self.error(beat)).collect();
        errors.sort_by(f32::total_cmp);
        // Four times the median, but what is within a fifth of a beat is never unusual.
        self.limit = errors.get(errors.len() / 2).map_or(f32::INFINITY, |m| (4.0 * m).max(0.2));
    }

    pub(crate) fn is_unusual(&mut self, beat: &Taps) -> bool {
        self.error(beat) > self.limit
    }

    /// What of the beat is not reproduced, as a share of it.
    fn error(&mut self, beat: &Taps) -> f32 {
        let copy = self.net.run(beat);
        let lost: f32 = beat.iter().zip(copy).map(|(x, y)| (x - y).powi(2)).sum();
        let all: f32 = beat.iter().map(|x| x * x).sum();
        (lost / all.max(f32::MIN_POSITIVE)).sqrt()
    }
}

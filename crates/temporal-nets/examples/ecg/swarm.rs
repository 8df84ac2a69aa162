//! A swarm of micro nets that tell beats from all else. They know nothing at first, and are trained
//! on what the careful detector says of the record's first seconds: no annotation is ever seen.

use std::time::Duration;

use temporal_nets::{Activation, Algorithm, DenseNet, TemporalNetwork, Trainer, Training};

use crate::history::History;
use crate::record::millis;

/// Nets in the swarm.
pub(crate) const NETS: usize = 5;
/// What a net sees: the filtered signal around an instant, one value per 3 samples.
pub(crate) const TAPS: usize = 25;
const TAP_STEP: usize = 3;
/// From the first tap to the instant, and from there to the last.
pub(crate) const REACH: usize = TAPS / 2 * TAP_STEP;
/// Neurons in each net's hidden layer.
const HIDDEN: usize = 8;
/// Epochs of training at most, and the error at which it ends.
const EPOCHS: usize = 40;
const GOOD_ERROR: f32 = 0.002;
/// Examples that are kept.
const MOST_EXAMPLES: usize = 1 << 10;

/// The filtered signal around an instant, in about the size of a beat.
pub(crate) type Taps = [f32; TAPS];

/// The taps around `center`. A beat's filtered peak is about ten times `level`, its mean slope.
pub(crate) fn taps(filtered: &History<f32>, center: usize, level: f32) -> Taps {
    let scale = 0.1 / level.max(f32::MIN_POSITIVE);
    let first = center as isize - REACH as isize;
    std::array::from_fn(|n| scale * filtered.at(first + (n * TAP_STEP) as isize))
}

/// How sure each net is that there is a beat, 0 to 1.
pub(crate) type Votes = [f32; NETS];

/// Something to learn from.
#[derive(Clone, Debug)]
struct Example {
    taps: Taps,
    target: [f32; 1],
}

/// The nets, and what they learn from.
#[derive(Debug)]
pub(crate) struct Swarm {
    nets: Vec<DenseNet>,
    votes: Votes,
    examples: Vec<Example>,
    /// For what comes after the training, one example at a time.
    tutors: Vec<Trainer>,
}

impl Swarm {
    pub(crate) fn new() -> Self {
        let net = |seed: usize| {
            let sizes = [TAPS, HIDDEN, 1];
            let mut net = DenseNet::new(&sizes, Activation::SigmoidSymmetric, Activation::Sigmoid)
                .expect("sizes within bounds");
            net.randomize(seed as u64, 0.3);
            net
        };
        // Votes of a half: undecided.
        Swarm {
            nets: (0..NETS).map(net).collect(),
            votes: [0.5; NETS],
            examples: Vec::new(),
            tutors: Vec::new(),
        }
    }

    pub(crate) fn is_trained(&self) -> bool {
        !self.tutors.is_empty()
    }

    /// Learns whether a beat is at the middle of `taps`: at once, or, before the training, in it.
    pub(crate) fn learn(&mut self, taps: Taps, is_beat: bool) {
        let target = [f32::from(u8::from(is_beat))];
        for (net, tutor) in self.nets.iter_mut().zip(&mut self.tutors) {
            tutor.learn(net, &taps, &target);
        }
        if !self.is_trained() && self.examples.len() < MOST_EXAMPLES {
            self.examples.push(Example { taps, target });
        }
    }

    /// Trains every net, each without another fifth of the examples, so that they differ.
    pub(crate) fn train(&mut self) {
        let batch = Training::default();
        let single = Training {
            algorithm: Algorithm::Incremental,
            learning_rate: 0.1,
            ..Training::default()
        };
        for (n, net) in self.nets.iter_mut().enumerate() {
            let mut trainer = Trainer::new(net, batch).expect("sigmoids have slopes");
            for _ in 0..EPOCHS {
                let share = self.examples.iter().enumerate().filter(|(k, _)| k % NETS != n);
                let samples = share.map(|(_, example)| (&example.taps[..], &example.target[..]));
                if trainer.epoch(net, samples) < GOOD_ERROR {
                    break;
                }
            }
            self.tutors.push(Trainer::new(net, single).expect("sigmoids have slopes"));
        }
        self.examples = Vec::new();
    }
}

impl TemporalNetwork for Swarm {
    fn input_len(&self) -> usize {
        TAPS
    }

    fn output_len(&self) -> usize {
        NETS
    }

    fn reset_state(&mut self) {}

    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        if self.is_trained() {
            for (net, vote) in self.nets.iter_mut().zip(&mut self.votes) {
                *vote = net.run(input)[0];
            }
        }
        &self.votes
    }
}

/// How unlike other beats one is: a net that has learned to reproduce those of the first seconds
/// through a narrow middle fails at what it has not seen.
#[derive(Debug)]
pub(crate) struct Novelty {
    net: DenseNet,
    beats: Vec<Taps>,
    /// Errors above this are unusual; none is before the training.
    limit: f32,
}

impl Novelty {
    const MIDDLE: usize = 3;

    pub(crate) fn new() -> Self {
        let sizes = [TAPS, Self::MIDDLE, TAPS];
        let mut net = DenseNet::new(&sizes, Activation::SigmoidSymmetric, Activation::Linear)
            .expect("sizes within bounds");
        net.randomize(NETS as u64, 0.1);
        Novelty { net, beats: Vec::new(), limit: f32::INFINITY }
    }

    /// A beat of the first seconds.
    pub(crate) fn learn(&mut self, beat: Taps) {
        if self.limit.is_infinite() && self.beats.len() < MOST_EXAMPLES {
            self.beats.push(beat);
        }
    }

    pub(crate) fn train(&mut self) {
        let mut trainer =
            Trainer::new(&self.net, Training::default()).expect("these functions have slopes");
        for _ in 0..5 * EPOCHS {
            let samples = self.beats.iter().map(|beat| (&beat[..], &beat[..]));
            if trainer.epoch(&mut self.net, samples) < GOOD_ERROR / 10.0 {
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

/// What the votes come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Opinion {
    pub(crate) mean: f32,
    /// How far the vote nearest to undecided, or on the other side, is from it: 0 to 0.5.
    pub(crate) margin: f32,
}

impl Opinion {
    pub(crate) fn new(votes: Votes) -> Self {
        let mean = votes.iter().sum::<f32>() / NETS as f32;
        let towards = if mean >= 0.5 { 1.0 } else { -1.0 };
        let margin = votes.iter().map(|vote| towards * (vote - 0.5)).fold(0.5, f32::min);
        Opinion { mean, margin: margin.max(0.0) }
    }
}

/// How far from an instant its best votes are looked for.
pub(crate) const JITTER: usize = millis(25);

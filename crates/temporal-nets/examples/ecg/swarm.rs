//! A swarm of micro nets that tell beats from all else. They know nothing at first, and are trained
//! on what the careful detector says of the record's first seconds: no annotation is ever seen.

use std::rc::Rc;
use std::time::Duration;

use temporal_nets::{
    shared, Activation, Algorithm, DenseNet, Shared, TemporalNetwork, Trainer, Training,
};

use crate::history::History;

/// Nets in the swarm.
const NETS: usize = 5;
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

/// Something to learn from.
#[derive(Clone, Debug)]
struct Example {
    taps: Taps,
    target: [f32; 2],
}

/// The nets, and what they learn from.
#[derive(Debug)]
pub(crate) struct Swarm {
    nets: Vec<Shared<DenseNet>>,
    /// How sure they are in the mean that there is a beat, 0 to 1.
    sureness: [f32; 1],
    examples: Vec<Example>,
    /// For what comes after the training, one example at a time.
    tutors: Vec<Trainer>,
}

impl Swarm {
    pub(crate) fn new() -> Self {
        let net = |seed: usize| {
            let sizes = [TAPS, HIDDEN, 2];
            let mut net = DenseNet::new(&sizes, Activation::SigmoidSymmetric, Activation::Sigmoid)
                .expect("sizes within bounds");
            net.randomize(seed as u64, 0.3);
            shared(net)
        };
        Swarm {
            nets: (0..NETS).map(net).collect(),
            sureness: [0.5],
            examples: Vec::new(),
            tutors: Vec::new(),
        }
    }

    /// The nets, to be stepped by somebody else, too.
    pub(crate) fn members(&self) -> Vec<Member> {
        let member = |net: &Shared<DenseNet>| Member { net: Rc::clone(net), output: [0.0; 2] };
        self.nets.iter().map(member).collect()
    }

    pub(crate) fn is_trained(&self) -> bool {
        !self.tutors.is_empty()
    }

    /// Learns whether a beat is at the middle of `taps`: at once, or, before the training, in it.
    pub(crate) fn learn(&mut self, taps: Taps, is_beat: bool) {
        let target = [is_beat, !is_beat].map(|is_so| f32::from(u8::from(is_so)));
        for (net, tutor) in self.nets.iter().zip(&mut self.tutors) {
            tutor.learn(&mut net.borrow_mut(), &taps, &target);
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
        for (n, net) in self.nets.iter().enumerate() {
            let net = &mut *net.borrow_mut();
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

/// The step of all nets that is taken at every sample.
impl TemporalNetwork for Swarm {
    fn input_len(&self) -> usize {
        TAPS
    }

    fn output_len(&self) -> usize {
        1
    }

    fn reset_state(&mut self) {}

    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        if self.is_trained() {
            let votes = self.nets.iter().map(|net| net.borrow_mut().run(input)[0]);
            self.sureness = [votes.sum::<f32>() / NETS as f32];
        }
        &self.sureness
    }
}

/// One of the swarm's nets, as the governor steps it. The last of its inputs is the peak's strength,
/// which is for the acceptance test alone.
#[derive(Debug)]
pub(crate) struct Member {
    net: Shared<DenseNet>,
    output: [f32; 2],
}

impl TemporalNetwork for Member {
    fn input_len(&self) -> usize {
        TAPS + 1
    }

    fn output_len(&self) -> usize {
        2
    }

    fn reset_state(&mut self) {}

    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        self.net.borrow_mut().run_into(&input[..TAPS], &mut self.output);
        &self.output
    }
}

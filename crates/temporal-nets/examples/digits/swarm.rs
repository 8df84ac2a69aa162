//! The swarm: micro nets that differ by their first weights and by the order of their lessons.

use std::error::Error;

use temporal_nets::{Activation, Algorithm, DenseNet, ErrorFunction, Trainer, Training};

use crate::dataset::{Rng, Sample, CLASSES, PIXELS};

pub(crate) const NETS: usize = 7;
const HIDDEN: usize = 24;
const EPOCHS: usize = 40;

/// Trains the nets on all samples. Calls `trained` after each.
pub(crate) fn train(
    samples: &[Sample],
    rng: &mut Rng,
    mut trained: impl FnMut(),
) -> Result<Vec<DenseNet>, Box<dyn Error>> {
    let one = |_| {
        let net = train_one(samples, rng);
        trained();
        net
    };
    (0..NETS).map(one).collect()
}

fn train_one(samples: &[Sample], rng: &mut Rng) -> Result<DenseNet, Box<dyn Error>> {
    let sizes = [PIXELS, HIDDEN, CLASSES];
    let mut net = DenseNet::new(&sizes, Activation::SigmoidSymmetric, Activation::Sigmoid)?;
    net.randomize(rng.below(usize::MAX) as u64, 0.2);
    let settings = Training {
        algorithm: Algorithm::Incremental,
        learning_rate: 1.0,
        error: ErrorFunction::Linear,
        ..Training::default()
    };
    let mut trainer = Trainer::new(&net, settings)?;
    let mut lessons: Vec<_> =
        samples.iter().map(|sample| (sample.pixels, target(sample))).collect();
    for _ in 0..EPOCHS {
        rng.shuffle(&mut lessons);
        trainer.epoch(&mut net, lessons.iter().map(|(pixels, target)| (&pixels[..], &target[..])));
    }
    Ok(net)
}

fn target(sample: &Sample) -> [f32; CLASSES] {
    std::array::from_fn(|class| f32::from(u8::from(class == sample.digit)))
}

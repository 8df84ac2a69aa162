//! One split of the data: train, choose a threshold, route, judge.

use std::error::Error;
use std::time::Duration;

use nanosecond_scheduler::{DefaultClock, ManualClock, TimePoint};
use temporal_nets::{Case, DenseNet, Evaluation, Governor, GovernorConfig, GovernorMetrics};

use crate::dataset::{Rng, Sample};
use crate::kernel::KernelMachine;
use crate::swarm;

/// Share of the inputs that the threshold is chosen to escalate.
const RATE: f64 = 0.1;
/// Parts of the training half, each of which is judged by models that were trained on the others.
const FOLDS: usize = 4;
/// Nets that a trial trains.
pub(crate) const NETS: usize = (FOLDS + 1) * swarm::NETS;

/// What came of a split.
pub(crate) struct Trial {
    pub(crate) seed: u64,
    /// Of the test half, which was not used before.
    pub(crate) evaluation: Evaluation,
    /// Of routing the test half by the threshold chosen.
    pub(crate) metrics: GovernorMetrics,
    /// Share that the router answered right.
    pub(crate) accuracy: f64,
}

impl Trial {
    /// Splits by `seed` in halves. Calls `trained` after each net.
    pub(crate) fn run(
        samples: &[Sample],
        seed: u64,
        trained: impl Fn(),
    ) -> Result<Self, Box<dyn Error>> {
        let mut rng = Rng(seed);
        let mut samples = samples.to_vec();
        rng.shuffle(&mut samples);
        let (lessons, test) = samples.split_at(samples.len() / 2);
        let threshold = choose_threshold(lessons, &mut rng, &trained)?;
        let nets = swarm::train(lessons, &mut rng, &trained)?;
        let expert = KernelMachine::train(lessons);

        let evaluation = Evaluation::new(cases(nets.clone(), &expert, test)?)?;
        let config = GovernorConfig { threshold, ..GovernorConfig::default() };
        let mut router = Governor::new(nets, expert, DefaultClock::new(), config)?;
        let mut right = 0;
        for sample in test {
            let decision = router.decide(&sample.pixels, Duration::ZERO)?;
            right += usize::from(decision.class == sample.digit);
        }
        let accuracy = right as f64 / test.len() as f64;
        Ok(Trial { seed, evaluation, metrics: router.metrics(), accuracy })
    }

    /// Accuracy of the router less that of escalating everything.
    pub(crate) fn delta(&self) -> f64 {
        self.accuracy - self.evaluation.expensive_accuracy()
    }
}

/// By cross-validation on what there is to learn from.
fn choose_threshold(
    lessons: &[Sample],
    rng: &mut Rng,
    trained: &impl Fn(),
) -> Result<f64, Box<dyn Error>> {
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let part = |inside: bool| -> Vec<_> {
            let numbered = lessons.iter().enumerate();
            let chosen = numbered.filter(|(k, _)| (k % FOLDS == fold) == inside);
            chosen.map(|(_, sample)| sample.clone()).collect()
        };
        let others = part(false);
        let nets = swarm::train(&others, rng, trained)?;
        judged.extend(cases(nets, &KernelMachine::train(&others), &part(true))?);
    }
    Ok(Evaluation::new(judged)?.threshold_for(RATE))
}

/// What the swarm alone and the expert alone make of samples.
fn cases(
    nets: Vec<DenseNet>,
    expert: &KernelMachine,
    samples: &[Sample],
) -> Result<Vec<Case>, Box<dyn Error>> {
    // No doubt is above 1.
    let config = GovernorConfig { threshold: 1.0, ..GovernorConfig::default() };
    let nobody = |_: &[f32], _: Option<TimePoint>, _: &mut [f64]| Err("not to be asked");
    let mut swarm = Governor::new(nets, nobody, ManualClock::new(), config)?;
    let judge = |sample: &Sample| {
        let decision = swarm.decide(&sample.pixels, Duration::ZERO)?;
        Ok(Case {
            doubt: decision.doubt,
            swarm_is_right: decision.class == sample.digit,
            expensive_is_right: expert.digit(&sample.pixels) == sample.digit,
        })
    };
    samples.iter().map(judge).collect()
}

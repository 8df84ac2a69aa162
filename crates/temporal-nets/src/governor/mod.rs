//! [`Governor`]: small nets answer what they are sure of, and an expensive model the rest.

mod acceptance;
mod config;
mod evaluation;
mod expensive;
mod metrics;
mod residual;
mod shares;
mod swarm;

use core::fmt;
use core::time::Duration;

use nanosecond_scheduler::Clock;

pub use config::{GovernorConfig, GovernorError, Outputs, Rule};
pub use evaluation::{Case, Evaluation, EvaluationError, Routed};
pub use expensive::{ExpensiveModel, Fallback};
pub use metrics::GovernorMetrics;

use crate::TemporalNetwork;
use acceptance::Acceptance;
use metrics::Latencies;
use residual::Residuals;
use swarm::Swarm;

/// A swarm of small nets in front of an [`ExpensiveModel`].
///
/// Every net answers every input, and the swarm's answer is the nets' weighted mean. The expensive model
/// is asked when that answer is doubtful by the [`Rule`], when an acceptance test rejects it, or when a
/// residual spiked. Its answers also weight the nets: those that agree with it are heard more, and the
/// swarm is less often in doubt. When it fails, panics or is late, the swarm's answer stands.
///
/// A decision costs a step of every net and O(nets · classes), and allocates nothing; nothing grows with
/// the number of decisions. In the terms of recovery blocks (Randell 1975) the swarm is the primary and
/// the expensive model the alternate.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{ManualClock, TimePoint};
/// use temporal_nets::{Activation, DenseNet, Governor, GovernorConfig};
///
/// let mut net = DenseNet::new(&[1, 2], Activation::Linear, Activation::Sigmoid)?;
/// net.layers_mut()[0].set_weight(0, 0, 4.0);
/// let exact = |input: &[f32], _deadline: Option<TimePoint>, shares: &mut [f64]| {
///     shares[usize::from(input[0] < 0.0)] = 1.0;
///     Ok::<(), &str>(())
/// };
/// let config = GovernorConfig { threshold: 0.8, ..GovernorConfig::default() };
/// let mut governor = Governor::new(vec![net], exact, ManualClock::new(), config)?;
///
/// let sure = governor.decide(&[2.0], Duration::ZERO)?;
/// assert_eq!((sure.class, sure.escalation), (0, None));
/// let unsure = governor.decide(&[-0.01], Duration::ZERO)?;
/// assert!(unsure.class == 1 && unsure.is_expensive());
/// assert_eq!(governor.metrics().escalation_rate(), 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Governor<N, X, C> {
    swarm: Swarm<N>,
    expensive: X,
    clock: C,
    config: GovernorConfig,
    acceptance: Acceptance,
    residuals: Residuals,
    /// A residual spiked since the last decision.
    spiked: bool,
    /// The last decision was doubtful: hysteresis applies.
    doubtful: bool,
    /// The expensive model's answer.
    answer: Vec<f64>,
    metrics: GovernorMetrics,
    latencies: Latencies,
}

/// What a [`Governor`] decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a, E> {
    /// Shares of the classes, which add up to 1.
    pub shares: &'a [f64],
    /// The class with the greatest share, the first of equals.
    pub class: usize,
    /// How doubtful the swarm's answer was, from 0 to 1.
    pub doubt: f64,
    /// Why the expensive model was asked, if it was.
    pub escalation: Option<Escalation>,
    /// Why the swarm's answer stands although the expensive model was asked.
    pub fallback: Option<Fallback<E>>,
    /// Whether the answer passed the acceptance test. If the swarm's did not and the expensive model
    /// had none that did, the swarm's is given all the same.
    pub is_accepted: bool,
    /// How long it took by the governor's clock.
    pub latency: Duration,
}

impl<E> Decision<'_, E> {
    /// Whether the answer is the expensive model's.
    #[must_use]
    pub fn is_expensive(&self) -> bool {
        self.escalation.is_some() && self.fallback.is_none()
    }
}

/// Why the expensive model was asked; of several reasons the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Escalation {
    /// No net gave finite outputs.
    NoAnswer,
    /// The acceptance test rejected the swarm's answer.
    Rejected,
    /// A residual spiked.
    Residual,
    /// The doubt was above the threshold.
    Doubt,
}

impl<N: TemporalNetwork, X: ExpensiveModel, C: Clock> Governor<N, X, C> {
    /// A governor of `nets`, which start with equal weights. `clock` measures deadlines and latencies.
    ///
    /// # Errors
    ///
    /// A [`GovernorError`] for no nets or more than 4096, nets of different shapes or with fewer than two
    /// outputs, or a setting out of bounds.
    pub fn new(
        nets: Vec<N>,
        expensive: X,
        clock: C,
        config: GovernorConfig,
    ) -> Result<Self, GovernorError> {
        config.check()?;
        let swarm = Swarm::new(nets)?;
        Ok(Governor {
            answer: vec![0.0; swarm.classes()],
            swarm,
            expensive,
            clock,
            config,
            acceptance: Acceptance::default(),
            residuals: Residuals::default(),
            spiked: false,
            doubtful: false,
            metrics: GovernorMetrics::default(),
            latencies: Latencies::new(),
        })
    }

    /// Adds a test that tells by input and shares whether an answer is acceptable. A swarm's answer that
    /// is not is escalated, and an expensive one that is not is not used. A test that panics accepts
    /// nothing, and is counted.
    #[must_use]
    pub fn with_acceptance_test(
        mut self,
        test: impl FnMut(&[f32], &[f64]) -> bool + 'static,
    ) -> Self {
        self.acceptance.test = Some(Box::new(test));
        self
    }

    /// Notes a residual of whatever is watched: a forecast's error, a solver's residual. If it is a spike
    /// or not finite, the next decision is escalated.
    pub fn note_residual(&mut self, residual: f64) {
        let GovernorConfig { spike_deviations, residual_memory, .. } = self.config;
        self.spiked |= self.residuals.note(residual, spike_deviations, residual_memory);
    }

    /// Decides, after steps of all nets by `dt`.
    ///
    /// # Errors
    ///
    /// [`GovernorError::Input`] if `input` has not the nets' length; nothing has happened then.
    pub fn decide(
        &mut self,
        input: &[f32],
        dt: Duration,
    ) -> Result<Decision<'_, X::Error>, GovernorError> {
        let expected = self.swarm.input_len();
        if input.len() != expected {
            return Err(GovernorError::Input { len: input.len(), expected });
        }
        let started = self.clock.now();
        let left_out = self.swarm.step(input, dt, self.config.outputs);
        let doubt = self.swarm.doubt(self.config.rule);
        let is_swarm_accepted = self.acceptance.accepts(input, self.swarm.mean());
        let escalation = self.escalation(doubt, left_out, is_swarm_accepted);
        let fallback = escalation.and_then(|_| self.ask(input).err());
        let latency = self.clock.now().duration_since(started);
        self.metrics.count(left_out, escalation, fallback.as_ref());
        self.latencies.record(latency);

        let is_expensive = escalation.is_some() && fallback.is_none();
        let shares = if is_expensive { &self.answer } else { self.swarm.mean() };
        let (class, ..) = shares::greatest(shares);
        let is_accepted = is_expensive || is_swarm_accepted;
        Ok(Decision { shares, class, doubt, escalation, fallback, is_accepted, latency })
    }

    fn escalation(&mut self, doubt: f64, left_out: usize, is_accepted: bool) -> Option<Escalation> {
        let GovernorConfig { threshold, hysteresis, .. } = self.config;
        self.doubtful = doubt > if self.doubtful { threshold - hysteresis } else { threshold };
        let spiked = core::mem::take(&mut self.spiked);
        let reasons = [
            (left_out == self.swarm.len(), Escalation::NoAnswer),
            (!is_accepted, Escalation::Rejected),
            (spiked, Escalation::Residual),
            (self.doubtful, Escalation::Doubt),
        ];
        reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
    }

    /// Has the expensive model answer. What is acceptable guides the swarm, late or not.
    fn ask(&mut self, input: &[f32]) -> Result<(), Fallback<X::Error>> {
        let GovernorConfig { deadline, learning_rate, even_share, .. } = self.config;
        let answer = &mut self.answer;
        let took = expensive::ask(&mut self.expensive, &self.clock, deadline, input, answer)?;
        if !self.acceptance.accepts(input, answer) {
            return Err(Fallback::Rejected);
        }
        if learning_rate > 0.0 {
            self.swarm.guide(answer, learning_rate, even_share);
        }
        match deadline {
            Some(deadline) if took > deadline => Err(Fallback::Late(took)),
            _ => Ok(()),
        }
    }

    /// Forgets what earlier inputs left in the nets, hysteresis, and a spike not yet decided on. Weights,
    /// the level of residuals, and metrics stay.
    pub fn reset_state(&mut self) {
        self.swarm.reset_state();
        (self.doubtful, self.spiked) = (false, false);
    }

    /// How much each net is heard; adds up to 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        self.swarm.weights()
    }

    /// What it did so far. O(1).
    #[must_use]
    pub fn metrics(&self) -> GovernorMetrics {
        let mut metrics = self.metrics;
        metrics.acceptance_panicked = self.acceptance.panicked;
        self.latencies.fill(&mut metrics);
        metrics
    }
}

impl<N: fmt::Debug, X, C> fmt::Debug for Governor<N, X, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governor")
            .field("swarm", &self.swarm)
            .field("config", &self.config)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

//! [`GovernorConfig`]: how a governor decides, and what is refused.

use core::fmt;
use core::time::Duration;

/// How a [`Governor`](crate::Governor) decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GovernorConfig {
    /// What makes an answer of the swarm doubtful. Default [`Rule::Margin`].
    pub rule: Rule,
    /// How the nets' outputs are read. Default [`Outputs::Shares`].
    pub outputs: Outputs,
    /// A decision is escalated when its doubt is above. From 0 to 1, default 0.5;
    /// [`Evaluation::threshold_for`](crate::Evaluation::threshold_for) finds one.
    pub threshold: f64,
    /// After an escalation by doubt, doubt must fall to `threshold - hysteresis` before the swarm
    /// answers again: a stream that hovers at the threshold does not flutter. From 0 to `threshold`;
    /// default 0, right for inputs that do not follow each other in time.
    pub hysteresis: f64,
    /// Later answers of the expensive model are not used. Counted from when it is asked. Default
    /// none.
    pub deadline: Option<Duration>,
    /// How fast nets that contradict the expensive model lose weight, and others gain it: a net's
    /// weight is multiplied by exp(-`learning_rate` · loss), and weights are normalised. From 0,
    /// which is off, to 10; default 0.5.
    pub learning_rate: f64,
    /// Share of all weight that is dealt evenly after each guidance, so that a net which has become
    /// good is heard again. From 0 to 1; default 0.01.
    pub even_share: f64,
    /// A residual is a spike that is above the mean of those before it by this many standard
    /// deviations. Above 0; default 6.
    pub spike_deviations: f64,
    /// Over about how many residuals their mean and deviation reach back. As many have to be noted
    /// before the first can be a spike. From 2; default 64.
    pub residual_memory: u32,
}

impl Default for GovernorConfig {
    fn default() -> Self {
        GovernorConfig {
            rule: Rule::default(),
            outputs: Outputs::default(),
            threshold: 0.5,
            hysteresis: 0.0,
            deadline: None,
            learning_rate: 0.5,
            even_share: 0.01,
            spike_deviations: 6.0,
            residual_memory: 64,
        }
    }
}

/// What makes an answer doubtful. Doubt goes from 0 to 1 by every rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rule {
    /// 1 - (greatest share - next greatest share) of the swarm's mean.
    #[default]
    Margin,
    /// 1 - greatest share of the swarm's mean.
    Confidence,
    /// The nets' disagreement: the Jensen–Shannon divergence of their shares (Lin 1991), each with its
    /// weight, over ln(number of nets). Blind to doubt that all nets share.
    JensenShannon,
}

/// How a net's outputs become shares of the classes, which add up to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outputs {
    /// Outputs below 0 count as 0, and all are divided by their sum. All 0 say nothing: even shares.
    #[default]
    Shares,
    /// exp(output), divided by the sum: softmax.
    Softmax,
}

impl GovernorConfig {
    pub(super) fn check(&self) -> Result<(), GovernorError> {
        for (setting, value, least, most) in [
            ("threshold", self.threshold, 0.0, 1.0),
            ("hysteresis", self.hysteresis, 0.0, self.threshold),
            ("learning_rate", self.learning_rate, 0.0, 10.0),
            ("even_share", self.even_share, 0.0, 1.0),
            ("spike_deviations", self.spike_deviations, f64::MIN_POSITIVE, f64::MAX),
            ("residual_memory", self.residual_memory.into(), 2.0, u32::MAX.into()),
        ] {
            if !(least..=most).contains(&value) {
                return Err(GovernorError::Setting { setting, value, least, most });
            }
        }
        Ok(())
    }
}

/// Why there is no such governor, or no decision.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum GovernorError {
    /// The swarm has this many nets.
    Nets(usize),
    /// The swarm has this many classes, as outputs of its first net.
    Classes(usize),
    /// A net is not of the first one's shape.
    Shape {
        /// Which net, counted from 0.
        net: usize,
        /// Its inputs and outputs.
        shape: (usize, usize),
        /// Those of the first net.
        expected: (usize, usize),
    },
    /// A setting of [`GovernorConfig`] is out of bounds.
    Setting {
        /// Its name.
        setting: &'static str,
        /// The value given.
        value: f64,
        /// Its lower bound.
        least: f64,
        /// Its upper bound.
        most: f64,
    },
    /// An input is not as long as the nets' inputs.
    Input {
        /// Its length.
        len: usize,
        /// The nets' inputs.
        expected: usize,
    },
}

/// The most nets in a swarm.
pub(super) const MAX_NETS: usize = 4096;

impl fmt::Display for GovernorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            GovernorError::Nets(nets) => {
                write!(f, "a swarm of {nets} nets; it must have from 1 to {MAX_NETS}")
            }
            GovernorError::Classes(classes) => {
                write!(f, "nets with {classes} outputs; there must be 2 classes at least")
            }
            GovernorError::Shape { net, shape, expected } => write!(
                f,
                "net {net} has {} inputs and {} outputs; the first has {} and {}",
                shape.0, shape.1, expected.0, expected.1
            ),
            GovernorError::Setting { setting, value, least, most } => {
                write!(f, "GovernorConfig::{setting} is {value}; it must be from {least} to {most}")
            }
            GovernorError::Input { len, expected } => {
                write!(f, "{len} inputs for nets of {expected}")
            }
        }
    }
}

impl core::error::Error for GovernorError {}

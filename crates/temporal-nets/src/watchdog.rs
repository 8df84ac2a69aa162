//! [`Watchdog`]: notices that a network diverges, and halts it.

use core::fmt;
use core::time::Duration;

use crate::network::TemporalNetwork;

/// What counts as divergence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DivergenceLimits {
    /// The greatest magnitude that an output may have. Default 10⁶; positive.
    pub magnitude: f32,
    /// Steps in a row in which the outputs' norm may grow by the factor `growth` or more. Default 16; 0
    /// does not look at growth.
    pub growing_steps: u32,
    /// Default 1.1; above 1.
    pub growth: f64,
}

impl Default for DivergenceLimits {
    fn default() -> Self {
        DivergenceLimits { magnitude: 1e6, growing_steps: 16, growth: 1.1 }
    }
}

/// How a network diverged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Divergence {
    /// In which step, counted from 1.
    pub step: u64,
    /// By what.
    pub cause: DivergenceCause,
}

/// By what a divergence was noticed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DivergenceCause {
    /// An output is not finite.
    NotFinite {
        /// Which.
        output: usize,
    },
    /// An output's magnitude is beyond the limit.
    Magnitude {
        /// Which.
        output: usize,
        /// Its value.
        value: f32,
    },
    /// The outputs' norm grew in too many steps in a row.
    Growth {
        /// The norm that it has come to.
        norm: f64,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "diverged in step {}: ", self.step)?;
        match self.cause {
            DivergenceCause::NotFinite { output } => write!(f, "output {output} is not finite"),
            DivergenceCause::Magnitude { output, value } => {
                write!(f, "output {output} is {value}, beyond the limit")
            }
            DivergenceCause::Growth { norm } => {
                write!(f, "the outputs' norm kept growing, up to {norm}")
            }
        }
    }
}

impl core::error::Error for Divergence {}

/// A network that is halted when it diverges.
///
/// After a divergence no more steps are taken: the outputs stay those of the last good step, zeros if
/// there was none, until [`reset_state`](TemporalNetwork::reset_state). A network whose
/// [Lipschitz constant](crate::DenseNet::lipschitz) is below 1 does not diverge in feedback; the
/// watchdog is for the others. O(outputs) per step, no allocation.
#[derive(Clone, Debug)]
pub struct Watchdog<N> {
    network: N,
    limits: DivergenceLimits,
    output: Vec<f32>,
    steps: u64,
    norm: f64,
    growing: u32,
    divergence: Option<Divergence>,
}

impl<N: TemporalNetwork> Watchdog<N> {
    /// Watches over `network`.
    ///
    /// # Panics
    ///
    /// If `limits.magnitude` is not positive or `limits.growth` not above 1.
    #[must_use]
    pub fn new(network: N, limits: DivergenceLimits) -> Self {
        assert!(limits.magnitude > 0.0, "DivergenceLimits::magnitude is {}", limits.magnitude);
        assert!(limits.growth > 1.0, "DivergenceLimits::growth is {}", limits.growth);
        let output = vec![0.0; network.output_len()];
        Watchdog { network, limits, output, steps: 0, norm: 0.0, growing: 0, divergence: None }
    }

    /// How the network diverged, if it did.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.divergence
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The network, to change it.
    pub fn network_mut(&mut self) -> &mut N {
        &mut self.network
    }
}

impl<N: TemporalNetwork> TemporalNetwork for Watchdog<N> {
    fn input_len(&self) -> usize {
        self.network.input_len()
    }

    fn output_len(&self) -> usize {
        self.output.len()
    }

    fn reset_state(&mut self) {
        self.network.reset_state();
        self.output.fill(0.0);
        (self.steps, self.norm, self.growing, self.divergence) = (0, 0.0, 0, None);
    }

    fn step(&mut self, input: &[f32], dt: Duration) -> &[f32] {
        if self.divergence.is_some() {
            return &self.output;
        }
        self.steps += 1;
        let output = self.network.step(input, dt);
        let norm = output.iter().map(|y| f64::from(*y).powi(2)).sum::<f64>().sqrt();
        let grows = norm > 0.0 && norm >= self.norm * self.limits.growth;
        self.growing = if grows { self.growing + 1 } else { 0 };
        self.norm = norm;
        let cause = beyond(output, self.limits.magnitude).or_else(|| {
            let too_long =
                self.limits.growing_steps > 0 && self.growing > self.limits.growing_steps;
            too_long.then_some(DivergenceCause::Growth { norm })
        });
        match cause {
            Some(cause) => self.divergence = Some(Divergence { step: self.steps, cause }),
            None => self.output.copy_from_slice(output),
        }
        &self.output
    }
}

/// The first output that is not finite or too great.
fn beyond(output: &[f32], magnitude: f32) -> Option<DivergenceCause> {
    let (output, &value) =
        output.iter().enumerate().find(|(_, y)| y.is_nan() || y.abs() > magnitude)?;
    Some(if value.is_finite() {
        DivergenceCause::Magnitude { output, value }
    } else {
        DivergenceCause::NotFinite { output }
    })
}

//! Leaky integrate-and-fire (LIF) neurons: their parameters, and exact integration of one of them.

use core::fmt;

use super::time::TimeConstant;

/// Parameters of leaky integrate-and-fire neurons: τ dv/dt = rest - v + drive. At `threshold` a neuron
/// fires, is set to `reset`, and stays there for the refractory time.
///
/// Potentials are in any unit, mV say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lif {
    /// τ in ns.
    pub tau_ns: u64,
    /// Where the potential goes without a drive.
    pub rest: f64,
    /// Where a neuron fires; above `reset`.
    pub threshold: f64,
    /// Where it begins again.
    pub reset: f64,
    /// How long it stays there, in ns. Inputs meanwhile have no effect.
    pub refractory_ns: u64,
}

impl Default for Lif {
    /// τ = 10 ms, rest and reset at -65 mV, threshold at -50 mV, refractory for 2 ms.
    fn default() -> Self {
        Lif {
            tau_ns: 10_000_000,
            rest: -65.0,
            threshold: -50.0,
            reset: -65.0,
            refractory_ns: 2_000_000,
        }
    }
}

impl Lif {
    /// Where a neuron is that has had no drive for long: at rest, or, if it would fire there, reset.
    pub(crate) fn resting_potential(&self) -> f64 {
        if self.rest < self.threshold {
            self.rest
        } else {
            self.reset
        }
    }

    pub(crate) fn check(&self) -> Result<(), LifError> {
        let finite = self.rest.is_finite() && self.threshold.is_finite() && self.reset.is_finite();
        if self.tau_ns == 0 {
            Err(LifError::Tau)
        } else if finite && self.reset < self.threshold {
            Ok(())
        } else {
            Err(LifError::Potentials(*self))
        }
    }
}

/// Why there are no such neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LifError {
    /// `tau_ns` is 0.
    Tau,
    /// A potential is not finite, or `reset` is not below `threshold`.
    Potentials(Lif),
    /// This many neurons are more than 2³² - 1.
    Neurons(usize),
}

impl fmt::Display for LifError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LifError::Tau => f.write_str("Lif::tau_ns is 0; it must be positive"),
            LifError::Potentials(Lif { rest, threshold, reset, .. }) => write!(
                f,
                "Lif::rest {rest}, threshold {threshold} and reset {reset} must be finite, and \
                 reset below threshold"
            ),
            LifError::Neurons(count) => {
                write!(f, "{count} neurons; there may be at most {}", u32::MAX)
            }
        }
    }
}

impl core::error::Error for LifError {}

/// A neuron's potential at an instant in ns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Membrane {
    pub(crate) potential: f64,
    pub(crate) at: u64,
}

/// What becomes of a membrane.
pub(crate) enum Course {
    /// It got to the instant asked for.
    Arrived(Membrane),
    /// It fired on the way.
    Fired(u64),
}

impl Lif {
    /// Where a neuron gets by `until` with its potential drawn to `target`, if it does not fire before.
    /// The instant of firing is exact, rounded to a ns, and later than the membrane's unless that is at the
    /// threshold already.
    pub(crate) fn advance(
        &self,
        tau: TimeConstant,
        membrane: Membrane,
        target: f64,
        until: u64,
    ) -> Course {
        let Membrane { potential, at } = membrane;
        if potential >= self.threshold {
            return Course::Fired(at);
        }
        let later = target + (potential - target) * tau.decay(until - at);
        if later >= self.threshold {
            // On the way to the target the threshold is crossed once.
            let ratio = (target - self.threshold) / (target - potential);
            let crossing = at.saturating_add(tau.span_to(ratio).max(1));
            return Course::Fired(crossing.min(until));
        }
        Course::Arrived(Membrane { potential: later, at: until })
    }
}

//! Spike-timing-dependent plasticity (STDP) of pairs of spikes, by exponential traces.

use super::time::TimeConstant;

/// The pair rule: a presynaptic spike Δ before a postsynaptic one adds `a_plus` · e^(-Δ/τ₊) to the weight,
/// and one Δ after it adds `a_minus` · e^(-Δ/τ₋), additively, limited to `weights`.
///
/// Pairs are counted with traces that decay exponentially (Morrison, Diesmann, Gerstner 2008), so each
/// spike costs O(1) per synapse. Presynaptic spikes count from when they arrive at the synapse. Of two
/// spikes at the same instant the presynaptic one comes first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stdp {
    /// What a pair of distance 0 adds if the presynaptic spike came first. Usually positive.
    pub a_plus: f64,
    /// What a pair of distance 0 adds if it came last. Usually negative.
    pub a_minus: f64,
    /// τ₊ in ns.
    pub tau_plus_ns: u64,
    /// τ₋ in ns.
    pub tau_minus_ns: u64,
    /// Which pairs count.
    pub pairing: Pairing,
    /// The least and the greatest weight.
    pub weights: (f64, f64),
}

/// Which pairs of spikes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pairing {
    /// Each with every one of the other side.
    #[default]
    AllToAll,
    /// Each with the last one of the other side before it.
    Nearest,
}

impl Default for Stdp {
    /// The parameters of Song, Miller, Abbott (2000): +0.005, -0.00525, 20 ms; weights from 0 to 1.
    fn default() -> Self {
        Stdp {
            a_plus: 0.005,
            a_minus: -0.005_25,
            tau_plus_ns: 20_000_000,
            tau_minus_ns: 20_000_000,
            pairing: Pairing::AllToAll,
            weights: (0.0, 1.0),
        }
    }
}

/// What is left of a side's earlier spikes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Trace {
    value: f64,
    /// When that was its value, in ns.
    at: u64,
}

impl Trace {
    #[inline]
    fn value_at(&self, at: u64, tau: TimeConstant) -> f64 {
        // A trace that is zero is common, and an exponential is not cheap.
        if self.value == 0.0 {
            return 0.0;
        }
        self.value * tau.decay(at.saturating_sub(self.at))
    }

    #[inline]
    fn add_spike(&mut self, at: u64, tau: TimeConstant, pairing: Pairing) {
        self.value = match pairing {
            Pairing::AllToAll => self.value_at(at, tau) + 1.0,
            Pairing::Nearest => 1.0,
        };
        self.at = at;
    }
}

/// A rule with what can be computed in advance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    stdp: Stdp,
    tau_plus: TimeConstant,
    tau_minus: TimeConstant,
}

impl Rule {
    pub(crate) fn new(stdp: Stdp) -> Self {
        assert!(
            stdp.tau_plus_ns > 0 && stdp.tau_minus_ns > 0,
            "Stdp::tau_plus_ns and tau_minus_ns must be positive: {stdp:?}"
        );
        assert!(stdp.weights.0 <= stdp.weights.1, "Stdp::weights must be in order: {stdp:?}");
        assert!(
            stdp.a_plus.is_finite() && stdp.a_minus.is_finite(),
            "Stdp::a_plus and a_minus must be finite: {stdp:?}"
        );
        Rule {
            stdp,
            tau_plus: TimeConstant::new(stdp.tau_plus_ns),
            tau_minus: TimeConstant::new(stdp.tau_minus_ns),
        }
    }

    /// A spike arrives at a synapse.
    #[inline]
    pub(crate) fn pre(&self, weight: &mut f64, pre: &mut Trace, post: &Trace, at: u64) {
        let change = self.stdp.a_minus * post.value_at(at, self.tau_minus);
        self.change(weight, change);
        pre.add_spike(at, self.tau_plus, self.stdp.pairing);
    }

    /// The neuron behind a synapse fires: to be called for each of its synapses.
    #[inline]
    pub(crate) fn post(&self, weight: &mut f64, pre: &Trace, at: u64) {
        let change = self.stdp.a_plus * pre.value_at(at, self.tau_plus);
        self.change(weight, change);
    }

    /// The neuron fires: to be called once, after [`post`](Self::post).
    #[inline]
    pub(crate) fn fire(&self, post: &mut Trace, at: u64) {
        post.add_spike(at, self.tau_minus, self.stdp.pairing);
    }

    #[inline]
    fn change(&self, weight: &mut f64, change: f64) {
        let (least, most) = self.stdp.weights;
        *weight = (*weight + change).clamp(least, most);
    }
}

/// One synapse with the traces of both sides, for use without a [`SpikingNet`](crate::SpikingNet).
///
/// ```
/// use temporal_nets::{PlasticSynapse, Stdp};
///
/// let mut synapse = PlasticSynapse::new(Stdp::default(), 0.5);
/// synapse.pre_spike(1_000_000);
/// synapse.post_spike(11_000_000); // 10 ms later: potentiation
/// assert!((synapse.weight() - (0.5 + 0.005 * (-0.5f64).exp())).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlasticSynapse {
    rule: Rule,
    weight: f64,
    pre: Trace,
    post: Trace,
}

impl PlasticSynapse {
    /// A synapse that has seen no spikes.
    ///
    /// # Panics
    ///
    /// If a time constant is 0, an amplitude not finite, or the limits are not in order.
    #[must_use]
    pub fn new(stdp: Stdp, weight: f64) -> Self {
        let rule = Rule::new(stdp);
        PlasticSynapse { rule, weight, pre: Trace::default(), post: Trace::default() }
    }

    /// A presynaptic spike arrives, not before the last spike of either side.
    #[inline]
    pub fn pre_spike(&mut self, at_ns: u64) {
        self.rule.pre(&mut self.weight, &mut self.pre, &self.post, at_ns);
    }

    /// The postsynaptic neuron fires, not before the last spike of either side.
    #[inline]
    pub fn post_spike(&mut self, at_ns: u64) {
        self.rule.post(&mut self.weight, &self.pre, at_ns);
        self.rule.fire(&mut self.post, at_ns);
    }

    /// The weight.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }
}

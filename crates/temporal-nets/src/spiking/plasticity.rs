//! Changes of a network's weights, collected while it runs and applied later.

use super::stdp::{Rule, Stdp, Trace};
use super::SpikingNet;

/// A network whose weights change from what it has seen, when told to.
pub trait Plastic {
    /// Applies all changes that are due from the spikes so far. Returns how many spike events were
    /// reckoned with, arrivals at synapses and firings of neurons.
    fn apply_plasticity(&mut self) -> usize;
}

/// Events that are kept until they are applied; a full log is applied at once.
const LOG_CAPACITY: usize = 1 << 12;

/// STDP of a network. Each synapse has the trace of its arrivals, each neuron that of its spikes.
#[derive(Clone, Debug)]
pub(super) struct Plasticity {
    rule: Rule,
    pre: Vec<Trace>,
    post: Vec<Trace>,
    /// The neuron behind each synapse, and the synapses to each neuron.
    targets: Vec<u32>,
    incoming: Vec<Vec<u32>>,
    /// In order for each neuron, which is all that matters: neurons share no state.
    log: Vec<Event>,
    /// Events applied since [`Plastic::apply_plasticity`] because the log was full.
    applied: usize,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival { synapse: u32, at: u64 },
    Firing { neuron: u32, at: u64 },
}

impl Plasticity {
    pub(super) fn new(stdp: Stdp, neurons: usize) -> Self {
        Plasticity {
            rule: Rule::new(stdp),
            pre: Vec::new(),
            post: vec![Trace::default(); neurons],
            targets: Vec::new(),
            incoming: vec![Vec::new(); neurons],
            log: Vec::with_capacity(LOG_CAPACITY),
            applied: 0,
        }
    }

    /// The next synapse, to this neuron.
    pub(super) fn add_synapse(&mut self, to: u32) {
        self.incoming[to as usize].push(self.pre.len() as u32);
        self.pre.push(Trace::default());
        self.targets.push(to);
    }

    #[inline]
    pub(super) fn arrived(&mut self, synapse: u32, at: u64, weights: &mut [f64]) {
        self.note(Event::Arrival { synapse, at }, weights);
    }

    #[inline]
    pub(super) fn fired(&mut self, neuron: u32, at: u64, weights: &mut [f64]) {
        self.note(Event::Firing { neuron, at }, weights);
    }

    #[inline]
    fn note(&mut self, event: Event, weights: &mut [f64]) {
        if self.log.len() == LOG_CAPACITY {
            self.applied += self.log.len();
            self.apply(weights);
        }
        self.log.push(event);
    }

    fn apply(&mut self, weights: &mut [f64]) {
        for event in self.log.drain(..) {
            match event {
                Event::Arrival { synapse, at } => {
                    let index = synapse as usize;
                    let post = &self.post[self.targets[index] as usize];
                    self.rule.pre(&mut weights[index], &mut self.pre[index], post, at);
                }
                Event::Firing { neuron, at } => {
                    for &synapse in &self.incoming[neuron as usize] {
                        let index = synapse as usize;
                        self.rule.post(&mut weights[index], &self.pre[index], at);
                    }
                    self.rule.fire(&mut self.post[neuron as usize], at);
                }
            }
        }
    }

    pub(super) fn forget(&mut self) {
        self.log.clear();
        self.applied = 0;
        self.pre.fill(Trace::default());
        self.post.fill(Trace::default());
    }
}

/// Nothing without [`SpikingNet::with_stdp`].
impl Plastic for SpikingNet {
    fn apply_plasticity(&mut self) -> usize {
        let Some(plasticity) = &mut self.plasticity else { return 0 };
        let events = plasticity.log.len() + core::mem::take(&mut plasticity.applied);
        plasticity.apply(&mut self.weights);
        events
    }
}

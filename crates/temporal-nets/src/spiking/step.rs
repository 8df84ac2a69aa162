//! One step of a [`SpikingNet`].
//!
//! Most neurons see nothing in a step but their drive. They are updated together, from the step's
//! begin to its end, in a loop that compiles to vector code: the *grid*. A neuron leaves it when a
//! spike arrives or its refractory time ends: it is *awake*, and goes from event to event by itself
//! until the step's end. Off the grid a potential is -∞, which the update maps to -∞ (or, over long
//! steps, NaN): no neuron is updated twice, and there is no branch for it.

use super::lif::{Course, Membrane};
use super::{Lif, SpikingNet, Synapse};

/// Neurons that are updated and tested for firing at once.
const BLOCK: usize = 8;

/// What is needed during a step only, and kept for the next for its memory.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    awake: Vec<(u32, Membrane)>,
    /// Where in `awake` a neuron is, else [`ASLEEP`].
    slots: Vec<u32>,
    /// Neurons that fired in this step and are refractory at its end.
    tired: Vec<(u64, u32)>,
    /// Exponential decay over `decay_ns`.
    decay: f64,
    decay_ns: u64,
}

const ASLEEP: u32 = u32::MAX;

impl Scratch {
    pub(super) fn new(neurons: usize) -> Self {
        Scratch {
            awake: Vec::new(),
            slots: vec![ASLEEP; neurons],
            tired: Vec::new(),
            decay: 1.0,
            decay_ns: 0,
        }
    }
}

/// A drive as the equation takes it. What is no number, or as big as none can mean, counts as none.
#[inline(always)]
fn sane(drive: f32) -> f64 {
    const MOST: f32 = 1e9;
    f64::from(if drive.abs() <= MOST { drive } else { 0.0 })
}

impl SpikingNet {
    pub(super) fn step_until(&mut self, input: &[f32], end: u64) {
        for neuron in self.fired.drain(..) {
            self.output[neuron as usize] = 0.0;
        }
        self.wake_neurons(input, end);
        self.update_grid(input, end);
        self.settle_awake(input, end);
        // All were refractory for the same time, so sorting the new ones keeps the queue sorted.
        self.scratch.tired.sort_unstable();
        self.refractory.extend(self.scratch.tired.drain(..));
        self.now = end;
    }

    /// Goes through the ends of refractory times and the arrivals, in the order of time.
    fn wake_neurons(&mut self, input: &[f32], end: u64) {
        while let Some((at, synapse)) = self.arrivals.pop_until(end) {
            self.end_refractory(at);
            self.arrive(at, synapse, input, end);
        }
        self.end_refractory(end);
    }

    fn end_refractory(&mut self, until: u64) {
        while let Some(&(at, neuron)) = self.refractory.front().filter(|(at, _)| *at <= until) {
            self.refractory.pop_front();
            self.wake(neuron, self.reset_membrane(at));
        }
    }

    fn wake(&mut self, neuron: u32, membrane: Membrane) {
        self.scratch.slots[neuron as usize] = self.scratch.awake.len() as u32;
        self.scratch.awake.push((neuron, membrane));
    }

    fn arrive(&mut self, at: u64, synapse: u32, input: &[f32], end: u64) {
        let Synapse { to, weight, .. } = self.synapses[synapse as usize];
        let index = to as usize;
        if self.scratch.slots[index] == ASLEEP && self.potentials[index].is_finite() {
            let potential = core::mem::replace(&mut self.potentials[index], f64::NEG_INFINITY);
            self.wake(to, Membrane { potential, at: self.now });
        }
        let slot = self.scratch.slots[index];
        if slot == ASLEEP {
            self.note_arrival(synapse, at);
            return; // Refractory beyond this step, or until a later instant of it.
        }
        let drive = sane(input[index]);
        let membrane = self.scratch.awake[slot as usize].1;
        let mut membrane = self.run(to, membrane, drive, at - 1, end);
        // After all that happened before, and before it fires at this very instant.
        self.note_arrival(synapse, at);
        // Arrivals of the same instant add up before they fire the neuron.
        if membrane.at < at {
            membrane = self.run(to, membrane, drive, at, end);
        }
        if membrane.at <= at {
            membrane.potential += weight;
        }
        self.scratch.awake[slot as usize].1 = membrane;
    }

    fn note_arrival(&mut self, synapse: u32, at: u64) {
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.arrived(synapse, at, &mut self.synapses);
        }
    }

    /// Takes a neuron to `until`, firing on the way. If the result is of a later instant than `until`, the
    /// neuron is refractory until then.
    fn run(
        &mut self,
        neuron: u32,
        mut membrane: Membrane,
        drive: f64,
        until: u64,
        end: u64,
    ) -> Membrane {
        let target = self.lif.rest + drive;
        while membrane.at <= until {
            match self.lif.advance(self.tau, membrane, target, until) {
                Course::Arrived(membrane) => return membrane,
                Course::Fired(at) => {
                    self.fire(neuron, at, end);
                    membrane = self.reset_membrane(at.saturating_add(self.lif.refractory_ns));
                }
            }
        }
        membrane
    }

    fn update_grid(&mut self, input: &[f32], end: u64) {
        let dt = end - self.now;
        if self.scratch.decay_ns != dt {
            self.scratch.decay_ns = dt;
            self.scratch.decay = self.tau.decay(dt);
        }
        let mut start = 0;
        while start + BLOCK <= input.len() {
            self.update_block::<BLOCK>(start, input, end);
            start += BLOCK;
        }
        for neuron in start..input.len() {
            self.update_block::<1>(neuron, input, end);
        }
    }

    #[inline(always)]
    fn update_block<const W: usize>(&mut self, start: usize, input: &[f32], end: u64) {
        let Lif { rest, threshold, .. } = self.lif;
        let decay = self.scratch.decay;
        let drives: [f32; W] = input[start..start + W].try_into().expect("a slice of W");
        let block = &mut self.potentials[start..start + W];
        let mut updated: [f64; W] = (&*block).try_into().expect("a slice of W");
        let mut fires = false;
        for (potential, drive) in updated.iter_mut().zip(drives) {
            let target = rest + sane(drive);
            *potential = target + (*potential - target) * decay;
            fires |= *potential >= threshold;
        }
        if fires {
            self.fire_in_block(start, &updated, &drives, end);
        } else {
            block.copy_from_slice(&updated);
        }
    }

    #[cold]
    fn fire_in_block(&mut self, start: usize, updated: &[f64], drives: &[f32], end: u64) {
        for (k, (&potential, &drive)) in updated.iter().zip(drives).enumerate() {
            let neuron = start + k;
            if potential >= self.lif.threshold {
                let before = Membrane { potential: self.potentials[neuron], at: self.now };
                let after = self.run(neuron as u32, before, sane(drive), end, end);
                self.back_to_grid(neuron as u32, after, end);
            } else {
                self.potentials[neuron] = potential;
            }
        }
    }

    fn settle_awake(&mut self, input: &[f32], end: u64) {
        while let Some((neuron, membrane)) = self.scratch.awake.pop() {
            self.scratch.slots[neuron as usize] = ASLEEP;
            let after = self.run(neuron, membrane, sane(input[neuron as usize]), end, end);
            self.back_to_grid(neuron, after, end);
        }
    }

    fn back_to_grid(&mut self, neuron: u32, membrane: Membrane, end: u64) {
        let is_refractory = membrane.at > end;
        if is_refractory {
            self.scratch.tired.push((membrane.at, neuron));
        }
        let potential = if is_refractory { f64::NEG_INFINITY } else { membrane.potential };
        self.potentials[neuron as usize] = potential;
    }
}

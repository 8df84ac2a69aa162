//! One step of a [`SpikingNet`].
//!
//! Most neurons are updated together, from the step's begin to its end, in a loop that compiles to
//! vector code: the *grid*. Spikes that arrive are added there too, by superposition, as long as the
//! neuron cannot reach its threshold. One that might, or whose refractory time ends, leaves the grid: it
//! is *awake*, and goes from event to event by itself until the step's end. Off the grid a potential is
//! -∞, which the update maps to -∞ (or, over long steps, NaN): no neuron is updated twice, and there
//! is no branch for it.

use super::lif::{Course, Membrane};
use super::{Lif, SpikingNet, Synapse};

/// Neurons that are updated and tested for firing at once.
const BLOCK: usize = 8;

/// What is needed during a step only, and kept for the next for its memory.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// What arrives in the step: when, and at which synapse. By time.
    arrivals: Vec<(u64, u32)>,
    /// What has arrived at each neuron on the grid, zero for those not in `touched`.
    received: Vec<Received>,
    touched: Vec<u32>,
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

/// The spikes that a neuron has received in a step.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    count: u32,
    /// What they would have had to be at the step's begin for the same effect at its end.
    at_begin: f64,
    /// The sum of those upwards.
    upwards: f64,
}

impl Scratch {
    pub(super) fn new(neurons: usize) -> Self {
        Scratch {
            arrivals: Vec::new(),
            received: vec![Received::default(); neurons],
            touched: Vec::new(),
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
        let dt = end - self.now;
        if self.scratch.decay_ns != dt {
            self.scratch.decay_ns = dt;
            self.scratch.decay = self.tau.decay(dt);
        }
        self.receive(end);
        self.superpose_or_wake(input);
        self.end_refractory(end);
        self.update_grid(input, end);
        self.run_awake(input, end);
        // All were refractory for the same time, so sorting the new ones keeps the queue sorted.
        self.scratch.tired.sort_unstable();
        self.refractory.extend(self.scratch.tired.drain(..));
        self.now = end;
    }

    /// Collects what arrives in this step, in the order of time.
    fn receive(&mut self, end: u64) {
        self.scratch.arrivals.clear();
        while let Some(mut flight) = self.arrivals.pop_until(end) {
            let at = flight.arrival;
            // What arrives at the step's begin has decayed for the whole step at its end, and so on.
            let growth = 1.0 / self.tau.decay(at - self.now);
            let outgoing = &self.outgoing[flight.neuron as usize];
            while let Some(&index) = outgoing.get(flight.reached as usize) {
                let Synapse { to, delay_ns, weight } = self.synapses[index as usize];
                flight.arrival = flight.fired_at.saturating_add(delay_ns).max(at);
                if flight.arrival > at {
                    self.arrivals.send_on(flight);
                    break;
                }
                flight.reached += 1;
                self.scratch.arrivals.push((at, index));
                let received = &mut self.scratch.received[to as usize];
                if received.count == 0 {
                    self.scratch.touched.push(to);
                }
                received.count += 1;
                received.at_begin += weight * growth;
                received.upwards += weight.max(0.0);
            }
        }
    }

    /// Adds what was received to neurons that it cannot fire; wakes the others.
    fn superpose_or_wake(&mut self, input: &[f32]) {
        // Beyond, what was received would have had to be great at the begin, and precision is lost.
        let is_short = self.scratch.decay > 0.1;
        while let Some(neuron) = self.scratch.touched.pop() {
            let index = neuron as usize;
            let received = core::mem::take(&mut self.scratch.received[index]);
            let potential = self.potentials[index];
            if !potential.is_finite() {
                continue; // Refractory, if not for the whole step.
            }
            let target = self.lif.rest + sane(input[index]);
            let at_end = target + (potential - target) * self.scratch.decay;
            // Between spikes, potentials go straight towards the target.
            if is_short && potential.max(at_end) + received.upwards < self.lif.threshold {
                self.potentials[index] = potential + received.at_begin;
            } else {
                self.potentials[index] = f64::NEG_INFINITY;
                self.wake(neuron, Membrane { potential, at: self.now });
            }
        }
    }

    fn end_refractory(&mut self, end: u64) {
        while let Some(&(at, neuron)) = self.refractory.front().filter(|(at, _)| *at <= end) {
            self.refractory.pop_front();
            self.wake(neuron, self.reset_membrane(at));
        }
    }

    fn wake(&mut self, neuron: u32, membrane: Membrane) {
        self.scratch.slots[neuron as usize] = self.scratch.awake.len() as u32;
        self.scratch.awake.push((neuron, membrane));
    }

    /// Takes every awake neuron through its arrivals to the step's end, and notes all arrivals.
    fn run_awake(&mut self, input: &[f32], end: u64) {
        if self.scratch.awake.is_empty() && self.plasticity.is_none() {
            return;
        }
        let arrivals = core::mem::take(&mut self.scratch.arrivals);
        for &(at, index) in &arrivals {
            let Synapse { to, weight, .. } = self.synapses[index as usize];
            let slot = self.scratch.slots[to as usize];
            if slot == ASLEEP {
                self.note_arrival(index, at);
            } else {
                let (_, membrane) = self.scratch.awake[slot as usize];
                let drive = sane(input[to as usize]);
                let mut membrane = self.run(to, membrane, drive, at - 1, end);
                // After all that happened before, and before it fires at this very instant.
                self.note_arrival(index, at);
                // Arrivals of the same instant add up before they fire the neuron.
                if membrane.at < at {
                    membrane = self.run(to, membrane, drive, at, end);
                }
                if membrane.at <= at {
                    membrane.potential += weight;
                }
                self.scratch.awake[slot as usize].1 = membrane;
            }
        }
        self.scratch.arrivals = arrivals;
        while let Some((neuron, membrane)) = self.scratch.awake.pop() {
            self.scratch.slots[neuron as usize] = ASLEEP;
            let after = self.run(neuron, membrane, sane(input[neuron as usize]), end, end);
            self.back_to_grid(neuron, after, end);
        }
    }

    #[inline]
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

    fn back_to_grid(&mut self, neuron: u32, membrane: Membrane, end: u64) {
        let is_refractory = membrane.at > end;
        if is_refractory {
            self.scratch.tired.push((membrane.at, neuron));
        }
        let potential = if is_refractory { f64::NEG_INFINITY } else { membrane.potential };
        self.potentials[neuron as usize] = potential;
    }
}

//! One step of a [`SpikingNet`].
//!
//! Most neurons are updated together, from the step's begin to its end, in a loop that compiles to
//! vector code: the *grid*. Spikes that arrive are added there too, by superposition, as long as the
//! neuron cannot reach its threshold. One that might, or whose refractory time ends, leaves the grid: it
//! is *awake*, and goes from event to event by itself until the step's end. Off the grid a potential is
//! -∞, which the update maps to -∞ (or, over long steps, NaN): no neuron is updated twice, and there
//! is no branch for it.

use super::lif::{Course, Membrane};
use super::{Lif, SpikingNet};

/// Neurons that are updated and tested for firing at once.
const BLOCK: usize = 64;

/// What is needed during a step only, and kept for the next for its memory.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// What arrives in the step, by time.
    arrivals: Vec<Arrival>,
    /// What has arrived at each neuron, [`Received::NOTHING`] for those not in `touched`.
    received: Vec<Received>,
    touched: Vec<u32>,
    awake: Vec<(u32, Membrane)>,
    /// The grid's potentials at the step's end, then those at its begin: they are swapped.
    updated: Vec<f64>,
    /// Blocks of the grid in which a neuron fires.
    hot_blocks: Vec<usize>,
    /// Neurons that fired in this step and are refractory at its end.
    tired: Vec<(u64, u32)>,
    /// Exponential decay over `decay_ns`.
    decay: f64,
    decay_ns: u64,
}

/// A spike at a synapse.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: u64,
    synapse: u32,
    /// The index of the next one at the same neuron, or [`NONE`].
    next: u32,
}

/// No index.
const NONE: u32 = u32::MAX;

/// The spikes that a neuron has received in a step.
#[derive(Clone, Copy, Debug)]
struct Received {
    /// The first and the last of its arrivals.
    first: u32,
    last: u32,
    /// What they would have had to be at the step's begin for the same effect at its end.
    at_begin: f64,
    /// The sum of those upwards.
    upwards: f64,
}

impl Received {
    const NOTHING: Received = Received { first: NONE, last: NONE, at_begin: 0.0, upwards: 0.0 };
}

impl Scratch {
    pub(super) fn new(neurons: usize) -> Self {
        Scratch {
            arrivals: Vec::new(),
            received: vec![Received::NOTHING; neurons],
            touched: Vec::new(),
            awake: Vec::new(),
            updated: vec![0.0; neurons],
            hot_blocks: Vec::new(),
            tired: Vec::new(),
            decay: 1.0,
            decay_ns: 0,
        }
    }

    /// Appends to a neuron's arrivals.
    #[inline]
    fn receive(&mut self, neuron: u32, arrival: Arrival) {
        let index = self.arrivals.len() as u32;
        self.arrivals.push(arrival);
        let received = &mut self.received[neuron as usize];
        if received.first == NONE {
            received.first = index;
            self.touched.push(neuron);
        } else {
            self.arrivals[received.last as usize].next = index;
        }
        received.last = index;
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
        self.end_refractory(end);
        self.superpose_or_wake(input);
        self.update_grid(input, end);
        self.run_awake(input, end);
        self.forget_received();
        // All were refractory for the same time, so sorting the new ones keeps the queue sorted.
        self.scratch.tired.sort_unstable();
        self.refractory.extend(self.scratch.tired.drain(..));
        self.now = end;
    }

    /// Collects what arrives in this step, in the order of time.
    fn receive(&mut self, end: u64) {
        while let Some(mut flight) = self.arrivals.pop_until(end) {
            let at = flight.arrival;
            let growth = self.tau.growth(at - self.now);
            let outgoing = &self.outgoing[flight.neuron as usize];
            while let Some(next) = outgoing.get(flight.reached as usize) {
                flight.arrival = flight.fired_at.saturating_add(next.delay_ns).max(at);
                if flight.arrival > at {
                    self.arrivals.send_on(flight);
                    break;
                }
                flight.reached += 1;
                let weight = self.weights[next.synapse as usize];
                self.scratch.receive(next.to, Arrival { at, synapse: next.synapse, next: NONE });
                let received = &mut self.scratch.received[next.to as usize];
                received.at_begin += weight * growth;
                received.upwards += weight.max(0.0);
            }
        }
    }

    /// Adds what was received to neurons that it cannot fire; wakes the others.
    fn superpose_or_wake(&mut self, input: &[f32]) {
        let Scratch { received, touched, awake, decay, .. } = &mut self.scratch;
        // In longer steps, what was received would have had to be great at the begin.
        let is_short = *decay > 0.1;
        let is_plastic = self.plasticity.is_some();
        touched.retain(|&neuron| {
            let index = neuron as usize;
            let potential = self.potentials[index];
            let received = &mut received[index];
            let target = self.lif.rest + sane(input[index]);
            let at_end = target + (potential - target) * *decay;
            // Between spikes, potentials go straight towards the target.
            let is_safe = is_short && potential.max(at_end) + received.upwards < self.lif.threshold;
            if is_safe && potential.is_finite() {
                self.potentials[index] = potential + received.at_begin;
                if !is_plastic {
                    *received = Received::NOTHING; // Nobody asks for it any more.
                    return false;
                }
            } else if potential.is_finite() {
                self.potentials[index] = f64::NEG_INFINITY;
                awake.push((neuron, Membrane { potential, at: self.now }));
            }
            true
        });
    }

    fn end_refractory(&mut self, end: u64) {
        while let Some(&(at, neuron)) = self.refractory.front().filter(|(at, _)| *at <= end) {
            self.refractory.pop_front();
            self.scratch.awake.push((neuron, self.reset_membrane(at)));
        }
    }

    /// Takes every awake neuron through its arrivals to the step's end.
    fn run_awake(&mut self, input: &[f32], end: u64) {
        while let Some((neuron, mut membrane)) = self.scratch.awake.pop() {
            let index = neuron as usize;
            let drive = sane(input[index]);
            let mut next = core::mem::replace(&mut self.scratch.received[index].first, NONE);
            while next != NONE {
                let arrival = self.scratch.arrivals[next as usize];
                membrane = self.arrive(neuron, membrane, arrival, drive, end);
                next = arrival.next;
            }
            let after = self.run(neuron, membrane, drive, end, end);
            self.back_to_grid(neuron, after, end);
        }
    }

    fn arrive(
        &mut self,
        neuron: u32,
        membrane: Membrane,
        arrival: Arrival,
        drive: f64,
        end: u64,
    ) -> Membrane {
        let Arrival { at, synapse, .. } = arrival;
        let mut membrane = self.run(neuron, membrane, drive, at - 1, end);
        // After all that happened before, and before it fires at this very instant.
        self.note_arrival(arrival);
        // Arrivals of the same instant add up before they fire the neuron.
        if membrane.at < at {
            membrane = self.run(neuron, membrane, drive, at, end);
        }
        if membrane.at <= at {
            membrane.potential += self.weights[synapse as usize];
        }
        membrane
    }

    #[inline]
    fn note_arrival(&mut self, arrival: Arrival) {
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.arrived(arrival.synapse, arrival.at, &mut self.weights);
        }
    }

    /// Notes what was received and not noted yet, and makes room for the next step.
    fn forget_received(&mut self) {
        while let Some(neuron) = self.scratch.touched.pop() {
            let received = &mut self.scratch.received[neuron as usize];
            let mut next = core::mem::replace(received, Received::NOTHING).first;
            while self.plasticity.is_some() && next != NONE {
                let arrival = self.scratch.arrivals[next as usize];
                self.note_arrival(arrival);
                next = arrival.next;
            }
        }
        self.scratch.arrivals.clear();
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
        let Lif { rest, threshold, .. } = self.lif;
        let Scratch { updated, hot_blocks, decay, .. } = &mut self.scratch;
        let blocks = updated.chunks_mut(BLOCK).zip(self.potentials.chunks(BLOCK));
        for (block, ((updated, potentials), drives)) in blocks.zip(input.chunks(BLOCK)).enumerate()
        {
            let mut fires = false;
            for ((updated, potential), &drive) in updated.iter_mut().zip(potentials).zip(drives) {
                let target = rest + sane(drive);
                *updated = target + (potential - target) * *decay;
                fires |= *updated >= threshold;
            }
            if fires {
                hot_blocks.push(block);
            }
        }
        core::mem::swap(updated, &mut self.potentials);
        while let Some(block) = self.scratch.hot_blocks.pop() {
            let first = block * BLOCK;
            for neuron in first..(first + BLOCK).min(input.len()) {
                if self.potentials[neuron] >= threshold {
                    let potential = self.scratch.updated[neuron];
                    let before = Membrane { potential, at: self.now };
                    let after = self.run(neuron as u32, before, sane(input[neuron]), end, end);
                    self.back_to_grid(neuron as u32, after, end);
                }
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

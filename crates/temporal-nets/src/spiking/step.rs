//! One step of a [`SpikingNet`].
//!
//! Most neurons are updated together, from the step's begin to its end, in a loop that compiles to
//! vector code: the *grid*. Spikes that arrive are added there too, by superposition, as long as they
//! cannot take the neuron to its threshold. If they might, or if its refractory time ends, a neuron
//! leaves the grid: it is *awake*, and goes from event to event by itself until the step's end. Off the
//! grid a potential is -∞, which the update maps to -∞ (or, over long steps, NaN): no neuron is
//! updated twice, and there is no branch for it.

use super::lif::{Course, Membrane};
use super::{Outgoing, SpikingNet};

/// Neurons that are tested for firing at once.
const BLOCK: usize = 32;

/// What is needed during a step only, and kept for the next for its memory.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// The last step's drives, and where each takes its neuron's potential.
    drives: Vec<f32>,
    targets: Vec<f64>,
    awake: Vec<(u32, Membrane)>,
    /// Where in `awake` a neuron is, else [`ASLEEP`].
    slots: Vec<u32>,
    /// What arrives at awake neurons, by time.
    arrivals: Vec<Arrival>,
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

const ASLEEP: u32 = u32::MAX;

/// A spike at a synapse, and where in `awake` its neuron is.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: u64,
    synapse: u32,
    slot: u32,
}

impl Scratch {
    pub(super) fn new(neurons: usize, rest: f64) -> Self {
        Scratch {
            drives: vec![0.0; neurons],
            targets: vec![rest; neurons],
            awake: Vec::new(),
            slots: vec![ASLEEP; neurons],
            arrivals: Vec::new(),
            updated: vec![0.0; neurons],
            hot_blocks: Vec::new(),
            tired: Vec::new(),
            decay: 1.0,
            decay_ns: 0,
        }
    }

    fn wake(&mut self, neuron: u32, membrane: Membrane) -> u32 {
        let slot = self.awake.len() as u32;
        self.slots[neuron as usize] = slot;
        self.awake.push((neuron, membrane));
        slot
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
        self.set_targets(input);
        self.end_refractory(end);
        self.receive(end);
        self.update_grid(end);
        self.run_awake(end);
        // All were refractory for the same time, so sorting the new ones keeps the queue sorted.
        self.scratch.tired.sort_unstable();
        self.refractory.extend(self.scratch.tired.drain(..));
        self.now = end;
    }

    /// Where the drives take the potentials. Drives often stay as they are for many steps, and comparing
    /// them costs less than this.
    fn set_targets(&mut self, input: &[f32]) {
        let Scratch { drives, targets, .. } = &mut self.scratch;
        let bits = input.iter().zip(&*drives).map(|(a, b)| a.to_bits() ^ b.to_bits());
        if bits.fold(0, |all, bits| all | bits) == 0 {
            return;
        }
        drives.copy_from_slice(input);
        for (target, &drive) in targets.iter_mut().zip(input) {
            *target = self.lif.rest + sane(drive);
        }
    }

    fn end_refractory(&mut self, end: u64) {
        while let Some(&(at, neuron)) = self.refractory.front().filter(|(at, _)| *at <= end) {
            self.refractory.pop_front();
            self.scratch.wake(neuron, self.reset_membrane(at));
        }
    }

    /// Goes through what arrives in this step, in the order of time.
    fn receive(&mut self, end: u64) {
        while let Some(mut flight) = self.arrivals.pop_until(end) {
            let at = flight.arrival;
            let growth = self.tau.growth(at - self.now);
            let from = flight.neuron as usize;
            while let Some(&Outgoing { delay_ns, synapse, to }) =
                self.outgoing[from].get(flight.reached as usize)
            {
                flight.arrival = flight.fired_at.saturating_add(delay_ns).max(at);
                if flight.arrival > at {
                    self.arrivals.send_on(flight);
                    break;
                }
                flight.reached += 1;
                if self.superpose(to, self.weights[synapse as usize] * growth) {
                    self.note_arrival(synapse, at);
                } else {
                    let slot = self.scratch.slots[to as usize];
                    self.scratch.arrivals.push(Arrival { at, synapse, slot });
                }
            }
        }
    }

    /// Adds an arrival to a neuron on the grid: `push` at the step's begin has the same effect at its
    /// end. If that may fire the neuron it is woken instead. Tells whether the arrival is dealt with.
    #[inline(always)]
    fn superpose(&mut self, neuron: u32, push: f64) -> bool {
        let index = neuron as usize;
        let potential = self.potentials[index];
        let pushed = potential + push;
        // Between spikes potentials go straight towards the target, so neither the old course nor the
        // new one, which begins at the arrival, gets beyond this.
        let most = if push > 0.0 { pushed } else { potential };
        let target = self.scratch.targets[index];
        let most_at_end = target + (most - target) * self.scratch.decay;
        // In long steps, pushes are great and precision is lost.
        let is_short = self.scratch.decay > 0.1;
        let threshold = self.lif.threshold;
        if is_short && most < threshold && most_at_end < threshold {
            self.potentials[index] = pushed;
            // Off the grid, -∞ has stayed what it is: awake or, for all of the step, refractory.
            return potential.is_finite() || self.scratch.slots[index] == ASLEEP;
        }
        if potential.is_finite() {
            self.potentials[index] = f64::NEG_INFINITY;
            self.scratch.wake(neuron, Membrane { potential, at: self.now });
        }
        self.scratch.slots[index] == ASLEEP
    }

    #[inline]
    fn note_arrival(&mut self, synapse: u32, at: u64) {
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.arrived(synapse, at, &mut self.weights);
        }
    }

    /// Takes every awake neuron through its arrivals to the step's end.
    fn run_awake(&mut self, end: u64) {
        let mut arrivals = core::mem::take(&mut self.scratch.arrivals);
        for arrival in arrivals.drain(..) {
            self.arrive(arrival, end);
        }
        self.scratch.arrivals = arrivals;
        while let Some((neuron, membrane)) = self.scratch.awake.pop() {
            self.scratch.slots[neuron as usize] = ASLEEP;
            let after = self.run(neuron, membrane, end, end);
            self.back_to_grid(neuron, after, end);
        }
    }

    fn arrive(&mut self, arrival: Arrival, end: u64) {
        let Arrival { at, synapse, slot } = arrival;
        let (neuron, membrane) = self.scratch.awake[slot as usize];
        let mut membrane = self.run(neuron, membrane, at - 1, end);
        // After all that happened before, and before it fires at this very instant.
        self.note_arrival(synapse, at);
        // Arrivals of the same instant add up before they fire the neuron.
        if membrane.at < at {
            membrane = self.run(neuron, membrane, at, end);
        }
        if membrane.at <= at {
            membrane.potential += self.weights[synapse as usize];
        }
        self.scratch.awake[slot as usize].1 = membrane;
    }

    /// Takes a neuron to `until`, firing on the way. If the result is of a later instant than `until`, the
    /// neuron is refractory until then.
    fn run(&mut self, neuron: u32, mut membrane: Membrane, until: u64, end: u64) -> Membrane {
        let target = self.scratch.targets[neuron as usize];
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

    fn update_grid(&mut self, end: u64) {
        let threshold = self.lif.threshold;
        let Scratch { updated, hot_blocks, targets, decay, .. } = &mut self.scratch;
        let course = self.potentials.iter().zip(targets.iter());
        for (updated, (potential, target)) in updated.iter_mut().zip(course) {
            *updated = target + (potential - target) * *decay;
        }
        for (block, potentials) in updated.chunks(BLOCK).enumerate() {
            // Not `any`, which stops early and so is no vector code.
            if potentials.iter().fold(false, |fires, &v| fires | (v >= threshold)) {
                hot_blocks.push(block);
            }
        }
        core::mem::swap(updated, &mut self.potentials);
        while let Some(block) = self.scratch.hot_blocks.pop() {
            let first = block * BLOCK;
            for neuron in first..(first + BLOCK).min(self.potentials.len()) {
                if self.potentials[neuron] >= threshold {
                    let potential = self.scratch.updated[neuron];
                    let before = Membrane { potential, at: self.now };
                    let after = self.run(neuron as u32, before, end, end);
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

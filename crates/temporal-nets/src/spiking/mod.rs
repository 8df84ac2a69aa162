//! [`SpikingNet`]: LIF neurons, delayed synapses, plasticity.

mod delay;
mod lif;
mod phase;
mod plasticity;
mod stdp;
mod step;
mod time;

use core::time::Duration;
use std::collections::VecDeque;

use nanosecond_scheduler::TimePoint;

pub use lif::{Lif, LifError};
pub use phase::{PhaseOscillator, VectorStrength};
pub use plasticity::Plastic;
pub use stdp::{Pairing, PlasticSynapse, Stdp};

use delay::DelayQueue;
use lif::Membrane;
use plasticity::Plasticity;
use time::TimeConstant;

use crate::network::TemporalNetwork;

/// A spiking network: leaky integrate-and-fire neurons, each with a constant drive during a step,
/// coupled by synapses with delays, and plastic if asked for.
///
/// Neurons are integrated exactly, not by a difference scheme: under a given drive, when they fire does
/// not depend on how time is cut into steps. Time is in integer ns and does not drift. A spike that
/// would arrive within the step in which it was fired arrives one ns after that step's end, so delays
/// should not be shorter than steps.
///
/// A step takes input i as neuron i's drive, in the unit of potentials, and outputs how often each
/// neuron fired. It costs O(neurons + spikes · synapses), and allocates nothing once its queues have
/// grown; they are bounded by [`with_capacity`](Self::with_capacity).
///
/// ```
/// use core::time::Duration;
/// use temporal_nets::{Lif, SpikingNet, TemporalNetwork};
///
/// let mut net = SpikingNet::new(2, Lif::default())?;
/// net.connect(0, 1, 20.0, Duration::from_millis(1)); // 20 mV: enough to fire neuron 1
/// let mut fired = [0.0; 2];
/// for _ in 0..12 {
///     let spikes = net.step(&[25.0, 0.0], Duration::from_millis(1));
///     fired[0] += spikes[0];
///     fired[1] += spikes[1];
/// }
/// assert_eq!(fired, [1.0, 1.0]);
/// # Ok::<(), temporal_nets::LifError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpikingNet {
    lif: Lif,
    tau: TimeConstant,
    now: u64,
    /// Of neurons that are refractory -∞, which the grid's update leaves as it is: see `step.rs`.
    potentials: Vec<f64>,
    /// Neurons in their refractory time, by its end.
    refractory: VecDeque<(u64, u32)>,
    /// By synapse.
    weights: Vec<f64>,
    /// Each neuron's synapses to others, by delay.
    outgoing: Vec<Vec<Outgoing>>,
    arrivals: DelayQueue,
    plasticity: Option<Plasticity>,
    /// Spikes per neuron in the last step, and who fired.
    output: Vec<f32>,
    fired: Vec<u32>,
    record: SpikeRecord,
    /// Spikes on their way that found no room.
    undelivered: u64,
    scratch: step::Scratch,
}

/// A synapse as its presynaptic neuron has it.
#[derive(Clone, Copy, Debug)]
struct Outgoing {
    delay_ns: u64,
    synapse: u32,
    to: u32,
}

/// Which neuron fired, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spike {
    /// The instant on the network's timeline.
    pub at: TimePoint,
    /// The neuron, counted from 0.
    pub neuron: u32,
}

/// A synapse of a [`SpikingNet`], from [`SpikingNet::connect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SynapseId(u32);

/// Spikes that nobody has taken yet, in the order of their steps.
#[derive(Clone, Debug)]
struct SpikeRecord {
    spikes: VecDeque<Spike>,
    capacity: usize,
    lost: u64,
}

impl SpikingNet {
    /// What queues hold unless [`with_capacity`](Self::with_capacity) says otherwise.
    pub const DEFAULT_CAPACITY: usize = 1 << 16;

    /// A network of `neurons` neurons at rest, at [`TimePoint::ZERO`], without synapses.
    ///
    /// # Errors
    ///
    /// A [`LifError`] that names what is out of bounds.
    pub fn new(neurons: usize, lif: Lif) -> Result<Self, LifError> {
        lif.check()?;
        if u32::try_from(neurons).is_err() {
            return Err(LifError::Neurons(neurons));
        }
        let capacity = Self::DEFAULT_CAPACITY;
        Ok(SpikingNet {
            lif,
            tau: TimeConstant::new(lif.tau_ns),
            now: 0,
            potentials: vec![lif.resting_potential(); neurons],
            refractory: VecDeque::new(),
            weights: Vec::new(),
            outgoing: vec![Vec::new(); neurons],
            arrivals: DelayQueue::new(capacity),
            plasticity: None,
            output: vec![0.0; neurons],
            fired: Vec::new(),
            record: SpikeRecord { spikes: VecDeque::new(), capacity: 0, lost: 0 },
            undelivered: 0,
            scratch: step::Scratch::new(neurons, lif.rest),
        })
    }

    /// Bounds the spikes on their way, of which further ones are lost and counted.
    #[must_use]
    pub fn with_capacity(mut self, capacity: usize) -> Self {
        self.arrivals = DelayQueue::new(capacity);
        self
    }

    /// Records up to `capacity` spikes for [`drain_spikes`](Self::drain_spikes); further ones are lost
    /// and counted. Without this none are recorded.
    #[must_use]
    pub fn with_spike_record(mut self, capacity: usize) -> Self {
        self.record.capacity = capacity;
        self
    }

    /// Makes every synapse plastic by this rule. Changes take effect when
    /// [`apply_plasticity`](Plastic::apply_plasticity) is called, in the order of their spikes; once 4,096
    /// spike events wait for that, at the next one.
    ///
    /// # Panics
    ///
    /// If a time constant is 0, an amplitude not finite, or the limits are not in order.
    #[must_use]
    pub fn with_stdp(mut self, stdp: Stdp) -> Self {
        let mut plasticity = Plasticity::new(stdp, self.outgoing.len());
        let mut synapses: Vec<&Outgoing> = self.outgoing.iter().flatten().collect();
        synapses.sort_unstable_by_key(|outgoing| outgoing.synapse);
        synapses.into_iter().for_each(|outgoing| plasticity.add_synapse(outgoing.to));
        self.plasticity = Some(plasticity);
        self
    }

    /// Moves the network to an instant: its neurons stay as they are, spikes on their way and
    /// refractory times are forgotten. For a network that is to run on a scheduler's timeline.
    pub fn start_at(&mut self, now: TimePoint) {
        self.settle();
        self.now = now.as_nanos();
    }

    /// Adds a synapse that moves neuron `to` by `weight` when a spike of `from` arrives, `delay` later.
    /// Spikes on their way are forgotten. O(synapses of `from`).
    ///
    /// # Panics
    ///
    /// If a neuron is out of range, `weight` not finite, or there are 2³² synapses.
    pub fn connect(&mut self, from: u32, to: u32, weight: f64, delay: Duration) -> SynapseId {
        let neurons = self.outgoing.len();
        for neuron in [from, to] {
            assert!((neuron as usize) < neurons, "neuron {neuron} of {neurons}");
        }
        assert!(weight.is_finite(), "the weight is {weight}; it must be finite");
        let synapse = u32::try_from(self.weights.len()).expect("fewer than 2³² synapses");
        let delay_ns = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let outgoing = &mut self.outgoing[from as usize];
        let place = outgoing.partition_point(|other| other.delay_ns <= delay_ns);
        outgoing.insert(place, Outgoing { delay_ns, synapse, to });
        self.weights.push(weight);
        self.arrivals.clear(); // They count the synapses that they have reached.
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.add_synapse(to);
        }
        SynapseId(synapse)
    }

    /// A synapse's weight.
    #[must_use]
    pub fn weight(&self, synapse: SynapseId) -> f64 {
        self.weights[synapse.0 as usize]
    }

    /// A neuron's potential at the end of the last step.
    ///
    /// # Panics
    ///
    /// If it is out of range.
    #[must_use]
    pub fn potential(&self, neuron: u32) -> f64 {
        let potential = self.potentials[neuron as usize];
        if potential.is_finite() {
            potential
        } else {
            self.lif.reset
        }
    }

    /// The end of the last step.
    #[must_use]
    pub fn now(&self) -> TimePoint {
        TimePoint::from_nanos(self.now)
    }

    /// Who fired in the last step, once each, in no particular order.
    #[must_use]
    pub fn fired(&self) -> &[u32] {
        &self.fired
    }

    /// Hands out recorded spikes from before `before`, in the order of steps; within a step in no
    /// particular order.
    pub fn drain_spikes(&mut self, before: TimePoint, mut each: impl FnMut(Spike)) {
        // A step's spikes are not in order, so some of the last step's may have to wait.
        self.record.spikes.retain(|spike| {
            let keep = spike.at >= before;
            if !keep {
                each(*spike);
            }
            keep
        });
    }

    /// Spikes that were lost: on their way, and for the record, for want of room.
    #[must_use]
    pub fn lost_spikes(&self) -> (u64, u64) {
        (self.undelivered, self.record.lost)
    }

    /// Spikes on their way.
    #[must_use]
    pub fn spikes_in_flight(&self) -> usize {
        self.arrivals.len()
    }

    /// Forgets what is under way.
    fn settle(&mut self) {
        for (_, neuron) in self.refractory.drain(..) {
            self.potentials[neuron as usize] = self.lif.reset;
        }
        self.arrivals.clear();
        for neuron in self.fired.drain(..) {
            self.output[neuron as usize] = 0.0;
        }
    }

    /// What follows when a neuron fires during a step that ends at `end`.
    fn fire(&mut self, neuron: u32, at: u64, end: u64) {
        let output = &mut self.output[neuron as usize];
        if *output == 0.0 {
            self.fired.push(neuron);
        }
        *output += 1.0;
        self.record.push(Spike { at: TimePoint::from_nanos(at), neuron });
        if let Some(nearest) = self.outgoing[neuron as usize].first() {
            let arrival = at.saturating_add(nearest.delay_ns).max(end.saturating_add(1));
            self.undelivered += u64::from(!self.arrivals.send(neuron, at, arrival));
        }
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.fired(neuron, at, &mut self.weights);
        }
    }

    fn reset_membrane(&self, at: u64) -> Membrane {
        Membrane { potential: self.lif.reset, at }
    }
}

impl SpikeRecord {
    #[inline]
    fn push(&mut self, spike: Spike) {
        if self.spikes.len() < self.capacity {
            self.spikes.push_back(spike);
        } else if self.capacity > 0 {
            self.lost += 1;
        }
    }
}

impl TemporalNetwork for SpikingNet {
    fn input_len(&self) -> usize {
        self.potentials.len()
    }

    fn output_len(&self) -> usize {
        self.potentials.len()
    }

    /// Puts every neuron at rest and forgets spikes, recorded ones too, traces and pending changes of
    /// weights. Weights and the time stay.
    fn reset_state(&mut self) {
        self.settle();
        self.potentials.fill(self.lif.resting_potential());
        self.record.spikes.clear();
        if let Some(plasticity) = &mut self.plasticity {
            plasticity.forget();
        }
    }

    fn step(&mut self, input: &[f32], dt: Duration) -> &[f32] {
        let neurons = self.potentials.len();
        assert!(input.len() == neurons, "{} drives for {neurons} neurons", input.len());
        let dt = u64::try_from(dt.as_nanos()).unwrap_or(u64::MAX);
        self.step_until(input, self.now.saturating_add(dt));
        &self.output
    }
}

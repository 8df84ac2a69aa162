//! [`PhaseCodingTask`]: spikes by their phase, cycle by cycle.

use core::time::Duration;

use nanosecond_scheduler::{Context, TimePoint};

use super::Shared;
use crate::profile::{Phase, Probe};
use crate::spiking::{PhaseOscillator, Spike, SpikingNet, VectorStrength};
use crate::task::{Pace, Progress, SchedulableTask};

/// What keeps spikes until they are asked for.
pub trait SpikeSource {
    /// Hands out, once, every spike from before `before`.
    fn take_spikes(&mut self, before: TimePoint, each: &mut dyn FnMut(Spike));
}

/// Those of its record: see [`SpikingNet::with_spike_record`].
impl SpikeSource for SpikingNet {
    fn take_spikes(&mut self, before: TimePoint, each: &mut dyn FnMut(Spike)) {
        self.drain_spikes(before, each);
    }
}

/// A spike with its phase, in radians from 0 to below 2π.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhasedSpike {
    /// The spike.
    pub spike: Spike,
    /// Its phase.
    pub phase: f64,
}

/// What happened in a cycle, or, after skipped ones, in all since the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseCycle<'a> {
    /// Its end, which does not belong to it.
    pub end: TimePoint,
    /// Its spikes by time, and at the same instant by neuron.
    pub spikes: &'a [PhasedSpike],
    /// How firmly they were locked.
    pub locking: VectorStrength,
}

/// Tags the spikes of each cycle of an oscillation with their phases, at the cycle's end.
///
/// Give it a lower priority than the [`InferenceTask`](crate::InferenceTask) of the same network, so
/// that the cycle's last step has been taken. Allocates nothing once it has seen its fullest cycle.
#[derive(Debug)]
pub struct PhaseCodingTask<N, F> {
    network: Shared<N>,
    progress: Progress,
    oscillator: PhaseOscillator,
    spikes: Vec<PhasedSpike>,
    on_cycle: F,
    probe: Probe,
}

impl<N: SpikeSource, F: FnMut(PhaseCycle<'_>)> PhaseCodingTask<N, F> {
    /// Cycles of `pace.period` that end at the pace's releases. `on_cycle` is given each.
    ///
    /// # Panics
    ///
    /// If the period is 0 or longer than 584 years.
    pub fn new(network: Shared<N>, pace: Pace, on_cycle: F) -> Self {
        PhaseCodingTask {
            network,
            progress: Progress::new(pace),
            oscillator: PhaseOscillator::new(pace.first, pace.period),
            spikes: Vec::new(),
            on_cycle,
            probe: Probe::default(),
        }
    }

    /// Time-stamps tagging and reporting.
    #[cfg(feature = "profiling")]
    #[must_use]
    pub fn with_profiler(mut self, profiler: &crate::Profiler) -> Self {
        self.probe = Probe::new(profiler);
        self
    }
}

impl<N: SpikeSource, F: FnMut(PhaseCycle<'_>)> SchedulableTask for PhaseCodingTask<N, F> {
    fn scheduled_time(&self) -> TimePoint {
        self.progress.next
    }

    fn execute(&mut self, cx: &mut Context<'_>) {
        let (end, _) = self.progress.begin(cx);
        let PhaseCodingTask { network, oscillator, spikes, on_cycle, probe, .. } = self;
        let locking = probe.time(Phase::Tag, || {
            spikes.clear();
            network.borrow_mut().take_spikes(end, &mut |spike| {
                spikes.push(PhasedSpike { spike, phase: oscillator.phase(spike.at) });
            });
            spikes.sort_unstable_by_key(|phased| (phased.spike.at, phased.spike.neuron));
            let mut locking = VectorStrength::default();
            spikes.iter().for_each(|phased| locking.add(phased.phase));
            locking
        });
        probe.time(Phase::Report, || on_cycle(PhaseCycle { end, spikes, locking }));
    }

    fn period(&self) -> Option<Duration> {
        Some(self.progress.period)
    }
}

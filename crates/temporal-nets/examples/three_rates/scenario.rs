//! Three rates on one timeline: inference every µs, plasticity every 10 µs, phases in cycles of 10 ms;
//! and windows of 20 ms, half of which the next one covers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{Clock, Config, MissedTick, Priority, Scheduler, TimePoint, WindowSpec};
use temporal_nets::{
    shared, InferenceTask, Lif, Pace, PhaseCodingTask, PhaseOscillator, PlasticityTask,
    SchedulableTask, Shared, SpikingNet, Stdp, SynapseId, Telemetry,
};

pub(crate) const STEP: Duration = Duration::from_micros(1);
pub(crate) const LEARN: Duration = Duration::from_micros(10);
pub(crate) const CYCLE: Duration = Duration::from_millis(10);
pub(crate) const WINDOWS: WindowSpec = WindowSpec::new(20_000_000, 10_000_000);

/// Neurons of the network.
const NEURONS: u32 = 5;

/// What ran so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) inferences: u64,
    pub(crate) updates: u64,
    pub(crate) cycles: u64,
    /// Spikes that neurons fired, and those that phases were found for.
    pub(crate) fired: u64,
    pub(crate) tagged: u64,
    /// Spike events that plasticity reckoned with.
    pub(crate) learned: u64,
}

/// The network on a scheduler.
pub(crate) struct Scenario<C: Clock> {
    pub(crate) scheduler: Scheduler<C>,
    pub(crate) net: Shared<SpikingNet>,
    pub(crate) counts: Rc<RefCell<Counts>>,
    pub(crate) start: TimePoint,
}

impl<C: Clock> Scenario<C> {
    /// Everything begins at the first whole cycle from now on. `telemetry` is told of windows and
    /// cycles.
    pub(crate) fn new(clock: C, missed: MissedTick, telemetry: &Telemetry) -> Self {
        let config = Config { windows: Some(WINDOWS), ..Config::default() };
        let mut scheduler = Scheduler::with_clock(config, clock).expect("a valid configuration");
        scheduler.on_window(telemetry.on_window(|_| 0.0));
        let cycle_ns = CYCLE.as_nanos() as u64;
        let start = scheduler.now().as_nanos().div_ceil(cycle_ns) * cycle_ns;
        let start = TimePoint::from_nanos(start);
        let (mut net, _) = ring();
        net.start_at(start);
        let mut scenario = Scenario { scheduler, net: shared(net), counts: Rc::default(), start };
        scenario.schedule(missed, telemetry);
        scenario
    }

    /// At common instants inference comes before plasticity, and that before phases.
    fn schedule(&mut self, missed: MissedTick, telemetry: &Telemetry) {
        let every = |period| Pace::every(period, self.start);
        let (a, b, c) = (self.counts.clone(), self.counts.clone(), self.counts.clone());
        let write = move |_: TimePoint, output: &[f32]| {
            let mut counts = a.borrow_mut();
            counts.inferences += 1;
            counts.fired += output.iter().sum::<f32>() as u64;
        };
        let update = move |_: TimePoint, events: usize| {
            let mut counts = b.borrow_mut();
            counts.updates += 1;
            counts.learned += events as u64;
        };
        let cycle = telemetry.on_cycle(move |cycle| {
            let mut counts = c.borrow_mut();
            counts.cycles += 1;
            counts.tagged += cycle.spikes.len() as u64;
        });
        let inference = InferenceTask::new(self.net.clone(), every(STEP), drive, write);
        let plasticity = PlasticityTask::new(self.net.clone(), every(LEARN), update);
        let phases = PhaseCodingTask::new(self.net.clone(), every(CYCLE), cycle);
        let tasks = [
            inference.into_task().with_priority(Priority::Critical).with_deadline(STEP),
            plasticity.into_task().with_priority(Priority::High).with_deadline(LEARN),
            phases.into_task().with_priority(Priority::Normal).with_deadline(CYCLE),
        ];
        for task in tasks {
            let task = task.with_missed_tick(missed);
            self.scheduler.schedule(task).expect("room for three tasks");
        }
    }
}

/// Neurons in a ring, each with a plastic synapse to the next.
pub(crate) fn ring() -> (SpikingNet, Vec<SynapseId>) {
    let stdp = Stdp { weights: (0.0, 3.0), a_plus: 0.05, ..Stdp::default() };
    let mut net = SpikingNet::new(NEURONS as usize, Lif::default())
        .expect("the default neuron is valid")
        .with_stdp(stdp)
        .with_spike_record(1 << 12);
    let mut connect = |n: u32| {
        let delay = Duration::from_micros(1_500 + 100 * u64::from(n));
        net.connect(n, (n + 1) % NEURONS, 1.0, delay)
    };
    let synapses = (0..NEURONS).map(&mut connect).collect();
    (net, synapses)
}

/// A drive that turns with the phase, a little different for each neuron.
pub(crate) fn drive(release: TimePoint, input: &mut [f32]) {
    let phase = PhaseOscillator::new(TimePoint::ZERO, CYCLE).phase(release) as f32;
    for (n, drive) in input.iter_mut().enumerate() {
        *drive = 17.0 + n as f32 + 6.0 * phase.cos();
    }
}

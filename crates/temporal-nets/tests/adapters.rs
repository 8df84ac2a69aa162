//! Hazard: networks on a scheduler whose time drifts from their releases', or that learn otherwise
//! than in a bare loop.

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, Context, ManualClock, MissedTick, Priority, Scheduler, Task, TimePoint,
};
use temporal_nets::{
    shared, InferenceTask, Lif, Pace, PhaseCodingTask, PhaseOscillator, Plastic, PlasticityTask,
    SchedulableTask, Shared, SpikingNet, Stdp, SynapseId, TemporalNetwork, VectorStrength,
};

const STEP: Duration = Duration::from_micros(1);
const LEARN: Duration = Duration::from_micros(10);
const CYCLE: Duration = Duration::from_millis(10);

fn at(nanos: u64) -> TimePoint {
    TimePoint::from_nanos(nanos)
}

/// Five neurons in a ring that learn.
fn ring() -> (SpikingNet, Vec<SynapseId>) {
    let mut net = SpikingNet::new(5, Lif::default())
        .unwrap()
        .with_stdp(Stdp { weights: (0.0, 3.0), a_plus: 0.05, ..Stdp::default() })
        .with_spike_record(1 << 12);
    let synapses = (0..5).map(|n| {
        net.connect(n, (n + 1) % 5, 1.0, Duration::from_micros(1_500 + 100 * u64::from(n)))
    });
    let synapses = synapses.collect();
    (net, synapses)
}

/// An input that turns with the phase, a little different for each neuron.
fn read(release: TimePoint, input: &mut [f32]) {
    let phase = PhaseOscillator::new(TimePoint::ZERO, CYCLE).phase(release) as f32;
    for (n, drive) in input.iter_mut().enumerate() {
        *drive = 17.0 + n as f32 + 6.0 * phase.cos();
    }
}

/// A cycle's end, spikes as (ns, neuron), and locking.
type Cycle = (TimePoint, Vec<(u64, u32)>, VectorStrength);

/// What was seen.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    inferences: u64,
    spikes: f32,
    updates: u64,
    events: usize,
    cycles: Vec<Cycle>,
}

/// The three rates on a scheduler: inference before plasticity before phases.
fn schedule<C: Clock>(
    scheduler: &mut Scheduler<C>,
    net: &Shared<SpikingNet>,
    missed: MissedTick,
) -> Rc<RefCell<Seen>> {
    let start = net.borrow().now();
    let seen = Rc::new(RefCell::new(Seen::default()));
    let (s, u, c) = (seen.clone(), seen.clone(), seen.clone());
    let write = move |_: TimePoint, output: &[f32]| {
        let mut seen = s.borrow_mut();
        seen.inferences += 1;
        seen.spikes += output.iter().sum::<f32>();
    };
    let inference = InferenceTask::new(net.clone(), Pace::every(STEP, start), read, write);
    let plasticity =
        PlasticityTask::new(net.clone(), Pace::every(LEARN, start), move |_, events| {
            let mut seen = u.borrow_mut();
            seen.updates += 1;
            seen.events += events;
        });
    let phases = PhaseCodingTask::new(net.clone(), Pace::every(CYCLE, start), move |cycle| {
        let spikes = cycle.spikes.iter().map(|p| (p.spike.at.as_nanos(), p.spike.neuron));
        c.borrow_mut().cycles.push((cycle.end, spikes.collect(), cycle.locking));
    });
    let tasks = [
        inference.into_task().with_priority(Priority::Critical).with_deadline(STEP),
        plasticity.into_task().with_priority(Priority::High).with_deadline(LEARN),
        phases.into_task().with_priority(Priority::Normal).with_deadline(CYCLE),
    ];
    for task in tasks {
        scheduler.schedule(task.with_missed_tick(missed)).unwrap();
    }
    seen
}

#[test]
fn three_rates_run_exactly_and_learn_as_a_bare_loop_does() {
    let clock = ManualClock::new();
    let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
    let (net, synapses) = ring();
    let net = shared(net);
    let seen = schedule(&mut scheduler, &net, MissedTick::Burst);
    scheduler.run_for(Duration::from_millis(100));
    assert_eq!(scheduler.metrics().missed_deadlines, 0);

    let (mut bare, _) = ring();
    let mut expected = Seen::default();
    let mut input = [0.0; 5];
    let oscillator = PhaseOscillator::new(TimePoint::ZERO, CYCLE);
    for k in 1..=100_000u64 {
        read(at(k * 1_000), &mut input);
        expected.spikes += bare.step(&input, STEP).iter().sum::<f32>();
        expected.inferences += 1;
        if k % 10 == 0 {
            expected.events += bare.apply_plasticity();
            expected.updates += 1;
        }
        if k % 10_000 == 0 {
            let mut spikes = Vec::new();
            bare.drain_spikes(at(k * 1_000), |s| spikes.push((s.at.as_nanos(), s.neuron)));
            spikes.sort_unstable();
            let mut locking = VectorStrength::default();
            spikes.iter().for_each(|&(t, _)| locking.add(oscillator.phase(at(t))));
            expected.cycles.push((at(k * 1_000), spikes, locking));
        }
    }
    assert_eq!(*seen.borrow(), expected);
    assert!(expected.spikes > 20.0 && expected.events > 40, "{expected:?}");
    assert!(expected.cycles[5..].iter().all(|(_, s, l)| s.is_empty() || l.strength() > Some(0.3)));
    let net = net.borrow();
    assert_eq!(net.now(), at(100_000_000));
    for &synapse in &synapses {
        assert_eq!(net.weight(synapse), bare.weight(synapse));
        assert_ne!(net.weight(synapse), 1.0, "nothing was learned");
    }
}

#[test]
fn two_runs_are_the_same() {
    let run = || {
        let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
        let net = shared(ring().0);
        let seen = schedule(&mut scheduler, &net, MissedTick::Burst);
        scheduler.run_for(Duration::from_millis(20));
        drop(scheduler);
        Rc::into_inner(seen).expect("the tasks are gone").into_inner()
    };
    assert_eq!(run(), run());
}

/// In real time nothing can be promised, but everything is accounted for.
#[test]
fn in_real_time_every_period_was_kept_or_is_reported_as_missed() {
    let mut scheduler = Scheduler::new(Config::default());
    let start = scheduler.now();
    let net = shared(ring().0);
    net.borrow_mut().start_at(start);
    let seen = schedule(&mut scheduler, &net, MissedTick::Skip);
    // Not `run_for`, which goes on until all that was released has run: an overload has no such end.
    let stop = Task::with_context(|cx| cx.stop(), Duration::from_millis(60));
    scheduler.schedule(stop.with_priority(Priority::Critical)).unwrap();
    scheduler.run();
    let seen = seen.borrow();
    let metrics = scheduler.metrics();
    let jobs = seen.inferences + seen.updates + seen.cycles.len() as u64;
    assert_eq!(metrics.executed, jobs + 1);
    // The network's time is that of its last release: periods run and periods skipped.
    let time = net.borrow().now().duration_since(start).as_nanos() as u64;
    assert_eq!(time % 1_000, 0);
    let periods = time / 1_000;
    assert!(seen.inferences <= periods && seen.updates <= periods / 10 + 1);
    let skipped = periods - seen.inferences;
    println!(
        "of {periods} inferences {skipped} skipped, {} of {} updates and {} of 6 cycles run; {} \
         deadlines missed",
        seen.updates,
        periods / 10,
        seen.cycles.len(),
        metrics.missed_deadlines
    );
    assert!(
        skipped <= metrics.missed_ticks,
        "{skipped} skipped, reported {}",
        metrics.missed_ticks
    );
}

#[test]
fn a_late_job_takes_the_step_up_to_its_release_and_skipped_ones_are_made_up_for() {
    for (missed, steps) in [
        (MissedTick::Burst, vec![(1_000, 1_000), (2_000, 1_000), (3_000, 1_000), (4_000, 1_000)]),
        (MissedTick::Skip, vec![(1_000, 1_000), (4_000, 3_000)]),
    ] {
        struct Recorder(Rc<RefCell<Vec<u64>>>);
        impl TemporalNetwork for Recorder {
            fn input_len(&self) -> usize {
                1
            }
            fn output_len(&self) -> usize {
                0
            }
            fn reset_state(&mut self) {}
            fn step(&mut self, _input: &[f32], dt: Duration) -> &[f32] {
                self.0.borrow_mut().push(dt.as_nanos() as u64);
                &[]
            }
        }
        let clock = ManualClock::new();
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let (dts, releases) = (Rc::default(), Rc::new(RefCell::new(Vec::new())));
        let log = releases.clone();
        let read = move |release: TimePoint, input: &mut [f32]| {
            assert_eq!(input[0], log.borrow().len() as f32, "inputs are kept");
            input[0] += 1.0;
            log.borrow_mut().push(release.as_nanos());
        };
        let net = shared(Recorder(Rc::clone(&dts)));
        let pace = Pace::every(STEP, TimePoint::ZERO);
        let task = InferenceTask::new(net, pace, read, |_, _| ());
        assert_eq!(task.scheduled_time(), at(1_000));
        scheduler.schedule(task.into_task().with_missed_tick(missed)).unwrap();
        for instant in [1_000, 4_200] {
            clock.set(at(instant));
            scheduler.tick();
        }
        let found: Vec<(u64, u64)> =
            releases.borrow().iter().copied().zip(dts.borrow().iter().copied()).collect();
        // A skipping job that is late itself still runs, for the period that it is late for.
        assert_eq!(found.iter().map(|(_, dt)| dt).sum::<u64>(), found.last().unwrap().0);
        if missed == MissedTick::Burst {
            assert_eq!(found, steps);
        }
        assert!(found.len() <= steps.len(), "{missed:?}: {found:?}");
    }
}

#[test]
fn work_of_any_kind_runs_once_at_its_time_with_its_priority() {
    struct Note(u64, &'static str, Rc<RefCell<Vec<(&'static str, u64)>>>);
    impl SchedulableTask for Note {
        fn scheduled_time(&self) -> TimePoint {
            at(self.0)
        }
        fn execute(&mut self, cx: &mut Context<'_>) {
            self.2.borrow_mut().push((self.1, cx.now().as_nanos()));
        }
    }
    let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
    let log = Rc::default();
    let note = |at, name| Note(at, name, Rc::clone(&log)).into_task();
    scheduler.schedule(note(700, "low").with_priority(Priority::Low)).unwrap();
    scheduler.schedule(note(700, "high").with_priority(Priority::High)).unwrap();
    scheduler.schedule(note(300, "first")).unwrap();
    scheduler.schedule(Task::new(|| (), Duration::from_nanos(900))).unwrap();
    scheduler.run_until_idle();
    assert_eq!(*log.borrow(), [("first", 300), ("high", 700), ("low", 700)]);
}

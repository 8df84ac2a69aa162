//! Hazard: networks on a scheduler whose time drifts from their releases'.

use std::cell::RefCell;
use std::f64::consts::TAU;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, Context, ManualClock, MissedTick, Priority, Scheduler, Task, TimePoint,
};
use temporal_nets::{
    shared, InferenceTask, Pace, PhaseCodingTask, PhaseCycle, SchedulableTask, Spike, SpikeSource,
    TemporalNetwork,
};

const STEP: Duration = Duration::from_micros(1);

fn at(nanos: u64) -> TimePoint {
    TimePoint::from_nanos(nanos)
}

#[test]
fn a_late_job_takes_the_step_up_to_its_release_and_skipped_ones_are_made_up_for() {
    for (missed, steps) in [
        (MissedTick::Burst, (1..=5).map(|k| (1_000 * k, 1_000)).collect()),
        // A skipping job that is late itself still runs, for the period that it is late for.
        (MissedTick::Skip, vec![(1_000, 1_000), (2_000, 1_000), (5_000, 3_000)]),
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
        for instant in [1_000, 4_200, 5_000] {
            clock.set(at(instant));
            scheduler.tick();
        }
        let found: Vec<(u64, u64)> =
            releases.borrow().iter().copied().zip(dts.borrow().iter().copied()).collect();
        assert_eq!(found, steps, "{missed:?}");
    }
}

#[test]
fn a_cycles_spikes_come_by_time_then_by_neuron_whatever_their_order_was() {
    struct Disorder;
    impl SpikeSource for Disorder {
        fn take_spikes(&mut self, before: TimePoint, each: &mut dyn FnMut(Spike)) {
            assert_eq!(before, at(1_000));
            [(750, 1), (250, 2), (750, 0), (0, 3)]
                .into_iter()
                .for_each(|(nanos, neuron)| each(Spike { at: at(nanos), neuron }));
        }
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&told);
    let on_cycle = move |cycle: PhaseCycle<'_>| {
        assert_eq!((cycle.end, cycle.locking.count()), (at(1_000), 4));
        log.borrow_mut().extend(cycle.spikes.iter().map(|s| (s.spike.neuron, s.phase / TAU)));
    };
    let pace = Pace::every(STEP, TimePoint::ZERO);
    let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
    scheduler.schedule(PhaseCodingTask::new(shared(Disorder), pace, on_cycle).into_task()).unwrap();
    scheduler.run_for(STEP);
    assert_eq!(*told.borrow(), [(3, 0.0), (2, 0.25), (0, 0.75), (1, 0.75)]);
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

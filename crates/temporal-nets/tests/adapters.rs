//! Hazard: networks on a scheduler whose time drifts from their releases'.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, Context, ManualClock, MissedTick, Priority, Scheduler, Task, TimePoint,
};
use temporal_nets::{shared, InferenceTask, Pace, SchedulableTask, TemporalNetwork};

const STEP: Duration = Duration::from_micros(1);

fn at(nanos: u64) -> TimePoint {
    TimePoint::from_nanos(nanos)
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

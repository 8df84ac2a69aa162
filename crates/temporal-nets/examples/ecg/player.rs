//! The record as tasks of one scheduler: a sample at its instant, a review of each window when it
//! has closed, decisions about peaks, the training, and notes of what is unusual.
//!
//! All have the same priority: they run in the order of their releases, so that what a task sees does
//! not depend on how fast the record is played.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, Context, Metrics, ScheduleError, Scheduler, Task, TimePoint, WindowSummary,
};
use temporal_nets::{Table, Telemetry, TelemetryConfig};

use crate::careful::CONTEXT;
use crate::clock::{Speed, Timeline};
use crate::detector::{Detector, WINDOWS};
use crate::record::{instant, seconds, RATE};

/// How long after a window's end it is reviewed: its last candidates are known by then.
const REVIEW_AFTER: Duration = Duration::from_millis(250);
/// How long after a window's end its beats are settled: they are decided about 3 s after each.
const SETTLED_AFTER: Duration = Duration::from_millis(3_500);
/// When the nets are trained; every 10 s later there is another try if there were too few beats.
const TRAIN_AT: usize = seconds(20);
const TRAIN_AGAIN: usize = seconds(10);

/// A record that is played: its last value is held until everything is settled.
struct Player {
    signal: Vec<f32>,
    /// The sample after the last to be played.
    end: usize,
    detector: Detector,
    timeline: Timeline,
    on_second: Box<dyn FnMut(u64)>,
}

type Shared = Rc<RefCell<Player>>;

/// What came of a record.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) signal: Vec<f32>,
    pub(crate) detector: Detector,
    pub(crate) metrics: Metrics,
    /// Jobs and energy in each window that begins before the record's end.
    pub(crate) windows: Table,
    /// Of the windows, as observed.
    pub(crate) overlap: f64,
    /// The most that a sample was taken too late, if the clock was real.
    pub(crate) lag: Option<Duration>,
}

/// Plays a record, and tells `on_second` of each second of it.
///
/// # Errors
///
/// If the scheduler refuses a task.
pub(crate) fn play(
    signal: Vec<f32>,
    speed: Speed,
    on_second: impl FnMut(u64) + 'static,
) -> Result<Outcome, ScheduleError> {
    let timeline = Timeline::new(speed);
    let len = signal.len();
    let end = len + seconds(8);
    let (detector, on_second) = (Detector::new(), Box::new(on_second));
    let player = Player { signal, end, detector, timeline: timeline.clone(), on_second };
    let player = Rc::new(RefCell::new(player));
    let config = Config { windows: Some(WINDOWS), ..Config::default() };
    let mut scheduler =
        Scheduler::with_clock(config, timeline.clone()).expect("a valid configuration");

    let closing = Rc::clone(&player);
    let rows = len / RATE + 2; // A window a second, and those at the ends.
    let telemetry = Telemetry::new(TelemetryConfig { rows, ..TelemetryConfig::default() });
    let mut tabulate = telemetry.on_window(|_| 0.0);
    let record_ends = i128::from(instant(len).as_nanos());
    scheduler.on_window(move |window: &WindowSummary| {
        if window.window.start_ns < record_ends {
            tabulate(window);
        }
        closing.borrow_mut().detector.close(window)
    });
    scheduler.schedule(sample(Rc::clone(&player), 0))?;
    scheduler.schedule(every_window(&player, REVIEW_AFTER, review))?;
    scheduler.schedule(every_window(&player, SETTLED_AFTER, note))?;
    scheduler.schedule(train(Rc::clone(&player), TRAIN_AT))?;
    scheduler.run_until(instant(end));
    scheduler.clear();

    let (metrics, overlap) = (scheduler.metrics(), scheduler.temporal_overlap());
    drop(scheduler); // And with it every other owner of the player.
    let player = Rc::into_inner(player).expect("no task is left").into_inner();
    let mut detector = player.detector;
    detector.beats.end_at(len);
    let (windows, lag) = (telemetry.windows(), timeline.lag());
    Ok(Outcome { signal: player.signal, detector, metrics, windows, overlap, lag })
}

/// The task that takes sample `k`, and schedules itself for the next.
fn sample(player: Shared, k: usize) -> Task {
    let take = move |cx: &mut Context<'_>| {
        let mut this = player.borrow_mut();
        let value = this.signal[k.min(this.signal.len() - 1)];
        cx.record(f64::from(this.detector.sample(value)));
        if k % RATE == 0 {
            (this.on_second)((k / RATE) as u64);
        }
        let is_last = k + 1 == this.end;
        this.timeline.sample_taken(if is_last { TimePoint::MAX } else { instant(k + 1) });
        drop(this);
        if !is_last {
            schedule(cx, sample(player, k + 1));
        }
    };
    task(k, take)
}

/// A task that does `job` for each window, `after` its end.
fn every_window(
    player: &Shared,
    after: Duration,
    mut job: impl FnMut(&Shared, &mut Context<'_>) + 'static,
) -> Task {
    let player = Rc::clone(player);
    let hop = Duration::from_nanos(WINDOWS.hop);
    Task::periodic(move |cx| job(&player, cx), hop).at(TimePoint::ZERO + hop + after)
}

fn review(player: &Shared, cx: &mut Context<'_>) {
    let reviewed = player.borrow_mut().detector.review();
    for candidate in reviewed {
        let again = Rc::clone(player);
        // Not before all that the careful detector looks at is there.
        let decide = move |_: &mut Context<'_>| again.borrow_mut().detector.decide(candidate);
        schedule(cx, task(candidate.at + CONTEXT, decide));
    }
}

fn note(player: &Shared, cx: &mut Context<'_>) {
    let mut this = player.borrow_mut();
    let len = this.signal.len();
    this.detector.note(cx.release() - SETTLED_AFTER, len);
}

fn train(player: Shared, at: usize) -> Task {
    let attempt = move |cx: &mut Context<'_>| {
        let settled = at - TRAIN_AGAIN..at - CONTEXT;
        let is_trained = player.borrow_mut().detector.train(settled);
        if !is_trained {
            schedule(cx, train(player, at + TRAIN_AGAIN));
        }
    };
    task(at, attempt)
}

/// A task for the instant of sample `k`.
fn task(k: usize, job: impl FnOnce(&mut Context<'_>) + 'static) -> Task {
    Task::with_context(job, Duration::ZERO).at(instant(k))
}

fn schedule(cx: &mut Context<'_>, task: Task) {
    // Records end long before time does, and hold fewer tasks than the scheduler.
    cx.schedule(task).expect("there is room and time");
}

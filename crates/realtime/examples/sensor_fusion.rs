//! Three sensors sampled every 100 µs and fused within 150 µs: first simulated, then for real beside a
//! bare loop.
//!
//! ```text
//! cargo run --release --example sensor_fusion
//! ```
//!
//! Each cycle's fusion runs `after` the three samples it needs. A logger with less priority writes every
//! 10 ms for 160 µs. Jobs are not preempted, so in one piece it makes a fusion late, and in four pieces
//! none: the simulation shows it exactly, and the same on every run. Its figures are checked, those of
//! the real run only printed.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use lexopt::{Arg, Parser};
use nanosecond_scheduler::{
    Clock, Config, Context, DeadlineKind, DefaultClock, ManualClock, Priority, Scheduler, Task,
    TaskId, TimePoint, Wait,
};

#[path = "common/latencies.rs"]
mod latencies;
#[path = "common/progress.rs"]
mod progress;
#[path = "common/spin.rs"]
mod spin;
#[path = "common/thread.rs"]
mod thread;

use latencies::Latencies;

const HELP: &str = "Usage: sensor_fusion (it takes no arguments)\n";

const PERIOD: Duration = Duration::from_micros(100);
const DEADLINE: Duration = Duration::from_micros(150);
/// A sensor: when in the cycle it samples, and the standard deviation of what it measures.
const SENSORS: [(&str, Duration, f64); 3] = [
    ("encoder", Duration::ZERO, 0.02),
    ("camera", Duration::from_micros(20), 0.03),
    ("radar", Duration::from_micros(40), 0.04),
];
const SAMPLING: Duration = Duration::from_micros(5);
const FUSING: Duration = Duration::from_micros(20);
const LOGGING: Duration = Duration::from_micros(160);
const LOG_PERIOD: Duration = Duration::from_millis(10);

const SIMULATED_CYCLES: u32 = 10_000;
/// Real cycles in one turn of 0.4 s; the bare loop has the next, and a pause follows, so that less is
/// spun than Linux throttles.
const CYCLES_PER_TURN: u32 = 4_000;
const TURNS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(120);
const LEAD: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(argument) = Parser::from_env().next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => print!("{HELP}"),
            other => return Err(other.unexpected().into()),
        }
        return Ok(());
    }
    println!(
        "{SIMULATED_CYCLES} cycles of {PERIOD:?} simulated; the fusion is due within {DEADLINE:?}"
    );
    simulate_and_print(1)?;
    let expected = simulate_and_print(4)?;

    println!(
        "\nthe same for real, with the logger in 4 pieces: {} cycles",
        TURNS * CYCLES_PER_TURN
    );
    let run = || run_in_turns().map_err(|error| error.to_string());
    let time = (PERIOD * CYCLES_PER_TURN * 2 + PAUSE) * TURNS;
    let (mut ours, mut bare) = progress::during(time, || thread::on_real_time_thread(None, run))?;
    let what = "from start of cycle to estimate";
    latencies::print_beside(what, DEADLINE, &mut ours, &mut bare);
    println!("In the simulation it takes {expected:?} at the most.");
    Ok(())
}

/// Simulates the rig twice, compares, and prints what came of it; gives the longest response.
fn simulate_and_print(pieces: u32) -> Result<Duration, Box<dyn Error>> {
    let simulate = || {
        let clock = ManualClock::new();
        run(clock, ManualClock::advance, pieces, SIMULATED_CYCLES)
    };
    let (outcome, again) = (simulate()?, simulate()?);
    assert!(outcome.trace == again.trace, "the simulation did not repeat");
    let logs = (PERIOD * SIMULATED_CYCLES).as_nanos().div_ceil(LOG_PERIOD.as_nanos()) as u64;
    assert_eq!(outcome.misses, if pieces == 1 { logs } else { 0 });

    let rms = |sum: f64| (sum / f64::from(SIMULATED_CYCLES)).sqrt();
    let fused = rms(outcome.squares[3]);
    for (sensor, (name, _, _)) in SENSORS.iter().enumerate() {
        assert!(fused < rms(outcome.squares[sensor]), "better than by the {name} alone");
    }
    let worst = outcome.trace.iter().map(|(response, _)| *response).max().ok_or("no cycle ran")?;
    println!(
        "  logger in {pieces} piece(s): {:>3} fusions late, the latest after {worst:?}; \
         error {fused:.4}, by the {} alone {:.4}",
        outcome.misses,
        SENSORS[0].0,
        rms(outcome.squares[0]),
    );
    Ok(worst)
}

/// The scheduler and the bare loop by turns.
fn run_in_turns() -> Result<(Latencies, Latencies), Box<dyn Error>> {
    let clock = DefaultClock::new();
    let (mut ours, mut bare) = (Latencies::default(), Latencies::default());
    for _ in 0..TURNS {
        let outcome = run(clock.clone(), spin::spin_for, 4, CYCLES_PER_TURN)?;
        outcome.trace.iter().for_each(|(response, _)| ours.record(*response));
        run_bare_loop(&clock, &mut bare);
        std::thread::sleep(PAUSE);
    }
    assert_eq!((ours.len(), bare.len()), ((TURNS * CYCLES_PER_TURN) as usize, ours.len()));
    Ok((ours, bare))
}

/// What came of a run.
struct Outcome {
    /// Of each cycle: from its start to its estimate, and the estimate.
    trace: Vec<(Duration, f64)>,
    /// Sums of the squared errors of each sensor, and of the estimate.
    squares: [f64; 4],
    misses: u64,
}

/// What the jobs share.
struct Rig<C> {
    clock: C,
    /// Passes the time that a job takes.
    spend: fn(&C, Duration),
    start: TimePoint,
    cycles: u32,
    sensors: Vec<TaskId>,
    /// The latest sample of each sensor, and its cycle.
    samples: [(u32, f64); 3],
    random: u64,
    trace: Vec<(Duration, f64)>,
    squares: [f64; 4],
}

type Shared<C> = Rc<RefCell<Rig<C>>>;

/// Runs sensors, fusion and logger for so many cycles.
fn run<C: Clock + Clone + 'static>(
    clock: C,
    spend: fn(&C, Duration),
    pieces: u32,
    cycles: u32,
) -> Result<Outcome, Box<dyn Error>> {
    let config = Config { wait: Wait::Spin, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone())?;
    let start = scheduler.now() + LEAD;
    let rig = Rc::new(RefCell::new(Rig {
        clock,
        spend,
        start,
        cycles,
        sensors: Vec::new(),
        samples: [(u32::MAX, 0.0); 3],
        random: 1,
        trace: Vec::new(),
        squares: [0.0; 4],
    }));
    for (sensor, (name, offset, _)) in SENSORS.into_iter().enumerate() {
        let shared = Rc::clone(&rig);
        let sample = move |cx: &mut Context<'_>| shared.borrow_mut().sample(sensor, cx);
        let task = Task::periodic(sample, PERIOD).at(start + offset).with_name(name);
        let id = scheduler.schedule(task.with_priority(Priority::High))?;
        rig.borrow_mut().sensors.push(id);
    }
    scheduler.schedule(fusion(&rig, 0))?;
    let shared = Rc::clone(&rig);
    let log = move |cx: &mut Context<'_>| log(&shared, pieces, pieces, cx);
    let first = start + PERIOD / 2;
    let logger = Task::periodic(log, LOG_PERIOD).at(first).with_priority(Priority::Low);
    scheduler.schedule(logger)?;

    scheduler.run();

    let misses = scheduler.metrics().missed_deadlines;
    drop(scheduler); // With it the tasks, which share the rig.
    let rig = Rc::into_inner(rig).ok_or("a task was left")?.into_inner();
    assert_eq!(rig.trace.len(), cycles as usize, "each cycle was fused once");
    Ok(Outcome { trace: rig.trace, squares: rig.squares, misses })
}

/// The fusion of a cycle: due a fixed time after the cycle's start, however late the samples are.
fn fusion<C: Clock + Clone + 'static>(rig: &Shared<C>, cycle: u32) -> Task {
    let due = rig.borrow().start + PERIOD * cycle + DEADLINE;
    let shared = Rc::clone(rig);
    let body = move |cx: &mut Context<'_>| {
        shared.borrow_mut().fuse(cycle);
        if cycle + 1 < shared.borrow().cycles {
            cx.schedule(fusion(&shared, cycle + 1)).expect("there is room");
        } else {
            cx.stop();
        }
    };
    // Its release is when the last sample is there. Nothing goes before it then, so that the next
    // cycle's fusion names the sensors before they sample again.
    Task::with_context(body, Duration::ZERO)
        .after(&rig.borrow().sensors)
        .with_priority(Priority::Critical)
        .with_deadline_at(DeadlineKind::Soft, due)
        .with_name("fusion")
}

/// Writes a piece of the log, and leaves the next to a task of its own.
fn log<C: Clock + 'static>(rig: &Shared<C>, left: u32, pieces: u32, cx: &mut Context<'_>) {
    rig.borrow().spend(LOGGING / pieces);
    if left > 1 {
        let shared = Rc::clone(rig);
        let next = move |cx: &mut Context<'_>| log(&shared, left - 1, pieces, cx);
        let task = Task::with_context(next, Duration::ZERO).with_priority(Priority::Low);
        cx.schedule(task).expect("there is room");
    }
}

impl<C: Clock> Rig<C> {
    fn spend(&self, time: Duration) {
        (self.spend)(&self.clock, time);
    }

    fn truth(&self, cycle: u32) -> f64 {
        f64::from(cycle % 1000) / 1000.0
    }

    fn sample(&mut self, sensor: usize, cx: &Context<'_>) {
        let (_, offset, deviation) = SENSORS[sensor];
        let since = cx.release().duration_since(self.start + offset);
        let cycle = (since.as_nanos() / PERIOD.as_nanos()) as u32;
        let error = deviation * self.noise();
        self.squares[sensor] += error * error;
        self.samples[sensor] = (cycle, self.truth(cycle) + error);
        self.spend(SAMPLING);
    }

    /// Weighs each sensor by how exact it is.
    fn fuse(&mut self, cycle: u32) {
        let (mut sum, mut weights) = (0.0, 0.0);
        for ((of, sample), (name, _, deviation)) in self.samples.into_iter().zip(SENSORS) {
            assert_eq!(of, cycle, "the {name}'s sample is of another cycle");
            let weight = 1.0 / (deviation * deviation);
            sum += weight * sample;
            weights += weight;
        }
        let estimate = sum / weights;
        let error = estimate - self.truth(cycle);
        self.squares[3] += error * error;
        self.spend(FUSING);
        let response = self.clock.now().duration_since(self.start + PERIOD * cycle);
        self.trace.push((response, estimate));
    }

    /// About normal, with deviation 1: the sum of twelve uniform numbers, by Knuth's MMIX generator.
    fn noise(&mut self) -> f64 {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const TERM: u64 = 1_442_695_040_888_963_407;
        let mut uniform = || {
            self.random = self.random.wrapping_mul(FACTOR).wrapping_add(TERM);
            (self.random >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}

/// One turn of the same work, in the order in which the scheduler has it.
fn run_bare_loop(clock: &DefaultClock, responses: &mut Latencies) {
    let start = clock.now() + LEAD;
    let (mut log_at, mut pieces) = (start + PERIOD / 2, 4);
    for cycle in 0..CYCLES_PER_TURN {
        let at = start + PERIOD * cycle;
        for (_, offset, _) in SENSORS {
            // The log is written while nothing else is to be done.
            while clock.now() < at + offset {
                if clock.now() < log_at {
                    continue;
                }
                spin::spin_for(clock, LOGGING / 4);
                pieces -= 1;
                if pieces == 0 {
                    (log_at, pieces) = (log_at + LOG_PERIOD, 4);
                }
            }
            spin::spin_for(clock, SAMPLING);
        }
        spin::spin_for(clock, FUSING);
        responses.record(clock.now().duration_since(at));
    }
}

//! A network that infers every µs, learns every 10 µs and is told its phases every 10 ms: exactly under
//! a manual clock, then in real time, with a report of what was missed.
//!
//! ```text
//! cargo run --release --example three_rates [SECONDS]      # of real time, default 0.5
//! ```

mod scenario;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use lexopt::{Arg, Parser, ValueExt};
use nanosecond_scheduler::{DefaultClock, ManualClock, Metrics, MissedTick, Priority, Task};
use temporal_nets::{Telemetry, TelemetryConfig};

use scenario::{Counts, Scenario, CYCLE, LEARN, STEP};

/// What is simulated: 100 cycles.
const SIMULATED: Duration = Duration::from_secs(1);

const HELP: &str = "\
Usage: three_rates [SECONDS]

  SECONDS   of real time, 0.02 to 60 [default: 0.5]
  --help    this text
";

fn main() -> ExitCode {
    match parse(Parser::from_env()) {
        Ok(Some(time)) => {
            simulate();
            measure(time);
            ExitCode::SUCCESS
        }
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error} (see --help)");
            ExitCode::from(2)
        }
    }
}

/// The real time asked for; `None` if they ask for help.
fn parse(mut parser: Parser) -> Result<Option<Duration>, lexopt::Error> {
    let mut time = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Value(value) if time.is_none() => match value.parse() {
                Ok(seconds) if (0.02..=60.0).contains(&seconds) => {
                    time = Some(Duration::from_secs_f64(seconds));
                }
                _ => return Err(format!("{value:?}: expected seconds from 0.02 to 60").into()),
            },
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(time.unwrap_or(Duration::from_millis(500))))
}

/// Under a manual clock nothing is missed, whatever the machine.
fn simulate() {
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let mut scenario = Scenario::new(ManualClock::new(), MissedTick::Burst, &telemetry);
    let began = Instant::now();
    scenario.scheduler.run_for(SIMULATED);
    let took = began.elapsed();
    let counts = *scenario.counts.borrow();
    assert_eq!((counts.inferences, counts.updates, counts.cycles), (1_000_000, 100_000, 100));
    assert_eq!(counts.fired, counts.tagged);
    assert_eq!(scenario.scheduler.metrics().missed_deadlines, 0);
    println!("manual clock, {SIMULATED:?}, simulated in {took:.0?}:");
    report(counts, SIMULATED);
    println!(
        "  {} spikes, {} spike events learned; {} windows, {:.0} % overlap; all asserted",
        counts.fired,
        counts.learned,
        telemetry.windows().rows().len(),
        100.0 * scenario.scheduler.temporal_overlap()
    );
    println!("the last cycles:");
    let csv = telemetry.cycles().to_csv();
    let last: Vec<_> = csv.lines().rev().take(3).collect();
    csv.lines().take(1).chain(last.into_iter().rev()).for_each(|line| println!("  {line}"));
}

/// In real time a job that is late skips the periods that have passed, and the next step covers them.
fn measure(time: Duration) {
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let mut scenario = Scenario::new(DefaultClock::new(), MissedTick::Skip, &telemetry);
    // Not `run_for`, which goes on until all that was released has run: an overload has no such end.
    let stop = Task::with_context(|cx| cx.stop(), Duration::ZERO).at(scenario.start + time);
    scenario.scheduler.schedule(stop.with_priority(Priority::Critical)).expect("room for a task");
    // A thread of its own draws it, if there is a terminal.
    let style = ProgressStyle::with_template("{elapsed} of {msg}").expect("a valid template");
    let progress = ProgressBar::new_spinner().with_style(style).with_message(format!("{time:?}"));
    progress.enable_steady_tick(Duration::from_millis(500));
    scenario.scheduler.run();
    progress.finish_and_clear();
    println!("real time, {time:?}:");
    report(*scenario.counts.borrow(), time);
    let Metrics { missed_ticks, missed_deadlines, max_tick_time_ns, .. } =
        scenario.scheduler.metrics();
    println!(
        "  {missed_ticks} periods missed, {missed_deadlines} deadlines missed; the longest tick took \
         {max_tick_time_ns} ns"
    );
}

fn report(counts: Counts, time: Duration) {
    for (name, period, ran) in [
        ("inference", STEP, counts.inferences),
        ("plasticity", LEARN, counts.updates),
        ("phase cycle", CYCLE, counts.cycles),
    ] {
        let due = (time.as_nanos() / period.as_nanos()) as u64;
        let missed = 100.0 * due.saturating_sub(ran) as f64 / due.max(1) as f64;
        println!("  {name:<12} every {period:>6?} {ran:>9} of {due:>9} ran, {missed:.2} % missed");
    }
}

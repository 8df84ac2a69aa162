//! An engine control's periodic tasks, admitted exactly and run for real: their response times beside
//! what the analysis allows, and beside a bare loop's.
//!
//! ```text
//! cargo run --release --example automotive
//! cargo run --release --example automotive -- --runnables 500   # refused: more than fits
//! ```
//!
//! A bound is exceeded only if the machine takes the processor away, which no analysis knows. The
//! bare loop does the same jobs in the same order without the scheduler: what it exceeds is the
//! machine's doing.

use std::error::Error;
use std::time::Duration;

use lexopt::{Arg, Parser};
use nanosecond_realtime::{
    Error as RuntimeError, NanosecondScheduler, SchedulerConfig, Shutdown, TaskHandle,
};
use nanosecond_scheduler::{
    Admission, DefaultClock, MonitorConfig, MonitoringReport, Policy, Rejection, ScheduleErrorKind,
    SendTask, TimePoint,
};

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/progress.rs"]
mod progress;
#[path = "../common/spin.rs"]
mod spin;
#[path = "../common/thread.rs"]
mod thread;

mod bare;
mod load;
mod table;

use load::PeriodicLoad;

const HELP: &str = "\
Usage: automotive [--runnables N] [--seconds N]

  --runnables N   functions in the engine control, 100 to 2000, from which its tasks' execution
                  times follow [default: 300]
  --seconds N     how long scheduler and bare loop run, each, 1 to 600 [default: 4]
  --help          this text
";

const LEAD: Duration = Duration::from_millis(20);

struct Options {
    runnables: u32,
    run: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(options) = parse(Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let loads = load::engine_control(options.runnables);
    let runtime = NanosecondScheduler::new(SchedulerConfig {
        num_workers: 1,
        enable_cpu_pinning: true,
        enable_rt_scheduling: true,
        admission: Admission::Exact,
        policy: Policy::RateMonotonic,
        monitor: Some(MonitorConfig::default()),
        ..SchedulerConfig::default()
    })?;
    let worker = &runtime.os_outcomes()[0];
    println!("{worker}");
    let core = worker.core;

    let start = runtime.now() + LEAD;
    let Some(handles) = admit(&runtime, &loads, start) else { return Ok(()) };
    println!("running for {:?}", options.run);
    let time = start.duration_since(runtime.now()) + options.run;
    progress::during(time, || std::thread::sleep(time));
    let report = take_report(&runtime)?;
    let elapsed = runtime.now().duration_since(start);
    drop(handles);
    runtime.shutdown(Shutdown::Cancel)?;

    println!("\nthe bare loop for {:?}", options.run);
    let clock = DefaultClock::new();
    let bare = || thread::on_real_time_thread(core, || bare::run(&clock, &loads, options.run));
    let bare = progress::during(options.run, bare);
    let rows = table::rows(&loads, &report, &bare);
    rows.iter().for_each(|row| row.check(elapsed));
    table::print(&rows);
    Ok(())
}

fn parse(mut parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options { runnables: 300, run: Duration::from_secs(4) };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("runnables") => {
                options.runnables = arguments::number("--runnables", &mut parser, 100, 2000)?;
            }
            Arg::Long("seconds") => {
                options.run = Duration::from_secs(
                    arguments::number("--seconds", &mut parser, 1, 600)?.into(),
                );
            }
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// Schedules the tasks. `None`, with the reason printed, if they are more than fits.
fn admit(
    runtime: &NanosecondScheduler,
    loads: &[PeriodicLoad],
    start: TimePoint,
) -> Option<Vec<(&'static str, TaskHandle<()>)>> {
    let mut handles = Vec::new();
    for load in loads {
        let (clock, work) = (DefaultClock::new(), load.work());
        let task = SendTask::periodic(move |_| spin::spin_for(&clock, work), load.period)
            .with_wcet(load.wcet)
            .with_deadline(load.period)
            .with_name(load.name)
            .at(start - load.phase);
        match runtime.schedule(task) {
            Ok(handle) => handles.push((load.name, handle)),
            Err(refused) => {
                let reason = reason(&refused.into(), &handles);
                println!("refused: the {} task of {:?}: {reason}", load.name, load.wcet);
                return None;
            }
        }
    }
    println!("admitted: {} tasks, {:.1} % utilization", loads.len(), 100.0 * load::share(loads));

    // What would not fit is refused, and disturbs nothing.
    let (wcet, period) = (Duration::from_millis(1), Duration::from_millis(500));
    let diagnosis = SendTask::periodic(|_| (), period).with_wcet(wcet);
    let refused = runtime.schedule(diagnosis).expect_err("it blocks the 1 ms task for that long");
    let reason = reason(&refused.into(), &handles);
    println!("refused: a diagnosis of {wcet:?} each {period:?}: {reason}");
    Some(handles)
}

/// Why a task was refused, with the names of those that are admitted.
fn reason(error: &RuntimeError, admitted: &[(&'static str, TaskHandle<()>)]) -> String {
    let RuntimeError::Rejected(ScheduleErrorKind::Rejected(Rejection::Deadline {
        task,
        late_by_ns,
    })) = error
    else {
        return error.to_string();
    };
    let named = admitted.iter().find(|(_, handle)| Some(handle.id()) == *task);
    let name = named.map_or_else(|| "itself".to_owned(), |(name, _)| format!("the {name} task"));
    format!("it might make {name} {:?} late", Duration::from_nanos(*late_by_ns))
}

fn take_report(runtime: &NanosecondScheduler) -> Result<MonitoringReport, Box<dyn Error>> {
    let look = runtime.inspect(0, |scheduler| scheduler.monitoring_report())?;
    Ok(runtime.wait_for_completion(look)?.ok_or("the monitor is on")?)
}

//! A live table of a runtime's workers: utilization, dispatch latencies, missed deadlines.
//!
//! ```text
//! cargo run --release --example dashboard                  # `q` quits
//! cargo run --release --example dashboard -- --seconds 60 --workers 4
//! ```
//!
//! Without a terminal it prints a few frames as text. The workers have periodic tasks that keep them
//! busy, and one-shots come with each frame.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser};
use nanosecond_realtime::{NanosecondScheduler, SchedulerConfig, Shutdown};
use ratatui::backend::{Backend, TestBackend};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::Terminal;

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/spin.rs"]
mod spin;

mod load;
mod view;

const HELP: &str = "\
Usage: dashboard [--seconds N] [--workers N]

  --seconds N   how long it runs, 1 to 86400 [default: 8]; on a terminal `q` quits before
  --workers N   workers, 1 to 64 [default: one for each core]
  --help        this text
";

/// From frame to frame on a terminal.
const FRAME: Duration = Duration::from_millis(250);
/// Frames that are printed where there is no terminal.
const PRINTED: u32 = 3;
const PRINTED_WIDTH: u16 = 104;

struct Options {
    run: Duration,
    workers: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(options) = parse(Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let runtime = NanosecondScheduler::new(SchedulerConfig {
        num_workers: options.workers,
        enable_cpu_pinning: true,
        enable_rt_scheduling: true,
        ..SchedulerConfig::default()
    })?;
    let mut load = load::Load::start(&runtime)?;
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        let mut terminal = ratatui::try_init()?;
        let shown = show(&mut terminal, &runtime, &mut load, options.run);
        ratatui::restore();
        shown?;
    } else {
        print_frames(&runtime, &mut load, options.run)?;
    }
    check(&runtime, load)
}

fn parse(mut parser: Parser) -> Result<Option<Options>, lexopt::Error> {
    let workers = SchedulerConfig::default().num_workers;
    let mut options = Options { run: Duration::from_secs(8), workers };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("seconds") => {
                let seconds = arguments::number("--seconds", &mut parser, 1, 86_400)?;
                options.run = Duration::from_secs(seconds.into());
            }
            Arg::Long("workers") => {
                options.workers = arguments::number("--workers", &mut parser, 1, 64)? as usize;
            }
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// Draws a frame after the other, until `q` or the end.
fn show(
    terminal: &mut Terminal<impl Backend>,
    runtime: &NanosecondScheduler,
    load: &mut load::Load,
    run: Duration,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    while let Some(left) = run.checked_sub(start.elapsed()) {
        load.add_one_shots(runtime)?;
        let hint = format!("q quits; ends in {} s (--seconds N)", left.as_secs() + 1);
        terminal.draw(|frame| view::draw(frame, runtime, &hint))?;
        if event::poll(FRAME.min(left))? && asks_to_quit(&event::read()?) {
            break;
        }
    }
    Ok(())
}

fn asks_to_quit(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let interrupts = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
    key.kind == KeyEventKind::Press
        && (interrupts || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

/// Prints frames as text, the last at the end.
fn print_frames(
    runtime: &NanosecondScheduler,
    load: &mut load::Load,
    run: Duration,
) -> Result<(), Box<dyn Error>> {
    let height = view::height(runtime, PRINTED_WIDTH);
    let mut terminal = Terminal::new(TestBackend::new(PRINTED_WIDTH, height))?;
    println!("There is no terminal: {PRINTED} frames in {run:?}.");
    for frame in 1..=PRINTED {
        load.add_one_shots(runtime)?;
        std::thread::sleep(run / PRINTED);
        let hint = format!("frame {frame} of {PRINTED}");
        terminal.draw(|frame| view::draw(frame, runtime, &hint))?;
        for line in terminal.backend().buffer().content().chunks(PRINTED_WIDTH.into()) {
            let line: String = line.iter().map(|cell| cell.symbol()).collect();
            println!("{}", line.trim_end());
        }
    }
    Ok(())
}

/// Ends the runtime and checks that it has counted what it was given.
fn check(runtime: &NanosecondScheduler, load: load::Load) -> Result<(), Box<dyn Error>> {
    let one_shots = load.one_shots();
    drop(load); // More workers than the cores can bear would never come to the one-shots.
    runtime.run_until_idle_with_guarantee()?;
    let pending: usize = runtime.worker_stats().iter().map(|worker| worker.pending).sum();
    assert_eq!(pending, 0, "all have ended");
    runtime.shutdown(Shutdown::Cancel)?;
    let latency = runtime.get_latency_stats();
    let executed: u64 = runtime.worker_stats().iter().map(|worker| worker.totals.executed).sum();
    assert_eq!(latency.count, executed);
    assert!(executed > one_shots, "{executed} jobs, {one_shots} of them one-shots");
    println!("{latency}");
    Ok(())
}

//! Replays a packet capture: packets, idle timeouts, response deadlines and statistics are all
//! tasks of one scheduler.
//!
//! ```text
//! cargo run --release --example replay                                  # manual clock
//! cargo run --release --example replay -- --speed 10 my-capture.pcapng
//! ```
//!
//! `player.rs` is the part that uses the scheduler; `--help` explains the options.

mod capture;
mod format;
mod options;
mod pace;
mod packet;
mod player;
mod plot;
mod replay;
mod report;
mod series;
mod summary;
mod tally;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::Capture;
use crate::options::Options;
use crate::summary::Summary;

const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let result = match options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => replay_file(&options),
        Ok(None) => print(options::HELP),
        Err(error) => Err((UNUSABLE, format!("{error} (see --help)"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            complain("error", message);
            ExitCode::from(code)
        }
    }
}

/// Replays, prints and reports; an error is an exit code and its reason.
fn replay_file(options: &Options) -> Result<(), (u8, String)> {
    let path = options.capture.display();
    let unusable = |error: &dyn Display| (UNUSABLE, format!("{path}: {error}"));
    let failed = |error: &dyn Display| (FAILED, error.to_string());

    let mut capture = Capture::open(&options.capture).map_err(|error| unusable(&error))?;
    let first = capture.first_packet().map_err(|error| unusable(&error))?;
    let progress = progress_bar(options);
    let outcome = replay::run(capture, first, options, progress.clone());
    progress.finish_and_clear();
    let outcome = outcome.map_err(|error| failed(&error))?;

    let summary = Summary::new(options, &outcome);
    let report = options.report.display();
    std::fs::write(&options.report, report::page(options, &summary, &outcome))
        .map_err(|error| failed(&format!("cannot write the report {report}: {error}")))?;
    print(format!("{summary}\nreport: {report}\n"))?;
    summary.warnings.iter().for_each(|warning| complain("warning", warning));

    if let Some(error) = &outcome.damage {
        return Err(unusable(error));
    }
    if let Some(reason) = &outcome.refused {
        return Err(failed(&format!("the replay stopped early: {reason}")));
    }
    if !summary.is_balanced {
        return Err(failed(&"the scheduler holds other tasks than the table says are pending"));
    }
    Ok(())
}

/// A bar over the file's bytes; it hides itself where stderr is no terminal.
fn progress_bar(options: &Options) -> ProgressBar {
    if options.quiet {
        return ProgressBar::hidden();
    }
    let length = std::fs::metadata(&options.capture).map_or(0, |metadata| metadata.len());
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}%  {msg}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print(text: impl Display) -> Result<(), (u8, String)> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .map_err(|error| (FAILED, format!("cannot print: {error}")))
}

fn complain(kind: &str, message: impl Display) {
    // Where stderr is closed too, the exit code has to do.
    let _ = writeln!(io::stderr(), "{kind}: {message}");
}

//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Replays a packet capture on the scheduler: every packet is a task at its captured instant, every
connection keeps an idle timeout and a response deadline, statistics are periodic tasks.

Usage: replay [OPTIONS] [CAPTURE]

  CAPTURE            a pcap or pcapng file [default: the capture that ships with the example]

Options:
  --speed N|max      N (1 to 1000) times real time, or max: a manual clock that jumps from release
                     to release, so latencies are virtual [default: max]
  --idle SECONDS     idle timeout of a connection, in capture time [default: 5]
  --response MS      deadline for the peer's response, in ms of capture time [default: 200]
  --report FILE      where the HTML report goes [default: target/replay-report.html, or
                     replay-report.html where there is no target folder]
  --quiet            no progress bar (there is none either when stderr is no terminal)
  --help             this text

Exit status: 0, 1 if the replay or its output failed, 2 for wrong usage or a file that could not be
read to its end.
";

const SHIPPED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/replay/data/modbus-plant.pcap");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// As fast as the machine can, on a manual clock.
    Max,
    /// So many times real time.
    Times(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) capture: PathBuf,
    pub(crate) speed: Speed,
    /// Capture time after which a silent connection counts as idle.
    pub(crate) idle: Duration,
    /// Capture time within which the peer should answer.
    pub(crate) response: Duration,
    pub(crate) report: PathBuf,
    pub(crate) quiet: bool,
}

/// Reads the arguments behind the program's name; `None` if they ask for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let mut capture = None;
    let mut options = Options {
        capture: PathBuf::from(SHIPPED),
        speed: Speed::Max,
        idle: Duration::from_secs(5),
        response: Duration::from_millis(200),
        report: default_report(),
        quiet: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("speed") => options.speed = speed(&parser.value()?)?,
            Arg::Long("idle") => options.idle = duration("--idle", &parser.value()?, 1.0)?,
            Arg::Long("response") => {
                options.response = duration("--response", &parser.value()?, 1e-3)?;
            }
            Arg::Long("report") => options.report = parser.value()?.into(),
            Arg::Long("quiet") | Arg::Short('q') => options.quiet = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Value(path) if capture.is_none() => capture = Some(PathBuf::from(path)),
            other => return Err(other.unexpected()),
        }
    }
    options.capture = capture.unwrap_or(options.capture);
    Ok(Some(options))
}

fn speed(value: &OsString) -> Result<Speed, lexopt::Error> {
    if value == "max" {
        return Ok(Speed::Max);
    }
    match value.parse_with(str::parse) {
        Ok(times @ 1..=1000) => Ok(Speed::Times(times)),
        _ => {
            Err(format!("--speed {value:?}: expected a whole number from 1 to 1000, or max").into())
        }
    }
}

/// A positive number of units of `unit` seconds, up to a day.
fn duration(name: &str, value: &OsString, unit: f64) -> Result<Duration, lexopt::Error> {
    let largest = 86_400.0 / unit;
    match value.parse_with(str::parse::<f64>) {
        Ok(number) if number > 0.0 && number <= largest => {
            Ok(Duration::from_secs_f64(number * unit))
        }
        _ => Err(format!("{name} {value:?}: expected a number above 0 and up to {largest}").into()),
    }
}

fn default_report() -> PathBuf {
    let folder = if Path::new("target").is_dir() { "target" } else { "" };
    Path::new(folder).join("replay-report.html")
}

//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};

use crate::clock::Speed;

pub(crate) const HELP: &str = "\
Finds heartbeats in an ECG of 360 Hz: every sample, every overlapping window and every decision about
a peak is a task of one scheduler.

Usage: ecg [OPTIONS]

Options:
  --signal FILE      a CSV, maybe compressed by gzip, whose last column are the samples, in any unit
                     [default: the first 10 minutes of MIT-BIH's record 100, which ship with the
                     example]
  --beats FILE       a CSV of annotations to compare with: sample number, PhysioNet's symbol
                     [default: the record's own for the default signal, none for others]
  --speed N|max      N (1 to 1000) times real time, or max: a manual clock that jumps from sample to
                     sample [default: max]
  --picture FILE     where the picture goes, an SVG [default: target/ecg.svg, or ecg.svg where there
                     is no target folder]
  --csv FILE         writes the windows' figures as CSV
  --json FILE        writes them as JSON
  --help             this text

Exit status: 0, 1 if an output could not be written, 2 for wrong usage or an unreadable file.
The last line is beats N sensitivity X % positive predictivity Y %, with n/a where there is nothing to
compare with.
";

const SIGNAL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ecg/data/mitbih100-mlii-10min.csv.gz");
const BEATS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ecg/data/mitbih100-beats-10min.csv.gz");

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) signal: PathBuf,
    pub(crate) beats: Option<PathBuf>,
    pub(crate) speed: Speed,
    pub(crate) picture: PathBuf,
    pub(crate) csv: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
}

/// Reads the arguments behind the program's name; `None` if they ask for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut signal, mut beats) = (None, None);
    let mut options = Options {
        signal: PathBuf::from(SIGNAL),
        beats: None,
        speed: Speed::Max,
        picture: default_picture(),
        csv: None,
        json: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("signal") => signal = Some(PathBuf::from(parser.value()?)),
            Arg::Long("beats") => beats = Some(PathBuf::from(parser.value()?)),
            Arg::Long("speed") => options.speed = speed(&parser.value()?)?,
            Arg::Long("picture") => options.picture = parser.value()?.into(),
            Arg::Long("csv") => options.csv = Some(parser.value()?.into()),
            Arg::Long("json") => options.json = Some(parser.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let own = signal.is_none().then(|| PathBuf::from(BEATS));
    options.beats = beats.or(own);
    options.signal = signal.unwrap_or(options.signal);
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

fn default_picture() -> PathBuf {
    let folder = if Path::new("target").is_dir() { "target" } else { "" };
    Path::new(folder).join("ecg.svg")
}

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Checks task sets for one processor: earliest deadline first (EDF) and fixed priorities (FP), with and
without preemption, in whole units of time. Prints one line of JSON per set.

Usage: schedulability [OPTIONS] [FILE]

  FILE               {\"sets\": [{\"name\": \"…\", \"tasks_C_T_D\": [[C, T, D], …]}, …]}: execution time,
                     period and relative deadline of each task, whole numbers; the first has the
                     highest priority; D may exceed T; - is standard input [default: the file that
                     ships with the example]

Options:
  --simulate         also plays each schedule over the hyperperiod, all tasks released together, and
                     tells who misses deadlines
  --work N           steps that each test of a set may take, and each simulation
                     [default: 100000000, about a second]
  --help             this text

A response is null if it is unbounded. A verdict is null if a test would take more steps, or if numbers
do not fit; then \"unknown\" names what is not known.

Exit status: 0, 1 if the output failed, 2 for wrong usage or a file that cannot be used.
";

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/schedulability/sets.json");

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) simulate: bool,
    pub(crate) work: u64,
}

/// Reads the arguments, the program's name first; `None` if they ask for help.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Options>, lexopt::Error> {
    let mut parser = Parser::from_iter(arguments);
    let mut file = None;
    let mut options = Options { file: PathBuf::from(SHIPPED), simulate: false, work: 100_000_000 };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("simulate") => options.simulate = true,
            Arg::Long("work") => options.work = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            other => return Err(other.unexpected()),
        }
    }
    options.file = file.unwrap_or(options.file);
    Ok(Some(options))
}

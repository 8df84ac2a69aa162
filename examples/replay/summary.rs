//! The figures of a replay as tables of text, for the terminal and for the report.

use std::fmt;
use std::path::Path;

use crate::format::{count, counted, nanos};
use crate::options::{Options, Speed};
use crate::replay::Outcome;
use crate::tally::{Timeout, Timers};

/// A caption, column heads (none for a list of names and values), and rows that start with a name.
pub(crate) struct Table {
    pub(crate) caption: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

pub(crate) struct Summary {
    /// The capture's file name.
    pub(crate) title: String,
    /// How long the capture is, and on which clock it was replayed.
    pub(crate) mode: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) warnings: Vec<String>,
    /// Whether every task that was scheduled was cancelled, fired, or is still in the scheduler.
    pub(crate) is_balanced: bool,
}

impl Summary {
    pub(crate) fn new(options: &Options, outcome: &Outcome) -> Self {
        let mut tables = vec![traffic(options, outcome), tasks(outcome)];
        tables.extend(latency(options.speed, outcome));
        if options.speed == Speed::Max {
            tables.push(wall_time(outcome));
        }
        let span = nanos(outcome.tally.span_ns);
        let clock = match options.speed {
            Speed::Max => "on a manual clock".to_owned(),
            Speed::Times(1) => "in real time".to_owned(),
            Speed::Times(times) => format!("at {times} times real time"),
        };
        Summary {
            title: file_name(&options.capture),
            mode: format!("{span} of capture, replayed {clock}"),
            tables,
            warnings: warnings(outcome),
            is_balanced: all_tasks(outcome).pending() == outcome.pending,
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn row<const N: usize>(name: impl Into<String>, values: [String; N]) -> Vec<String> {
    std::iter::once(name.into()).chain(values).collect()
}

fn traffic(options: &Options, outcome: &Outcome) -> Table {
    let tally = &outcome.tally;
    let late = format!("late responses (over {})", nanos(options.response.as_nanos() as u64));
    let idle = format!("idle timeouts (after {})", nanos(options.idle.as_nanos() as u64));
    let rows = vec![
        row("packets", [count(tally.packets.fired)]),
        row("bytes on the wire", [count(tally.bytes)]),
        row("IP, but neither TCP nor UDP", [count(tally.other_ip)]),
        row("not IP", [count(tally.not_ip)]),
        row("connections", [count(tally.connections)]),
        row(late, [count(tally.timeouts[Timeout::Response].fired)]),
        row(idle, [count(tally.timeouts[Timeout::Idle].fired)]),
        row("most connection timers at once", [count(tally.peak_timers)]),
        row("samples", [count(tally.samples)]),
    ];
    Table { caption: "Traffic", columns: &[], rows }
}

fn tasks(outcome: &Outcome) -> Table {
    let tally = &outcome.tally;
    let line = |name, timers: Timers| {
        let Timers { scheduled, cancelled, fired } = timers;
        row(name, [scheduled, cancelled, fired, timers.pending()].map(count))
    };
    let rows = vec![
        line("packets", tally.packets),
        line("idle timeouts", tally.timeouts[Timeout::Idle]),
        line("response deadlines", tally.timeouts[Timeout::Response]),
        line("all", all_tasks(outcome)),
    ];
    Table { caption: "Tasks", columns: &["scheduled", "cancelled", "fired", "pending"], rows }
}

fn all_tasks(outcome: &Outcome) -> Timers {
    let tally = &outcome.tally;
    tally.packets + tally.timeouts[Timeout::Idle] + tally.timeouts[Timeout::Response]
}

fn latency(speed: Speed, outcome: &Outcome) -> Option<Table> {
    let stats = outcome.latency.as_ref()?;
    let name = match speed {
        Speed::Max => "virtual, all jobs",
        Speed::Times(_) => "all jobs",
    };
    let figures = [stats.p50_ns, stats.p90_ns, stats.p99_ns, stats.p999_ns, stats.max_ns];
    let mut values = vec![name.to_owned(), count(stats.count)];
    values.extend(figures.map(nanos));
    let columns = &["jobs", "p50", "p90", "p99", "p99.9", "max"];
    Some(Table { caption: "Dispatch latency", columns, rows: vec![values] })
}

fn wall_time(outcome: &Outcome) -> Table {
    let tally = &outcome.tally;
    let wall_ns = tally.wall.as_nanos() as u64;
    let rows = vec![
        row("per packet, mean", [nanos(wall_ns / tally.packets.fired.max(1))]),
        row("per packet, median", [nanos(tally.per_packet.value_at_quantile(0.5))]),
        row("whole run", [nanos(wall_ns)]),
    ];
    Table { caption: "Wall time", columns: &[], rows }
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(cut) = outcome.truncation {
        warnings.push(format!(
            "1 truncated packet left out: the file ends {} into the record at offset {}",
            counted(cut.bytes, "byte"),
            cut.offset
        ));
    }
    if outcome.tally.out_of_order > 0 {
        warnings.push(format!(
            "{} out of order: each ran at its captured instant or, where that had passed, at once",
            counted(outcome.tally.out_of_order, "packet")
        ));
    }
    if outcome.untimed > 0 {
        warnings.push(format!(
            "{} without a timestamp: each ran together with the packet before it",
            counted(outcome.untimed, "packet")
        ));
    }
    if let Some(damage) = &outcome.damage {
        warnings.push(format!("the rest of the file is left out: {damage}"));
    }
    warnings
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.title, self.mode)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads: String = self.columns.iter().map(|column| format!("{column:>11}")).collect();
        writeln!(f, "{}", format!("{:<36}{heads}", self.caption).trim_end())?;
        for row in &self.rows {
            write!(f, "  {:<34}", row[0])?;
            row[1..].iter().try_for_each(|value| write!(f, "{value:>11}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

//! The HTML report: one file that opens without a network.

use std::fmt::Write;

use crate::format::{count, escape, nanos};
use crate::options::{Options, Speed};
use crate::plot::{histogram, over_time, Curve};
use crate::replay::Outcome;
use crate::series::Bin;
use crate::summary::{Summary, Table};
use crate::tally::Timeout;

/// The whole page.
pub(crate) fn page(options: &Options, summary: &Summary, outcome: &Outcome) -> String {
    let title = escape(&summary.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Replay of {title}</title>\n\
         <style>\n{style}</style>\n</head>\n<body>\n<h1>Replay of {title}</h1>\n<p>{mode}</p>\n",
        style = include_str!("report.css"),
        mode = escape(&summary.mode),
    );
    html += &facts(options.speed, outcome);
    html += &warnings(&summary.warnings);
    html += &per_packet(options.speed, outcome);
    html += &packets_over_time(outcome);
    html += &timers_over_time(outcome);
    html.extend(summary.tables.iter().map(table));
    html += concat!(
        "<footer>Made by the replay example of nanosecond-scheduler ",
        env!("CARGO_PKG_VERSION"),
        ".</footer>\n</body>\n</html>\n"
    );
    html
}

fn section(heading: &str, body: &str) -> String {
    format!("<section>\n<h2>{heading}</h2>\n{body}</section>\n")
}

/// The figures to see first.
fn facts(speed: Speed, outcome: &Outcome) -> String {
    let tally = &outcome.tally;
    let median = nanos(tally.per_packet.value_at_quantile(0.5));
    let facts = [
        (count(tally.packets.fired), "packets"),
        (count(tally.connections), "connections"),
        (count(tally.timeouts[Timeout::Response].fired), "late responses"),
        match speed {
            Speed::Max => (median, "median wall time per packet"),
            Speed::Times(_) => (median, "median dispatch latency"),
        },
    ];
    let cells: String = facts
        .iter()
        .map(|(value, name)| format!("<div><b>{value}</b><span>{name}</span></div>\n"))
        .collect();
    format!("<div class=\"facts\">\n{cells}</div>\n")
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let lines: String = warnings.iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect();
    format!("<section class=\"warn\">\n<h2>Warnings</h2>\n{lines}</section>\n")
}

fn per_packet(speed: Speed, outcome: &Outcome) -> String {
    let figures = &outcome.tally.per_packet;
    let (heading, note, axis) = match speed {
        Speed::Max => (
            "Wall time per packet",
            "From one packet's task to the next, with the timers between them. The clock is manual, \
             so dispatch latencies are virtual: see the table.",
            "wall time per packet",
        ),
        Speed::Times(_) => (
            "Dispatch latency",
            "From each packet's captured instant to the start of its task.",
            "dispatch latency",
        ),
    };
    let values =
        figures.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
    let marks = [("p50", 0.5), ("p99", 0.99)].map(|(name, q)| (name, figures.value_at_quantile(q)));
    let plot = histogram(axis, "packets", values, &marks);
    section(heading, &format!("<p>{note}</p>\n{plot}"))
}

fn packets_over_time(outcome: &Outcome) -> String {
    let curve = curve("packets per second", outcome, |bin, seconds| bin.packets as f64 / seconds);
    section("Packets over time", &over_time("packets per second", &[curve]))
}

fn timers_over_time(outcome: &Outcome) -> String {
    let timers = curve("live timers", outcome, |bin, _| bin.live_timers as f64);
    let open = curve("open connections", outcome, |bin, _| bin.open_connections as f64);
    section("Live timers over time", &over_time("number at each sample", &[timers, open]))
}

/// A curve of `height(bin, its seconds)`.
fn curve(name: &'static str, outcome: &Outcome, height: impl Fn(&Bin, f64) -> f64) -> Curve {
    let steps = outcome.tally.series.spans().filter(|(start_ns, bin)| bin.end_ns > *start_ns);
    let steps = steps.map(|(start_ns, bin)| {
        let (start, end) = (start_ns as f64 / 1e9, bin.end_ns as f64 / 1e9);
        (start, end, height(bin, end - start))
    });
    Curve { name, steps: steps.collect() }
}

fn table(table: &Table) -> String {
    let mut rows = String::new();
    if !table.columns.is_empty() {
        let heads: String = table.columns.iter().map(|head| format!("<th>{head}</th>")).collect();
        let _ = writeln!(rows, "<tr><th></th>{heads}</tr>");
    }
    for row in &table.rows {
        let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        let _ = writeln!(rows, "<tr>{cells}</tr>");
    }
    section(table.caption, &format!("<table>\n{rows}</table>\n"))
}

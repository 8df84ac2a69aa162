//! What a frame shows.

use nanosecond_realtime::{LatencyStats, NanosecondScheduler, WorkerStats};
use ratatui::layout::{Alignment, Constraint, Layout};
use ratatui::style::{Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Table};
use ratatui::Frame;

use crate::load;

const COLUMNS: [(&str, u16); 11] = [
    ("worker", 7),
    ("pending", 8),
    ("busy", 7),
    ("jobs", 9),
    ("p50 µs", 9),
    ("p99 µs", 9),
    ("p99.9 µs", 9),
    ("max µs", 9),
    ("missed", 7),
    ("skipped", 8),
    ("moved", 6),
];

/// Lines that a whole frame of this width takes.
pub(crate) fn height(runtime: &NanosecondScheduler, width: u16) -> u16 {
    let rows = runtime.num_workers() + 1;
    (1 + rows + 2 + notes(runtime, width).len()) as u16
}

pub(crate) fn draw(frame: &mut Frame<'_>, runtime: &NanosecondScheduler, hint: &str) {
    let notes = notes(runtime, frame.area().width);
    let areas = Layout::vertical([Constraint::Min(4), Constraint::Length(notes.len() as u16)]);
    let [above, below] = areas.areas(frame.area());

    let block = Block::bordered()
        .title("workers: dispatch latency since the start")
        .title_bottom(Line::from(hint.to_owned()).alignment(Alignment::Right));
    let workers = runtime.worker_stats();
    let rows = workers.iter().map(row).chain([totals(runtime, &workers)]);
    let widths = COLUMNS.map(|(_, width)| Constraint::Length(width));
    let titles = COLUMNS.map(|(title, _)| Line::from(title).alignment(Alignment::Right));
    let table = Table::new(rows, widths).header(Row::new(titles).bold()).column_spacing(1);
    frame.render_widget(table.block(block), above);
    frame.render_widget(Paragraph::new(notes.join("\n")).dim(), below);
}

/// Below the table, in lines of at most `width`: about the load, and what the operating system said,
/// once if the same to all.
fn notes(runtime: &NanosecondScheduler, width: u16) -> Vec<String> {
    let mut notes = vec![load::HINT.to_owned()];
    for worker in runtime.os_outcomes() {
        for (asked, answer) in &worker.answers {
            let line = format!("{asked}: {answer}");
            if !notes.contains(&line) {
                notes.push(line);
            }
        }
    }
    notes.iter().flat_map(|note| wrapped(note, width.into())).collect()
}

/// The text in lines of at most `width` characters, unless a word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("  {word}"));
        }
    }
    lines
}

fn row(worker: &WorkerStats) -> Row<'static> {
    // The star: it is running a job.
    let name = format!("{}{}", if worker.is_running { "*" } else { "" }, worker.worker);
    let totals = worker.totals;
    let counts = [totals.missed_deadlines, totals.skipped, totals.moved_away];
    cells(name, worker.pending, worker.utilization, &worker.latency, counts)
}

/// All workers together; their mean where a sum would say nothing.
fn totals(runtime: &NanosecondScheduler, workers: &[WorkerStats]) -> Row<'static> {
    let sum = |of: fn(&WorkerStats) -> u64| workers.iter().map(of).sum();
    let pending = workers.iter().map(|worker| worker.pending).sum();
    let busy = workers.iter().map(|worker| worker.utilization).sum::<f64>() / workers.len() as f64;
    let counts = [
        sum(|worker| worker.totals.missed_deadlines),
        sum(|worker| worker.totals.skipped),
        sum(|worker| worker.totals.moved_away),
    ];
    let mut latency = runtime.get_latency_stats();
    latency.count = sum(|worker| worker.latency.count); // As of when the others were read.
    cells("all".to_owned(), pending, busy, &latency, counts).bold()
}

fn cells(
    name: String,
    pending: usize,
    utilization: f64,
    latency: &LatencyStats,
    [missed, skipped, moved]: [u64; 3],
) -> Row<'static> {
    let micros = |ns: u64| format!("{:.1}", ns as f64 / 1e3);
    let percent = format!("{:.1} %", 100.0 * utilization);
    let right = |text: String| Line::from(text).alignment(Alignment::Right);
    Row::new([
        right(name),
        right(pending.to_string()),
        right(percent),
        right(latency.count.to_string()),
        right(micros(latency.p50_ns)),
        right(micros(latency.p99_ns)),
        right(micros(latency.p999_ns)),
        right(micros(latency.max_ns)),
        right(missed.to_string()).style(if missed > 0 { Style::new().red() } else { Style::new() }),
        right(skipped.to_string()),
        right(moved.to_string()),
    ])
}

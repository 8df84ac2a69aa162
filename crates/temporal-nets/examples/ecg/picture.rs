//! The picture: an SVG with the signal in rows of 30 s, flagged windows, beats and escalations.

use std::fmt::Write;
use std::ops::Range;

use crate::beats::Judge;
use crate::detector::Escalation;
use crate::player::Outcome;
use crate::record::{seconds, RATE};
use crate::score::Score;

/// Samples per row.
const ROW: usize = seconds(30);
/// Samples that share a column of the curve, of which the least and the greatest are drawn.
const COLUMN: usize = 6;
const LEFT: f64 = 52.0;
const WIDTH: f64 = 1_500.0;
const TOP: f64 = 84.0;
const HEIGHT: f64 = 96.0;
/// About the width of a letter of such a word.
const LETTER: f64 = 5.2;
/// Between rows, for the marks and the words above the signal.
const GAP: f64 = 34.0;

const STYLE: &str = "\
svg{background:#fff;font:11px sans-serif;fill:#333}\
.signal{fill:none;stroke:#345;stroke-width:.8}\
.artefact{fill:#f3b0a8;opacity:.5}.heart{fill:#f7e09a;opacity:.5}\
.grid{stroke:#ddd;stroke-width:.6}\
.swarm{fill:#2a8f4d}.careful{fill:#e07b00}.refused{stroke:#e07b00;stroke-width:1.4;fill:none}\
.missed{fill:none;stroke:#c00;stroke-width:2}.false{fill:#c00}\
.note{fill:#845;font-size:9px}";

/// The whole SVG; `title` tells the record.
pub(crate) fn svg(title: &str, outcome: &Outcome, score: Option<&Score>) -> String {
    let rows = outcome.signal.len().div_ceil(ROW);
    let height = TOP + rows as f64 * (HEIGHT + GAP);
    let width = LEFT + WIDTH + 16.0;
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"17\">{title}</text>\n"
    );
    legend(&mut svg);
    for row in 0..rows {
        let from = row * ROW;
        Row { samples: from..(from + ROW).min(outcome.signal.len()), row }
            .draw(&mut svg, outcome, score);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    let entries = [
        ("<circle r=\"4\" class=\"swarm\"/>", "beat, found by the micro nets"),
        ("<circle r=\"4\" class=\"careful\"/>", "beat, by the careful detector"),
        (REFUSED, "escalated, no beat"),
        (
            "<rect x=\"-6\" y=\"-6\" width=\"12\" height=\"12\" class=\"artefact\"/>",
            "window with a disturbed signal",
        ),
        (
            "<rect x=\"-6\" y=\"-6\" width=\"12\" height=\"12\" class=\"heart\"/>",
            "window with unusual beats",
        ),
        ("<circle r=\"6\" class=\"missed\"/>", "annotated and not found"),
        ("<path d=\"M-5-4h10l-5 8z\" class=\"false\"/>", "found and not annotated"),
    ];
    for (n, (mark, text)) in entries.iter().enumerate() {
        let x = LEFT + 6.0 + 213.0 * n as f64;
        add(
            svg,
            format_args!(
                "<g transform=\"translate({x} 50)\">{mark}<text x=\"11\" y=\"4\">{text}</text></g>"
            ),
        );
    }
}

const REFUSED: &str = "<path d=\"M-4-4l8 8m0-8l-8 8\" class=\"refused\"/>";

/// Writing to a string cannot fail.
fn add(svg: &mut String, element: std::fmt::Arguments<'_>) {
    let _ = svg.write_fmt(element);
    svg.push('\n');
}

/// The samples of one row.
struct Row {
    samples: Range<usize>,
    row: usize,
}

impl Row {
    fn draw(&self, svg: &mut String, outcome: &Outcome, score: Option<&Score>) {
        self.windows(svg, outcome);
        self.seconds(svg);
        self.signal(svg, &outcome.signal);
        let detector = &outcome.detector;
        for beat in detector.beats.iter().filter(|beat| self.samples.contains(&beat.at)) {
            let class = match beat.judge {
                Judge::Swarm => "swarm",
                Judge::Careful => "careful",
            };
            self.mark(svg, beat.at, &format!("<circle r=\"3\" class=\"{class}\"/>"));
        }
        let refused = |e: &&Escalation| e.in_doubt && !e.is_beat && self.samples.contains(&e.at);
        for escalation in detector.escalations.iter().filter(refused) {
            self.mark(svg, escalation.at, REFUSED);
        }
        let Some(score) = score else { return };
        for &missed in score.missed.iter().filter(|at| self.samples.contains(at)) {
            self.mark(svg, missed, "<circle r=\"6\" class=\"missed\"/>");
        }
        for &alarm in score.false_alarms.iter().filter(|at| self.samples.contains(at)) {
            self.mark(svg, alarm, "<path d=\"M-5-13h10l-5 8z\" class=\"false\"/>");
        }
    }

    fn x(&self, sample: usize) -> f64 {
        let within = sample.clamp(self.samples.start, self.samples.end) - self.samples.start;
        LEFT + within as f64 / ROW as f64 * WIDTH
    }

    fn top(&self) -> f64 {
        TOP + self.row as f64 * (HEIGHT + GAP)
    }

    /// A mark above the signal.
    fn mark(&self, svg: &mut String, at: usize, mark: &str) {
        let (x, y) = (self.x(at), self.top() - 4.0);
        add(svg, format_args!("<g transform=\"translate({x:.1} {y})\">{mark}</g>"));
    }

    /// Flagged windows, with what they are flagged for.
    fn windows(&self, svg: &mut String, outcome: &Outcome) {
        let y = self.top();
        // Words go over all windows, and not over each other.
        let (mut all_words, mut free_from) = (String::new(), 0.0);
        for note in outcome.detector.notes.iter().filter(|note| !note.anomalies.is_empty()) {
            let (from, to) = (self.x(note.samples.start), self.x(note.samples.end));
            if from >= to {
                continue;
            }
            let is_artefact = note.anomalies.iter().any(|anomaly| anomaly.is_artefact());
            let class = if is_artefact { "artefact" } else { "heart" };
            let words: Vec<String> = note.anomalies.iter().map(ToString::to_string).collect();
            let (width, words) = (to - from, words.join(", "));
            add(
                svg,
                format_args!(
                    "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" \
                     height=\"{HEIGHT}\"><title>{words}</title></rect>"
                ),
            );
            if is_artefact && from >= free_from {
                free_from = from + LETTER * words.len() as f64;
                let y = y + 9.0;
                add(
                    &mut all_words,
                    format_args!("<text class=\"note\" x=\"{from:.1}\" y=\"{y}\">{words}</text>"),
                );
            }
        }
        svg.push_str(&all_words);
    }

    fn seconds(&self, svg: &mut String) {
        let (top, bottom) = (self.top(), self.top() + HEIGHT);
        for second in (self.samples.start..self.samples.end).step_by(5 * RATE) {
            let x = self.x(second);
            let label = second / RATE;
            add(svg, format_args!("<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>"));
            let y = bottom + 9.0;
            add(svg, format_args!("<text x=\"{x:.1}\" y=\"{y}\" font-size=\"9\">{label} s</text>"));
        }
    }

    /// The curve, scaled to the row.
    fn signal(&self, svg: &mut String, signal: &[f32]) {
        let values = &signal[self.samples.clone()];
        let (least, most) = extremes(values);
        let scale = (HEIGHT - 8.0) / f64::from(most - least).max(f64::MIN_POSITIVE);
        let y = |value: f32| self.top() + HEIGHT - 4.0 - f64::from(value - least) * scale;
        let mut path = String::new();
        for (n, column) in values.chunks(COLUMN).enumerate() {
            let x = self.x(self.samples.start + n * COLUMN);
            let (low, high) = extremes(column);
            let command = if n == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {:.1}V{:.1}", y(low), y(high));
        }
        add(svg, format_args!("<path class=\"signal\" d=\"{path}\"/>"));
    }
}

fn extremes(values: &[f32]) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, m), &x| (l.min(x), m.max(x)))
}

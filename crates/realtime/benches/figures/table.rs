//! The one table.

use std::fmt;

use crate::harness::Plan;

/// All figures, in the order in which they came.
pub(crate) struct Table {
    rows: Vec<[String; 5]>,
    judging: bool,
    reached: usize,
    judged: usize,
}

impl Table {
    pub(crate) fn new(plan: Plan) -> Self {
        Table { rows: Vec::new(), judging: !plan.quick, reached: 0, judged: 0 }
    }

    /// A figure for information, and what was measured beside it.
    pub(crate) fn tell(&mut self, figure: &str, value: String, beside: String) {
        self.rows.push([figure.into(), value, beside, String::new(), String::new()]);
    }

    /// A figure with a target.
    pub(crate) fn judge(
        &mut self,
        figure: &str,
        value: String,
        beside: String,
        target: &str,
        is_reached: bool,
    ) {
        let verdict = match (self.judging, is_reached) {
            (false, _) => "not judged",
            (true, true) => "reached",
            (true, false) => "FALLS SHORT",
        };
        self.judged += usize::from(self.judging);
        self.reached += usize::from(self.judging && is_reached);
        self.rows.push([figure.into(), value, beside, target.into(), verdict.into()]);
    }

    /// A figure whose target supposes something of the machine that it does not keep by itself.
    pub(crate) fn excuse(&mut self, figure: &str, value: String, beside: String, target: &str) {
        let verdict = if self.judging { "falls short bare, too" } else { "not judged" };
        self.rows.push([figure.into(), value, beside, target.into(), verdict.into()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["figure", "reached", "beside it", "target", "verdict"].map(String::from);
        let mut lines = vec![head];
        lines.extend(self.rows.iter().cloned());
        let widths: [usize; 5] = std::array::from_fn(|column| {
            lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0)
        });
        lines.insert(1, widths.map(|width| "-".repeat(width)));
        for cells in lines {
            let mut cells = cells.iter().zip(widths);
            let padded: Vec<String> =
                cells.by_ref().map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "| {} |", padded.join(" | "))?;
        }
        match self.judging {
            true => write!(f, "\n{} of {} targets reached", self.reached, self.judged),
            false => f.write_str("\nSmall sizes: nothing judged."),
        }
    }
}

/// A time in ns, as people write it.
pub(crate) fn time(ns: f64) -> String {
    match ns.abs() {
        ..100.0 => format!("{ns:.1} ns"),
        ..10_000.0 => format!("{ns:.0} ns"),
        ..10_000_000.0 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.1} ms", ns / 1e6),
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

//! Interleaved repeats, medians and the one table.

use std::fmt;

/// How much to do.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Small sizes, to check that everything still runs: its figures say little, so nothing is
    /// judged.
    pub quick: bool,
}

impl Plan {
    pub fn size(self, full: usize, quick: usize) -> usize {
        if self.quick {
            quick
        } else {
            full
        }
    }

    /// Repeats of everything: each figure is a median of this many.
    pub fn repeats(self) -> usize {
        self.size(9, 5)
    }
}

/// One way to do a work.
pub struct Contender<'a> {
    pub name: String,
    /// Does the work once, and tells the ns per operation.
    pub sample: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: impl Into<String>, sample: impl FnMut() -> f64 + 'a) -> Self {
        Contender { name: name.into(), sample: Box::new(sample) }
    }
}

/// What one contender needed, repeat by repeat.
pub struct Series {
    pub name: String,
    samples: Vec<f64>,
}

impl Series {
    pub fn median(&self) -> f64 {
        median(self.samples.iter().copied())
    }

    /// Combines the samples that were taken right after each other, so that a machine that slows
    /// down for a while slows down both, and takes the median of that.
    pub fn paired(&self, other: &Series, combine: impl Fn(f64, f64) -> f64) -> f64 {
        median(self.samples.iter().zip(&other.samples).map(|(a, b)| combine(*a, *b)))
    }
}

/// Runs the contenders in turn, A B C A B C. The first round warms up and does not count.
pub fn interleave(repeats: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Series> {
    let mut samples = vec![Vec::new(); contenders.len()];
    for round in 0..=repeats {
        for (contender, samples) in contenders.iter_mut().zip(&mut samples) {
            let sample = (contender.sample)();
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let names = contenders.into_iter().map(|contender| contender.name);
    names.zip(samples).map(|(name, samples)| Series { name, samples }).collect()
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// A size as people say it: 100k, 1M.
pub fn short(count: usize) -> String {
    match count {
        1_000_000.. if count.is_multiple_of(1_000_000) => format!("{}M", count / 1_000_000),
        1_000.. if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        _ => count.to_string(),
    }
}

/// All results, in the order in which they came.
pub struct Table {
    rows: Vec<Row>,
    judging: bool,
}

struct Row {
    work: String,
    unit: &'static str,
    ours: f64,
    peer: String,
    theirs: f64,
    ratio: f64,
    /// Bounds the ratio.
    target: Option<f64>,
}

impl Table {
    pub fn new(plan: Plan) -> Self {
        Table { rows: Vec::new(), judging: !plan.quick }
    }

    /// Ours against a peer, in ns per operation; the target bounds the ratio.
    pub fn versus(&mut self, work: &str, ours: &Series, peer: &Series, target: Option<f64>) {
        self.push(Row {
            work: work.into(),
            unit: "ns",
            ours: ours.median(),
            peer: peer.name.clone(),
            theirs: peer.median(),
            ratio: ours.paired(peer, |ours, theirs| ours / theirs),
            target,
        });
    }

    /// Ours against a peer, as plain figures.
    pub fn compare(&mut self, work: &str, unit: &'static str, ours: f64, peer: &str, theirs: f64) {
        self.push(Row::plain(work, unit, ours, peer, theirs));
    }

    /// Ours against a limit that it shall keep.
    pub fn limit(&mut self, work: &str, unit: &'static str, ours: f64, name: &str, limit: f64) {
        self.push(Row { target: Some(1.0), ..Row::plain(work, unit, ours, name, limit) });
    }

    fn push(&mut self, row: Row) {
        let target = row.target.filter(|_| self.judging);
        self.rows.push(Row { target, ..row });
    }
}

impl Row {
    fn plain(work: &str, unit: &'static str, ours: f64, peer: &str, theirs: f64) -> Self {
        // Nothing of nothing is nothing.
        let ratio = if ours <= 0.0 { 0.0 } else { ours / theirs };
        Row { work: work.into(), unit, ours, peer: peer.into(), theirs, ratio, target: None }
    }

    fn is_reached(&self) -> Option<bool> {
        self.target.map(|target| self.ratio <= target)
    }

    fn cells(&self) -> [String; 7] {
        [
            self.work.clone(),
            figure(self.ours, self.unit),
            self.peer.clone(),
            figure(self.theirs, self.unit),
            format!("{:.2}", self.ratio),
            self.target.map_or(String::new(), |target| format!("≤ {target:.2}")),
            match self.is_reached() {
                None => String::new(),
                Some(true) => "reached".into(),
                Some(false) => "FALLS SHORT".into(),
            },
        ]
    }
}

fn figure(value: f64, unit: &str) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        ..1.0 => 3,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["work", "ours", "against", "its figure", "ratio", "target", ""];
        let mut lines = vec![head.map(String::from)];
        lines.extend(self.rows.iter().map(Row::cells));
        let widths: [usize; 7] = std::array::from_fn(|column| {
            lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0)
        });
        lines.insert(1, widths.map(|width| "-".repeat(width)));
        for cells in lines {
            let padded: Vec<String> =
                cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "| {} |", padded.join(" | "))?;
        }
        let verdicts: Vec<bool> = self.rows.iter().filter_map(Row::is_reached).collect();
        if verdicts.is_empty() {
            return f.write_str("\nSmall sizes: nothing judged.");
        }
        let reached = verdicts.iter().filter(|reached| **reached).count();
        write!(f, "\n{reached} of {} targets reached", verdicts.len())
    }
}

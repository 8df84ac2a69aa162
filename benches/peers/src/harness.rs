//! Interleaved repeats, medians and the one table.

use std::fmt;

/// How much to do.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Small sizes, for checking that everything still runs.
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

/// All results, in the order in which they came.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    work: String,
    ours: String,
    peer: String,
    theirs: String,
    ratio: f64,
    target: Option<f64>,
}

impl Table {
    /// Ours against a peer, in ns per operation; the target bounds the ratio.
    pub fn versus(&mut self, work: &str, ours: &Series, peer: &Series, target: Option<f64>) {
        self.rows.push(Row {
            work: work.into(),
            ours: figure(ours.median(), "ns"),
            peer: peer.name.clone(),
            theirs: figure(peer.median(), "ns"),
            ratio: ours.paired(peer, |ours, theirs| ours / theirs),
            target,
        });
    }

    /// Ours against a peer's figure that is no time.
    pub fn compare(&mut self, work: &str, unit: &str, ours: f64, peer: &str, theirs: f64) {
        self.rows.push(Row {
            work: work.into(),
            ours: figure(ours, unit),
            peer: peer.into(),
            theirs: figure(theirs, unit),
            ratio: share(ours, theirs),
            target: None,
        });
    }

    /// Ours against a limit that it shall keep.
    pub fn limit(&mut self, work: &str, unit: &str, ours: f64, name: &str, limit: f64) {
        self.compare(work, unit, ours, name, limit);
        self.rows.last_mut().expect("just pushed").target = Some(1.0);
    }
}

/// `part` of `whole`, where nothing of nothing is nothing.
fn share(part: f64, whole: f64) -> f64 {
    if part <= 0.0 {
        0.0
    } else {
        part / whole
    }
}

fn figure(value: f64, unit: &str) -> String {
    let digits = if value == 0.0 || value.abs() >= 100.0 { 0 } else { 1 };
    let digits = if value != 0.0 && value.abs() < 1.0 { 3 } else { digits };
    format!("{value:.digits$} {unit}")
}

impl Row {
    fn verdict(&self) -> &'static str {
        match self.target {
            None => "",
            Some(target) if self.ratio <= target => "reached",
            Some(_) => "FALLS SHORT",
        }
    }

    fn cells(&self) -> [String; 7] {
        let target = self.target.map_or(String::new(), |target| format!("≤ {target:.2}"));
        [
            self.work.clone(),
            self.ours.clone(),
            self.peer.clone(),
            self.theirs.clone(),
            format!("{:.2}", self.ratio),
            target,
            self.verdict().into(),
        ]
    }
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
        let judged = self.rows.iter().filter(|row| row.target.is_some()).count();
        let reached = self.rows.iter().filter(|row| row.verdict() == "reached").count();
        write!(f, "\n{reached} of {judged} targets reached")
    }
}

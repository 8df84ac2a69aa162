//! Records: samples at 360 Hz, and where annotators saw beats.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use nanosecond_scheduler::TimePoint;

/// Samples per second.
pub(crate) const RATE: usize = 360;

/// When sample `k` is taken: computed from k, so that nothing drifts though 1/360 s is no whole
/// number of ns.
pub(crate) fn instant(k: usize) -> TimePoint {
    TimePoint::from_nanos(k as u64 * 25_000_000 / 9)
}

/// A whole number of seconds in samples.
pub(crate) const fn seconds(s: usize) -> usize {
    s * RATE
}

/// A whole number of ms in samples, rounded down.
pub(crate) const fn millis(ms: usize) -> usize {
    ms * RATE / 1_000
}

/// Reads a record's samples, in any unit: a CSV, also compressed by gzip, whose last column they are.
pub(crate) fn samples(path: &Path) -> Result<Vec<f32>, String> {
    let column = |row: &str| {
        let value = row.rsplit(',').next().and_then(|cell| cell.trim().parse::<f32>().ok());
        value.filter(|value| value.is_finite())
    };
    let samples = rows(path, "a number", column)?;
    match samples.len() {
        0 => Err(format!("{}: no samples", path.display())),
        _ => Ok(samples),
    }
}

/// Reads the sample numbers of the beats from annotations in rows of sample and symbol, in order.
pub(crate) fn beats(path: &Path) -> Result<Vec<usize>, String> {
    let annotation = |row: &str| {
        let (sample, symbol) = row.split_once(',')?;
        Some((sample.trim().parse::<usize>().ok()?, is_beat(symbol.trim())))
    };
    let annotations = rows(path, "a sample number and a symbol", annotation)?;
    let mut beats: Vec<_> =
        annotations.into_iter().filter_map(|(sample, is_beat)| is_beat.then_some(sample)).collect();
    beats.sort_unstable();
    Ok(beats)
}

/// Whether a symbol of PhysioNet's annotations stands for a beat.
fn is_beat(symbol: &str) -> bool {
    let beats = [
        "N", "L", "R", "B", "A", "a", "J", "S", "V", "r", "F", "e", "j", "n", "E", "/", "f", "Q",
        "?",
    ];
    beats.contains(&symbol)
}

/// The rows of a CSV, which may begin with names of columns.
fn rows<T>(
    path: &Path,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let text = text(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut values = Vec::new();
    let is_header =
        |row: &str| row.starts_with(|first: char| first.is_alphabetic() || first == '"');
    // A row left out would shift all that follow.
    for (number, row) in text.trim_end().lines().enumerate() {
        match parse(row) {
            Some(value) => values.push(value),
            None if number == 0 && is_header(row) => {}
            None => {
                let (path, line) = (path.display(), number + 1);
                return Err(format!("{path}, line {line}: {row:?} is not {expected}"));
            }
        }
    }
    Ok(values)
}

fn text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let mut text = String::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)?,
        false => (&bytes[..]).read_to_string(&mut text)?,
    };
    Ok(text)
}

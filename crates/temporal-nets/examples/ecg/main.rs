//! Finds heartbeats in an ECG of 360 Hz with micro nets that teach themselves.
//!
//! ```text
//! cargo run --release --example ecg                              # record 100, manual clock
//! cargo run --release --example ecg -- --speed 100
//! cargo run --release --example ecg -- --signal my.csv --beats my-annotations.csv
//! ```
//!
//! Every sample is a task at its instant: it is filtered, and a swarm of micro nets says how sure
//! it is that a beat is there. Windows of 2 s, half overlapping, give the scale to judge peaks by;
//! [`Blend`](nanosecond_scheduler::Blend) joins what the two windows over a peak say. Then a
//! [`Governor`](temporal_nets::Governor) decides: where the swarm is in doubt, or at odds with the
//! peak's strength, the careful detector looks again, and the swarm learns from its verdict.
//!
//! The nets are trained on the careful detector's verdicts about the first seconds (17 of 20, or of 30
//! and so on if there were too few beats), and on nothing else. Annotations serve to score the outcome.
//! The constants are those of Pan and Tompkins (1985) or round numbers; none was adjusted to a score.

mod anomaly;
mod beats;
mod candidates;
mod careful;
mod clock;
mod detector;
mod filter;
mod history;
mod novelty;
mod options;
mod picture;
mod player;
mod record;
mod router;
mod score;
mod swarm;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::detector::Tally;
use crate::options::Options;
use crate::player::Outcome;
use crate::score::Score;

const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let result = match options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => run(&options),
        Ok(None) => print(options::HELP),
        Err(error) => Err((UNUSABLE, format!("{error} (see --help)"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            // Where stderr is closed too, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(code)
        }
    }
}

/// Plays, prints and draws; an error is an exit code and its reason.
fn run(options: &Options) -> Result<(), (u8, String)> {
    let signal = record::samples(&options.signal).map_err(|error| (UNUSABLE, error))?;
    let annotated = options.beats.as_deref().map(record::beats).transpose();
    let annotated = annotated.map_err(|error| (UNUSABLE, error))?;
    let progress = progress(signal.len());
    let bar = progress.clone();
    let outcome = player::play(signal, options.speed, move |second| bar.set_position(second))
        .map_err(|error| (FAILED, error.to_string()))?;
    progress.finish_and_clear();

    let found: Vec<usize> = outcome.detector.beats.iter().map(|beat| beat.at).collect();
    let (annotated, beyond) = split_at(annotated, outcome.signal.len());
    let score = annotated.map(|annotated| Score::new(&found, &annotated));
    let name = options.signal.file_name().unwrap_or_default().to_string_lossy();
    let last_line = last_line(found.len(), score.as_ref());
    let title = format!("{name}: {last_line}");
    write(&options.picture, &picture::svg(&title, &outcome, score.as_ref()))?;
    if let Some(path) = &options.csv {
        write(path, &outcome.windows.to_csv())?;
    }
    if let Some(path) = &options.json {
        write(path, &outcome.windows.to_json())?;
    }
    let left_out = match beyond {
        0 => String::new(),
        _ => format!("{beyond} annotated beats lie behind the signal's end and are left out\n"),
    };
    let (summary, picture) = (summary(&outcome), options.picture.display());
    print(format!("{summary}{left_out}picture: {picture}\n{last_line}\n"))
}

/// A bar on stderr, if that is a terminal: seconds of a signal of so many samples.
fn progress(samples: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} s of signal, {eta} left");
    let bar = ProgressBar::new((samples / record::RATE) as u64);
    bar.with_style(style.expect("a valid template"))
}

/// The annotated beats that lie in a signal of so many samples, and how many do not.
fn split_at(annotated: Option<Vec<usize>>, samples: usize) -> (Option<Vec<usize>>, usize) {
    let Some(mut annotated) = annotated else { return (None, 0) };
    let all = annotated.len();
    annotated.retain(|beat| *beat < samples);
    let beyond = all - annotated.len();
    (Some(annotated), beyond)
}

/// What happened, in a few lines.
fn summary(outcome: &Outcome) -> String {
    let Outcome { signal, detector, metrics, overlap, lag, .. } = outcome;
    let lag = lag.map_or_else(String::new, |lag| format!(", samples at most {lag:.1?} late"));
    let Tally { nothing, taught } = detector.tally;
    let routed = detector.router.metrics();
    let seconds = signal.len() as f64 / record::RATE as f64;
    let beats = detector.escalations.iter().filter(|e| e.in_doubt && e.is_beat).count();
    let flagged = detector.notes.iter().filter(|note| !note.anomalies.is_empty());
    let artefacts =
        flagged.clone().filter(|note| note.anomalies.iter().any(|anomaly| anomaly.is_artefact()));
    format!(
        "{seconds:.0} s of signal: {} jobs{lag}\n\
         {} windows, {:.0} % overlap; {} flagged, {} of them with a disturbed signal\n\
         {nothing} weak peaks; {taught} peaks judged by the careful detector to teach the nets\n\
         {} decided by the nets or escalated in doubt; escalated {} ({:.1} %), {beats} of them beats; \
         a decision takes {} ns (p50), {} ns (p95)\n",
        metrics.executed,
        detector.notes.len(),
        100.0 * overlap,
        flagged.count(),
        artefacts.count(),
        routed.decisions,
        routed.escalated,
        100.0 * routed.escalation_rate(),
        routed.p50_ns,
        routed.p95_ns,
    )
}

/// The line that scripts read; n/a where there is nothing to compare with.
fn last_line(beats: usize, score: Option<&Score>) -> String {
    let percent = |figure: fn(&Score) -> Option<f64>| {
        score.and_then(figure).map_or_else(|| "n/a".to_owned(), |percent| format!("{percent:.2}"))
    };
    format!(
        "beats {beats} sensitivity {} % positive predictivity {} %",
        percent(Score::sensitivity),
        percent(Score::positive_predictivity)
    )
}

fn write(path: &Path, text: &str) -> Result<(), (u8, String)> {
    std::fs::write(path, text)
        .map_err(|error| (FAILED, format!("cannot write {}: {error}", path.display())))
}

fn print(text: impl Display) -> Result<(), (u8, String)> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .map_err(|error| (FAILED, format!("cannot print: {error}")))
}

//! Hazard: the example `ecg` misses beats, sees some where none are, finds others at another speed, or
//! breaks on a signal that is disturbed.
#![allow(dead_code, reason = "not all of the example is used")]

mod common;

#[path = "../examples/ecg/anomaly.rs"]
mod anomaly;
#[path = "../examples/ecg/beats.rs"]
mod beats;
#[path = "../examples/ecg/candidates.rs"]
mod candidates;
#[path = "../examples/ecg/careful.rs"]
mod careful;
#[path = "../examples/ecg/clock.rs"]
mod clock;
#[path = "../examples/ecg/detector.rs"]
mod detector;
#[path = "../examples/ecg/filter.rs"]
mod filter;
#[path = "../examples/ecg/history.rs"]
mod history;
#[path = "../examples/ecg/novelty.rs"]
mod novelty;
#[path = "../examples/ecg/picture.rs"]
mod picture;
#[path = "../examples/ecg/player.rs"]
mod player;
#[path = "../examples/ecg/record.rs"]
mod record;
#[path = "../examples/ecg/router.rs"]
mod router;
#[path = "../examples/ecg/score.rs"]
mod score;
#[path = "../examples/ecg/swarm.rs"]
mod swarm;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anomaly::Anomaly;
use clock::Speed;
use common::Rng;
use nanosecond_scheduler::ScheduleError;
use player::{play, Outcome};
use record::seconds;
use score::Score;
use temporal_nets::Figure;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ecg/data").join(name)
}

/// The first seconds of record 100 and of its annotations; `ECG_SECONDS`, 60 unless given, up to 600.
fn record_100() -> (Vec<f32>, Vec<usize>) {
    let time: usize = std::env::var("ECG_SECONDS").map_or(60, |n| n.parse().unwrap());
    let mut signal = record::samples(&data("mitbih100-mlii-10min.csv.gz")).unwrap();
    let mut beats = record::beats(&data("mitbih100-beats-10min.csv.gz")).unwrap();
    assert_eq!((signal.len(), beats.len()), (216_000, 760));
    signal.truncate(seconds(time));
    beats.retain(|beat| *beat < signal.len());
    (signal, beats)
}

fn found(outcome: &Outcome) -> Vec<usize> {
    outcome.detector.beats.iter().map(|beat| beat.at).collect()
}

fn anomalies(outcome: &Outcome, second: usize) -> Vec<Anomaly> {
    let covers = |note: &&anomaly::Note| note.samples.contains(&seconds(second));
    let notes = outcome.detector.notes.iter().filter(covers);
    notes.flat_map(|note| note.anomalies.iter().copied()).collect()
}

fn play_quietly(signal: Vec<f32>, speed: Speed) -> Result<Outcome, ScheduleError> {
    play(signal, speed, |_| ())
}

/// Every window that begins in the record is tabled, from the first second on, and every second told.
#[test]
fn windows_and_seconds_are_told_of() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let second = Rc::clone(&told);
    let on_second = move |at| second.borrow_mut().push(at);
    let outcome = play(vec![0.5; seconds(30)], Speed::Max, on_second).unwrap();
    let starts: Vec<_> = outcome.windows.rows().map(|row| row[0]).collect();
    let expected: Vec<_> = (-1..30).map(|s| Figure::Integer(s * 1_000_000_000)).collect();
    assert_eq!((starts, outcome.windows.dropped()), (expected, 0));
    assert_eq!(*told.borrow(), (0..38).collect::<Vec<u64>>());
}

#[test]
fn beats_of_record_100() {
    let (signal, annotated) = record_100();
    let outcome = play_quietly(signal, Speed::Max).unwrap();
    let score = Score::new(&found(&outcome), &annotated);
    assert!(
        score.sensitivity() >= Some(99.0) && score.positive_predictivity() >= Some(99.0),
        "{score:?}"
    );

    let routed = outcome.detector.router.metrics();
    assert!(routed.decisions > 30, "the nets decided nothing: {routed:?}");
    assert!(routed.escalation_rate() < 0.2, "{routed:?}");
    assert_eq!((routed.fallbacks, routed.left_out), (0, 0));
    assert_eq!(outcome.overlap, 0.5);
    // A window ends each second; of those at the ends not all is in the record.
    assert_eq!(outcome.detector.notes.len(), outcome.signal.len() / seconds(1) - 1);
    let svg = picture::svg("a & b", &outcome, Some(&score));
    assert!(svg.contains("a &amp; b") && svg.ends_with("</svg>\n"));
    assert!(svg.matches("<circle").count() > annotated.len());
}

#[test]
fn neither_polarity_nor_unit_nor_base_line_matters() {
    let (signal, annotated) = record_100();
    let turned: Vec<f32> = signal
        .iter()
        .enumerate()
        .map(|(k, x)| 7.0 - 0.005 * x + 0.5 * (k as f32 / 300.0).sin())
        .collect();
    let outcome = play_quietly(turned, Speed::Max).unwrap();
    let score = Score::new(&found(&outcome), &annotated);
    assert!(
        score.sensitivity() >= Some(98.0) && score.positive_predictivity() >= Some(98.0),
        "{score:?}"
    );
}

/// White noise of 0.3 mV, which is 60 units of the record's: a quarter of its beats' height.
#[test]
fn beats_are_found_in_noise() {
    let (mut signal, annotated) = record_100();
    let mut rng = Rng(1);
    for value in &mut signal {
        // About normal, with deviation 1.
        let sum: f32 = (0..12).map(|_| rng.below(1 << 20) as f32 / (1 << 20) as f32).sum();
        *value += 60.0 * (sum - 6.0);
    }
    let outcome = play_quietly(signal, Speed::Max).unwrap();
    let score = Score::new(&found(&outcome), &annotated);
    let least = Some(95.0);
    assert!(score.sensitivity() >= least && score.positive_predictivity() >= least, "{score:?}");
    assert!(outcome.detector.router.metrics().escalated > 0, "nobody was in doubt");
}

/// 1,000 times real time is more than a debug build can do: it is late, and finds the same.
#[test]
fn speed_does_not_change_what_is_found() {
    let (mut signal, _) = record_100();
    signal.truncate(seconds(30));
    let (simulated, real) = (
        play_quietly(signal.clone(), Speed::Max).unwrap(),
        play_quietly(signal, Speed::Times(1_000)).unwrap(),
    );
    assert_eq!(found(&simulated), found(&real));
    assert_eq!(simulated.detector.notes, real.detector.notes);
    assert_eq!(simulated.detector.escalations, real.detector.escalations);
    assert_eq!((simulated.lag, real.lag.is_some()), (None, true));
}

/// Record 208 loses its base line at 42 s; its heart beats about 98 times a minute.
#[test]
fn artefacts_of_record_208_are_flagged() {
    let mut signal = record::samples(&data("mitbih208-mlii-5min.csv.gz")).unwrap();
    assert_eq!(signal.len(), 108_000);
    signal.truncate(seconds(60));
    let outcome = play_quietly(signal, Speed::Max).unwrap();
    let beats = found(&outcome).len();
    assert!((85..=110).contains(&beats), "{beats} beats");
    assert!(anomalies(&outcome, 42).contains(&Anomaly::Wander), "{:?}", outcome.detector.notes);
    assert!(anomalies(&outcome, 28).contains(&Anomaly::Noise), "{:?}", outcome.detector.notes);
    let is_calm = |second: &usize| !anomalies(&outcome, *second).iter().any(|a| a.is_artefact());
    assert!((3..58).filter(is_calm).count() > 40);
    assert!(outcome.detector.router.metrics().escalated > 0);
}

#[test]
fn a_signal_that_is_lost_is_flagged_and_has_no_beats() {
    let (mut signal, annotated) = record_100();
    let lost = seconds(35)..seconds(45);
    let level = signal[lost.start];
    signal[lost.clone()].fill(level);
    let outcome = play_quietly(signal, Speed::Max).unwrap();
    let inside = seconds(36)..seconds(44);
    assert!(!found(&outcome).iter().any(|beat| inside.contains(beat)), "{:?}", found(&outcome));
    assert!(anomalies(&outcome, 40).contains(&Anomaly::Flat));
    // And the rest is found as before.
    let outside = |beats: &[usize]| -> Vec<usize> {
        let around = seconds(34)..seconds(46);
        beats.iter().copied().filter(|beat| !around.contains(beat)).collect()
    };
    let score = Score::new(&outside(&found(&outcome)), &outside(&annotated));
    assert!(
        score.sensitivity() >= Some(97.0) && score.positive_predictivity() >= Some(97.0),
        "{score:?}"
    );
}

#[test]
fn signals_without_a_beat() {
    let flat = play_quietly(vec![1_000.0; seconds(45)], Speed::Max).unwrap();
    assert!(found(&flat).is_empty());
    assert_eq!(flat.detector.router.metrics().decisions, 0, "nothing to be trained on");
    for len in [1, 2, seconds(1)] {
        assert!(found(&play_quietly(vec![0.5; len], Speed::Max).unwrap()).is_empty());
    }
}

#[test]
fn scores_match_one_to_one_within_150_ms() {
    let score = Score::new(&[100, 500, 560, 1_000], &[154, 510, 1_055, 2_000]);
    assert_eq!(score.matched, 2);
    assert_eq!(score.missed, [1_055, 2_000]);
    assert_eq!(score.false_alarms, [560, 1_000]);
    assert_eq!((score.sensitivity(), score.positive_predictivity()), (Some(50.0), Some(50.0)));
    // The nearer of two, on either side.
    assert_eq!(Score::new(&[100, 140], &[138]).false_alarms, [100]);
    assert_eq!(Score::new(&[138], &[100, 140]).missed, [100]);
    let nothing_found = Score::new(&[], &[1]);
    assert_eq!(nothing_found.sensitivity(), Some(0.0));
    assert_eq!(nothing_found.positive_predictivity(), None);
    assert_eq!(Score::new(&[1], &[]).sensitivity(), None);
}

#[test]
fn records_are_read_or_refused_by_line() {
    let folder = std::env::temp_dir().join(format!("ecg-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |text: &str| {
        let path = folder.join("record.csv");
        std::fs::write(&path, text).unwrap();
        path
    };
    assert_eq!(record::samples(&file("adc\n1\n-2.5\n\n")).unwrap(), [1.0, -2.5]);
    assert_eq!(record::samples(&file("0,7\n1,8\n")).unwrap(), [7.0, 8.0]);
    let error = record::samples(&file("adc\n1\nx\n")).unwrap_err();
    assert!(error.ends_with("line 3: \"x\" is not a number"), "{error}");
    assert!(record::samples(&file("adc\n")).unwrap_err().ends_with("no samples"));
    assert!(record::samples(&file("adc\nNaN\n")).is_err());
    let beats = record::beats(&file("sample,symbol\n18,+\n370,N\n77,A\n500,~\n")).unwrap();
    assert_eq!(beats, [77, 370]);
    assert!(record::beats(&file("sample,symbol\n-5,N\n")).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

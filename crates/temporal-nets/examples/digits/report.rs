//! Tables and a picture of what came of the splits.

use std::fmt::Write as _;

use temporal_nets::Evaluation;

use crate::trial::Trial;

/// Escalation rates of the picture, in percent.
const RATES: [f64; 13] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0];
/// Characters of the longest bar.
const WIDTH: f64 = 40.0;

/// The means over the splits that the last line gives, in percent and percentage points.
pub(crate) struct Means {
    pub(crate) escalated: f64,
    pub(crate) delta: f64,
    pub(crate) swarm: f64,
    pub(crate) expensive: f64,
}

impl Means {
    pub(crate) fn of(trials: &[Trial]) -> Self {
        Means {
            escalated: percent(trials, |trial| trial.metrics.escalation_rate()),
            delta: percent(trials, Trial::delta),
            swarm: percent(trials, |trial| trial.evaluation.swarm_accuracy()),
            expensive: percent(trials, |trial| trial.evaluation.expensive_accuracy()),
        }
    }
}

fn percent(trials: &[Trial], share: impl Fn(&Trial) -> f64) -> f64 {
    100.0 * trials.iter().map(share).sum::<f64>() / trials.len() as f64
}

/// A line for each split.
pub(crate) fn table(trials: &[Trial]) -> String {
    let mut text = String::from(
        "split  swarm %  expensive %  escalated %  delta pp   APGR  p50 us  mean us  p95 us\n",
    );
    for trial in trials {
        let Trial { seed, evaluation, metrics, .. } = trial;
        let us = |ns: u64| ns as f64 / 1e3;
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{seed:5}  {:7.2}  {:11.2}  {:11.2}  {:8.2}  {:5.3}  {:6.1}  {:7.1}  {:6.1}",
            100.0 * evaluation.swarm_accuracy(),
            100.0 * evaluation.expensive_accuracy(),
            100.0 * metrics.escalation_rate(),
            100.0 * trial.delta(),
            evaluation.apgr().unwrap_or(f64::NAN),
            us(metrics.p50_ns),
            us(metrics.mean_ns),
            us(metrics.p95_ns),
        );
    }
    text
}

/// Accuracy by escalation rate, without guidance: the bars go from the swarm's to the expensive model's.
pub(crate) fn picture(trials: &[Trial]) -> String {
    let at = |evaluation: &Evaluation, rate: f64| evaluation.routed(evaluation.threshold_for(rate));
    let Means { swarm, expensive, .. } = Means::of(trials);
    let mut text = String::from("escalated %  accuracy %  share of the gap that is closed\n");
    for rate in RATES {
        let routed = |trial: &Trial| at(&trial.evaluation, rate / 100.0);
        let escalated = percent(trials, |trial| routed(trial).escalation_rate);
        let accuracy = percent(trials, |trial| routed(trial).accuracy);
        let closed = (accuracy - swarm) / (expensive - swarm);
        let bar = "#".repeat((WIDTH * closed).round().max(0.0) as usize);
        let _ = writeln!(
            text,
            "{escalated:11.2}  {accuracy:10.2}  |{bar:<width$}| {:.0} %",
            100.0 * closed,
            width = WIDTH as usize
        );
    }
    text
}

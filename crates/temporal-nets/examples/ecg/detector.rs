//! What the tasks share: the recent signal, candidates, the nets, and the beats found.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use nanosecond_scheduler::{Blend, Shape, TimePoint, Window, WindowSpec, WindowSummary};
use temporal_nets::TemporalNetwork;

use crate::anomaly::{Note, Typical};
use crate::beats::{Beat, Beats, Judge};
use crate::candidates::{self, Candidate};
use crate::careful::{self, Verdict};
use crate::filter::{BandPass, Energy};
use crate::history::History;
use crate::novelty::Novelty;
use crate::record::{instant, millis, RATE};
use crate::router::{Case, Router, Ruling};
use crate::swarm::{self, taps, Swarm, Taps};

/// Windows of 2 s, half of which the next one covers.
pub(crate) const WINDOWS: WindowSpec = WindowSpec::new(2_000_000_000, 1_000_000_000);
/// The windows' votes about a candidate are joined by these weights.
const BLEND: Blend = Blend { shape: Shape::Hann, spec: WINDOWS };

/// What is weaker is no beat, and nobody is asked.
const NOTHING: f32 = 0.15;
/// How far from a peak of the filtered signal the instant is looked for that the swarm finds most like
/// a beat.
const JITTER: usize = millis(25);
/// Beats that the swarm must have seen to be trained.
const ENOUGH: usize = 8;

/// Candidates by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Too weak to be looked at.
    pub(crate) nothing: usize,
    /// Judged by the careful detector before the swarm was trained.
    pub(crate) taught: usize,
}

/// A candidate that the careful detector had to judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Escalation {
    /// Where it is in the signal.
    pub(crate) at: usize,
    pub(crate) is_beat: bool,
    /// Whether the swarm had been trained, so that this was for doubt.
    pub(crate) in_doubt: bool,
}

#[derive(Debug)]
pub(crate) struct Detector {
    band: BandPass,
    slope: Energy,
    raw: History<f32>,
    filtered: History<f32>,
    energy: History<f32>,
    /// How sure the swarm is at each sample that a beat is there.
    sureness: History<f32>,
    swarm: Swarm,
    novelty: Novelty,
    pub(crate) router: Router,
    /// The usual peak of the energy, from the windows.
    level: f32,
    /// Not reviewed yet by all windows.
    candidates: VecDeque<Candidate>,
    /// Those closed and not reviewed yet.
    windows: VecDeque<WindowSummary>,
    /// Those reviewed whose anomalies are not noted yet.
    reviewed: VecDeque<WindowSummary>,
    typical: Typical,
    pub(crate) notes: Vec<Note>,
    pub(crate) beats: Beats,
    pub(crate) tally: Tally,
    pub(crate) escalations: Vec<Escalation>,
}

impl Detector {
    pub(crate) fn new() -> Self {
        let swarm = Swarm::new();
        Detector {
            band: BandPass::new(),
            slope: Energy::new(),
            raw: History::new(),
            filtered: History::new(),
            energy: History::new(),
            sureness: History::new(),
            router: Router::new(swarm.members()),
            swarm,
            novelty: Novelty::new(),
            level: 0.0,
            candidates: VecDeque::new(),
            windows: VecDeque::new(),
            reviewed: VecDeque::new(),
            typical: Typical::default(),
            notes: Vec::new(),
            beats: Beats::default(),
            tally: Tally::default(),
            escalations: Vec::new(),
        }
    }

    /// Takes the next sample: filters it, and asks the swarm about the latest instant that it can see
    /// all around. Returns the energy.
    pub(crate) fn sample(&mut self, raw: f32) -> f32 {
        self.raw.push(raw);
        let filtered = self.band.push(f64::from(raw));
        self.filtered.push(filtered as f32);
        let energy = self.slope.push(filtered) as f32;
        self.energy.push(energy);
        let center = self.sureness.len();
        if center + swarm::REACH < self.raw.len() {
            let input = taps(&self.filtered, center, self.level);
            let sureness = self.swarm.step(&input, Duration::from_secs(1) / RATE as u32);
            self.sureness.push(sureness[0]);
        }
        self.candidates.extend(candidates::find(&self.energy, &self.filtered));
        energy
    }

    /// A window has closed: its level is the greatest energy, as far as it does not stray from that of
    /// the windows before. That goes on to the next.
    pub(crate) fn close(&mut self, window: &WindowSummary) -> f64 {
        let (peak, usual) = (window.values.max, window.carried);
        let level = match usual > 0.0 {
            true => usual + (peak.clamp(usual / 2.0, usual * 2.0) - usual) / 4.0,
            false => peak,
        };
        self.level = level as f32;
        self.windows.push_back(WindowSummary { carried: level, ..*window });
        level
    }

    /// Reviews the candidates of closed windows. Returns those that are in no later window and strong
    /// enough to be decided about.
    pub(crate) fn review(&mut self) -> Vec<Candidate> {
        let mut reviewed = Vec::new();
        while let Some(summary) = self.windows.pop_front() {
            for candidate in &mut self.candidates {
                let at_ns = i128::from(instant(candidate.at).as_nanos());
                let mut weights = BLEND.weights_at(at_ns).expect("windows overlap");
                if let Some((_, weight)) = weights.find(|(window, _)| *window == summary.window) {
                    candidate.strength += candidate.energy / summary.carried as f32 * weight as f32;
                }
            }
            let next_start = summary.window.start_ns + i128::from(WINDOWS.hop);
            while let Some(candidate) = self.candidates.front().copied() {
                if i128::from(instant(candidate.at).as_nanos()) >= next_start {
                    break;
                }
                self.candidates.pop_front();
                match candidate.strength < NOTHING {
                    true => self.tally.nothing += 1,
                    false => reviewed.push(candidate),
                }
            }
            self.reviewed.push_back(summary);
        }
        reviewed
    }

    /// Decides about a candidate: by the careful detector until the swarm is trained, which learns from
    /// its verdicts, then and later.
    pub(crate) fn decide(&mut self, candidate: Candidate) {
        let first = candidate.beat() as isize - careful::CONTEXT as isize;
        let context = first..first + 2 * careful::CONTEXT as isize;
        let context = context.map(|k| f64::from(self.raw.at(k))).collect();
        let case = Case { context, rhythm: self.beats.rhythm_before(candidate.beat()) };
        let taps = self.taps(self.likeliest_near(candidate.center));
        let in_doubt = self.swarm.is_trained();
        let Ruling { is_beat, verdict } = if in_doubt {
            self.router.decide(&taps, candidate.strength, case)
        } else {
            self.tally.taught += 1;
            let verdict = self.router.ask_careful(case);
            Ruling { is_beat: verdict.is_beat, verdict: Some(verdict) }
        };
        let mut beat = (candidate.beat(), Judge::Swarm);
        if let Some(Verdict { is_beat, peak }) = verdict {
            beat = (usize::try_from(first + peak as isize).unwrap_or(0), Judge::Careful);
            self.escalations.push(Escalation { at: beat.0, is_beat, in_doubt });
            self.swarm.learn(taps, is_beat);
        }
        if is_beat {
            self.found(beat, candidate);
        }
    }

    fn found(&mut self, (at, judge): (usize, Judge), candidate: Candidate) {
        let taps = self.taps(candidate.center);
        if judge == Judge::Careful {
            self.novelty.learn(taps);
        }
        let is_unusual = self.novelty.is_unusual(&taps);
        self.beats.add(Beat { at, strength: candidate.strength, judge, is_unusual });
    }

    fn taps(&self, center: usize) -> Taps {
        taps(&self.filtered, center, self.level)
    }

    /// Where the swarm is surest of a beat; `center` itself until it is trained.
    fn likeliest_near(&self, center: usize) -> usize {
        let near = center.saturating_sub(JITTER)..=center + JITTER;
        let sureness = |k: usize| self.sureness.at(k as isize);
        match self.swarm.is_trained() {
            true => near.max_by(|&a, &b| sureness(a).total_cmp(&sureness(b))).unwrap_or(center),
            false => center,
        }
    }

    /// Trains the nets on the verdicts so far, and on what lies between the beats in the samples
    /// `between`. `false` if there were too few beats.
    pub(crate) fn train(&mut self, between: Range<usize>) -> bool {
        if self.beats.len() < ENOUGH {
            return false;
        }
        let is_far = |k: &usize| self.beats.iter().all(|beat| beat.at.abs_diff(*k) > 2 * JITTER);
        let background: Vec<_> = between
            .step_by(7)
            .filter(is_far)
            .map(|k| taps(&self.filtered, k, self.level))
            .collect();
        background.into_iter().for_each(|taps| self.swarm.learn(taps, false));
        self.swarm.train();
        self.novelty.train();
        true
    }

    /// Notes what is unusual about the windows that ended by `until`, whose beats are settled. Windows
    /// that are not in the record's `len` samples as a whole are left out.
    pub(crate) fn note(&mut self, until: TimePoint, len: usize) {
        let ended = |window: &WindowSummary| window.window.end_ns <= i128::from(until.as_nanos());
        while self.reviewed.front().is_some_and(ended) {
            let Some(summary) = self.reviewed.pop_front() else { break };
            let samples = samples_of(summary.window);
            if samples.end > len || summary.window.start_ns < 0 {
                continue;
            }
            let raw: Vec<f32> = samples.clone().map(|k| self.raw.at(k as isize)).collect();
            let texture = self.typical.compare(&raw);
            self.notes.push(Note::new(&summary, samples, texture, &self.beats));
        }
    }
}

/// The samples in a window.
fn samples_of(window: Window) -> Range<usize> {
    let first_from = |at_ns: i128| (at_ns.max(0) as u64 * 9).div_ceil(25_000_000) as usize;
    first_from(window.start_ns)..first_from(window.end_ns)
}

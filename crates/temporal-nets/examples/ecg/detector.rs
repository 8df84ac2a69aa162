//! What the tasks share: the recent signal, candidates, the nets, and the beats found.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use nanosecond_scheduler::{Blend, Shape, TimePoint, Window, WindowSpec, WindowSummary};
use temporal_nets::TemporalNetwork;

use crate::anomaly::{Note, Typical};
use crate::beats::{Beat, Beats, Judge};
use crate::candidates::{self, Candidate};
use crate::careful::{self, Careful};
use crate::filter::{BandPass, Energy};
use crate::history::History;
use crate::record::{instant, RATE};
use crate::swarm::{self, taps, Novelty, Opinion, Swarm, Votes};

/// Windows of 2 s, half of which the next one covers.
pub(crate) const WINDOWS: WindowSpec = WindowSpec::new(2_000_000_000, 1_000_000_000);
/// The windows' votes about a candidate are joined by these weights.
const BLEND: Blend = Blend { shape: Shape::Hann, spec: WINDOWS };

/// What is weaker is no beat, and nobody is asked.
const NOTHING: f32 = 0.15;
/// What the swarm takes for a beat should be as strong at least; what it does not, weaker.
const STRENGTH: (f32, f32) = (0.3, 0.6);
/// The swarm is in doubt when one of its nets is within so much of undecided.
const DOUBT: f32 = 0.3;
/// Beats that the swarm must have seen to be trained.
const ENOUGH: usize = 8;

/// Candidates by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Too weak to be looked at.
    pub(crate) nothing: usize,
    /// Decided by the swarm.
    pub(crate) swarm: usize,
    /// Escalated before the swarm was trained.
    pub(crate) taught: usize,
    /// Escalated for doubt after it.
    pub(crate) escalated: usize,
}

/// A candidate for the careful detector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubtful {
    pub(crate) candidate: Candidate,
    /// Whether the swarm has been trained, so that this is for doubt.
    in_doubt: bool,
}

/// A candidate that the careful detector had to judge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Escalation {
    /// Where it is in the signal.
    pub(crate) at: usize,
    pub(crate) is_beat: bool,
    /// See [`Doubtful`].
    pub(crate) in_doubt: bool,
}

#[derive(Debug)]
pub(crate) struct Detector {
    band: BandPass,
    slope: Energy,
    raw: History<f32>,
    filtered: History<f32>,
    energy: History<f32>,
    votes: History<Votes>,
    swarm: Swarm,
    novelty: Novelty,
    careful: Careful,
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
        Detector {
            band: BandPass::new(),
            slope: Energy::new(),
            raw: History::new(),
            filtered: History::new(),
            energy: History::new(),
            votes: History::new(),
            swarm: Swarm::new(),
            novelty: Novelty::new(),
            careful: Careful::new(),
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
        let center = self.votes.len();
        if center + swarm::REACH < self.raw.len() {
            let input = taps(&self.filtered, center, self.level);
            let votes = self.swarm.step(&input, Duration::from_secs(1) / RATE as u32);
            self.votes.push(votes.try_into().expect("one vote per net"));
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

    /// Reviews a closed window's candidates. Those in no later window are decided, or returned for the
    /// careful detector.
    pub(crate) fn review(&mut self) -> Vec<Doubtful> {
        let mut doubtful = Vec::new();
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
                doubtful.extend(self.decide(candidate));
            }
            self.reviewed.push_back(summary);
        }
        doubtful
    }

    /// Decides, or tells that it takes a second look.
    fn decide(&mut self, candidate: Candidate) -> Option<Doubtful> {
        if candidate.strength < NOTHING {
            self.tally.nothing += 1;
            return None;
        }
        if !self.swarm.is_trained() {
            self.tally.taught += 1;
            return Some(Doubtful { candidate, in_doubt: false });
        }
        let Opinion { mean, margin } = self.opinion(candidate.center);
        let is_beat = mean >= 0.5;
        let fits = match is_beat {
            true => candidate.strength >= STRENGTH.0,
            false => candidate.strength < STRENGTH.1,
        };
        if margin < DOUBT || !fits {
            self.tally.escalated += 1;
            return Some(Doubtful { candidate, in_doubt: true });
        }
        self.tally.swarm += 1;
        if is_beat {
            self.found(candidate.beat(), candidate, Judge::Swarm);
        }
        None
    }

    /// The most that the swarm has said for a beat near `center`.
    fn opinion(&self, center: usize) -> Opinion {
        let near = center.saturating_sub(swarm::JITTER)..=center + swarm::JITTER;
        let opinions = near.map(|k| Opinion::new(self.votes.at(k as isize)));
        opinions.max_by(|a, b| a.mean.total_cmp(&b.mean)).expect("a range that is not empty")
    }

    /// Has the careful detector judge a candidate, and the nets learn from it.
    pub(crate) fn escalate(&mut self, Doubtful { candidate, in_doubt }: Doubtful) {
        let first = candidate.beat() as isize - careful::CONTEXT as isize;
        let context: Vec<f64> = (first..first + 2 * careful::CONTEXT as isize)
            .map(|k| f64::from(self.raw.at(k)))
            .collect();
        let rhythm = self.beats.rhythm_before(candidate.beat());
        let verdict = self.careful.judge(&context, careful::CONTEXT, rhythm);
        let taps = self.taps(&candidate);
        self.swarm.learn(taps, verdict.is_beat);
        let at = usize::try_from(first + verdict.peak as isize).unwrap_or(0);
        self.escalations.push(Escalation { at, is_beat: verdict.is_beat, in_doubt });
        if verdict.is_beat {
            self.novelty.learn(taps);
            self.found(at, candidate, Judge::Careful);
        }
    }

    fn found(&mut self, at: usize, candidate: Candidate, judge: Judge) {
        let taps = self.taps(&candidate);
        let is_unusual = self.novelty.is_unusual(&taps);
        self.beats.add(Beat { at, strength: candidate.strength, judge, is_unusual });
    }

    fn taps(&self, candidate: &Candidate) -> swarm::Taps {
        taps(&self.filtered, candidate.center, self.level)
    }

    /// Trains the nets on the verdicts so far, and on the signal between the candidates in `quiet`
    /// samples, where nothing is. `false` if there were too few beats.
    pub(crate) fn train(&mut self, quiet: Range<usize>) -> bool {
        if self.beats.len() < ENOUGH {
            return false;
        }
        let is_far =
            |k: &usize| self.beats.iter().all(|beat| beat.at.abs_diff(*k) > 2 * swarm::JITTER);
        let background: Vec<_> =
            quiet.step_by(7).filter(is_far).map(|k| taps(&self.filtered, k, self.level)).collect();
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

//! Who decides: the swarm, or, where it is in doubt, the careful detector.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{DefaultClock, TimePoint};
use temporal_nets::{ExpensiveModel, Governor, GovernorConfig, GovernorMetrics};

use crate::careful::{Careful, Rhythm, Verdict, CONTEXT};
use crate::swarm::{Member, Taps, TAPS};

/// The swarm is in doubt when its mean share for a beat is from 0.2 to 0.8.
const DOUBT: f64 = 0.4;
/// What the swarm takes for a beat should be as strong at least; what it does not, weaker.
const BEAT_FROM: f32 = 0.3;
const NO_BEAT_BELOW: f32 = 0.6;

/// What the careful detector is asked about.
#[derive(Debug)]
pub(crate) struct Case {
    /// The raw signal around the candidate, which is [`CONTEXT`] behind its beginning.
    pub(crate) context: Vec<f64>,
    pub(crate) rhythm: Rhythm,
}

/// The careful detector, with the case at hand and its last verdict.
#[derive(Debug)]
struct Desk {
    careful: Careful,
    case: Option<Case>,
    verdict: Option<Verdict>,
}

impl Desk {
    fn judge(&mut self) -> Option<Verdict> {
        let Case { context, rhythm } = self.case.take()?;
        self.verdict = Some(self.careful.judge(&context, CONTEXT, rhythm));
        self.verdict
    }
}

/// The desk as the governor's expensive model: it knows more than the nets' inputs.
struct Clerk(Rc<RefCell<Desk>>);

/// There was no case.
#[derive(Debug)]
struct NoCase;

impl ExpensiveModel for Clerk {
    type Error = NoCase;

    fn answer(
        &mut self,
        _input: &[f32],
        _deadline: Option<TimePoint>,
        answer: &mut [f64],
    ) -> Result<(), NoCase> {
        let verdict = self.0.borrow_mut().judge().ok_or(NoCase)?;
        answer[usize::from(!verdict.is_beat)] = 1.0;
        Ok(())
    }
}

/// What is decided of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ruling {
    pub(crate) is_beat: bool,
    /// The careful detector's, if it was asked.
    pub(crate) verdict: Option<Verdict>,
}

/// The governor of the swarm and its desk.
pub(crate) struct Router {
    governor: Governor<Member, Clerk, DefaultClock>,
    desk: Rc<RefCell<Desk>>,
}

impl Router {
    pub(crate) fn new(members: Vec<Member>) -> Self {
        let desk = Desk { careful: Careful::new(), case: None, verdict: None };
        let desk = Rc::new(RefCell::new(desk));
        let config = GovernorConfig { threshold: DOUBT, ..GovernorConfig::default() };
        let (clerk, judged) = (Clerk(Rc::clone(&desk)), Rc::clone(&desk));
        let governor = Governor::new(members, clerk, DefaultClock::new(), config)
            .expect("valid settings, and nets of one shape")
            .with_acceptance_test(move |input, shares| {
                let (is_beat, strength) = (shares[0] >= shares[1], input[TAPS]);
                let fits = if is_beat { strength >= BEAT_FROM } else { strength < NO_BEAT_BELOW };
                // The careful detector has the last word.
                fits || judged.borrow().verdict.is_some()
            });
        Router { governor, desk }
    }

    /// Has the careful detector judge, without asking the swarm.
    pub(crate) fn ask_careful(&mut self, case: Case) -> Verdict {
        let mut desk = self.desk.borrow_mut();
        desk.case = Some(case);
        desk.judge().expect("there is a case")
    }

    /// Decides about a candidate.
    pub(crate) fn decide(&mut self, taps: &Taps, strength: f32, case: Case) -> Ruling {
        {
            let mut desk = self.desk.borrow_mut();
            (desk.case, desk.verdict) = (Some(case), None);
        }
        let mut input = [strength; TAPS + 1];
        input[..TAPS].copy_from_slice(taps);
        let decision = self.governor.decide(&input, Duration::ZERO).expect("as many inputs");
        let verdict = self.desk.borrow_mut().verdict.take();
        Ruling { is_beat: decision.class == 0, verdict }
    }

    pub(crate) fn metrics(&self) -> GovernorMetrics {
        self.governor.metrics()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("governor", &self.governor).finish_non_exhaustive()
    }
}

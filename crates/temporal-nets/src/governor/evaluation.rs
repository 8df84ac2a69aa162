//! [`Evaluation`]: what routing gains, from inputs that both models answered.

use core::fmt;

/// An input whose right class is known and that both models answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// How doubtful the swarm's answer was, as in [`Decision::doubt`](crate::Decision::doubt).
    pub doubt: f64,
    /// Whether the swarm's class is right.
    pub swarm_is_right: bool,
    /// Whether the expensive model's class is right.
    pub expensive_is_right: bool,
}

/// What comes of escalating every case whose doubt is above a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Routed {
    /// Share of the cases that is escalated.
    pub escalation_rate: f64,
    /// Share of the cases that is answered right.
    pub accuracy: f64,
    /// `accuracy` less that of escalating all.
    pub accuracy_delta: f64,
}

/// What routing by doubt gains on a set of cases: to choose a threshold before, and to judge after.
///
/// ```
/// use temporal_nets::{Case, Evaluation};
///
/// let case = |doubt, swarm_is_right| Case { doubt, swarm_is_right, expensive_is_right: true };
/// let evaluation = Evaluation::new(vec![case(0.9, false), case(0.2, true), case(0.4, true)])?;
/// let threshold = evaluation.threshold_for(0.34);
/// assert_eq!(threshold, 0.4);
/// assert_eq!(evaluation.routed(threshold).accuracy_delta, 0.0);
/// # Ok::<(), temporal_nets::EvaluationError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Of the cases, the greatest first.
    doubts: Vec<f64>,
    /// Entry k: how many cases are answered right when the k most doubtful are escalated.
    right: Vec<usize>,
}

impl Evaluation {
    /// O(n log n).
    ///
    /// # Errors
    ///
    /// An [`EvaluationError`] without cases, or if some doubt is not from 0 to 1.
    pub fn new(mut cases: Vec<Case>) -> Result<Self, EvaluationError> {
        if cases.is_empty() {
            return Err(EvaluationError::NoCases);
        }
        if let Some(case) = cases.iter().position(|case| !(0.0..=1.0).contains(&case.doubt)) {
            return Err(EvaluationError::Doubt { case, doubt: cases[case].doubt });
        }
        cases.sort_by(|a, b| b.doubt.total_cmp(&a.doubt));
        let mut count = cases.iter().filter(|case| case.swarm_is_right).count();
        let mut right = vec![count];
        for case in &cases {
            count = count + usize::from(case.expensive_is_right) - usize::from(case.swarm_is_right);
            right.push(count);
        }
        Ok(Evaluation { doubts: cases.iter().map(|case| case.doubt).collect(), right })
    }

    /// Share of the cases that the swarm answers right.
    #[must_use]
    pub fn swarm_accuracy(&self) -> f64 {
        self.escalating(0).accuracy
    }

    /// Share of the cases that the expensive model answers right.
    #[must_use]
    pub fn expensive_accuracy(&self) -> f64 {
        self.escalating(self.doubts.len()).accuracy
    }

    /// What comes of escalating doubt above `threshold`. O(log n).
    #[must_use]
    pub fn routed(&self, threshold: f64) -> Routed {
        self.escalating(self.doubts.partition_point(|doubt| *doubt > threshold))
    }

    /// The least threshold by which no greater share than `rate` is escalated; cases of equal doubt
    /// are escalated together or not at all. 0, if `rate` is 1 or more.
    #[must_use]
    pub fn threshold_for(&self, rate: f64) -> f64 {
        // Saturates; not-a-number counts as 0.
        let most = (rate * self.doubts.len() as f64) as usize;
        self.doubts.get(most).copied().unwrap_or(0.0)
    }

    /// What comes of every threshold that makes a difference, from escalating nothing to everything.
    /// O(n).
    pub fn curve(&self) -> impl Iterator<Item = Routed> + '_ {
        let doubt = |k: Option<usize>| k.and_then(|k| self.doubts.get(k));
        let escalated = 0..=self.doubts.len();
        let makes_difference = move |k: &usize| doubt(k.checked_sub(1)) != doubt(Some(*k));
        escalated.filter(makes_difference).map(|k| self.escalating(k))
    }

    /// Average performance gap recovered (Ong et al. 2024, "RouteLLM", arXiv:2406.18665): the share of
    /// the gap in accuracy from swarm to expensive model that routing closes, averaged over escalation
    /// rates from 0 to 1. The integral is by trapezoids over all thresholds, as RouteLLM's own
    /// evaluation has it. Routing by chance comes to 0.5 on average. `None` if there is no gap. O(n).
    #[must_use]
    pub fn apgr(&self) -> Option<f64> {
        let (swarm, expensive) = (self.swarm_accuracy(), self.expensive_accuracy());
        let trapezoids = self.curve().zip(self.curve().skip(1)).map(|(from, to)| {
            let width = to.escalation_rate - from.escalation_rate;
            width * ((from.accuracy + to.accuracy) / 2.0 - swarm)
        });
        (swarm != expensive).then(|| trapezoids.sum::<f64>() / (expensive - swarm))
    }

    /// What comes of escalating the `escalated` most doubtful cases.
    fn escalating(&self, escalated: usize) -> Routed {
        let total = self.doubts.len();
        let share = |count: usize| count as f64 / total as f64;
        let (right, all) = (self.right[escalated], self.right[total]);
        Routed {
            escalation_rate: share(escalated),
            accuracy: share(right),
            accuracy_delta: (right as f64 - all as f64) / total as f64,
        }
    }
}

/// Why cases cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EvaluationError {
    /// There are none.
    NoCases,
    /// A doubt is out of bounds.
    Doubt {
        /// Which case, counted from 0.
        case: usize,
        /// Its doubt.
        doubt: f64,
    },
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::NoCases => f.write_str("no cases to evaluate"),
            EvaluationError::Doubt { case, doubt } => {
                write!(f, "case {case} has a doubt of {doubt}; it must be from 0 to 1")
            }
        }
    }
}

impl core::error::Error for EvaluationError {}

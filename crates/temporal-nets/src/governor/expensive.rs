//! [`ExpensiveModel`]: what doubtful inputs are escalated to.

use core::fmt;
use core::time::Duration;
use std::panic::{catch_unwind, AssertUnwindSafe};

use nanosecond_scheduler::{Clock, TimePoint};

use super::shares;

/// A model that knows better and takes longer.
///
/// It runs on the thread of its governor, which cannot interrupt it: a model that may take long looks at
/// its deadline itself.
///
/// Closures of [`answer`](Self::answer)'s signature are such models.
pub trait ExpensiveModel {
    /// Why there is no answer.
    type Error;

    /// Writes a share for each class into `answer`, which is zeros before. Shares are not negative, and
    /// need not add up to 1. After `deadline`, by the governor's clock, the answer is of no use.
    ///
    /// # Errors
    ///
    /// Of its own; the swarm's answer stands then.
    fn answer(
        &mut self,
        input: &[f32],
        deadline: Option<TimePoint>,
        answer: &mut [f64],
    ) -> Result<(), Self::Error>;
}

impl<F, E> ExpensiveModel for F
where
    F: FnMut(&[f32], Option<TimePoint>, &mut [f64]) -> Result<(), E>,
{
    type Error = E;

    fn answer(
        &mut self,
        input: &[f32],
        deadline: Option<TimePoint>,
        answer: &mut [f64],
    ) -> Result<(), E> {
        self(input, deadline, answer)
    }
}

/// Why the swarm's answer stands although the expensive model was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback<E> {
    /// The model returned an error.
    Failed(E),
    /// The model panicked.
    Panicked,
    /// The model took so long, which is more than the deadline.
    Late(Duration),
    /// The answer has a share that is negative or not finite, or all are 0.
    Unusable,
    /// The acceptance test rejected the answer.
    Rejected,
}

impl<E: fmt::Display> fmt::Display for Fallback<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fallback::Failed(error) => write!(f, "the expensive model failed: {error}"),
            Fallback::Panicked => f.write_str("the expensive model panicked"),
            Fallback::Late(took) => write!(f, "the expensive model was late, it took {took:?}"),
            Fallback::Unusable => f.write_str("the expensive model's answer is not made of shares"),
            Fallback::Rejected => f.write_str("the acceptance test rejected the expensive model"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for Fallback<E> {}

/// Asks for an answer, made to add up to 1. Returns how long that took.
pub(super) fn ask<X: ExpensiveModel>(
    model: &mut X,
    clock: &impl Clock,
    deadline: Option<Duration>,
    input: &[f32],
    answer: &mut [f64],
) -> Result<Duration, Fallback<X::Error>> {
    let asked = clock.now();
    let deadline = deadline.map(|deadline| asked + deadline);
    answer.fill(0.0);
    // What a panic leaves of `answer` is not used. The model itself is told by its own panic.
    match catch_unwind(AssertUnwindSafe(|| model.answer(input, deadline, answer))) {
        Err(_) => return Err(Fallback::Panicked),
        Ok(Err(error)) => return Err(Fallback::Failed(error)),
        Ok(Ok(())) => {}
    }
    let took = clock.now().duration_since(asked);
    if answer.iter().any(|share| *share < 0.0) || !shares::normalise(answer) {
        return Err(Fallback::Unusable);
    }
    Ok(took)
}

//! How long a test may take.

/// The work that a test may still do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    steps: u64,
}

/// No verdict: the work allowed is done, or a number does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Work {
    pub(crate) fn new(steps: u64) -> Self {
        Work { steps }
    }

    /// Accounts for a look at each of `tasks` tasks.
    #[inline]
    pub(crate) fn spend(&mut self, tasks: usize) -> Result<(), Exhausted> {
        // An empty look costs a step as well, so that no loop is free.
        self.steps = self.steps.checked_sub(tasks.max(1) as u64).ok_or(Exhausted)?;
        Ok(())
    }
}

//! [`Acceptance`]: the user's test of answers.

use std::panic::{catch_unwind, AssertUnwindSafe};

type Test = Box<dyn FnMut(&[f32], &[f64]) -> bool>;

/// Tells by input and shares whether an answer is acceptable; without a test all are.
#[derive(Default)]
pub(super) struct Acceptance {
    pub(super) test: Option<Test>,
    /// How often the test has panicked.
    pub(super) panicked: u64,
}

impl Acceptance {
    /// A test that panics accepts nothing.
    pub(super) fn accepts(&mut self, input: &[f32], shares: &[f64]) -> bool {
        let Some(test) = &mut self.test else { return true };
        // Unwind safe: the test owns what it may leave broken.
        let accepts = catch_unwind(AssertUnwindSafe(|| test(input, shares)));
        self.panicked += u64::from(accepts.is_err());
        accepts.unwrap_or(false)
    }
}

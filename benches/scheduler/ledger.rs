//! The book in which jobs sign when they run; it refuses those that come out of order.

use std::cell::Cell;

/// Counts jobs, and checks that they come by release, and among equals as they were made.
#[derive(Default)]
pub(crate) struct Ledger {
    made: Cell<u64>,
    ran: Cell<u64>,
    latest: Cell<(u64, u64)>,
}

impl Ledger {
    /// A ledger that jobs can borrow for ever, as long as the benchmark runs.
    pub(crate) fn leaked() -> &'static Ledger {
        Box::leak(Box::default())
    }

    /// The body of a job released at `release_ns`; captures 24 bytes.
    #[inline]
    pub(crate) fn job(&'static self, release_ns: u64) -> impl FnOnce() {
        let number = self.made.get() + 1;
        self.made.set(number);
        move || self.sign(release_ns, number)
    }

    /// Signs for a job.
    ///
    /// # Panics
    ///
    /// If a job signed before that should have come later.
    #[inline]
    pub(crate) fn sign(&self, release_ns: u64, number: u64) {
        let entry = (release_ns, number);
        assert!(self.latest.replace(entry) <= entry, "job {number} came out of order");
        self.ran.set(self.ran.get() + 1);
    }

    /// Jobs that have run.
    pub(crate) fn ran(&self) -> u64 {
        self.ran.get()
    }
}

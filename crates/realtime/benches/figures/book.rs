//! The book in which jobs sign; it refuses those that come out of order.

use std::cell::Cell;

use nanosecond_scheduler::TimePoint;

/// Counts jobs, and checks that their keys, releases or whatever they are to be sorted by, do not fall.
#[derive(Default)]
pub(crate) struct Book {
    signed: Cell<u64>,
    latest: Cell<u64>,
}

impl Book {
    /// A book that jobs can borrow for ever.
    pub(crate) fn leaked() -> &'static Book {
        Box::leak(Box::default())
    }

    /// Signs for a job.
    ///
    /// # Panics
    ///
    /// If one signed before whose key is greater.
    #[inline]
    pub(crate) fn sign(&self, key: u64) {
        let before = self.latest.replace(key);
        assert!(before <= key, "a job with the key {key} came after one with {before}");
        self.signed.set(self.signed.get() + 1);
    }

    #[inline]
    pub(crate) fn sign_release(&self, release: TimePoint) {
        self.sign(release.as_nanos());
    }

    /// Jobs that signed since the last time; starts a new order.
    pub(crate) fn close(&self) -> u64 {
        self.latest.set(0);
        self.signed.replace(0)
    }
}

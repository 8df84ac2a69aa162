//! The windows closed last.

use alloc::vec::Vec;

use super::summary::WindowSummary;

/// A ring of summaries, with a place for the next beside those that are kept: it is written there, so
/// that it is never copied.
#[derive(Debug)]
pub(super) struct Kept {
    ring: Vec<WindowSummary>,
    next: usize,
    len: usize,
}

impl Kept {
    /// At most so many are kept.
    pub(super) fn new(most: usize) -> Self {
        Kept { ring: alloc::vec![WindowSummary::default(); most + 1], next: 0, len: 0 }
    }

    /// The one that is to be written and kept next.
    #[inline]
    pub(super) fn next(&mut self) -> &mut WindowSummary {
        &mut self.ring[self.next]
    }

    /// Keeps that one, in place of the oldest if there are too many.
    #[inline]
    pub(super) fn advance(&mut self) {
        let most = self.ring.len() - 1;
        self.next = if self.next == most { 0 } else { self.next + 1 };
        self.len = most.min(self.len + 1);
    }

    /// The oldest first.
    pub(super) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = &WindowSummary> + ExactSizeIterator {
        let oldest = self.next + self.ring.len() - self.len;
        (0..self.len).map(move |n| &self.ring[(oldest + n) % self.ring.len()])
    }
}

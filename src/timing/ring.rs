//! [`Ring`]: the last so many values.

use alloc::boxed::Box;
use alloc::vec;

/// Keeps the last values pushed. All its memory is allocated and touched when it is made.
#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    values: Box<[T]>,
    /// Where the next value goes: below the capacity.
    next: usize,
    /// Values pushed since the ring was made or cleared.
    pushed: u64,
}

impl<T: Copy> Ring<T> {
    /// Room for `capacity` values, which is not 0; `blank` is what fills it unseen.
    pub(super) fn new(capacity: usize, blank: T) -> Self {
        debug_assert!(capacity > 0, "checked by the caller");
        Ring { values: vec![blank; capacity].into_boxed_slice(), next: 0, pushed: 0 }
    }

    /// Appends a value; hands out the oldest one if it had to go.
    #[inline]
    pub(super) fn push(&mut self, value: T) -> Option<T> {
        let evicted = core::mem::replace(&mut self.values[self.next], value);
        let was_full = self.pushed >= self.values.len() as u64;
        self.pushed += 1;
        self.next += 1;
        if self.next == self.values.len() {
            self.next = 0;
        }
        was_full.then_some(evicted)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len().min(usize::try_from(self.pushed).unwrap_or(usize::MAX))
    }

    pub(super) fn capacity(&self) -> usize {
        self.values.len()
    }

    /// Values pushed out by later ones.
    pub(super) fn lost(&self) -> u64 {
        self.pushed - self.len() as u64
    }

    /// The values, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let (newer, older) = self.values.split_at(self.next);
        // Until the ring is full, what follows `next` is blank.
        let older = if self.len() < self.values.len() { &[] } else { older };
        older.iter().chain(newer)
    }

    pub(super) fn clear(&mut self) {
        self.next = 0;
        self.pushed = 0;
    }
}

//! Entries up to the horizon that arrived out of order: a binary heap, ties in submission order.

use alloc::collections::BinaryHeap;
use core::cmp::Ordering;

use super::run::SWEEP_AT;
use super::Entry;
use crate::store::Store;

/// Entries for which the heap first makes room: 6 KiB.
const FIRST_CAPACITY: usize = 256;

#[derive(Debug)]
struct Arrival {
    entry: Entry,
    sequence: u64,
}

impl Arrival {
    fn key(&self) -> (u64, u64) {
        (self.entry.release, self.sequence)
    }
}

/// Reversed, since `BinaryHeap` pops the greatest.
impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Arrival {}

#[derive(Debug)]
pub(super) struct Late {
    heap: BinaryHeap<Arrival>,
    arrivals: u64,
    dead: usize,
}

impl Late {
    pub(super) const fn new() -> Self {
        Late { heap: BinaryHeap::new(), arrivals: 0, dead: 0 }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.heap.peek().map(|arrival| &arrival.entry)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.heap.capacity() == 0 {
            // So that few tasks, however they fall, reach a steady state at once.
            self.heap.reserve(FIRST_CAPACITY);
        }
        self.heap.push(Arrival { entry, sequence: self.arrivals });
        self.arrivals += 1;
    }

    pub(super) fn pop(&mut self) {
        self.heap.pop();
        if self.heap.is_empty() {
            self.dead = 0;
        }
    }

    /// Counts a cancelled entry; sweeps when the dead outnumber the live.
    pub(super) fn cancelled(&mut self, store: &Store) {
        self.dead += 1;
        if self.dead > SWEEP_AT && self.dead * 2 > self.heap.len() {
            self.heap.retain(|arrival| arrival.entry.is_live(store));
            self.dead = 0;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Arrival>()
    }
}

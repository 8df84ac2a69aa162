//! Entries up to the horizon, sorted by release, ties in submission order.

use alloc::vec::Vec;

use super::Entry;
use crate::store::Store;

/// Dead entries that are tolerated before a sweep is considered.
pub(super) const SWEEP_AT: usize = 64;

/// How many jobs ahead a task is prefetched: at 20 ns per job, twice the latency of memory.
pub(super) const PREFETCH_AHEAD: usize = 8;

/// A sorted queue that is consumed from its head.
#[derive(Debug, Default)]
pub(super) struct Run {
    entries: Vec<Entry>,
    head: usize,
    dead: usize,
}

impl Run {
    pub(super) const fn new() -> Self {
        Run { entries: Vec::new(), head: 0, dead: 0 }
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.get(self.head)
    }

    /// The entry whose task is worth prefetching now: far enough ahead for memory to answer, near
    /// enough to still be in the cache by then.
    #[inline]
    pub(super) fn ahead(&self) -> Option<&Entry> {
        self.entries.get(self.head + PREFETCH_AHEAD)
    }

    /// Appends an entry that is not earlier than any present one.
    #[inline(always)]
    pub(super) fn append(&mut self, entry: Entry) {
        debug_assert!(self.entries.last().is_none_or(|last| last.release <= entry.release));
        if self.entries.len() == self.entries.capacity() {
            self.make_room();
        }
        self.entries.push(entry);
    }

    /// Reuses the consumed part if that is most of it, or grows.
    #[cold]
    fn make_room(&mut self) {
        if self.head > self.entries.len() / 2 {
            self.entries.drain(..self.head);
            self.head = 0;
        } else {
            self.entries.reserve(1);
        }
    }

    /// Refills an empty run with entries in order, and returns its spent memory.
    pub(super) fn refill(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        debug_assert!(self.entries.is_empty());
        debug_assert!(entries.is_sorted_by_key(|entry| entry.release));
        core::mem::replace(&mut self.entries, entries)
    }

    /// Drops the first entry.
    #[inline]
    pub(super) fn pop(&mut self) {
        self.head += 1;
        if self.head >= self.entries.len() {
            self.entries.clear();
            self.head = 0;
            self.dead = 0;
        }
    }

    /// Counts a cancelled entry. Dead ones at the ends go at once, so that schedule and cancel in
    /// turn keeps the run short, as oldest first does; the others when they outnumber the live.
    pub(super) fn cancelled(&mut self, store: &Store) {
        self.dead += 1;
        while self.entries.last().is_some_and(|last| !last.is_live(store)) {
            self.entries.pop();
            self.dead = self.dead.saturating_sub(1);
        }
        while self.entries.get(self.head).is_some_and(|first| !first.is_live(store)) {
            self.head += 1;
            self.dead = self.dead.saturating_sub(1);
        }
        if self.entries.len() <= self.head {
            self.entries.clear();
            self.head = 0;
            self.dead = 0;
        } else if self.dead > SWEEP_AT && self.dead * 2 > self.entries.len() - self.head {
            self.entries.drain(..self.head);
            self.entries.retain(|entry| entry.is_live(store));
            self.head = 0;
            self.dead = 0;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.head
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

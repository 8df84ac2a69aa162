//! The queue of one priority: wheel, run and late heap behind one front.

use super::late::Late;
use super::leaf::NONE;
use super::run::Run;
use super::wheel::Wheel;
use super::{Entry, LOOK_AHEAD_NS};
use crate::store::{Location, Store};
use crate::task::TaskId;

#[derive(Debug)]
pub(super) struct Class<const LEAF: usize, const CHUNK: usize> {
    wheel: Wheel<LEAF, CHUNK>,
    run: Run,
    late: Late,
    /// The leaf that the run was filled from last: it is still its entries' location.
    opened: u32,
    /// Every entry appended to the run so far is at or before this instant, and arrivals before it
    /// go to the late heap. It falls back to 0 only when run and heap are empty; therefore, among
    /// equal releases, the run's entries were submitted first.
    newest_in_run: u64,
    /// No entry is released before this instant.
    not_before: u64,
}

impl<const LEAF: usize, const CHUNK: usize> Class<LEAF, CHUNK> {
    pub(super) fn new() -> Self {
        Class {
            wheel: Wheel::new(),
            run: Run::new(),
            late: Late::new(),
            opened: NONE,
            newest_in_run: 0,
            not_before: u64::MAX,
        }
    }

    /// No entry is released before this instant; `u64::MAX` if there is none.
    #[inline]
    pub(super) fn not_before(&self) -> u64 {
        self.not_before
    }

    /// Queues an entry whose task's location is [`Location::RUN`] so far.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: Entry, now: u64, store: &mut Store) {
        self.not_before = self.not_before.min(entry.release);
        let in_order = self.newest_in_run <= entry.release;
        if in_order && entry.release <= self.wheel.horizon() && !self.wheel.has_backlog() {
            self.newest_in_run = entry.release;
            self.run.append(entry);
        } else {
            self.insert_slow(entry, now, store);
        }
    }

    /// [`insert`](Self::insert) for entries that may belong elsewhere than in the run.
    #[inline(never)]
    fn insert_slow(&mut self, entry: Entry, now: u64, store: &mut Store) {
        if now > self.wheel.horizon() {
            self.wheel.extend_horizon(now.saturating_add(LOOK_AHEAD_NS));
        }
        if entry.release > self.wheel.horizon() {
            self.wheel.insert(entry, store);
        } else if entry.release < self.newest_in_run {
            store.set_location(entry.id, Location::LATE);
            self.late.push(entry);
        } else if entry.release == self.wheel.horizon() && self.wheel.has_backlog() {
            // The backlog's entries are of the same instant and came earlier.
            self.wheel.append_to_backlog(entry, store);
        } else {
            self.newest_in_run = entry.release;
            self.run.append(entry);
        }
    }

    /// Accounts for a cancelled entry; tells whether it may have been the earliest.
    #[inline]
    pub(super) fn cancelled(&mut self, id: TaskId, location: Location, store: &mut Store) -> bool {
        match location {
            Location::NONE => false,
            Location::RUN => self.run_cancelled(id, store),
            Location::LATE => {
                let first = self.late.first().is_some_and(|first| first.id == id);
                self.late.cancelled(store);
                first
            }
            leaf if leaf.index() == self.opened => self.run_cancelled(id, store),
            leaf => self.wheel.cancelled(id, leaf.index(), store),
        }
    }

    #[inline(never)]
    fn run_cancelled(&mut self, id: TaskId, store: &Store) -> bool {
        let first = self.run.first().is_some_and(|first| first.id == id);
        self.run.cancelled(store);
        first
    }

    /// Takes the earliest entry, dead or alive, if it is released at `now`.
    #[inline(always)]
    pub(super) fn pop_due(&mut self, now: u64, store: &mut Store) -> Option<Entry> {
        match self.run.first() {
            Some(&entry) if entry.release <= now && self.late.is_empty() => {
                self.run.pop();
                if let Some(soon) = self.run.ahead() {
                    store.prefetch(soon.id);
                }
                Some(entry)
            }
            _ => self.pop_due_slow(now, store),
        }
    }

    /// [`pop_due`](Self::pop_due) when more than the run is to be looked at.
    #[inline(never)]
    fn pop_due_slow(&mut self, now: u64, store: &mut Store) -> Option<Entry> {
        let (entry, from_run) = loop {
            if let Some(front) = self.front() {
                break front;
            }
            if !self.open_next(now, store) {
                return None;
            }
        };
        if entry.release > now {
            self.not_before = entry.release;
            return None;
        }
        self.pop_front(from_run);
        Some(entry)
    }

    /// Opens the leaf that is next if something in it is released by `until`.
    pub(super) fn prepare(&mut self, until: u64, store: &mut Store) {
        if self.not_before <= until && self.front().is_none() {
            self.open_next(until, store);
        }
    }

    /// The earliest entry up to the horizon, dead or alive, and whether it is the run's.
    #[inline]
    fn front(&self) -> Option<(Entry, bool)> {
        match (self.run.first(), self.late.first()) {
            (Some(run), Some(late)) if late.release < run.release => Some((*late, false)),
            (Some(run), _) => Some((*run, true)),
            (None, Some(late)) => Some((*late, false)),
            (None, None) => None,
        }
    }

    fn pop_front(&mut self, from_run: bool) {
        if from_run {
            self.run.pop();
        } else {
            self.late.pop();
        }
    }

    /// Refills the empty run from the wheel if something there is released at `now`.
    fn open_next(&mut self, now: u64, store: &mut Store) -> bool {
        self.newest_in_run = 0;
        self.not_before = self.wheel.next_release(store);
        if self.not_before > now || self.wheel.is_empty() {
            return false;
        }
        let (leaf, entries) = self.wheel.open_first(now.saturating_add(LOOK_AHEAD_NS), store);
        self.newest_in_run = entries.last().map_or(0, |last| last.release);
        let spent = self.run.refill(entries);
        self.wheel.close(core::mem::replace(&mut self.opened, leaf), spent);
        true
    }

    /// The earliest release; `u64::MAX` also if there is none.
    pub(super) fn next_release(&mut self, store: &mut Store) -> u64 {
        while let Some((entry, from_run)) = self.front() {
            if entry.is_live(store) {
                self.not_before = entry.release;
                return entry.release;
            }
            self.pop_front(from_run);
        }
        self.newest_in_run = 0;
        self.not_before = self.wheel.next_release(store);
        self.not_before
    }

    /// Whether no live task is queued.
    pub(super) fn is_empty(&mut self, store: &mut Store) -> bool {
        self.next_release(store);
        self.front().is_none() && self.wheel.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.wheel.bytes() + self.run.bytes() + self.late.bytes()
    }

    #[cfg(test)]
    pub(super) fn leaves_and_chunks_in_use(&self) -> (usize, usize) {
        let (leaves, chunks) = self.wheel.leaves_and_chunks_in_use();
        (leaves - usize::from(self.opened != NONE), chunks)
    }

    /// Entries of run and late heap, dead ones included.
    #[cfg(test)]
    pub(super) fn entries_held(&self) -> usize {
        self.run.len() + self.late.len()
    }
}

//! The binary-heap timing wheel: pending tasks in exact (release, submission) order.
//!
//! It knows instants as `u64` ns and never a clock; "now" comes from the caller. One [`Class`] of
//! queue exists per priority, so that the most urgent released task is found without draining all
//! released ones. Each class has three parts, split at its *horizon*:
//!
//! ```text
//!     release > horizon ──► wheel   radix tree over the whole u64 range, leaves of up to a thousand
//!     release ≤ horizon ──► run     sorted; a due leaf becomes one, and in-order arrivals append
//!                      └──► late    binary heap, for arrivals that would break the run's order
//! ```
//!
//! The earliest entry is the lesser of the two heads, or, when both are empty, in the first leaf.
//! Cancelling is O(1) amortised: it frees the task's slot, which makes the entry dead, and counts
//! it; what holds more dead entries than live ones is swept. So does skipping a job that waits, after
//! which the task's latest job is another.

mod class;
mod late;
mod leaf;
mod radix;
mod ready;
mod run;
mod watch;
mod wheel;

#[cfg(test)]
mod tests;

use crate::store::{Location, Place, Store};
use crate::task::{Priority, TaskId};
use class::Class;
pub(crate) use ready::Ready;
pub(crate) use watch::Watch;

/// How far beyond "now" the horizon is drawn, in ns: near arrivals then skip the wheel.
const LOOK_AHEAD_NS: u64 = 1 << 15;

/// A pending task as the queue sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) release: u64,
    pub(crate) id: TaskId,
}

impl Entry {
    /// Fills unused memory.
    const NONE: Entry = Entry { release: 0, id: TaskId::NONE };

    /// Whether its job still waits: the task is live, and the job was not skipped.
    #[inline]
    pub(crate) fn is_live(self, store: &Store) -> bool {
        store.is_live(self.id) && (!store.has_withdrawn() || self.is_of_queued_job(store))
    }

    /// Whether it is that of the job which its live task has in the queue.
    pub(crate) fn is_of_queued_job(self, store: &Store) -> bool {
        let place = store.place(self.id);
        if !place.has_attributes() {
            return true;
        }
        let release = store.details(self.id).progress.last_release;
        let is_latest = release.is_none_or(|release| release == self.release);
        is_latest && place.location() != Location::NONE
    }
}

/// All priority classes. `LEAF` bounds a leaf, `CHUNK` its pieces of memory; tests make them tiny.
#[derive(Debug)]
pub(crate) struct Queue<const LEAF: usize = 1024, const CHUNK: usize = 31> {
    classes: [Class<LEAF, CHUNK>; Priority::ALL.len()],
    /// Nothing is due before this instant. 0 when it has to be found anew.
    idle_until: u64,
}

impl<const LEAF: usize, const CHUNK: usize> Queue<LEAF, CHUNK> {
    pub(crate) fn new() -> Self {
        Queue { classes: core::array::from_fn(|_| Class::new()), idle_until: u64::MAX }
    }

    /// Queues a live task, whose location is [`Location::RUN`](crate::store::Location::RUN) so far.
    /// O(1) amortised, O(log n)
    /// for arrivals up to the horizon that are out of order; bounded by ten splits of a leaf.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        class: usize,
        release: u64,
        id: TaskId,
        now: u64,
        store: &mut Store,
    ) {
        self.idle_until = self.idle_until.min(release);
        self.classes[class].insert(Entry { release, id }, now, store);
    }

    /// Notes that the task at `place`, which has just left the store, was cancelled.
    pub(crate) fn cancelled(&mut self, id: TaskId, place: Place, store: &mut Store) {
        let head_lost = self.classes[place.class()].cancelled(id, place.location(), store);
        if head_lost {
            self.forget_next_release();
        }
    }

    /// Has the earliest release found anew when it is next asked for.
    #[inline]
    pub(crate) fn forget_next_release(&mut self) {
        self.idle_until = 0;
    }

    /// Takes the first entry, by priority, release and submission, that is released at `now`. Its
    /// task may be dead: then it is to be passed over.
    #[inline(always)]
    pub(crate) fn pop_due(&mut self, now: u64, store: &mut Store) -> Option<Entry> {
        for class in &mut self.classes {
            if class.not_before() <= now {
                if let Some(entry) = class.pop_due(now, store) {
                    return Some(entry);
                }
            }
        }
        None
    }

    /// Has in order what is released by `until`, so that [`pop_due`](Self::pop_due) finds it at hand.
    /// What arrives before that is placed as if it were `until` already.
    pub(crate) fn prepare(&mut self, until: u64, store: &mut Store) {
        for class in &mut self.classes {
            class.prepare(until, store);
        }
    }

    /// Whether it is known, at the cost of a comparison, that nothing is due at `now`.
    #[inline]
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        now < self.idle_until
    }

    /// Whether something may be due at `now`, dead entries included.
    #[inline]
    pub(crate) fn may_be_due(&self, now: u64) -> bool {
        self.classes.iter().any(|class| class.not_before() <= now)
    }

    /// The earliest release, exactly, unless it has to be found anew; `u64::MAX` also if nothing is
    /// pending.
    #[inline]
    pub(crate) fn known_next_release(&self) -> Option<u64> {
        (self.idle_until != 0).then_some(self.idle_until)
    }

    /// Finds the earliest release after entries have been taken; `u64::MAX` also if there is none.
    pub(crate) fn refresh(&mut self, store: &mut Store) -> u64 {
        let releases = self.classes.iter_mut().map(|class| class.next_release(store));
        self.idle_until = releases.min().unwrap_or(u64::MAX);
        self.idle_until
    }

    /// Whether no live task is queued.
    pub(crate) fn is_empty(&mut self, store: &mut Store) -> bool {
        self.classes.iter_mut().all(|class| class.is_empty(store))
    }

    /// Forgets every entry.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Bytes held from the allocator.
    pub(crate) fn bytes(&self) -> usize {
        self.classes.iter().map(Class::bytes).sum()
    }
}

//! The audit: a second, naive book of the released tasks, against which each start is checked.

use alloc::collections::BTreeMap;

use crate::task::TaskId;

/// What is preferred to what: by the policy's key, then by class. The less goes first.
type Rank = (u64, usize);

/// Knows every queued job, and looks through all of them at each start.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    queued: BTreeMap<TaskId, (u64, Rank)>,
    inversions: u64,
}

impl Audit {
    pub(crate) fn queued(&mut self, id: TaskId, release: u64, rank: Rank) {
        self.queued.insert(id, (release, rank));
    }

    /// A job leaves the queue without being run.
    pub(crate) fn left(&mut self, id: TaskId) {
        self.queued.remove(&id);
    }

    /// A job is about to run: counts an inversion if one that is released by now is preferred to it.
    /// O(queued jobs).
    pub(crate) fn starts(&mut self, id: TaskId, now: u64) {
        let Some((_, rank)) = self.queued.remove(&id) else { return };
        let preferred = |&(release, other): &(u64, Rank)| release <= now && other < rank;
        self.inversions += u64::from(self.queued.values().any(preferred));
    }

    pub(crate) fn clear(&mut self) {
        self.queued.clear();
    }

    pub(crate) fn inversions(&self) -> u64 {
        self.inversions
    }
}

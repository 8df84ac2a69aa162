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

#[cfg(test)]
mod tests {
    use super::*;

    /// Inversions counted when the first of these jobs starts at 10: (release, key, class).
    fn at_the_start_of_the_first(jobs: &[(u64, u64, usize)]) -> u64 {
        let mut audit = Audit::default();
        for (index, &(release, key, class)) in (0..).zip(jobs) {
            audit.queued(TaskId::new(index, 1), release, (key, class));
        }
        audit.starts(TaskId::new(0, 1), 10);
        audit.inversions()
    }

    #[test]
    fn a_preferred_job_that_waits_is_an_inversion() {
        assert_eq!(at_the_start_of_the_first(&[(0, 5, 2), (10, 4, 3)]), 1, "by key");
        assert_eq!(at_the_start_of_the_first(&[(0, 5, 2), (10, 5, 1)]), 1, "by class");
        assert_eq!(at_the_start_of_the_first(&[(0, 5, 2), (3, 4, 2), (3, 3, 2)]), 1, "per start");
    }

    #[test]
    fn equals_lesser_ones_and_those_to_come_are_none() {
        let others = [(0, 5, 2), (0, 6, 0), (0, 5, 3), (11, 1, 0)];
        let first = (0, 5, 2);
        assert_eq!(at_the_start_of_the_first(&[&[first][..], &others].concat()), 0);
    }

    #[test]
    fn what_has_left_is_not_waiting() {
        let mut audit = Audit::default();
        let ids = [0, 1, 2, 3].map(|index| TaskId::new(index, 1));
        for (key, id) in (0..).zip(ids) {
            audit.queued(id, 0, (key, 2));
        }
        audit.left(ids[0]);
        audit.starts(ids[1], 10);
        assert_eq!(audit.inversions(), 0);
        audit.queued(ids[2], 0, (9, 2)); // Its key has changed.
        audit.starts(ids[3], 10);
        assert_eq!(audit.inversions(), 0);
        audit.queued(ids[0], 20, (0, 2));
        audit.starts(ids[2], 20);
        assert_eq!(audit.inversions(), 1);
        audit.queued(ids[1], 0, (1, 2));
        audit.clear();
        audit.queued(ids[3], 0, (5, 2));
        audit.starts(ids[3], 30);
        assert_eq!(audit.inversions(), 1);
    }
}

//! Who waits for whom: the edges from a task to those that are to run after its next job.

use alloc::collections::BTreeMap;

use crate::task::TaskId;

/// Dead edges that are tolerated before a sweep is considered.
const SWEEP_AT: usize = 64;

/// Edges by predecessor, then by order of submission.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    edges: BTreeMap<(TaskId, u64), TaskId>,
    added: u64,
    /// At most so many edges lead to tasks that were cancelled.
    dead: usize,
}

impl Dependencies {
    /// Has `dependent` wait for `predecessor`. O(log n).
    pub(crate) fn add(&mut self, predecessor: TaskId, dependent: TaskId) {
        self.edges.insert((predecessor, self.added), dependent);
        self.added += 1;
    }

    /// Moves those that wait for `predecessor` to the end of `into`, in order of submission.
    /// O(log n) each.
    pub(crate) fn take(&mut self, predecessor: TaskId, into: &mut impl Extend<TaskId>) {
        while let Some((&edge, &dependent)) = self.edges.range((predecessor, 0)..).next() {
            if edge.0 != predecessor {
                return;
            }
            self.edges.remove(&edge);
            into.extend([dependent]);
        }
    }

    /// Notes that a task which waited for `count` others was cancelled; drops the edges to dead tasks
    /// when they may outnumber the others. O(1) amortised.
    pub(crate) fn cancelled(&mut self, count: u32, is_live: impl Fn(TaskId) -> bool) {
        self.dead += count as usize;
        if self.dead > SWEEP_AT && self.dead * 2 > self.edges.len() {
            self.edges.retain(|_, dependent| is_live(*dependent));
            self.dead = 0;
        }
    }

    /// Forgets every edge.
    pub(crate) fn clear(&mut self) {
        self.edges.clear();
        self.dead = 0;
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.edges.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn id(n: u32) -> TaskId {
        TaskId::new(n, 1)
    }

    #[test]
    fn edges_come_back_once_and_in_order() {
        let mut dependencies = Dependencies::default();
        for (before, after) in [(2, 9), (1, 8), (2, 7), (3, 6), (2, 8)] {
            dependencies.add(id(before), id(after));
        }
        let mut taken = Vec::new();
        dependencies.take(id(2), &mut taken);
        assert_eq!(taken, [id(9), id(7), id(8)]);
        dependencies.take(id(2), &mut taken);
        assert_eq!((taken.len(), dependencies.len()), (3, 2));
    }

    #[test]
    fn edges_to_cancelled_tasks_do_not_pile_up() {
        let mut dependencies = Dependencies::default();
        dependencies.add(id(0), id(1));
        for n in 2..10_000 {
            dependencies.add(id(0), id(n));
            dependencies.cancelled(1, |dependent| dependent == id(1));
            assert!(dependencies.len() <= 2 * SWEEP_AT + 2);
        }
        let mut taken = Vec::new();
        dependencies.take(id(0), &mut taken);
        assert_eq!(taken[0], id(1));
    }
}

//! Queued jobs with a deadline, by when they are late: so that they are found then, whoever goes before
//! them.
//!
//! New ones are only collected. As soon as the first of them is late, those that are not move to a heap;
//! most jobs have run by then, and never get there. What has run or was cancelled stays until a sweep.

use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::run::SWEEP_AT;
use super::Entry;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    late_from: u64,
    entry: Entry,
}

/// Waiting jobs and when they are late.
#[derive(Debug)]
pub(crate) struct Watch {
    arrivals: Vec<Item>,
    /// When the first of the arrivals is late.
    first_arrival: u64,
    heap: BinaryHeap<Reverse<Item>>,
    /// Arrivals that were late when they were looked through.
    late: VecDeque<Entry>,
    /// When the first of all is late; `u64::MAX` also if there is none.
    first: u64,
    /// Jobs that wait: all others are garbage.
    waiting: usize,
}

impl Watch {
    pub(crate) const fn new() -> Self {
        Watch {
            arrivals: Vec::new(),
            first_arrival: u64::MAX,
            heap: BinaryHeap::new(),
            late: VecDeque::new(),
            first: u64::MAX,
            waiting: 0,
        }
    }

    /// Whether a job may be late at `now`.
    #[inline]
    pub(crate) fn may_be_late(&self, now: u64) -> bool {
        self.first <= now
    }

    fn len(&self) -> usize {
        self.arrivals.len() + self.heap.len() + self.late.len()
    }

    /// Adds a waiting job that is late from `late_from` on. O(1) amortised; `waits` tells whether one that
    /// was added before still does.
    #[inline]
    pub(crate) fn add(&mut self, late_from: u64, entry: Entry, waits: impl Fn(Entry) -> bool) {
        self.waiting += 1;
        self.arrivals.push(Item { late_from, entry });
        self.first_arrival = self.first_arrival.min(late_from);
        self.first = self.first.min(late_from);
        if self.len() > SWEEP_AT + 2 * self.waiting {
            self.arrivals.retain(|item| waits(item.entry));
            self.heap.retain(|Reverse(item)| waits(item.entry));
            self.late.retain(|entry| waits(*entry));
        }
    }

    /// Accounts for a job that waits no longer. Without any what remains is garbage, and the memory stays.
    #[inline]
    pub(crate) fn lose_one(&mut self) {
        self.waiting -= 1;
        if self.waiting == 0 {
            self.arrivals.clear();
            self.heap.clear();
            self.late.clear();
            (self.first_arrival, self.first) = (u64::MAX, u64::MAX);
        }
    }

    /// Takes a job that is late, if one is and still `waits`. O(log n) amortised.
    pub(crate) fn pop_late(&mut self, now: u64, waits: impl Fn(Entry) -> bool) -> Option<Entry> {
        if self.first_arrival <= now {
            self.look_through(now, &waits);
        }
        let mut late = None;
        while late.is_none() {
            let Some(entry) = self.late.pop_front().or_else(|| self.pop_heap(now)) else { break };
            late = Some(entry).filter(|entry| waits(*entry));
        }
        let next = self.heap.peek().map_or(u64::MAX, |Reverse(item)| item.late_from);
        self.first = if self.late.is_empty() { next.min(self.first_arrival) } else { now };
        if late.is_some() {
            self.lose_one();
        }
        late
    }

    fn look_through(&mut self, now: u64, waits: &impl Fn(Entry) -> bool) {
        for Item { late_from, entry } in self.arrivals.drain(..) {
            if late_from <= now {
                self.late.push_back(entry);
            } else if waits(entry) {
                self.heap.push(Reverse(Item { late_from, entry }));
            }
        }
        self.first_arrival = u64::MAX;
    }

    fn pop_heap(&mut self, now: u64) -> Option<Entry> {
        self.heap.peek().filter(|Reverse(item)| item.late_from <= now)?;
        self.heap.pop().map(|Reverse(item)| item.entry)
    }

    /// Forgets every job.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Bytes held from the allocator.
    pub(crate) fn bytes(&self) -> usize {
        (self.arrivals.capacity() + self.heap.capacity()) * size_of::<Item>()
            + self.late.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskId;

    fn entry(n: u32) -> Entry {
        Entry { release: 0, id: TaskId::new(n, 1) }
    }

    #[test]
    fn late_jobs_come_once_and_those_that_left_do_not() {
        let mut watch = Watch::new();
        for (n, late_from) in [(0, 30), (1, 20), (2, 20), (3, 10), (4, 40)] {
            watch.add(late_from, entry(n), |_| true);
        }
        let waits = |other: Entry| other != entry(2);
        watch.lose_one();
        assert!(!watch.may_be_late(9) && watch.may_be_late(10));
        let mut late = |now| watch.pop_late(now, waits);
        assert_eq!([late(25), late(25), late(25)], [Some(entry(1)), Some(entry(3)), None]);
        assert!(!watch.may_be_late(29) && watch.may_be_late(30));
        watch.add(5, entry(5), |_| true); // Earlier than those that are in the heap.
        watch.add(35, entry(6), |_| true);
        let mut late = |now| watch.pop_late(now, waits);
        assert_eq!([late(25), late(25)], [Some(entry(5)), None]);
        watch.add(32, entry(7), |_| true);
        let mut late = |now| watch.pop_late(now, waits);
        assert_eq!([late(31), late(31)], [Some(entry(0)), None]);
        assert!(!watch.may_be_late(31) && watch.may_be_late(32));
        let mut late = |now| watch.pop_late(now, waits);
        assert_eq!([late(34), late(40), late(40)], [7, 6, 4].map(|n| Some(entry(n))));
        assert!(!watch.may_be_late(u64::MAX - 1));
    }

    /// One job waits for ever; what comes and goes meanwhile moves to the heap, or does not.
    #[test]
    fn what_has_left_does_not_pile_up() {
        for moves in [false, true] {
            let mut watch = Watch::new();
            watch.add(u64::MAX, entry(0), |_| true);
            for n in 1..10_000 {
                let waits = |other: Entry| [entry(0), entry(n)].contains(&other);
                watch.add(u64::from(n) + 1_000_000, entry(n), waits);
                if moves {
                    watch.add(1, entry(n), waits);
                    assert_eq!(watch.pop_late(1, waits), Some(entry(n)));
                }
                watch.lose_one();
                assert!(watch.len() <= 2 * SWEEP_AT, "{}", watch.len());
            }
        }
    }

    #[test]
    fn when_no_job_waits_nothing_is_left() {
        let mut watch = Watch::new();
        for n in 0..1_000 {
            watch.add(u64::from(n), entry(n), |_| unreachable!("all wait"));
        }
        (0..1_000).for_each(|_| watch.lose_one());
        assert_eq!((watch.len(), watch.may_be_late(u64::MAX - 1)), (0, false));
    }
}

//! Released tasks in the order of a policy: least key first, then by class, then first in, first
//! out.
//!
//! Arrivals are collected until the next one is to be taken. Many are sorted and merged with the
//! *run*, which is consumed from its head; few go to a small heap beside it, and the lesser of the
//! two heads is the first. So a crowd that is released together costs a sort, at about a quarter of
//! what a heap takes, and a lone arrival a push.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::run::{PREFETCH_AHEAD, SWEEP_AT};
use super::{radix, Entry};
use crate::store::{Location, Store};

#[cfg(test)]
mod tests;

/// Fewer arrivals than this are not worth a sort.
const CROWD: usize = 32;
/// Nor are fewer than this part of the run that they would be merged with.
const CROWD_SHARE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    key: u64,
    /// The class in the two highest bits, then the number of arrival.
    rank: u64,
    entry: Entry,
}

const CLASS_SHIFT: u32 = 62;

/// What is to be known of a job when it is released.
#[derive(Clone, Copy, Debug)]
struct Expected {
    key: u64,
    release: u64,
}

/// Released tasks, by key.
#[derive(Debug)]
pub(crate) struct Ready {
    arrivals: Vec<Item>,
    /// Sorted, consumed from `head`.
    run: Vec<Item>,
    head: usize,
    few: BinaryHeap<Reverse<Item>>,
    /// Arrivals since the beginning: 2⁶² would take centuries.
    arrived: u64,
    /// Entries whose task is live.
    live: usize,
    /// The earliest release since nothing was ready.
    oldest: u64,
    /// The jobs that are queued, by their tasks' slots: apart from all else, so that a crowd loads little
    /// when it is released.
    expected: Vec<Expected>,
    /// Memory for sorting and merging: packed keys, and the sorted arrivals.
    keys: Vec<u64>,
    spare_keys: Vec<u64>,
    sorted: Vec<Item>,
}

impl Ready {
    pub(crate) const fn new() -> Self {
        Ready {
            arrivals: Vec::new(),
            run: Vec::new(),
            head: 0,
            few: BinaryHeap::new(),
            arrived: 0,
            live: 0,
            oldest: u64::MAX,
            expected: Vec::new(),
            keys: Vec::new(),
            spare_keys: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Whether no live task is ready.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Entries held, dead ones included.
    fn len(&self) -> usize {
        self.arrivals.len() + self.run.len() - self.head + self.few.len()
    }

    /// No task here was released before this instant; `u64::MAX` if there is none.
    #[inline]
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Notes the key of a task's job that is queued, for when it is released. O(1).
    #[inline]
    pub(crate) fn expect(&mut self, key: u64, entry: Entry) {
        let slot = entry.id.index() as usize;
        if slot >= self.expected.len() {
            self.expected.resize(slot + 1, Expected { key: u64::MAX, release: u64::MAX });
        }
        self.expected[slot] = Expected { key, release: entry.release };
    }

    /// Whether the job of an entry still waits, as [`Entry::is_live`] tells, without a look at attributes.
    #[inline]
    pub(crate) fn is_expected(&self, entry: Entry, store: &Store) -> bool {
        store.is_live(entry.id)
            && self.expected[entry.id.index() as usize].release == entry.release
            && store.place(entry.id).location() != Location::NONE
    }

    /// Adds a job that has been released, with the key that was noted for it. O(1).
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry, store: &mut Store) {
        let key = self.expected[entry.id.index() as usize].key;
        store.set_location(entry.id, Location::READY);
        self.oldest = self.oldest.min(entry.release);
        let rank = (store.place(entry.id).class() as u64) << CLASS_SHIFT | self.arrived;
        self.arrived += 1;
        self.live += 1;
        self.arrivals.push(Item { key, rank, entry });
    }

    /// Takes the first live entry. O(log n) amortised.
    #[inline]
    pub(crate) fn pop(&mut self, store: &Store) -> Option<Entry> {
        if !self.arrivals.is_empty() {
            self.settle(store);
        }
        loop {
            let entry = self.pop_any(store)?;
            if entry.is_live(store) {
                self.lose_one();
                return Some(entry);
            }
        }
    }

    /// Takes the first settled entry, dead or alive.
    #[inline]
    fn pop_any(&mut self, store: &Store) -> Option<Entry> {
        let run = self.run.get(self.head);
        match self.few.peek() {
            Some(Reverse(few)) if run.is_none_or(|run| few < run) => {
                self.few.pop().map(|Reverse(few)| few.entry)
            }
            _ => {
                let entry = run?.entry;
                self.head += 1;
                if let Some(soon) = self.run.get(self.head + PREFETCH_AHEAD) {
                    store.prefetch(soon.entry.id);
                    store.prefetch_details(soon.entry.id);
                }
                Some(entry)
            }
        }
    }

    /// Counts a live entry less. When none is left what remains is garbage, and the memory stays.
    fn lose_one(&mut self) {
        self.live -= 1;
        if self.live == 0 {
            self.arrivals.clear();
            self.run.clear();
            self.few.clear();
            self.head = 0;
            self.oldest = u64::MAX;
        }
    }

    /// Puts the arrivals in their places.
    fn settle(&mut self, store: &Store) {
        let few = CROWD.max((self.run.len() - self.head) / CROWD_SHARE);
        if self.arrivals.len() < few {
            self.few.extend(self.arrivals.drain(..).map(Reverse));
        } else {
            self.merge(store);
        }
    }

    /// Sorts the arrivals and merges them with what is left of the run; leaves out the dead.
    #[inline(never)]
    fn merge(&mut self, store: &Store) {
        self.sort_arrivals();
        self.arrivals.clear();
        if self.head < self.run.len() {
            let mut old = self.run.drain(self.head..).peekable();
            for &new in &self.sorted {
                while let Some(item) = old.next_if(|item| *item < new) {
                    self.arrivals.push(item);
                }
                self.arrivals.push(new);
            }
            self.arrivals.extend(old);
            core::mem::swap(&mut self.sorted, &mut self.arrivals);
            self.arrivals.clear();
        }
        if self.sorted.len() + self.few.len() > self.live {
            self.sorted.retain(|item| item.entry.is_live(store));
        }
        self.run.clear();
        self.head = 0;
        core::mem::swap(&mut self.run, &mut self.sorted);
    }

    /// Sorts the arrivals into `sorted`, without allocating in steady state.
    fn sort_arrivals(&mut self) {
        let items = &self.arrivals;
        let (mut least, mut greatest, mut differing) = (u64::MAX, 0, 0);
        for item in items {
            (least, greatest) = (item.key.min(least), item.key.max(greatest));
            differing |= item.rank ^ items[0].rank;
        }
        let position_bits = items.len().ilog2() + 1;
        // Classes take room only if there are several.
        let class_bits = if differing >> CLASS_SHIFT == 0 { 0 } else { u64::BITS - CLASS_SHIFT };
        let key_bits = u64::BITS - (greatest - least).leading_zeros() + class_bits;
        self.sorted.clear();
        if key_bits + position_bits > u64::BITS {
            self.sorted.extend_from_slice(items);
            self.sorted.sort_unstable();
            return;
        }
        // A packed key is key, class, position: its order is that of the items.
        let class = |item: &Item| (item.rank >> CLASS_SHIFT) & ((1 << class_bits) - 1);
        let pack = |(position, item): (u64, &Item)| {
            ((item.key - least) << class_bits | class(item)) << position_bits | position
        };
        self.keys.clear();
        self.keys.extend((0..).zip(items).map(pack));
        radix::sort(&mut self.keys, &mut self.spare_keys, position_bits..position_bits + key_bits);
        let position = |key: &u64| (key & ((1 << position_bits) - 1)) as usize;
        self.sorted.extend(self.keys.iter().map(|key| items[position(key)]));
    }

    /// Accounts for a cancelled entry; sweeps when the dead outnumber the live.
    pub(crate) fn cancelled(&mut self, store: &Store) {
        self.lose_one();
        let dead = self.len() - self.live;
        if dead > SWEEP_AT && dead > self.live {
            self.run.drain(..self.head);
            self.head = 0;
            self.run.retain(|item| item.entry.is_live(store));
            self.arrivals.retain(|item| item.entry.is_live(store));
            self.few.retain(|Reverse(item)| item.entry.is_live(store));
        }
    }

    /// Forgets every entry.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Bytes held from the allocator.
    pub(crate) fn bytes(&self) -> usize {
        let items = self.arrivals.capacity() + self.run.capacity() + self.sorted.capacity();
        let expected = self.expected.capacity() * size_of::<Expected>();
        let keys = self.keys.capacity() + self.spare_keys.capacity();
        (items + self.few.capacity()) * size_of::<Item>() + expected + keys * size_of::<u64>()
    }
}

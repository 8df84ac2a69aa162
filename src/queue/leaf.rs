//! Leaves of the wheel: short FIFO lists of entries in chunks of memory that are recycled.

use alloc::vec;
use alloc::vec::Vec;

use super::radix::scatter;
use super::Entry;
use crate::paged::Slab;
use crate::store::{Location, Store};
use crate::task::TaskId;

/// "No index" among leaves, chunks and nodes.
pub(super) const NONE: u32 = u32::MAX;

/// Entries that are sorted faster by insertion than by digits.
const FEW: usize = 48;
/// Bits of a digit.
const DIGIT: u32 = 8;

/// Sorts by release, ties in the order they had. O(n²).
fn insertion_sort(entries: &mut [Entry]) {
    for end in 1..entries.len() {
        let entry = entries[end];
        let mut at = end;
        while at > 0 && entries[at - 1].release > entry.release {
            entries[at] = entries[at - 1];
            at -= 1;
        }
        entries[at] = entry;
    }
}

/// Part of a leaf's list. Which entries are in use the leaf knows: all, but in its first chunk and
/// its last.
#[derive(Debug)]
#[repr(align(64))]
struct Chunk<const CHUNK: usize> {
    entries: [Entry; CHUNK],
    next: u32,
}

impl<const CHUNK: usize> Default for Chunk<CHUNK> {
    fn default() -> Self {
        Chunk { entries: [Entry::NONE; CHUNK], next: NONE }
    }
}

/// A list of at most `LEAF` entries whose releases share a slot of the wheel.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Leaf {
    /// Release of the earliest live entry, unless `min_lost`; then a lower bound.
    pub(super) min: u64,
    /// Release of the entry last pushed.
    newest: u64,
    /// Slot index of the earliest entry's task.
    min_index: u32,
    first_chunk: u32,
    last_chunk: u32,
    /// Where the entries begin in the first chunk, and end in the last; `CHUNK` in an empty leaf.
    first_start: u16,
    last_end: u16,
    /// Entries, dead ones included.
    pub(super) len: u16,
    dead: u16,
    min_lost: bool,
    /// Whether the entries are in order of release.
    sorted: bool,
    /// The node's slot that holds the leaf.
    pub(super) slot: u8,
    /// The node that holds the leaf. In the backlog, the one that did: no slot of it does now.
    pub(super) node: u32,
    /// Neighbours in the ring of leaves that share a slot of one nanosecond.
    pub(super) next: u32,
    pub(super) previous: u32,
}

impl Default for Leaf {
    fn default() -> Self {
        Leaf {
            min: u64::MAX,
            newest: 0,
            min_index: NONE,
            first_chunk: NONE,
            last_chunk: NONE,
            first_start: 0,
            last_end: 0,
            len: 0,
            dead: 0,
            min_lost: false,
            sorted: true,
            slot: 0,
            node: NONE,
            next: NONE,
            previous: NONE,
        }
    }
}

/// What became of a leaf when one of its entries was cancelled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// All its entries are dead.
    Emptied,
    /// Its earliest entry is dead.
    MinLost,
    Other,
}

/// All leaves of a wheel and the memory they share.
#[derive(Debug)]
pub(super) struct Leaves<const LEAF: usize, const CHUNK: usize> {
    leaves: Slab<Leaf>,
    chunks: Slab<Chunk<CHUNK>>,
    /// Live entries of the leaf that is being rearranged.
    scratch: Vec<Entry>,
    /// For the first run, which swaps its memory with the scratch.
    spare: Vec<Entry>,
    /// What the scratch is sorted into.
    sorted: Vec<Entry>,
}

impl<const LEAF: usize, const CHUNK: usize> Leaves<LEAF, CHUNK> {
    pub(super) const fn new() -> Self {
        Leaves {
            leaves: Slab::new(),
            chunks: Slab::new(),
            scratch: Vec::new(),
            spare: Vec::new(),
            sorted: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn get(&self, leaf: u32) -> &Leaf {
        &self.leaves[leaf]
    }

    /// An empty leaf for `slot` of `node`, alone in its ring.
    pub(super) fn add(&mut self, node: u32, slot: u8) -> u32 {
        if self.sorted.capacity() == 0 {
            self.make_scratch();
        }
        let leaf = self.leaves.take();
        let last_end = CHUNK as u16;
        self.leaves[leaf] =
            Leaf { node, slot, next: leaf, previous: leaf, last_end, ..Leaf::default() };
        leaf
    }

    /// Makes room for opening the largest leaf, and touches it, so that no tick has to.
    #[cold]
    fn make_scratch(&mut self) {
        self.scratch = vec![Entry::NONE; LEAF];
        self.spare = vec![Entry::NONE; LEAF];
        self.sorted = vec![Entry::NONE; LEAF];
    }

    #[inline]
    pub(super) fn has_room(&self, leaf: u32) -> bool {
        usize::from(self.leaves[leaf].len) < LEAF
    }

    /// Appends a live entry to a leaf that is not full.
    #[inline(always)]
    pub(super) fn push(&mut self, index: u32, entry: Entry, store: &mut Store) {
        store.set_location(entry.id, Location::leaf(index));
        let leaf = &mut self.leaves[index];
        debug_assert!(usize::from(leaf.len) < LEAF);
        if entry.release < leaf.min {
            leaf.min = entry.release;
            leaf.min_index = entry.id.index();
            leaf.min_lost = false;
        } else if leaf.len == 0 {
            // Only a release of `u64::MAX` is not below the empty leaf's minimum.
            leaf.min_index = entry.id.index();
        }
        leaf.sorted &= leaf.newest <= entry.release;
        leaf.newest = entry.release;
        leaf.len += 1;
        if usize::from(leaf.last_end) == CHUNK {
            Self::add_chunk(leaf, &mut self.chunks);
        }
        self.chunks[leaf.last_chunk].entries[usize::from(leaf.last_end)] = entry;
        leaf.last_end += 1;
    }

    #[cold]
    fn add_chunk(leaf: &mut Leaf, chunks: &mut Slab<Chunk<CHUNK>>) {
        let chunk = chunks.take();
        chunks[chunk].next = NONE;
        if leaf.last_chunk == NONE {
            leaf.first_chunk = chunk;
            leaf.first_start = 0;
        } else {
            chunks[leaf.last_chunk].next = chunk;
        }
        leaf.last_chunk = chunk;
        leaf.last_end = 0;
    }

    /// Counts a cancelled entry; sweeps the leaf when the dead outnumber the live.
    #[inline]
    pub(super) fn cancelled(&mut self, index: u32, id: TaskId, store: &Store) -> Cancelled {
        let leaf = &mut self.leaves[index];
        leaf.dead += 1;
        if leaf.dead == leaf.len {
            return Cancelled::Emptied;
        }
        let min_lost = leaf.min_index == id.index();
        leaf.min_lost |= min_lost;
        if usize::from(leaf.dead) > CHUNK && leaf.dead * 2 > leaf.len {
            if leaf.min_lost && leaf.sorted {
                // Those cancelled oldest first are all at the front.
                self.drop_dead_front(index, store);
            }
            let leaf = &self.leaves[index];
            if usize::from(leaf.dead) > CHUNK && leaf.dead * 2 > leaf.len {
                self.sweep(index, store);
            }
        }
        if min_lost {
            Cancelled::MinLost
        } else {
            Cancelled::Other
        }
    }

    /// Closes ranks over the dead entries of a leaf that has a live one, in place.
    #[inline(never)]
    fn sweep(&mut self, index: u32, store: &Store) {
        let leaf = &mut self.leaves[index];
        let (mut from, mut start) = (leaf.first_chunk, usize::from(leaf.first_start));
        let (mut to, mut end) = (from, start);
        while from != NONE {
            let stop = if from == leaf.last_chunk { usize::from(leaf.last_end) } else { CHUNK };
            for at in start..stop {
                if end == CHUNK {
                    (to, end) = (self.chunks[to].next, 0);
                }
                let entry = self.chunks[from].entries[at];
                self.chunks[to].entries[end] = entry;
                // Counted instead of branched upon: which tasks are dead cannot be predicted.
                end += usize::from(entry.is_live(store));
            }
            (from, start) = (self.chunks[from].next, 0);
        }
        let spare = core::mem::replace(&mut self.chunks[to].next, NONE);
        leaf.last_chunk = to;
        leaf.last_end = end as u16;
        leaf.len -= leaf.dead;
        leaf.dead = 0;
        self.give_back_chunks(spare);
    }

    /// Gives back a chunk and those linked to it.
    fn give_back_chunks(&mut self, mut at: u32) {
        while at != NONE {
            self.chunks.give_back(at);
            at = self.chunks[at].next;
        }
    }

    /// Makes `min` exact. The leaf has a live entry.
    pub(super) fn find_min(&mut self, index: u32, store: &mut Store) {
        if !self.leaves[index].min_lost {
            return;
        }
        if !self.leaves[index].sorted {
            self.gather(index, store);
            self.sort_scratch();
            self.refill(index, store);
        }
        self.drop_dead_front(index, store);
    }

    /// Drops dead entries before the first live one of a sorted leaf, which is its minimum.
    #[inline(never)]
    fn drop_dead_front(&mut self, index: u32, store: &Store) {
        let leaf = &mut self.leaves[index];
        loop {
            let chunk = &self.chunks[leaf.first_chunk];
            let first = chunk.entries[usize::from(leaf.first_start)];
            if first.is_live(store) {
                leaf.min = first.release;
                leaf.min_index = first.id.index();
                leaf.min_lost = false;
                return;
            }
            leaf.len -= 1;
            leaf.dead -= 1;
            leaf.first_start += 1;
            if usize::from(leaf.first_start) == CHUNK {
                let next = chunk.next;
                self.chunks.give_back(leaf.first_chunk);
                leaf.first_chunk = next;
                leaf.first_start = 0;
            }
        }
    }

    /// Moves the live entries of a leaf to the scratch, in order of submission, and its chunks back
    /// to the pool.
    fn gather(&mut self, index: u32, store: &Store) {
        self.scratch.clear();
        let leaf = &mut self.leaves[index];
        let dead = leaf.dead;
        let mut start = usize::from(leaf.first_start);
        let mut at = leaf.first_chunk;
        while at != NONE {
            let chunk = &self.chunks[at];
            let end = if at == leaf.last_chunk { usize::from(leaf.last_end) } else { CHUNK };
            self.scratch.extend_from_slice(&chunk.entries[start..end]);
            let next = chunk.next;
            self.chunks.give_back(at);
            (at, start) = (next, 0);
        }
        leaf.first_chunk = NONE;
        leaf.last_chunk = NONE;
        leaf.last_end = CHUNK as u16;
        leaf.len = 0;
        leaf.dead = 0;
        if dead > 0 {
            self.scratch.retain(|entry| entry.is_live(store));
        }
    }

    /// Moves the scratch into a gathered leaf.
    fn refill(&mut self, index: u32, store: &mut Store) {
        let leaf = &mut self.leaves[index];
        leaf.min = u64::MAX;
        leaf.newest = 0;
        leaf.sorted = true;
        leaf.min_lost = false;
        let scratch = core::mem::take(&mut self.scratch);
        for &entry in &scratch {
            self.push(index, entry, store);
        }
        self.scratch = scratch;
    }

    /// Sorts the scratch by release, ties in submission order, without allocating: few entries by
    /// insertion, more of them digit by digit, the lowest first.
    fn sort_scratch(&mut self) {
        let entries = &mut self.scratch;
        if entries.is_sorted_by_key(|entry| entry.release) {
            return;
        }
        if entries.len() <= FEW {
            return insertion_sort(entries);
        }
        let (least, greatest) = entries
            .iter()
            .fold((u64::MAX, 0), |(low, high), e| (e.release.min(low), e.release.max(high)));
        self.sorted.resize(entries.len(), Entry::NONE);
        for shift in (0..64 - (greatest - least).leading_zeros()).step_by(DIGIT as usize) {
            let number = |entry: Entry| (entry.release - least) >> shift;
            if scatter::<_, { 1 << DIGIT }>(entries, &mut self.sorted, DIGIT, number) {
                core::mem::swap(entries, &mut self.sorted);
            }
        }
    }

    /// Removes a leaf and hands out its live entries, in order of submission. The vector comes back
    /// by [`recycle`](Self::recycle).
    pub(super) fn take(&mut self, index: u32, store: &Store) -> Vec<Entry> {
        self.gather(index, store);
        self.leaves.give_back(index);
        core::mem::take(&mut self.scratch)
    }

    /// Empties a leaf and hands out its live entries, in order of release. The leaf stays, as the
    /// location of those that become the run, until it is discarded.
    pub(super) fn open(&mut self, index: u32, store: &Store) -> Vec<Entry> {
        let sorted = self.leaves[index].sorted;
        self.gather(index, store);
        if !sorted {
            self.sort_scratch();
        }
        core::mem::take(&mut self.scratch)
    }

    /// Keeps an emptied vector's memory for the next time.
    pub(super) fn recycle(&mut self, entries: Vec<Entry>) {
        self.scratch = entries;
        if self.scratch.capacity() == 0 {
            core::mem::swap(&mut self.scratch, &mut self.spare);
        }
    }

    /// Appends `leaf` to the end of the ring that begins with `head`.
    pub(super) fn link_last(&mut self, head: u32, leaf: u32) {
        let last = self.leaves[head].previous;
        self.leaves[last].next = leaf;
        self.leaves[leaf].previous = last;
        self.leaves[leaf].next = head;
        self.leaves[head].previous = leaf;
    }

    /// Takes `leaf` out of its ring and returns the one that followed it, or `NONE` if it was alone.
    pub(super) fn unlink(&mut self, leaf: u32) -> u32 {
        let Leaf { next, previous, .. } = self.leaves[leaf];
        if next == leaf {
            return NONE;
        }
        self.leaves[previous].next = next;
        self.leaves[next].previous = previous;
        next
    }

    /// Frees a leaf without live entries.
    pub(super) fn discard(&mut self, index: u32) {
        self.give_back_chunks(self.leaves[index].first_chunk);
        self.leaves.give_back(index);
    }

    pub(super) fn bytes(&self) -> usize {
        self.leaves.bytes()
            + self.chunks.bytes()
            + (self.scratch.capacity() + self.spare.capacity() + self.sorted.capacity())
                * size_of::<Entry>()
    }

    #[cfg(test)]
    pub(super) fn in_use(&self) -> (usize, usize) {
        (self.leaves.in_use(), self.chunks.in_use())
    }
}

//! Entries beyond the horizon: a 64-ary radix tree over the bits of the release.
//!
//! Level L splits time into slots of 64^L ns; eleven levels span the whole `u64` range. `roots[L]`
//! is the node that divides what shares all digits above L with the horizon, so an entry's level is
//! that of the highest digit in which its release differs from the horizon, found with one `xor`
//! and a count of leading zeros. A slot holds a leaf or, once it has had `LEAF` entries at a time,
//! a node of the next lower level. Because slots are split at insert, opening the earliest leaf
//! touches at most `LEAF` entries however many crowd around it, and a node on the way becomes the
//! next level's root by storing its index. Slots of one nanosecond cannot be split: they hold a
//! ring of leaves.
//!
//! After Varghese & Lauck, "Hashed and Hierarchical Timing Wheels" (1987), and the buckets that
//! split of Tang, Goh & Thng, "Ladder Queue" (2005).

use alloc::vec::Vec;

use super::leaf::{Cancelled, Leaf, Leaves, NONE};
use super::Entry;
use crate::paged::Slab;
use crate::store::Store;
use crate::task::TaskId;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;

/// Slots of this level, 262 µs, are opened whole.
const NEAR_LEVEL: usize = 3;
/// Leaves of the next level, 16.8 ms, are too if they hold more entries than this.
const DENSE: usize = 64;

/// The digit of `instant` at `level`.
#[inline]
fn digit(instant: u64, level: usize) -> usize {
    (instant >> (DIGIT_BITS as usize * level)) as usize % SLOTS
}

/// The first instant of the slot that differs from `instant` at `level`, and below, only.
fn start_of_slot(instant: u64, level: usize, slot: usize) -> u64 {
    let shift = DIGIT_BITS as usize * level;
    let below = (SLOTS as u64 - 1) << shift | ((1 << shift) - 1);
    instant & !below | (slot as u64) << shift
}

/// `instant` with all digits below `level` set to the greatest: the last of its slot there.
fn last_of_slot(instant: u64, level: usize) -> u64 {
    instant | ((1 << (DIGIT_BITS as usize * level)) - 1)
}

/// What a slot holds: a leaf's index, a node's with this bit set, or [`NONE`].
const NODE: u32 = 1 << 31;

#[derive(Debug)]
struct Node {
    /// Slots that hold something. A bit field avoids a scan for the first.
    occupied: u64,
    /// In a node that is not in use all of them are vacant.
    children: [u32; SLOTS],
    /// The node above and the slot there; a root has no parent.
    parent: u32,
    slot: u8,
    level: u8,
}

impl Default for Node {
    fn default() -> Self {
        Node { occupied: 0, children: [NONE; SLOTS], parent: NONE, slot: 0, level: 0 }
    }
}

impl Node {
    #[inline]
    fn occupy(&mut self, slot: usize, child: u32) {
        self.occupied |= 1 << slot;
        self.children[slot] = child;
    }

    fn vacate(&mut self, slot: usize) {
        self.occupied &= !(1 << slot);
        self.children[slot] = NONE;
    }
}

#[derive(Debug)]
pub(super) struct Wheel<const LEAF: usize, const CHUNK: usize> {
    /// Every entry in a node is released after this instant.
    horizon: u64,
    nodes: Slab<Node>,
    leaves: Leaves<LEAF, CHUNK>,
    /// The node of each level that lies on the horizon's path, `NONE` until first used.
    roots: [u32; LEVELS],
    /// Levels whose root is not empty.
    occupied_levels: u16,
    /// The leaf that was pushed to last, for arrivals in its slot: equal delays come one after the
    /// other.
    recent: u32,
    /// The first instant of its slot, and the slot's length less one.
    recent_start: u64,
    recent_span: u64,
    /// Ring of leaves that are left of an opened slot of one nanosecond; all released at the
    /// horizon.
    backlog: u32,
}

impl<const LEAF: usize, const CHUNK: usize> Wheel<LEAF, CHUNK> {
    pub(super) const fn new() -> Self {
        Wheel {
            horizon: 0,
            nodes: Slab::new(),
            leaves: Leaves::new(),
            roots: [NONE; LEVELS],
            occupied_levels: 0,
            recent: NONE,
            recent_start: 0,
            recent_span: 0,
            backlog: NONE,
        }
    }

    #[inline]
    pub(super) fn horizon(&self) -> u64 {
        self.horizon
    }

    pub(super) fn is_empty(&self) -> bool {
        self.occupied_levels == 0 && self.backlog == NONE
    }

    #[inline]
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog != NONE
    }

    /// Adds a live entry released after the horizon.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: Entry, store: &mut Store) {
        debug_assert!(entry.release > self.horizon);
        let near_recent = entry.release.wrapping_sub(self.recent_start) <= self.recent_span;
        if near_recent && self.recent != NONE && self.leaves.has_room(self.recent) {
            return self.leaves.push(self.recent, entry, store);
        }
        let differing = u64::BITS - 1 - (entry.release ^ self.horizon).leading_zeros();
        let mut level = (differing / DIGIT_BITS) as usize;
        self.occupied_levels |= 1 << level;
        let mut at = self.roots[level];
        if at == NONE {
            at = self.add_node(NONE, 0, level);
            self.roots[level] = at;
        }
        loop {
            let slot = digit(entry.release, level);
            let child = self.nodes[at].children[slot];
            if child < NODE {
                if level == 0 {
                    return self.append_to_ring(child, entry, store);
                }
                if self.leaves.has_room(child) {
                    self.recent = child;
                    self.recent_span = last_of_slot(0, level);
                    self.recent_start = entry.release & !self.recent_span;
                    return self.leaves.push(child, entry, store);
                }
                at = self.split(at, slot, child, store);
            } else if child == NONE {
                return self.push_to_new_leaf(at, slot, entry, store);
            } else {
                at = child & !NODE;
            }
            level -= 1;
        }
    }

    fn push_to_new_leaf(&mut self, at: u32, slot: usize, entry: Entry, store: &mut Store) {
        let leaf = self.leaves.add(at, slot as u8);
        self.nodes[at].occupy(slot, leaf);
        self.leaves.push(leaf, entry, store);
    }

    fn add_node(&mut self, parent: u32, slot: usize, level: usize) -> u32 {
        let index = self.nodes.take();
        let node = &mut self.nodes[index];
        debug_assert!(node.occupied == 0 && node.children == [NONE; SLOTS]);
        (node.parent, node.slot, node.level) = (parent, slot as u8, level as u8);
        index
    }

    /// Replaces a full leaf by a node with its entries, in order, and returns that. O(`LEAF`).
    #[cold]
    fn split(&mut self, at: u32, slot: usize, leaf: u32, store: &mut Store) -> u32 {
        let level = usize::from(self.nodes[at].level) - 1;
        let node = self.add_node(at, slot, level);
        self.nodes[at].occupy(slot, node | NODE);
        self.recent = NONE;
        let entries = self.leaves.take(leaf, store);
        for &entry in &entries {
            let slot = digit(entry.release, level);
            // All children are leaves with room: together they hold what one leaf held.
            match self.nodes[node].children[slot] {
                NONE => self.push_to_new_leaf(node, slot, entry, store),
                leaf => self.leaves.push(leaf, entry, store),
            }
        }
        self.leaves.recycle(entries);
        node
    }

    /// Adds an entry to the ring of leaves of one instant.
    fn append_to_ring(&mut self, head: u32, entry: Entry, store: &mut Store) {
        let mut last = self.leaves.get(head).previous;
        if !self.leaves.has_room(last) {
            let (node, slot) = (self.leaves.get(head).node, self.leaves.get(head).slot);
            last = self.leaves.add(node, slot);
            self.leaves.link_last(head, last);
        }
        self.leaves.push(last, entry, store);
    }

    /// Adds an entry released at the horizon behind a backlog.
    pub(super) fn append_to_backlog(&mut self, entry: Entry, store: &mut Store) {
        debug_assert_eq!(entry.release, self.horizon);
        self.append_to_ring(self.backlog, entry, store);
    }

    /// Moves the horizon towards `to` as far as no occupied slot is touched.
    pub(super) fn extend_horizon(&mut self, to: u64) {
        if self.backlog != NONE {
            return;
        }
        let mut limit = to;
        if self.occupied_levels != 0 {
            let level = self.occupied_levels.trailing_zeros() as usize;
            let slot = self.nodes[self.roots[level]].occupied.trailing_zeros() as usize;
            limit = limit.min(start_of_slot(self.horizon, level, slot) - 1);
        }
        self.horizon = self.horizon.max(limit);
    }

    /// The earliest leaf, or `NONE`.
    fn first_leaf(&self) -> u32 {
        if self.backlog != NONE || self.occupied_levels == 0 {
            return self.backlog;
        }
        let mut at = self.roots[self.occupied_levels.trailing_zeros() as usize];
        loop {
            let node = &self.nodes[at];
            let slot = node.occupied.trailing_zeros() as usize;
            let child = node.children[slot];
            if child < NODE {
                return child;
            }
            at = child & !NODE;
        }
    }

    /// The earliest release; `u64::MAX` also if there is none.
    pub(super) fn next_release(&mut self, store: &mut Store) -> u64 {
        let leaf = self.first_leaf();
        if leaf == NONE {
            return u64::MAX;
        }
        self.leaves.find_min(leaf, store);
        self.leaves.get(leaf).min
    }

    /// Takes the earliest leaf out of the tree: its entries, sorted, as far as the horizon is moved;
    /// the others go to finer slots. O(`LEAF`), sorting aside. Returns the leaf, too, which stays
    /// the entries' location until it is [closed](Self::close).
    ///
    /// The wheel is not empty, and its `next_release` has just been asked for.
    pub(super) fn open_first(&mut self, look_ahead: u64, store: &mut Store) -> (u32, Vec<Entry>) {
        let leaf = self.first_leaf();
        if leaf == self.backlog {
            self.detach(leaf);
        } else {
            self.enter(leaf, look_ahead);
        }
        let mut entries = self.leaves.open(leaf, store);
        if let Some(last) = entries.last() {
            // No farther than needed: what arrives beyond goes to the wheel, not to the late heap.
            self.horizon = self.horizon.min(last.release.max(look_ahead));
        }
        let near = entries.partition_point(|entry| entry.release <= self.horizon);
        for &entry in &entries[near..] {
            self.insert(entry, store);
        }
        entries.truncate(near);
        (leaf, entries)
    }

    /// Frees the leaf that `open_first` returned, and keeps a vector's memory for the next time.
    pub(super) fn close(&mut self, leaf: u32, spent: Vec<Entry>) {
        self.leaves.recycle(spent);
        if leaf != NONE {
            self.leaves.discard(leaf);
        }
    }

    /// Moves the horizon into the earliest leaf's slot, and takes the leaf out of the tree.
    ///
    /// The horizon moves to the slot's end if that is near or the leaf dense, so that most entries
    /// are moved only once. Otherwise a wide slot would send all arrivals to the late heap.
    fn enter(&mut self, leaf: u32, look_ahead: u64) {
        let Leaf { node, slot, min, len, .. } = *self.leaves.get(leaf);
        self.make_roots(node);
        let level = usize::from(self.nodes[node].level);
        let whole = level <= NEAR_LEVEL || level == NEAR_LEVEL + 1 && usize::from(len) > DENSE;
        let limit = if whole { u64::MAX } else { look_ahead.max(min) };
        self.horizon = last_of_slot(min, level).min(limit);
        self.detach(leaf);
        let rest = self.nodes[node].children[usize::from(slot)];
        if rest != NONE {
            // What is left of a ring.
            self.backlog = rest;
            self.vacate(node, usize::from(slot));
        }
    }

    /// Makes `node` and its ancestors the roots of their levels. The roots that they replace are
    /// empty, since nothing is earlier than the node's first entry.
    fn make_roots(&mut self, node: u32) {
        let mut at = node;
        while self.nodes[at].parent != NONE {
            let Node { parent, slot, level, .. } = self.nodes[at];
            self.nodes[at].parent = NONE;
            let replaced = core::mem::replace(&mut self.roots[usize::from(level)], at);
            if replaced != NONE {
                self.nodes.give_back(replaced);
            }
            self.occupied_levels |= 1 << level;
            self.nodes[parent].vacate(usize::from(slot));
            at = parent;
        }
        // The topmost was a root before; those between may have lost their only child as well.
        for (level, &root) in self.roots.iter().enumerate() {
            if root != NONE && self.nodes[root].occupied == 0 {
                self.occupied_levels &= !(1 << level);
            }
        }
    }

    /// Takes a leaf out of its ring, and out of the backlog or its node if it came first there.
    fn detach(&mut self, leaf: u32) {
        self.recent = NONE;
        let following = self.leaves.unlink(leaf);
        let Leaf { node, slot, .. } = *self.leaves.get(leaf);
        let slot = usize::from(slot);
        if self.backlog == leaf {
            self.backlog = following;
        } else if self.nodes[node].children[slot] == leaf {
            if following == NONE {
                self.vacate(node, slot);
            } else {
                self.nodes[node].children[slot] = following;
            }
        }
    }

    /// Empties a slot, and removes its node and those above that are empty then.
    fn vacate(&mut self, mut at: u32, mut slot: usize) {
        loop {
            let node = &mut self.nodes[at];
            node.vacate(slot);
            if node.occupied != 0 {
                return;
            }
            if node.parent == NONE {
                self.occupied_levels &= !(1 << node.level);
                return;
            }
            let above = (node.parent, usize::from(node.slot));
            self.nodes.give_back(at);
            (at, slot) = above;
        }
    }

    /// Accounts for a cancelled entry; tells whether it may have been the earliest.
    #[inline]
    pub(super) fn cancelled(&mut self, id: TaskId, leaf: u32, store: &mut Store) -> bool {
        match self.leaves.cancelled(leaf, id, store) {
            Cancelled::Other => false,
            Cancelled::MinLost => true,
            Cancelled::Emptied => {
                self.remove_leaf(leaf);
                true
            }
        }
    }

    #[inline(never)]
    fn remove_leaf(&mut self, leaf: u32) {
        self.detach(leaf);
        self.leaves.discard(leaf);
    }

    pub(super) fn bytes(&self) -> usize {
        self.nodes.bytes() + self.leaves.bytes()
    }

    #[cfg(test)]
    pub(super) fn leaves_and_chunks_in_use(&self) -> (usize, usize) {
        self.leaves.in_use()
    }
}

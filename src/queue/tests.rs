//! The queue against a sorted vector, with pieces so small that every rare path is taken.

use proptest::prelude::*;

use super::{Entry, Queue};
use crate::closure::Closure;
use crate::store::Store;
use crate::task::{Priority, TaskId};

/// The naive queue: every entry in order of submission.
#[derive(Default)]
struct Model {
    entries: Vec<(usize, Entry)>,
}

impl Model {
    fn next_release(&self) -> u64 {
        self.entries.iter().map(|(_, e)| e.release).min().unwrap_or(u64::MAX)
    }

    fn pop_due(&mut self, now: u64) -> Option<Entry> {
        let due = self.entries.iter().enumerate().filter(|(_, (_, e))| e.release <= now);
        let (at, _) = due.min_by_key(|(at, (class, e))| (*class, e.release, *at))?;
        Some(self.entries.remove(at).1)
    }
}

struct Pair<const LEAF: usize, const CHUNK: usize> {
    queue: Queue<LEAF, CHUNK>,
    store: Store,
    model: Model,
    now: u64,
}

impl<const LEAF: usize, const CHUNK: usize> Pair<LEAF, CHUNK> {
    fn new() -> Self {
        Pair { queue: Queue::new(), store: Store::new(1 << 20), model: Model::default(), now: 0 }
    }

    fn insert(&mut self, class: usize, release: u64) -> TaskId {
        let id = self.store.insert(Closure::once(|| ()), Priority::ALL[class]);
        let entry = Entry { release, id };
        self.queue.insert(class, release, id, self.now, &mut self.store);
        self.model.entries.push((class, entry));
        id
    }

    fn cancel(&mut self, nth: usize) {
        if self.model.entries.is_empty() {
            return;
        }
        let (_, entry) = self.model.entries.remove(nth % self.model.entries.len());
        let (place, _) = self.store.remove(entry.id).unwrap();
        self.queue.cancelled(entry.id, place, &mut self.store);
    }

    fn pop(&mut self, limit: usize) {
        for _ in 0..limit {
            let expected = self.model.pop_due(self.now);
            let got = self.pop_live();
            assert_eq!(got, expected, "at {}", self.now);
            let Some(entry) = got else { break };
            drop(self.store.remove(entry.id));
        }
        self.queue.refresh(&mut self.store);
    }

    fn pop_live(&mut self) -> Option<Entry> {
        loop {
            let entry = self.queue.pop_due(self.now, &mut self.store)?;
            if self.store.is_live(entry.id) {
                return Some(entry);
            }
        }
    }

    fn check(&mut self) {
        let known = self.queue.known_next_release();
        let next = known.unwrap_or_else(|| self.queue.refresh(&mut self.store));
        assert_eq!(next, self.model.next_release());
        assert_eq!(self.queue.is_empty(&mut self.store), self.model.entries.is_empty());
        assert_eq!(self.store.len(), self.model.entries.len());
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert { class: usize, delay: u64 },
    InsertAt { class: usize, release: u64 },
    Cancel(usize),
    CancelMany(usize),
    Advance(u64),
    Prepare(u64),
    Pop(usize),
}

/// Delays of every magnitude, so that every level of the wheel is met.
fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0..8u64,
        3 => 0..40_000u64,
        2 => (0..64u32, any::<u64>()).prop_map(|(bits, value)| value >> bits),
        1 => Just(u64::MAX),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let class = prop_oneof![3 => Just(2usize), 1 => 0..4usize];
    prop_oneof![
        8 => (class.clone(), delay()).prop_map(|(class, delay)| Op::Insert { class, delay }),
        2 => (class, any::<u64>()).prop_map(|(class, release)| Op::InsertAt { class, release }),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => (0..20usize).prop_map(Op::CancelMany),
        3 => delay().prop_map(Op::Advance),
        2 => delay().prop_map(Op::Prepare),
        4 => (0..12usize).prop_map(Op::Pop),
    ]
}

fn play<const LEAF: usize, const CHUNK: usize>(ops: &[Op]) {
    let mut pair = Pair::<LEAF, CHUNK>::new();
    for op in ops {
        match *op {
            Op::Insert { class, delay } => {
                let release = pair.now.saturating_add(delay);
                pair.insert(class, release);
            }
            Op::InsertAt { class, release } => drop(pair.insert(class, release)),
            Op::Cancel(nth) => pair.cancel(nth),
            Op::CancelMany(count) => (0..count).for_each(|nth| pair.cancel(nth)),
            Op::Advance(by) => pair.now = pair.now.saturating_add(by),
            Op::Prepare(by) => {
                pair.queue.prepare(pair.now.saturating_add(by), &mut pair.store);
            }
            Op::Pop(limit) => pair.pop(limit),
        }
        pair.check();
    }
    pair.now = u64::MAX;
    pair.pop(usize::MAX);
    pair.check();
    for class in &pair.queue.classes {
        assert_eq!(class.leaves_and_chunks_in_use(), (0, 0), "memory left behind");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 1_000 }))]

    #[test]
    fn agrees_with_a_sorted_vector(ops in prop::collection::vec(op(), 1..300)) {
        play::<2, 1>(&ops);
        play::<4, 2>(&ops);
        play::<256, 7>(&ops);
    }
}

#[test]
fn every_power_of_64_and_its_neighbours_pop_in_order() {
    for start in [0, 1, 63, 64, 4_095, 4_096, (1 << 36) - 1, 1 << 60] {
        let mut pair = Pair::<4, 2>::new();
        pair.now = start;
        for level in 0..=10u32 {
            for offset in [-1i64, 0, 1] {
                let release = (1u64 << (6 * level)).wrapping_add_signed(offset);
                pair.insert(2, release);
                pair.insert(2, start.saturating_add(release));
            }
        }
        pair.check();
        while !pair.model.entries.is_empty() {
            pair.now = pair.now.max(pair.model.next_release());
            pair.pop(1);
            pair.check();
        }
    }
}

#[test]
fn a_crowd_at_one_instant_stays_first_in_first_out() {
    let mut pair = Pair::<4, 2>::new();
    for _ in 0..50 {
        pair.insert(2, 1_000_000);
    }
    for nth in [0, 0, 45, 20, 20, 20, 20] {
        pair.cancel(nth);
    }
    pair.now = 1_000_000;
    pair.pop(10);
    // Joins the backlog of the same instant, and goes before it, respectively.
    pair.insert(2, 1_000_000);
    pair.insert(2, 999_999);
    for nth in [30, 3, 3, 3, 3] {
        pair.cancel(nth);
    }
    pair.check();
    pair.pop(usize::MAX);
    pair.check();
}

#[test]
fn cancelling_everything_leaves_no_memory_in_use() {
    let mut pair = Pair::<256, 7>::new();
    for n in 0..10_000u64 {
        pair.insert(2, 1 << 30 | n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44);
    }
    while !pair.model.entries.is_empty() {
        let middle = pair.model.entries.len() / 2;
        pair.cancel(middle);
    }
    assert_eq!(pair.queue.classes[2].leaves_and_chunks_in_use(), (0, 0));
    pair.check();
}

/// Cancels all but the last of 1,000 entries up to the horizon: the dead must not pile up.
fn garbage_left(release: impl Fn(u64) -> u64) -> usize {
    let mut pair = Pair::<256, 7>::new();
    pair.now = 1_000;
    pair.insert(2, pair.now); // Draws the horizon.
    for n in 0..1_000 {
        pair.insert(2, release(n));
    }
    for _ in 0..1_000 {
        pair.cancel(0);
    }
    pair.check();
    pair.queue.classes[2].entries_held() - pair.model.entries.len()
}

#[test]
fn cancels_leave_bounded_garbage_in_the_run() {
    let dead = garbage_left(|n| 1_000 + n);
    assert!(dead <= super::run::SWEEP_AT, "{dead} dead entries");
}

#[test]
fn cancels_leave_bounded_garbage_among_late_arrivals() {
    let dead = garbage_left(|n| 999 - n % 500);
    assert!(dead <= super::run::SWEEP_AT, "{dead} dead entries");
}

#[test]
fn schedule_and_cancel_in_turn_keep_the_run_empty() {
    let mut pair = Pair::<256, 7>::new();
    pair.insert(2, 0);
    for n in 0..1_000 {
        pair.insert(2, n);
        pair.cancel(1);
        assert_eq!(pair.queue.classes[2].entries_held(), 1);
    }
}

#[test]
fn cancels_of_the_middle_and_then_the_front_leave_bounded_garbage() {
    let mut pair = Pair::<256, 7>::new();
    for n in 0..256 {
        pair.insert(2, (1 << 30) + n);
    }
    let (leaves, full) = pair.queue.classes[2].leaves_and_chunks_in_use();
    for _ in 128..255 {
        pair.cancel(128);
    }
    for _ in 0..127 {
        pair.cancel(0);
    }
    pair.check();
    let (_, left) = pair.queue.classes[2].leaves_and_chunks_in_use();
    assert!(left <= 3, "{left} of {full} chunks in {leaves} leaves for two tasks");
}

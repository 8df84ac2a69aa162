//! The ready tasks against a sorted vector, with crowds and lone arrivals in turn.

use std::vec::Vec;

use proptest::prelude::*;

use super::{Ready, CROWD, CROWD_SHARE, SWEEP_AT};
use crate::closure::Closure;
use crate::queue::Entry;
use crate::store::Store;
use crate::task::Priority;

/// The naive counterpart: live tasks by key, class and number of arrival.
#[derive(Default)]
struct Model {
    sorted: Vec<(u64, usize, u64, Entry)>,
    arrived: u64,
    /// The earliest release since none was ready.
    oldest: Option<u64>,
}

impl Model {
    fn push(&mut self, key: u64, class: usize, entry: Entry) {
        let item = (key, class, self.arrived, entry);
        self.sorted.insert(self.sorted.partition_point(|other| *other < item), item);
        self.arrived += 1;
        self.oldest = Some(self.oldest.map_or(entry.release, |oldest| oldest.min(entry.release)));
    }

    fn remove(&mut self, nth: usize) -> Option<Entry> {
        let (.., entry) = (nth < self.sorted.len()).then(|| self.sorted.remove(nth))?;
        if self.sorted.is_empty() {
            self.oldest = None;
        }
        Some(entry)
    }
}

struct Pair {
    ready: Ready,
    store: Store,
    model: Model,
}

impl Pair {
    fn new() -> Self {
        Pair { ready: Ready::new(), store: Store::new(1 << 20), model: Model::default() }
    }

    fn push(&mut self, key: u64, class: usize, release: u64) {
        let id = self.store.insert(Closure::once(|| ()), Priority::ALL[class]);
        let entry = Entry { release, id };
        self.ready.expect(key, entry);
        self.ready.push(entry, &mut self.store);
        self.model.push(key, class, entry);
    }

    fn pop(&mut self) -> bool {
        let got = self.ready.pop(&self.store);
        assert_eq!(got, self.model.remove(0));
        self.check();
        got.is_some_and(|entry| self.store.remove(entry.id).is_some())
    }

    fn cancel(&mut self, nth: usize) {
        let nth = nth.checked_rem(self.model.sorted.len());
        if let Some(entry) = nth.and_then(|nth| self.model.remove(nth)) {
            self.store.remove(entry.id).expect("it is live");
            self.ready.cancelled(&self.store);
            self.check();
        }
    }

    fn check(&self) {
        let live = self.model.sorted.len();
        assert_eq!(self.ready.is_empty(), live == 0);
        assert_eq!(self.ready.oldest(), self.model.oldest.unwrap_or(u64::MAX));
        assert!(self.ready.len() >= live, "entries were lost");
        let garbage = self.garbage();
        assert!(live > 0 || garbage == 0, "{garbage} dead entries are left with nobody live");
    }

    /// Entries held whose task is dead.
    fn garbage(&self) -> usize {
        self.ready.len() - self.model.sorted.len()
    }

    fn finish(mut self) {
        while self.pop() {}
        self.check();
    }
}

#[derive(Clone, Debug)]
enum Op {
    Push(Arrival),
    Crowd(Vec<Arrival>),
    Pop(usize),
    Cancel(usize),
    /// Cancels so many from the same place on.
    CancelMany(usize, usize),
}

/// Key, class and release.
type Arrival = (u64, usize, u64);

fn arrival() -> impl Strategy<Value = Arrival> {
    // Few keys, so that ties abound; near ones, as of deadlines; and those that no sort can pack.
    let key = prop_oneof![
        4 => 0..5u64,
        3 => 1_000_000..1_000_100u64,
        1 => any::<u64>(),
        2 => Just(u64::MAX),
    ];
    (key, 0..4usize, 0..50u64)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => arrival().prop_map(Op::Push),
        1 => prop::collection::vec(arrival(), 0..3 * CROWD).prop_map(Op::Crowd),
        5 => (0..20usize).prop_map(Op::Pop),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => (any::<usize>(), 0..2 * SWEEP_AT).prop_map(|(from, count)| Op::CancelMany(from, count)),
    ]
}

fn pop_some(pair: &mut Pair, count: usize) {
    for _ in 0..count {
        pair.pop();
    }
}

fn play(ops: &[Op]) {
    let mut pair = Pair::new();
    for op in ops {
        match op {
            &Op::Push((key, class, release)) => pair.push(key, class, release),
            Op::Crowd(crowd) => {
                crowd.iter().for_each(|&(key, class, release)| pair.push(key, class, release));
            }
            &Op::Pop(count) => pop_some(&mut pair, count),
            &Op::Cancel(nth) => pair.cancel(nth),
            &Op::CancelMany(from, count) => (0..count).for_each(|_| pair.cancel(from)),
        }
        pair.check();
    }
    pair.finish();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 300 }))]

    #[test]
    fn agrees_with_a_sorted_vector(ops in prop::collection::vec(op(), 1..100)) {
        play(&ops);
    }
}

/// The same number for the same `n`, without a pattern.
fn scatter(n: u64) -> u64 {
    let x = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ x >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[test]
fn ties_go_by_class_and_then_first_in_first_out() {
    for count in [3, CROWD - 1, CROWD, 10 * CROWD] {
        let mut pair = Pair::new();
        for n in 0..count {
            pair.push(7, n % 4, 0);
        }
        let mut popped = Vec::new();
        while let Some(entry) = pair.ready.pop(&pair.store) {
            popped.push((pair.store.place(entry.id).class(), entry.id.index()));
        }
        assert!(popped.is_sorted(), "{count}: {popped:?}");
        assert_eq!(popped.len(), count);
    }
}

#[test]
fn few_arrivals_go_to_the_heap_and_crowds_to_the_run() {
    let mut pair = Pair::new();
    (0..CROWD as u64).for_each(|n| pair.push(scatter(n), 2, 0));
    pair.pop();
    assert_eq!((pair.ready.run.len() - pair.ready.head, pair.ready.few.len()), (CROWD - 1, 0));
    (1..CROWD as u64).for_each(|n| pair.push(scatter(n) ^ 1, 2, 0));
    pair.pop();
    let held = pair.ready.run.len() - pair.ready.head + pair.ready.few.len();
    assert_eq!(held, 2 * CROWD - 3);
    assert!(pair.ready.few.len() >= CROWD - 2, "{}", pair.ready.few.len());
    pair.finish();
}

/// Beside a long run, even many are few: a merge would copy it all.
#[test]
fn a_crowd_is_measured_by_the_run_that_it_would_be_merged_with() {
    let mut pair = Pair::new();
    let run = CROWD * CROWD_SHARE * 10;
    (0..run as u64).for_each(|n| pair.push(scatter(n), 2, 0));
    pair.pop();
    let share = (run - 1) / CROWD_SHARE;
    (1..share as u64).for_each(|n| pair.push(u64::MAX - n, 2, 0));
    pair.pop();
    assert_eq!(pair.ready.few.len(), share - 1);
    (0..share as u64).for_each(|n| pair.push(scatter(n) ^ 1, 2, 0));
    pair.pop();
    assert_eq!(pair.ready.few.len(), share - 1, "a crowd is merged with the run");
    pair.finish();
}

#[test]
fn a_crowd_of_ten_thousand_is_taken_in_order_whatever_its_keys() {
    let count = if cfg!(miri) { 300 } else { 10_000 };
    let keys: [fn(u64) -> u64; 6] = [
        |_| u64::MAX,
        |n| n,
        |n| u64::MAX - n,
        |n| scatter(n) % 64,
        |n| scatter(n) >> 20,
        scatter, // Too far apart to be packed into a word with class and position.
    ];
    for key in keys {
        let mut ready = Ready::new();
        let mut store = Store::new(1 << 20);
        let mut expected = Vec::new();
        for n in 0..count {
            let class = scatter(n) as usize % 4;
            let id = store.insert(Closure::once(|| ()), Priority::ALL[class]);
            let entry = Entry { release: n, id };
            ready.expect(key(n), entry);
            ready.push(entry, &mut store);
            expected.push((key(n), class, n));
        }
        expected.sort_unstable();
        let popped = core::iter::from_fn(|| ready.pop(&store).map(|entry| entry.release));
        assert!(popped.eq(expected.into_iter().map(|(_, _, n)| n)));
        assert!(ready.is_empty());
    }
}

#[test]
fn keys_at_the_limit_of_packing_keep_their_order() {
    for spread in 50..64 {
        let mut pair = Pair::new();
        for n in 0..2 * CROWD as u64 {
            pair.push(((n % 3) << spread) | (n % 5), n as usize % 4, 0);
        }
        pair.push(u64::MAX >> (63 - spread), 3, 0);
        pair.push(0, 0, 0);
        pair.finish();
    }
}

#[test]
fn cancels_leave_bounded_garbage_in_run_heap_and_arrivals() {
    for settled in [0, 1, 20 * CROWD] {
        for order in [|n: usize, _: usize| n, |_, len: usize| len - 1, |n: usize, len| n * 7 % len]
        {
            let mut pair = Pair::new();
            (0..settled).for_each(|n| pair.push(scatter(n as u64), 2, 0));
            if settled > 0 {
                pair.pop();
            }
            (0..10 * CROWD).for_each(|n| pair.push(scatter(n as u64), 2, 0));
            for n in 0..pair.model.sorted.len() - 1 {
                pair.cancel(order(n, pair.model.sorted.len()));
                let live = pair.model.sorted.len();
                let garbage = pair.garbage();
                assert!(garbage <= live.max(SWEEP_AT), "{garbage} dead, {live} live");
            }
            pair.finish();
        }
    }
}

#[test]
fn a_merge_leaves_the_dead_out() {
    let mut pair = Pair::new();
    (0..2 * CROWD as u64).for_each(|n| pair.push(n, 2, 0));
    pair.pop();
    (0..CROWD).for_each(|_| pair.cancel(3));
    assert_eq!(pair.garbage(), CROWD);
    (0..CROWD as u64).for_each(|n| pair.push(n, 2, 0));
    pair.pop();
    assert_eq!(pair.garbage(), 0);
    pair.finish();
}

#[test]
fn the_oldest_release_is_told_until_nothing_is_ready() {
    let mut pair = Pair::new();
    assert_eq!(pair.ready.oldest(), u64::MAX);
    pair.push(1, 2, 30);
    pair.push(0, 2, 20);
    pair.pop();
    assert_eq!(pair.ready.oldest(), 20, "since something was ready without a break");
    pair.pop();
    assert_eq!(pair.ready.oldest(), u64::MAX);
    pair.push(1, 2, 50);
    pair.push(1, 2, 40);
    pair.cancel(1);
    assert_eq!(pair.ready.oldest(), 40);
    pair.cancel(0);
    assert_eq!(pair.ready.oldest(), u64::MAX);
    pair.push(5, 2, 60);
    assert_eq!(pair.ready.oldest(), 60);
    pair.finish();
}

#[test]
fn memory_is_kept_for_the_next_crowd_and_given_back_by_clear() {
    let mut pair = Pair::new();
    let round = |pair: &mut Pair| {
        (0..1_000).for_each(|n| pair.push(scatter(n), 2, n));
        while pair.pop() {}
        pair.ready.bytes()
    };
    round(&mut pair);
    let bytes = round(&mut pair);
    assert!(bytes > 0);
    assert_eq!(round(&mut pair), bytes);
    (0..10).for_each(|n| pair.push(n, 2, n));
    pair.ready.clear();
    assert_eq!(
        (pair.ready.bytes(), pair.ready.oldest(), pair.ready.is_empty()),
        (0, u64::MAX, true)
    );
}

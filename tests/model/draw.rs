//! How sequences are drawn at random.

use nanosecond_scheduler::{MissedTick, Priority};
use proptest::prelude::*;

use crate::ops::{Action, Kind, Op, Sequence, Spec, Start};

/// Spans of every magnitude, and those that lead to the end of time.
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..8u64,
        3 => 0..40_000u64,
        2 => (0..64u32, any::<u64>()).prop_map(|(bits, value)| value >> bits),
        1 => (0..64u32, 0..3u64).prop_map(|(bits, offset)| (1u64 << bits) - 1 + offset),
        1 => (0..3u64).prop_map(|offset| u64::MAX - offset),
    ]
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![3 => Just(Priority::Normal), 2 => prop::sample::select(Priority::ALL.to_vec())]
}

fn missed_tick() -> impl Strategy<Value = MissedTick> {
    prop::sample::select(vec![MissedTick::Burst, MissedTick::Delay, MissedTick::Skip])
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Once),
        2 => (span(), prop::option::of(missed_tick()))
            .prop_map(|(period, missed_tick)| Kind::Periodic { period, missed_tick }),
        1 => span().prop_map(|gap| Kind::Sporadic { gap }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => Just(Action::Nothing),
        2 => (priority(), span()).prop_map(|(priority, delay)| Action::Schedule { priority, delay }),
        1 => any::<usize>().prop_map(Action::Cancel),
        1 => Just(Action::CancelSelf),
        1 => any::<usize>().prop_map(Action::Trigger),
        1 => (0..100u64).prop_map(Action::AdvanceClock),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let start = prop_oneof![
        3 => span().prop_map(Start::After),
        1 => span().prop_map(Start::At),
        2 => Just(Start::Usual),
    ];
    let deadline = prop_oneof![7 => Just(None), 1 => span().prop_map(Some)];
    (kind(), start, priority(), deadline, action()).prop_map(
        |(kind, start, priority, deadline, action)| Spec {
            kind,
            start,
            priority,
            deadline,
            action,
        },
    )
}

fn clock_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => span().prop_map(Op::Advance),
        3 => (-1..=1i8).prop_map(Op::Approach),
        1 => span().prop_map(Op::StepBack),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => spec().prop_map(Op::Schedule),
        3 => any::<usize>().prop_map(Op::Cancel),
        1 => (any::<usize>(), 0..3u32, 0..3u32)
            .prop_map(|(nth, index, generation)| Op::CancelForged { nth, index, generation }),
        1 => any::<u64>().prop_map(Op::CancelBits),
        2 => any::<usize>().prop_map(Op::Trigger),
        4 => clock_op(),
        8 => Just(Op::Tick),
    ]
}

/// A few tasks of every kind; some sequences have little room, most have short ticks.
pub(crate) fn sequence() -> impl Strategy<Value = Sequence> {
    let limit = prop_oneof![1..6usize, Just(40)];
    let capacity = prop_oneof![1 => 1..8usize, 3 => Just(1_000)];
    (limit, capacity, missed_tick(), prop::collection::vec(op(), 1..60)).prop_map(
        |(max_tasks_per_tick, capacity, missed_tick, ops)| Sequence {
            max_tasks_per_tick,
            capacity,
            missed_tick,
            ops,
        },
    )
}

/// Hundreds of tasks that share slots of the queue, so that it splits, sweeps and makes rings.
pub(crate) fn crowded_sequence() -> impl Strategy<Value = Sequence> {
    let spread = (0..40u32).prop_map(|bits| 1u64 << bits);
    let crowd = (1..900u64, priority(), span(), spread)
        .prop_map(|(count, priority, delay, spread)| Op::Crowd { count, priority, delay, spread });
    let op = prop_oneof![
        4 => crowd,
        2 => (1..6usize).prop_map(|stride| Op::CancelMany { stride }),
        1 => spec().prop_map(Op::Schedule),
        4 => clock_op(),
        6 => Just(Op::Tick),
    ];
    (1..2_000usize, missed_tick(), prop::collection::vec(op, 1..20)).prop_map(
        |(max_tasks_per_tick, missed_tick, ops)| Sequence {
            max_tasks_per_tick,
            capacity: 1 << 20,
            missed_tick,
            ops,
        },
    )
}

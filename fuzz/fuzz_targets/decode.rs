//! Bytes into sequences of operations. Every input means something: where bytes run out, zeros are
//! read, and zeros mean the plainest thing.

use arbitrary::{Result, Unstructured};
use nanosecond_scheduler::{MissedTick, Priority};

use crate::ops::{Action, Kind, Op, Sequence, Spec, Start};

/// Bounds the time of an input, which is quadratic in the model.
const MAX_OPS: usize = 120;
const MAX_TASKS: usize = 2_000;

pub(crate) fn sequence(u: &mut Unstructured<'_>) -> Result<Sequence> {
    let max_tasks_per_tick = if u.arbitrary()? { u.int_in_range(1..=6)? } else { 1_000 };
    let capacity = if u.arbitrary()? { u.int_in_range(1..=8)? } else { MAX_TASKS };
    let missed_tick = missed_tick(u)?;
    let mut ops = Vec::new();
    while !u.is_empty() && ops.len() < MAX_OPS {
        ops.push(op(u)?);
    }
    Ok(Sequence { max_tasks_per_tick, capacity, missed_tick, ops })
}

fn op(u: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match u.int_in_range(0..=15u8)? {
        0..=3 => Op::Tick,
        4..=6 => Op::Schedule(spec(u)?),
        7 => Op::Schedule(Spec::plain(priority(u)?, Start::After(span(u)?))),
        8 => Op::Crowd {
            count: u.int_in_range(1..=700)?,
            priority: priority(u)?,
            delay: span(u)?,
            spread: 1 << u.int_in_range(0..=40)?,
        },
        9 => Op::Cancel(nth(u)?),
        10 => Op::CancelMany { stride: u.int_in_range(1..=6)? },
        11 => Op::CancelForged {
            nth: nth(u)?,
            index: u.int_in_range(0..=2)?,
            generation: u.int_in_range(0..=2)?,
        },
        12 => Op::Trigger(nth(u)?),
        13 => Op::Advance(span(u)?),
        14 => Op::Approach(u.int_in_range(-1..=1)?),
        _ if u.ratio(1, 4u8)? => Op::CancelBits(u.arbitrary()?),
        _ => Op::StepBack(span(u)?),
    })
}

fn spec(u: &mut Unstructured<'_>) -> Result<Spec> {
    let kind = match u.int_in_range(0..=3u8)? {
        0 | 1 => Kind::Once,
        2 => {
            let missed_tick = if u.arbitrary()? { Some(missed_tick(u)?) } else { None };
            Kind::Periodic { period: span(u)?, missed_tick }
        }
        _ => Kind::Sporadic { gap: span(u)? },
    };
    let start = match u.int_in_range(0..=3u8)? {
        0 => Start::Usual,
        1 | 2 => Start::After(span(u)?),
        _ => Start::At(span(u)?),
    };
    let deadline = if u.ratio(1, 8u8)? { Some(span(u)?) } else { None };
    Ok(Spec { kind, start, priority: priority(u)?, deadline, action: action(u)? })
}

fn action(u: &mut Unstructured<'_>) -> Result<Action> {
    Ok(match u.int_in_range(0..=7u8)? {
        0..=2 => Action::Nothing,
        3 => Action::Schedule { priority: priority(u)?, delay: span(u)? },
        4 => Action::Cancel(nth(u)?),
        5 => Action::CancelSelf,
        6 => Action::Trigger(nth(u)?),
        _ => Action::AdvanceClock(u.int_in_range(0..=100)?),
    })
}

/// Spans of every magnitude, and those that lead to the end of time.
fn span(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=7u8)? {
        0..=2 => u.int_in_range(0..=7)?,
        3 | 4 => u.int_in_range(0..=40_000)?,
        5 => u.arbitrary::<u64>()? >> u.int_in_range(0..=63)?,
        6 => (1u64 << u.int_in_range(0..=63)?) - 1 + u.int_in_range(0..=2)?,
        _ => u64::MAX - u.int_in_range(0..=2)?,
    })
}

/// Which of the tasks so far; taken modulo their number.
fn nth(u: &mut Unstructured<'_>) -> Result<usize> {
    Ok(usize::from(u.arbitrary::<u16>()?))
}

fn priority(u: &mut Unstructured<'_>) -> Result<Priority> {
    u.choose(&Priority::ALL).copied()
}

fn missed_tick(u: &mut Unstructured<'_>) -> Result<MissedTick> {
    u.choose(&[MissedTick::Burst, MissedTick::Delay, MissedTick::Skip]).copied()
}

//! Ids and times as JavaScript's numbers.

use core::time::Duration;

use nanosecond_scheduler::{TaskId, TimePoint};

/// Bits of a task's number that are its slot: the host allows no greater capacity. With 32 bits of
/// generation that makes 53, which a double holds exactly.
const SLOT_BITS: u32 = 21;

#[inline]
pub(crate) fn to_number(id: TaskId) -> f64 {
    let (generation, slot) = (id.to_bits() >> 32, id.to_bits() as u32);
    // With a sign, as processors convert.
    (generation << SLOT_BITS | u64::from(slot)) as i64 as f64
}

#[inline]
pub(crate) fn to_id(number: f64) -> TaskId {
    let number = number as u64;
    TaskId::from_bits(number >> SLOT_BITS << 32 | number & ((1 << SLOT_BITS) - 1))
}

/// A duration in ns. Most are less than a second, and then need no division.
#[inline]
pub(crate) fn to_duration(ns: u64) -> Duration {
    match u32::try_from(ns) {
        Ok(ns) if ns < 1_000_000_000 => Duration::new(0, ns),
        _ => Duration::from_nanos(ns),
    }
}

/// The nearest ns: a double in ms has none to spare, and truncation would be one short half the time.
#[inline]
pub(crate) fn from_ms(ms: f64) -> u64 {
    // The cast saturates at both ends and takes NaN for 0.
    (ms * 1e6 + 0.5) as u64
}

/// An instant in ms, not rounded down: [`from_ms`] of it is not before the instant.
pub(crate) fn to_ms(at: TimePoint) -> f64 {
    let mut ms = at.as_nanos() as f64 / 1e6;
    while from_ms(ms) < at.as_nanos() {
        ms = f64::from_bits(ms.to_bits() + 1);
    }
    ms
}

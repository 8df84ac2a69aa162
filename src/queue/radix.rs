//! Sorting digit by digit: many numbers by some of their bits, and the pass for others to sort by.

use alloc::vec::Vec;
use core::ops::Range;

/// The widest digit: of so many bits, that what is counted of each stays in the fastest cache.
const DIGIT: u32 = 11;
/// Fewer are sorted by comparison.
const MANY: usize = 512;
/// Fewer have digits of eight bits at most, so that counting does not outweigh them.
const VERY_MANY: usize = 4_096;

/// Sorts `keys` by the `bits` given, and by position those that are alike in them, if the bits below
/// hold positions in ascending order and those above are 0. `spare` is memory. O(keys · bits).
pub(super) fn sort(keys: &mut Vec<u64>, spare: &mut Vec<u64>, bits: Range<u32>) {
    if keys.len() < MANY {
        return keys.sort_unstable();
    }
    spare.resize(keys.len(), 0);
    let width = bits.end - bits.start;
    let passes = width.div_ceil(if keys.len() < VERY_MANY { 8 } else { DIGIT });
    let digit = width.div_ceil(passes.max(1));
    for pass in 0..passes {
        let shift = bits.start + pass * digit;
        if scatter::<_, { 1 << DIGIT }>(keys, spare, digit, |key| key >> shift) {
            core::mem::swap(keys, spare);
        }
    }
}

/// Copies `from` to `to`, which is as long, by the lowest `bits` of a number and then in the order found.
/// Does nothing, and says so, if those are the same in all. There is something, and `MOST`, a power of
/// two, is at least 2 to the power of `bits`.
#[inline]
pub(super) fn scatter<T: Copy, const MOST: usize>(
    from: &[T],
    to: &mut [T],
    bits: u32,
    number: impl Fn(T) -> u64,
) -> bool {
    let mut next = [0_u32; MOST];
    let last = MOST.min(1 << bits) - 1;
    let digit = |item: T| number(item) as usize & last;
    for &item in from {
        next[digit(item)] += 1;
    }
    if next[digit(from[0])] as usize == from.len() {
        return false;
    }
    let mut before = 0;
    for place in &mut next[..=last] {
        before += core::mem::replace(place, before);
    }
    for &item in from {
        let place = &mut next[digit(item)];
        to[*place as usize] = item;
        *place += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_a_comparison_sort() {
        let mut spare = Vec::new();
        for (count, width) in [
            (0, 5),
            (1, 1),
            (511, 30),
            (512, 1),
            (513, 8),
            (600, 0),
            (3_000, 9),
            (4_000, 51),
            (4_096, 1),
            (5_000, 21),
            (8_000, 51),
        ] {
            let position_bits = 13;
            let scatter = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let key = |n: u64| scatter(n).checked_shr(64 - width).unwrap_or(0);
            let mut keys: Vec<u64> = (0..count).map(|n| key(n) << position_bits | n).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys, &mut spare, position_bits..position_bits + width);
            assert_eq!(keys, expected, "{count} keys of {width} bits");
        }
    }
}

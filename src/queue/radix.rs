//! Sorting many numbers by some of their bits, digit by digit.

use alloc::vec::Vec;
use core::ops::Range;

const DIGIT: u32 = 8;
/// Fewer are sorted by comparison.
const MANY: usize = 512;

/// Sorts `keys` by the `bits` given, and by position those that are alike in them, if the bits below
/// hold positions in ascending order and those above are 0. `spare` is memory. O(keys · bits).
pub(super) fn sort(keys: &mut Vec<u64>, spare: &mut Vec<u64>, bits: Range<u32>) {
    if keys.len() < MANY {
        return keys.sort_unstable();
    }
    spare.resize(keys.len(), 0);
    for shift in bits.step_by(DIGIT as usize) {
        if scatter(keys, spare, shift) {
            core::mem::swap(keys, spare);
        }
    }
}

/// Copies `from` to `to`, which is as long, by one digit and then in the order found. Does nothing,
/// and says so, if that digit is the same in all.
fn scatter(from: &[u64], to: &mut [u64], shift: u32) -> bool {
    let digit = |key: u64| (key >> shift) as usize % (1 << DIGIT);
    let mut next = [0; 1 << DIGIT];
    for &key in from {
        next[digit(key)] += 1;
    }
    if next[digit(from[0])] == from.len() {
        return false;
    }
    let mut before = 0;
    for place in &mut next {
        before += core::mem::replace(place, before);
    }
    for &key in from {
        let place = &mut next[digit(key)];
        to[*place] = key;
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
        for (count, width) in
            [(0, 5), (1, 1), (511, 30), (512, 1), (513, 8), (3_000, 9), (4_000, 52)]
        {
            let position_bits = 12;
            let key = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - width);
            let mut keys: Vec<u64> = (0..count).map(|n| key(n) << position_bits | n).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys, &mut spare, position_bits..position_bits + width);
            assert_eq!(keys, expected, "{count} keys of {width} bits");
        }
    }
}

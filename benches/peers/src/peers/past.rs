//! `nanosecond-scheduler` 0.1.1, bounded.
//!
//! It keeps the low 32 bits of the time stamp counter, so its time starts anew every 2^32 cycles
//! (1.65 s at 2.6 GHz), and what was pending then never becomes due: whoever waits for it hangs.
//! A sample therefore starts early in such an epoch and is thrown away if the epoch ended.

use std::hint::spin_loop;

use old::Timestamp;

/// What its time counts up to.
const EPOCH: u64 = 1 << 32;

/// Waits, at most for half an epoch, until more than half an epoch is left.
pub fn wait_for_room() {
    while Timestamp::now().as_nanos() > EPOCH / 2 {
        spin_loop();
    }
}

/// Its time at some moment, to find out whether it has started anew since.
pub struct Epoch(Timestamp);

impl Epoch {
    pub fn current() -> Self {
        Epoch(Timestamp::now())
    }

    #[inline]
    pub fn is_over(&self) -> bool {
        Timestamp::now() < self.0
    }

    /// Waits until `units` of its time have passed since this moment, or the epoch is over.
    pub fn wait(&self, units: u64) {
        let until = self.0.as_nanos() + units;
        while Timestamp::now().as_nanos() <= until && !self.is_over() {
            spin_loop();
        }
    }
}

//! Whether all one-shots accepted so far have ended, however many come meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

/// Counts in two phases, as read-copy-update does for readers: who waits turns to the other phase, so
/// that what comes from then on is not waited for.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    phase: AtomicUsize,
    counts: [AtomicUsize; 2],
    /// One waits at a time.
    turn: Mutex<()>,
    lock: Mutex<()>,
    has_changed: Condvar,
}

impl Outstanding {
    /// Counts one more; tells in which phase, for [`leave`](Self::leave).
    pub(crate) fn enter(&self) -> usize {
        let phase = self.phase.load(Ordering::SeqCst);
        self.counts[phase].fetch_add(1, Ordering::SeqCst);
        phase
    }

    pub(crate) fn leave(&self, phase: usize) {
        if self.counts[phase].fetch_sub(1, Ordering::SeqCst) == 1 {
            // Nobody is between looking and waiting then.
            drop(self.lock.lock());
            self.has_changed.notify_all();
        }
    }

    /// Returns when all have left that had entered before.
    pub(crate) fn wait(&self) {
        let _turn = self.turn.lock();
        let phase = self.phase.load(Ordering::SeqCst);
        // Those of before the last turn, and such as were slow to enter.
        self.wait_for(1 - phase);
        self.phase.store(1 - phase, Ordering::SeqCst);
        self.wait_for(phase);
    }

    fn wait_for(&self, phase: usize) {
        let mut lock = self.lock.lock();
        while self.counts[phase].load(Ordering::SeqCst) > 0 {
            self.has_changed.wait(&mut lock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_come_later_are_not_waited_for() {
        let outstanding = Outstanding::default();
        outstanding.wait();
        let early = outstanding.enter();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| outstanding.wait());
            while outstanding.phase.load(Ordering::SeqCst) == early {
                std::thread::yield_now();
            }
            let late = outstanding.enter();
            assert_ne!(early, late);
            outstanding.leave(early);
            waiter.join().unwrap();
            outstanding.leave(late);
        });
        outstanding.wait();
    }
}

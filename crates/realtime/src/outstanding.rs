//! Whether all one-shots accepted so far have ended, however many come meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

/// Counts in two phases, as read-copy-update does for readers: who waits turns to the other phase, so
/// that what comes from then on is not waited for.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    phase: AtomicUsize,
    counts: [AtomicUsize; 2],
    /// One waits at a time.
    turn: Mutex<()>,
    /// Who waits. Woken without a lock, so that no worker waits for it.
    waiter: AtomicWaker,
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
            self.waiter.wake();
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
        let waker = waker_of_thread();
        self.waiter.register(&waker);
        while self.counts[phase].load(Ordering::SeqCst) > 0 {
            thread::park();
            self.waiter.register(&waker);
        }
    }
}

/// What wakes the calling thread when it parks.
pub(crate) fn waker_of_thread() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
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

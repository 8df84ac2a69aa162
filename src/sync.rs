//! Primitives of the remote's door; under `cfg(loom)` ones that loom can explore.

pub(crate) use crossbeam_utils::CachePadded;

#[cfg(not(loom))]
pub(crate) use {
    crossbeam_queue::ArrayQueue,
    crossbeam_utils::sync::{Parker, Unparker},
    std::sync::atomic::{fence, AtomicBool, AtomicU64, AtomicUsize, Ordering},
    std::sync::Arc,
};

#[cfg(loom)]
pub(crate) use {
    loom::sync::atomic::{fence, AtomicBool, AtomicU64, AtomicUsize, Ordering},
    loom::sync::Arc,
    models::{ArrayQueue, Parker, Unparker},
};

/// What crossbeam's types promise, and no more, in terms of loom's.
#[cfg(loom)]
mod models {
    use loom::sync::atomic::{fence, AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread::yield_now;
    use std::time::Duration;

    /// Crossbeam's algorithm, because its weakness matters: a pop synchronises with the push of the
    /// very item that it takes, and may overlook one whose push does not happen before it. A lock
    /// around the whole queue would hide that.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        slots: Vec<Slot<T>>,
        /// Items popped since the beginning.
        head: AtomicUsize,
        /// Places taken by pushes since the beginning.
        tail: AtomicUsize,
    }

    /// Position p uses the slot p modulo the capacity.
    #[derive(Debug)]
    struct Slot<T> {
        /// 2p while free for position p, 2p + 1 while it holds the item of position p.
        stamp: AtomicUsize,
        item: Mutex<Option<T>>,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            let slot = |p| Slot { stamp: AtomicUsize::new(2 * p), item: Mutex::new(None) };
            let slots = (0..capacity).map(slot).collect();
            ArrayQueue { slots, head: AtomicUsize::new(0), tail: AtomicUsize::new(0) }
        }

        fn slot(&self, position: usize) -> &Slot<T> {
            &self.slots[position % self.slots.len()]
        }

        pub(crate) fn push(&self, item: T) -> Result<(), T> {
            loop {
                let tail = self.tail.load(Ordering::Relaxed);
                let slot = self.slot(tail);
                if slot.stamp.load(Ordering::Acquire) == 2 * tail {
                    if advance(&self.tail, tail) {
                        *slot.item.lock().unwrap() = Some(item);
                        slot.stamp.store(2 * tail + 1, Ordering::Release);
                        return Ok(());
                    }
                } else {
                    fence(Ordering::SeqCst);
                    if self.head.load(Ordering::Relaxed) + self.slots.len() == tail {
                        return Err(item);
                    }
                }
                yield_now();
            }
        }

        pub(crate) fn pop(&self) -> Option<T> {
            loop {
                let head = self.head.load(Ordering::Relaxed);
                let slot = self.slot(head);
                if slot.stamp.load(Ordering::Acquire) == 2 * head + 1 {
                    if advance(&self.head, head) {
                        let item = slot.item.lock().unwrap().take();
                        slot.stamp.store(2 * (head + self.slots.len()), Ordering::Release);
                        return item;
                    }
                } else {
                    fence(Ordering::SeqCst);
                    if self.tail.load(Ordering::Relaxed) == head {
                        return None;
                    }
                }
                yield_now();
            }
        }
    }

    /// Takes the position `from`, unless somebody else has.
    fn advance(end: &AtomicUsize, from: usize) -> bool {
        end.compare_exchange(from, from + 1, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Parks until its unparker has left a token, and takes it.
    #[derive(Debug)]
    pub(crate) struct Parker(Unparker);

    #[derive(Clone, Debug)]
    pub(crate) struct Unparker(Arc<Token>);

    #[derive(Debug)]
    struct Token {
        left: Mutex<bool>,
        changed: Condvar,
    }

    impl Parker {
        pub(crate) fn new() -> Self {
            let token = Token { left: Mutex::new(false), changed: Condvar::new() };
            Parker(Unparker(Arc::new(token)))
        }

        pub(crate) fn unparker(&self) -> &Unparker {
            &self.0
        }

        pub(crate) fn park(&self) {
            let token = &self.0 .0;
            let mut left = token.left.lock().unwrap();
            while !*left {
                left = token.changed.wait(left).unwrap();
            }
            *left = false;
        }

        /// No timeout ends within a model: what relies on one to be woken is stuck.
        pub(crate) fn park_timeout(&self, _: Duration) {
            self.park();
        }
    }

    impl Unparker {
        pub(crate) fn unpark(&self) {
            *self.0.left.lock().unwrap() = true;
            self.0.changed.notify_one();
        }
    }
}

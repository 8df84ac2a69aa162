//! Primitives of the remote's door; under `cfg(loom)` ones that loom can explore.

#[cfg(not(loom))]
pub(crate) use {
    crossbeam_queue::ArrayQueue,
    crossbeam_utils::sync::{Parker, Unparker},
    std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    std::sync::Arc,
};

#[cfg(loom)]
pub(crate) use {
    loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    loom::sync::Arc,
    models::{ArrayQueue, Parker, Unparker},
};

/// What crossbeam's types promise, and no more, in terms of loom's.
#[cfg(loom)]
mod models {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};
    use std::time::Duration;

    /// A pop synchronises with the push of the very item that it takes, and may overlook an item
    /// whose push does not happen before it: `tail` is an atomic, which loom reads stale where the
    /// memory model allows it. A lock around the whole queue would hide that.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        slots: Vec<Mutex<Option<T>>>,
        /// Items popped since the beginning; only the owner pops.
        head: AtomicUsize,
        /// Places taken by pushes since the beginning.
        tail: AtomicUsize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            let slots = (0..capacity).map(|_| Mutex::new(None)).collect();
            ArrayQueue { slots, head: AtomicUsize::new(0), tail: AtomicUsize::new(0) }
        }

        fn slot(&self, position: usize) -> &Mutex<Option<T>> {
            &self.slots[position % self.slots.len()]
        }

        pub(crate) fn push(&self, item: T) -> Result<(), T> {
            let mut tail = self.tail.load(Ordering::Relaxed);
            loop {
                if tail.saturating_sub(self.head.load(Ordering::Acquire)) == self.slots.len() {
                    return Err(item);
                }
                let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
                match self.tail.compare_exchange(tail, tail + 1, success, failure) {
                    Ok(_) => break,
                    Err(newer) => tail = newer,
                }
            }
            *self.slot(tail).lock().unwrap() = Some(item);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            let head = self.head.load(Ordering::Relaxed);
            if head == self.tail.load(Ordering::Acquire) {
                return None;
            }
            loop {
                // Bound to a name, so that the lock is released before this thread yields.
                let item = self.slot(head).lock().unwrap().take();
                if item.is_some() {
                    self.head.store(head + 1, Ordering::Release);
                    return item;
                }
                loom::thread::yield_now();
            }
        }
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

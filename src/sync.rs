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

/// What crossbeam's types promise, in terms of loom's.
#[cfg(loom)]
mod models {
    use loom::sync::{Arc, Condvar, Mutex};
    use std::collections::VecDeque;
    use std::time::Duration;

    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        items: Mutex<VecDeque<T>>,
        capacity: usize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            ArrayQueue { items: Mutex::new(VecDeque::new()), capacity }
        }

        pub(crate) fn push(&self, item: T) -> Result<(), T> {
            let mut items = self.items.lock().unwrap();
            if items.len() == self.capacity {
                return Err(item);
            }
            items.push_back(item);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.items.lock().unwrap().pop_front()
        }
    }

    /// Parks until its unparker has left a token, and takes it.
    #[derive(Debug)]
    pub(crate) struct Parker(Unparker);

    #[derive(Clone, Debug)]
    pub(crate) struct Unparker(Arc<(Mutex<bool>, Condvar)>);

    impl Parker {
        pub(crate) fn new() -> Self {
            Parker(Unparker(Arc::new((Mutex::new(false), Condvar::new()))))
        }

        pub(crate) fn unparker(&self) -> &Unparker {
            &self.0
        }

        pub(crate) fn park(&self) {
            let (token, changed) = &*self.0 .0;
            let mut token = token.lock().unwrap();
            while !*token {
                token = changed.wait(token).unwrap();
            }
            *token = false;
        }

        /// A timeout may end at once.
        pub(crate) fn park_timeout(&self, _: Duration) {
            let (token, _) = &*self.0 .0;
            *token.lock().unwrap() = false;
        }
    }

    impl Unparker {
        pub(crate) fn unpark(&self) {
            let (token, changed) = &*self.0 .0;
            *token.lock().unwrap() = true;
            changed.notify_one();
        }
    }
}

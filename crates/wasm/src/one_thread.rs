//! What only one thread reaches, as a static.

pub(crate) struct OneThread<T>(pub(crate) T);

// SAFETY: without the target's atomics no second thread can share this memory.
#[cfg(not(target_feature = "atomics"))]
unsafe impl<T> Sync for OneThread<T> {}

//! An allocator that counts while it is told to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// The system's allocator. Off, it costs a load and a branch per call; on, it counts the bytes
/// that were asked for, not what the allocator adds to them.
pub struct CountingAllocator;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static ALLOCATIONS: AtomicI64 = AtomicI64::new(0);

/// What some piece of work did to the heap.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Bytes more than before it.
    pub live: i64,
    /// The most that `live` was on the way.
    pub peak: i64,
    /// Calls that allocated or reallocated.
    pub allocations: i64,
}

/// Counts what `work` does, on all threads; not to be nested.
pub fn count<R>(work: impl FnOnce() -> R) -> (R, Usage) {
    for counter in [&LIVE, &PEAK, &ALLOCATIONS] {
        counter.store(0, Relaxed);
    }
    ON.store(true, Relaxed);
    let result = work();
    ON.store(false, Relaxed);
    let [live, peak, allocations] =
        [&LIVE, &PEAK, &ALLOCATIONS].map(|counter| counter.load(Relaxed));
    (result, Usage { live, peak, allocations })
}

#[inline]
fn note(bytes: i64, allocations: i64) {
    if ON.load(Relaxed) {
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        PEAK.fetch_max(live, Relaxed);
        ALLOCATIONS.fetch_add(allocations, Relaxed);
    }
}

// SAFETY: every call is passed on to `System` as it came; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as i64, 1);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as i64, 1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(-(layout.size() as i64), 0);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size as i64 - layout.size() as i64, 1);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

//! The allocator. A scheduler holds pages of a few sizes and vectors that double, and lets go of little
//! before its end: so blocks are powers of two, and a free one waits for the next request of its size.
//! None is split or merged. What is taken from the host is at most the sum, over the sizes, of what was
//! in use at a time.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::memory_grow;
use core::cell::Cell;
use core::ptr::{null_mut, NonNull};

use crate::one_thread::OneThread;

#[global_allocator]
static MEMORY: OneThread<Memory> = OneThread(Memory::new());

/// Of WebAssembly.
const PAGE: usize = 1 << 16;
/// Blocks are aligned to their size, or to this; greater alignments are refused.
const MOST_ALIGNED: usize = 64;
/// No block is smaller: a free one holds a [`Free`].
const LEAST: usize = 16;

/// The first of some free blocks, which holds the next.
type Free = Option<NonNull<u8>>;

struct Memory {
    /// By the logarithm of the blocks' size.
    free: [Cell<Free>; usize::BITS as usize],
    /// Bytes that were in no block yet, and where they begin.
    untouched: Cell<usize>,
    at: Cell<usize>,
}

impl Memory {
    const fn new() -> Self {
        let free = [const { Cell::new(None) }; usize::BITS as usize];
        Memory { free, untouched: Cell::new(0), at: Cell::new(0) }
    }

    /// The size of a layout's block, and the list of free ones.
    fn block(&self, layout: Layout) -> (usize, &Cell<Free>) {
        // A layout has at most half of all bytes, so that this does not overflow.
        let size = layout.size().max(layout.align()).max(LEAST).next_power_of_two();
        (size, &self.free[size.trailing_zeros() as usize])
    }

    /// Makes a block; null if the host has no more memory.
    #[cold]
    fn make(&self, size: usize) -> *mut u8 {
        let mut gap = self.at.get().wrapping_neg() % size.min(MOST_ALIGNED);
        if self.untouched.get() < gap + size {
            let pages = size.div_ceil(PAGE);
            let new = memory_grow::<0>(pages);
            if new == usize::MAX {
                return null_mut();
            }
            if new * PAGE != self.at.get().wrapping_add(self.untouched.get()) {
                // The first, or somebody else took what lies between.
                self.at.set(new * PAGE);
                self.untouched.set(0);
                gap = 0;
            }
            self.untouched.set(self.untouched.get() + pages * PAGE);
        }
        let block = self.at.get() + gap;
        self.untouched.set(self.untouched.get() - gap - size);
        self.at.set(block.wrapping_add(size));
        block as *mut u8
    }
}

// SAFETY: a block is as large as its layout asks, or null, and aligned, since `at` is a multiple of a
// page's size or has been rounded. It is nobody else's until it is given back: it came from `memory_grow`
// and `at` has passed it, or it was taken off its list. Nothing here unwinds or allocates.
unsafe impl GlobalAlloc for OneThread<Memory> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > MOST_ALIGNED {
            return null_mut();
        }
        let (size, free) = self.0.block(layout);
        let Some(block) = free.get() else { return self.0.make(size) };
        // SAFETY: `dealloc` has written a `Free` there, and what is on a list nobody else writes to.
        free.set(unsafe { block.cast::<Free>().read() });
        block.as_ptr()
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (_, free) = self.0.block(layout);
        // SAFETY: the caller gives up a block of `alloc` with that layout: at least `LEAST` bytes, aligned
        // to as many.
        unsafe { block.cast::<Free>().write(free.get()) };
        free.set(NonNull::new(block));
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{alloc, dealloc};
    use std::vec::Vec;

    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[wasm_bindgen_test]
    fn blocks_are_apart_aligned_and_used_again() {
        let sizes = [1, 15, 16, 17, 100, 1 << 10, (1 << 16) + 1, 3 << 20];
        let layouts: Vec<_> =
            [1, 8, 64].iter().flat_map(|align| sizes.map(|size| layout(size, *align))).collect();
        // SAFETY: no layout is empty; what is written to and given back are the blocks that came.
        unsafe {
            let blocks: Vec<_> = layouts.iter().map(|layout| alloc(*layout)).collect();
            for (n, (block, layout)) in blocks.iter().zip(&layouts).enumerate() {
                assert_eq!(block.align_offset(layout.align()), 0);
                block.write_bytes(n as u8, layout.size());
            }
            for (n, (block, layout)) in blocks.iter().zip(&layouts).enumerate() {
                let bytes = std::slice::from_raw_parts(*block, layout.size());
                assert!(bytes.iter().all(|byte| *byte == n as u8));
            }
            for (block, layout) in blocks.iter().zip(&layouts) {
                dealloc(*block, *layout);
                // The next of that size, also if it is not quite the same.
                let like = self::layout(layout.size().next_power_of_two(), layout.align());
                assert_eq!(alloc(like), *block);
            }
            blocks.iter().zip(&layouts).for_each(|(block, layout)| dealloc(*block, *layout));
        }
    }

    #[wasm_bindgen_test]
    fn what_cannot_be_had_is_refused() {
        let half = layout(isize::MAX as usize, 1);
        // SAFETY: the layouts are not empty, and what comes is not used.
        unsafe {
            assert!(alloc(layout(1, 2 * MOST_ALIGNED)).is_null());
            assert!(alloc(half).is_null() || alloc(half).is_null());
        }
    }
}

//! What the program takes from the C library, and nothing else.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{c_int, c_void};

#[link(name = "c")]
unsafe extern "C" {
    fn posix_memalign(memory: *mut *mut c_void, align: usize, size: usize) -> c_int;
    fn free(memory: *mut c_void);
    pub safe fn abort() -> !;
}

/// The C library's heap.
pub struct Allocator;

// SAFETY: `posix_memalign` answers with a block of the size and alignment asked for, that nobody
// else uses until it is freed, or reports an error, which becomes null; it never unwinds.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut memory = core::ptr::null_mut();
        // `posix_memalign` wants at least the alignment of a pointer.
        let align = layout.align().max(align_of::<*mut c_void>());
        // SAFETY: `memory` is valid for the write, `align` a power of two and a multiple of a
        // pointer's size.
        let error = unsafe { posix_memalign(&mut memory, align, layout.size()) };
        if error == 0 {
            memory.cast()
        } else {
            core::ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, _layout: Layout) {
        // SAFETY: the caller got `memory` from `alloc`, that is, from `posix_memalign`.
        unsafe { free(memory.cast()) }
    }
}

/// What compiler_builtins refers to in some of its parts. Nothing unwinds here.
// SAFETY: no other item of this program has this name.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {
    abort()
}

//! Hazard: a small file of FANN that claims to be big takes the memory it claims.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::oracle;
use temporal_nets::fann;

/// The system's allocator, which notes each thread's greatest request.
struct Noting;

thread_local! {
    static GREATEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    GREATEST.set(GREATEST.get().max(size));
}

// SAFETY: everything is done by the system's allocator; noting touches no heap.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises are the system allocator's demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Noting = Noting;

/// The most memory that reading asks for at once, in bytes per byte of the text.
fn greatest_request(text: &str) -> usize {
    GREATEST.set(0);
    drop(fann::read(text));
    GREATEST.get() / text.len()
}

#[test]
fn memory_is_in_proportion_to_the_text_whatever_it_claims() {
    let text = oracle("libfann_2_3_1.net");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
    let claiming = |layers: usize, size: &str| {
        text.replacen(line("num_layers="), &format!("num_layers={layers}"), 1).replacen(
            line("layer_sizes="),
            &format!("layer_sizes={}", size.repeat(layers)),
            1,
        )
    };
    assert!(fann::read(&text).is_ok() && greatest_request(&text) < 16);
    // As big as layers may be, and a size that no layer may have.
    for size in ["16385 ", "18446744073709551615 "] {
        let text = claiming(500, size);
        assert!(fann::read(&text).is_err());
        let greatest = greatest_request(&text);
        assert!(greatest < 16, "{greatest} times the text, for 500 layers of {size}");
    }
}

//! Touching memory before it is needed, so that no page fault delays a job.

use std::hint::black_box;

use super::{platform, Outcome};

/// Smaller than any page, so that a stride of it touches all of them.
const STRIDE: usize = 2048;
/// Stack that is left alone, for those who called us and for signal handlers.
const MARGIN: usize = 64 * 1024;
/// Blocks that the heap is touched in: none is so large that the allocator maps it by itself.
const BLOCK: usize = 64 * 1024;

pub(super) fn stack(bytes: usize) -> Outcome {
    let here = 0_u8;
    let top = &raw const here as usize;
    let Some(left) = platform::stack_left(top) else {
        return Outcome::unsupported("the bounds of this thread's stack are not known here");
    };
    let usable = left.saturating_sub(MARGIN);
    if bytes > usable {
        return Outcome::denied(
            platform::NO_MEMORY,
            format!(
                "{bytes} bytes of stack to touch, {usable} can be: start the thread with a larger \
                 stack (std::thread::Builder::stack_size)"
            ),
        );
    }
    touch_down_to(top - bytes);
    Outcome::Applied
}

/// Each call touches a frame of its own.
#[inline(never)]
fn touch_down_to(end: usize) {
    let frame = [0_u8; STRIDE];
    if black_box(&raw const frame) as usize > end {
        touch_down_to(end);
    }
    // Keeps the frame alive across the call, which then is no tail call.
    black_box(&frame);
}

pub(super) fn heap(bytes: usize) -> Outcome {
    let kept = platform::keep_freed_memory();
    if kept.is_applied() {
        let blocks: Vec<Vec<u8>> = (0..bytes.div_ceil(BLOCK)).map(|_| touched_block()).collect();
        drop(black_box(blocks));
    }
    kept
}

fn touched_block() -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK);
    for byte in block.spare_capacity_mut().iter_mut().step_by(STRIDE) {
        byte.write(0);
    }
    black_box(block)
}

//! Hazards: memory that is said to be touched and still faults; a touch beyond the stack's end.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::fs;
use std::hint::black_box;
use std::thread;

use nanosecond_realtime::os::{self, Outcome};

const MIB: usize = 1 << 20;
/// The smallest that Linux uses.
const PAGE: usize = 4096;

/// Page faults of this thread that needed no disk.
fn faults() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
    // The name, in brackets, may hold spaces; the tenth field is the eighth after it.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(7).unwrap().parse().unwrap()
}

/// The faults that touching costs, in 1/100 of the pages touched.
fn percent_faulting(bytes: usize, touch: impl FnOnce()) -> u64 {
    let before = faults();
    touch();
    (faults() - before) * 100 / (bytes / PAGE) as u64
}

fn on_a_thread_with(stack: usize, test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(stack).spawn(test).unwrap().join().unwrap();
}

#[inline(never)]
fn use_stack(bytes: usize) {
    let frame = [0_u8; PAGE];
    black_box(&frame);
    if bytes > frame.len() {
        use_stack(bytes - frame.len());
    }
    black_box(&frame);
}

#[test]
fn a_touched_stack_does_not_fault() {
    on_a_thread_with(16 * MIB, || {
        assert_eq!(os::prefault_stack(12 * MIB), Outcome::Applied);
        // Frames are somewhat larger than what they hold.
        let percent = percent_faulting(8 * MIB, || use_stack(8 * MIB));
        assert!(percent < 5, "{percent} % of the pages faulted");
    });
}

#[test]
fn more_than_the_stack_is_denied() {
    on_a_thread_with(MIB, || {
        for bytes in [MIB - 64 * 1024, MIB, 64 * MIB, usize::MAX] {
            let outcome = os::prefault_stack(bytes);
            let Outcome::Denied { errno, hint } = &outcome else { panic!("{outcome}") };
            assert_eq!(*errno, rustix::io::Errno::NOMEM.raw_os_error());
            assert!(hint.contains(&bytes.to_string()) && hint.contains("stack_size"), "{hint}");
        }
        for bytes in [0, 1, MIB - 96 * 1024] {
            assert_eq!(os::prefault_stack(bytes), Outcome::Applied);
        }
    });
}

#[test]
fn touched_heap_is_kept_and_does_not_fault() {
    on_a_thread_with(MIB, || {
        assert_eq!(os::prefault_heap(16 * MIB), Outcome::Applied);
        let use_heap = |bytes| percent_faulting(bytes, || drop(black_box(vec![1_u8; bytes])));
        for _ in 0..2 {
            let percent = use_heap(12 * MIB);
            assert!(percent < 5, "{percent} % of the pages faulted");
        }
        // What is taken beyond that is kept, too.
        use_heap(32 * MIB);
        let percent = use_heap(32 * MIB);
        assert!(percent < 5, "{percent} % of the pages faulted again");
    });
}

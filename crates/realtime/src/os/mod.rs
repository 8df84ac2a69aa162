//! What the operating system does for real time: cores, scheduling classes, locked memory.
//!
//! Functions act on the calling thread, except those of memory, which act on the process. Each
//! request is answered by an [`Outcome`]; what is in force can be read back.
//!
//! The order that works, for a worker thread:
//!
//! 1. [`lock_memory`] once, before the workers start;
//! 2. [`pin_to_core`];
//! 3. [`set_timer_slack`], which Linux ignores for a real-time thread;
//! 4. [`set_class`];
//! 5. [`prefault_stack`] and [`prefault_heap`].
//!
//! | | Linux | macOS | Windows |
//! |---|---|---|---|
//! | [`pin_to_core`] | `sched_setaffinity` | – | `SetThreadAffinityMask` |
//! | [`set_class`] | `sched_setattr` | fixed precedence; `Deadline` is a time constraint | thread priority; no `Deadline` |
//! | [`set_nice`] | `setpriority` | – | – |
//! | [`set_timer_slack`] | `prctl` | – | – |
//! | [`lock_memory`] | `mlockall` | – | – |
//! | [`prefault_stack`] | yes | yes | yes |
//! | [`prefault_heap`] | with glibc's allocator | – | – |
//! | [`throttling`] | `sched_rt_runtime_us` | – | – |
//!
//! Elsewhere all is [`Outcome::Unsupported`].
//!
//! ```
//! use nanosecond_realtime::os::{self, SchedClass};
//!
//! std::thread::spawn(|| {
//!     for outcome in [os::pin_to_core(0), os::set_class(SchedClass::Fifo(80))] {
//!         println!("{outcome}"); // "applied", or what is missing
//!     }
//! });
//! ```

mod class;
mod outcome;
mod prefault;
mod throttling;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos", windows)), path = "other.rs")]
#[allow(unsafe_code)]
mod platform;

pub use class::{PriorityClasses, SchedClass};
pub use outcome::{OsError, Outcome};
pub use throttling::Throttling;

/// The cores that the process may use, in ascending order: on Linux those of its first thread, so
/// that a worker's pin does not hide the others. Never empty: where it cannot be read, as many
/// as [`std::thread::available_parallelism`] counts.
#[must_use]
pub fn available_cores() -> Vec<usize> {
    platform::available_cores().filter(|cores| !cores.is_empty()).unwrap_or_else(|| {
        (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
    })
}

/// Keeps the calling thread on `core`, one of [`available_cores`].
pub fn pin_to_core(core: usize) -> Outcome {
    platform::pin_to_core(core)
}

/// The cores that the calling thread may run on, in ascending order; `None` where unreadable.
#[must_use]
pub fn cores_in_force() -> Option<Vec<usize>> {
    platform::cores_in_force()
}

/// Moves the calling thread to `class`. Threads that it starts later inherit the class on Linux,
/// except [`SchedClass::Deadline`]. A nice value is kept.
pub fn set_class(class: SchedClass) -> Outcome {
    match class.flaw() {
        Some(flaw) => Outcome::denied(platform::INVALID, flaw),
        None => platform::set_class(class),
    }
}

/// The calling thread's class; `None` where unreadable, or if it is none of [`SchedClass`]'s.
#[must_use]
pub fn class_in_force() -> Option<SchedClass> {
    platform::class_in_force()
}

/// Sets the calling thread's weight in the class [`SchedClass::Normal`], from −20 (most time) to
/// 19. Other classes keep it for later.
pub fn set_nice(nice: i32) -> Outcome {
    if !(-20..=19).contains(&nice) {
        let hint = format!("the nice value {nice} is not within -20 to 19");
        return Outcome::denied(platform::INVALID, hint);
    }
    platform::set_nice(nice)
}

/// The calling thread's nice value; `None` where unreadable.
#[must_use]
pub fn nice_in_force() -> Option<i32> {
    platform::nice_in_force()
}

/// Bounds how much later, in nanoseconds, than asked the calling thread may be woken so that the
/// processor wakes less often. 0 is the default of the thread that started this one, mostly
/// 50 µs; 1 is the least. Real-time classes have none.
pub fn set_timer_slack(ns: u64) -> Outcome {
    platform::set_timer_slack(ns)
}

/// The calling thread's timer slack in nanoseconds; `None` where unreadable.
#[must_use]
pub fn timer_slack_in_force() -> Option<u64> {
    platform::timer_slack_in_force()
}

/// Keeps all memory of the process, present and future, out of swap, and faults it in at once.
///
/// Under a finite limit (`ulimit -l`) and without `CAP_IPC_LOCK`, what exceeds the limit *later*
/// fails: allocations, and the stacks of new threads. Better start with an unlimited one.
pub fn lock_memory() -> Outcome {
    platform::lock_memory()
}

/// Undoes [`lock_memory`].
pub fn unlock_memory() -> Outcome {
    platform::unlock_memory()
}

/// Touches the next `bytes` of the calling thread's stack. Denied if fewer are left, less 64 KiB.
pub fn prefault_stack(bytes: usize) -> Outcome {
    prefault::stack(bytes)
}

/// Touches `bytes` of heap, in blocks of 64 KiB, and gives them back to the allocator, which is
/// told to keep them. That is glibc's, for the whole process: from now on it returns no
/// memory to the system. Another `#[global_allocator]` is not told.
pub fn prefault_heap(bytes: usize) -> Outcome {
    prefault::heap(bytes)
}

/// What throttling of real-time threads is in force; `None` where there is none, or it cannot be
/// read.
#[must_use]
pub fn throttling() -> Option<Throttling> {
    platform::throttling()
}

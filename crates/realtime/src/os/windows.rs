//! Windows, by windows-sys.

use windows_sys::Win32::Foundation::{
    GetLastError, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::System::SystemInformation::GROUP_AFFINITY;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, GetCurrentThreadStackLimits, GetProcessAffinityMask,
    GetThreadGroupAffinity, GetThreadPriority, SetThreadAffinityMask, SetThreadPriority,
    THREAD_PRIORITY_ABOVE_NORMAL, THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_NORMAL,
    THREAD_PRIORITY_TIME_CRITICAL,
};

use super::{Outcome, SchedClass, Throttling};

pub(super) const INVALID: i32 = ERROR_INVALID_PARAMETER as i32;
pub(super) const NO_MEMORY: i32 = ERROR_NOT_ENOUGH_MEMORY as i32;

fn this_thread() -> *mut core::ffi::c_void {
    // SAFETY: it gives a constant that means the calling thread.
    unsafe { GetCurrentThread() }
}

fn last_error() -> i32 {
    // SAFETY: it reads a value of the calling thread.
    unsafe { GetLastError() as i32 }
}

fn cores_in(mask: usize) -> Vec<usize> {
    (0..usize::BITS as usize).filter(|core| mask >> core & 1 == 1).collect()
}

pub(super) fn available_cores() -> Option<Vec<usize>> {
    let (mut process, mut system) = (0, 0);
    // SAFETY: it gives a constant that means this process.
    let this_process = unsafe { GetCurrentProcess() };
    // SAFETY: the process exists, and both masks are ours to write.
    let done = unsafe { GetProcessAffinityMask(this_process, &mut process, &mut system) };
    (done != 0).then(|| cores_in(process))
}

pub(super) fn cores_in_force() -> Option<Vec<usize>> {
    let mut affinity = GROUP_AFFINITY::default();
    // SAFETY: the thread exists, and `affinity` is ours to write.
    let done = unsafe { GetThreadGroupAffinity(this_thread(), &mut affinity) };
    (done != 0).then(|| cores_in(affinity.Mask))
}

pub(super) fn pin_to_core(core: usize) -> Outcome {
    let mask = u32::try_from(core).ok().and_then(|core| 1_usize.checked_shl(core));
    let errno = match mask {
        // SAFETY: the thread exists; a mask that is no good is refused.
        Some(mask) => match unsafe { SetThreadAffinityMask(this_thread(), mask) } {
            0 => last_error(),
            _ => return Outcome::Applied,
        },
        None => INVALID,
    };
    Outcome::denied(
        errno,
        format!(
            "core {core} does not exist in the thread's processor group, or the process may not \
             use it; cores {:?} are available",
            super::available_cores()
        ),
    )
}

pub(super) fn set_class(class: SchedClass) -> Outcome {
    let level = match class {
        SchedClass::Normal => THREAD_PRIORITY_NORMAL,
        SchedClass::Deadline { .. } => {
            return Outcome::unsupported("Windows has no deadline class: ask for FIFO or RR");
        }
        SchedClass::Fifo(67..) | SchedClass::RoundRobin(67..) => THREAD_PRIORITY_TIME_CRITICAL,
        SchedClass::Fifo(34..) | SchedClass::RoundRobin(34..) => THREAD_PRIORITY_HIGHEST,
        SchedClass::Fifo(_) | SchedClass::RoundRobin(_) => THREAD_PRIORITY_ABOVE_NORMAL,
    };
    // SAFETY: the thread exists.
    if unsafe { SetThreadPriority(this_thread(), level) } != 0 {
        Outcome::Applied
    } else {
        Outcome::denied(last_error(), format!("SetThreadPriority to {level} failed"))
    }
}

pub(super) fn class_in_force() -> Option<SchedClass> {
    // SAFETY: the thread exists.
    let level = unsafe { GetThreadPriority(this_thread()) };
    (level == THREAD_PRIORITY_NORMAL).then_some(SchedClass::Normal)
}

pub(super) fn set_nice(_nice: i32) -> Outcome {
    Outcome::unsupported("Windows has no nice values: ask for a class")
}

pub(super) fn nice_in_force() -> Option<i32> {
    None
}

pub(super) fn set_timer_slack(_ns: u64) -> Outcome {
    Outcome::unsupported(
        "Windows has no timer slack of threads: Rust's sleep uses its high-resolution timers",
    )
}

pub(super) fn timer_slack_in_force() -> Option<u64> {
    None
}

pub(super) fn lock_memory() -> Outcome {
    Outcome::unsupported("Windows locks ranges only, not a process: prefault what the workers use")
}

pub(super) fn unlock_memory() -> Outcome {
    lock_memory()
}

pub(super) fn throttling() -> Option<Throttling> {
    None
}

/// Bytes of the calling thread's stack below the address `top`.
pub(super) fn stack_left(top: usize) -> Option<usize> {
    let (mut lowest, mut highest) = (0, 0);
    // SAFETY: both addresses are ours to write.
    unsafe { GetCurrentThreadStackLimits(&mut lowest, &mut highest) };
    top.checked_sub(lowest)
}

pub(super) fn keep_freed_memory() -> Outcome {
    Outcome::unsupported("Windows' allocator cannot be told to keep freed memory")
}

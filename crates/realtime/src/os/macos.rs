//! macOS, by Mach's thread policies.

use std::time::Duration;

use super::{Outcome, SchedClass, Throttling};

pub(super) const INVALID: i32 = libc::EINVAL;
pub(super) const NO_MEMORY: i32 = libc::ENOMEM;

/// The steps between Mach's default priority for programs (31) and the most they may have (63).
const IMPORTANCE_STEPS: i32 = 32;

pub(super) fn available_cores() -> Option<Vec<usize>> {
    None
}

pub(super) fn cores_in_force() -> Option<Vec<usize>> {
    None
}

pub(super) fn pin_to_core(_core: usize) -> Outcome {
    Outcome::unsupported(
        "macOS pins no thread (its affinity tags only say which threads share a cache, and Apple \
         silicon ignores them): ask for a class, time-constrained threads get fast cores",
    )
}

/// A policy of the calling thread.
///
/// # Safety
///
/// `Policy` is the struct that belongs to `flavor`.
unsafe fn set_policy<Policy>(flavor: i32, mut policy: Policy) -> Result<(), i32> {
    let count =
        (size_of::<Policy>() / size_of::<libc::integer_t>()) as libc::mach_msg_type_number_t;
    // SAFETY: it only says who calls.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists. Its port is borrowed, so there is nothing to give back.
    let port = unsafe { libc::pthread_mach_thread_np(this) };
    let info = (&raw mut policy).cast();
    // SAFETY: `info` points to `count` integers, which the caller says are the flavor's.
    let status = unsafe { libc::thread_policy_set(port, flavor as u32, info, count) };
    if status == libc::KERN_SUCCESS {
        Ok(())
    } else {
        Err(status)
    }
}

fn set_precedence(timeshare: bool, importance: i32) -> Result<(), i32> {
    let extended = libc::thread_extended_policy { timeshare: timeshare.into() };
    // SAFETY: struct and flavor belong together.
    unsafe { set_policy(libc::THREAD_EXTENDED_POLICY, extended) }?;
    let precedence = libc::thread_precedence_policy { importance };
    // SAFETY: struct and flavor belong together.
    unsafe { set_policy(libc::THREAD_PRECEDENCE_POLICY, precedence) }
}

fn set_time_constraint(runtime: Duration, deadline: Duration, period: Duration) -> Result<(), i32> {
    let constraint = libc::thread_time_constraint_policy {
        period: mach_ticks(period)?,
        computation: mach_ticks(runtime)?,
        constraint: mach_ticks(deadline)?,
        preemptible: 1,
    };
    // SAFETY: struct and flavor belong together.
    unsafe { set_policy(libc::THREAD_TIME_CONSTRAINT_POLICY, constraint) }
}

/// A duration in units of `mach_absolute_time`.
#[allow(deprecated)] // In favour of another crate, for this one call.
fn mach_ticks(duration: Duration) -> Result<u32, i32> {
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: `base` is ours to write.
    let status = unsafe { libc::mach_timebase_info(&mut base) };
    if status != libc::KERN_SUCCESS || base.numer == 0 {
        return Err(status);
    }
    let ticks = duration.as_nanos() * u128::from(base.denom) / u128::from(base.numer);
    u32::try_from(ticks).map_err(|_| libc::KERN_INVALID_ARGUMENT)
}

pub(super) fn set_class(class: SchedClass) -> Outcome {
    let result = match class {
        SchedClass::Normal => set_precedence(true, 0),
        SchedClass::Fifo(priority) | SchedClass::RoundRobin(priority) => {
            set_precedence(false, i32::from(priority) * IMPORTANCE_STEPS / 99)
        }
        SchedClass::Deadline { runtime, deadline, period } => {
            set_time_constraint(runtime, deadline, period)
        }
    };
    match result {
        Ok(()) => Outcome::Applied,
        Err(code) => Outcome::denied(
            code,
            format!(
                "Mach refused {class}: a time constraint takes a runtime of 50 us to 50 ms and a \
                 period below 4 s"
            ),
        ),
    }
}

pub(super) fn class_in_force() -> Option<SchedClass> {
    None
}

pub(super) fn set_nice(_nice: i32) -> Outcome {
    Outcome::unsupported("macOS has nice values of processes, not of threads: ask for a class")
}

pub(super) fn nice_in_force() -> Option<i32> {
    None
}

pub(super) fn set_timer_slack(_ns: u64) -> Outcome {
    Outcome::unsupported(
        "macOS has no timer slack of threads: it delays no timer of a thread of class Deadline",
    )
}

pub(super) fn timer_slack_in_force() -> Option<u64> {
    None
}

pub(super) fn lock_memory() -> Outcome {
    Outcome::unsupported("macOS does not implement mlockall: prefault what the workers use")
}

pub(super) fn unlock_memory() -> Outcome {
    lock_memory()
}

pub(super) fn throttling() -> Option<Throttling> {
    None
}

/// Bytes of the calling thread's stack below the address `top`.
pub(super) fn stack_left(top: usize) -> Option<usize> {
    // SAFETY: it only says who calls.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists.
    let highest = unsafe { libc::pthread_get_stackaddr_np(this) };
    // SAFETY: the thread exists.
    let size = unsafe { libc::pthread_get_stacksize_np(this) };
    top.checked_sub((highest as usize).checked_sub(size)?)
}

pub(super) fn keep_freed_memory() -> Outcome {
    Outcome::unsupported("macOS' allocator cannot be told to keep freed memory")
}

//! Systems that nothing is asked of.

use super::{Outcome, SchedClass, Throttling};

pub(super) const INVALID: i32 = 22;
pub(super) const NO_MEMORY: i32 = 12;

fn unsupported() -> Outcome {
    Outcome::unsupported("this operating system is not supported; Linux, macOS and Windows are")
}

pub(super) fn available_cores() -> Option<Vec<usize>> {
    None
}

pub(super) fn cores_in_force() -> Option<Vec<usize>> {
    None
}

pub(super) fn pin_to_core(_core: usize) -> Outcome {
    unsupported()
}

pub(super) fn set_class(_class: SchedClass) -> Outcome {
    unsupported()
}

pub(super) fn class_in_force() -> Option<SchedClass> {
    None
}

pub(super) fn set_nice(_nice: i32) -> Outcome {
    unsupported()
}

pub(super) fn nice_in_force() -> Option<i32> {
    None
}

pub(super) fn set_timer_slack(_ns: u64) -> Outcome {
    unsupported()
}

pub(super) fn timer_slack_in_force() -> Option<u64> {
    None
}

pub(super) fn lock_memory() -> Outcome {
    unsupported()
}

pub(super) fn unlock_memory() -> Outcome {
    unsupported()
}

pub(super) fn throttling() -> Option<Throttling> {
    None
}

pub(super) fn stack_left(_top: usize) -> Option<usize> {
    None
}

pub(super) fn keep_freed_memory() -> Outcome {
    unsupported()
}

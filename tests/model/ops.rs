//! What is played against scheduler and model alike.

use nanosecond_scheduler::{MissedTick, Priority};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Once,
    Periodic { period: u64, missed_tick: Option<MissedTick> },
    Sporadic { gap: u64 },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// At once, after a period, or when triggered: whatever is usual for the kind of task.
    Usual,
    After(u64),
    At(u64),
}

/// What each job of a task does. Tasks are named by the order in which they were accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Nothing,
    Schedule { priority: Priority, delay: u64 },
    Cancel(usize),
    CancelSelf,
    Trigger(usize),
    AdvanceClock(u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) start: Start,
    pub(crate) priority: Priority,
    pub(crate) deadline: Option<u64>,
    pub(crate) action: Action,
}

impl Spec {
    pub(crate) fn plain(priority: Priority, start: Start) -> Self {
        Spec { kind: Kind::Once, start, priority, deadline: None, action: Action::Nothing }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Schedule(Spec),
    /// `count` plain tasks, spread over `spread` ns from `delay` on.
    Crowd {
        count: u64,
        priority: Priority,
        delay: u64,
        spread: u64,
    },
    Cancel(usize),
    /// Cancels every `stride`th of all tasks so far.
    CancelMany {
        stride: usize,
    },
    /// Cancels an id that is near a real one in its bits: `index` on, and `generation` on.
    CancelForged {
        nth: usize,
        index: u32,
        generation: u32,
    },
    CancelBits(u64),
    Trigger(usize),
    Advance(u64),
    StepBack(u64),
    /// Sets the clock to the next release, or to 1 ns before or after.
    Approach(i8),
    Tick,
}

#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) max_tasks_per_tick: usize,
    pub(crate) capacity: usize,
    pub(crate) missed_tick: MissedTick,
    pub(crate) ops: Vec<Op>,
}

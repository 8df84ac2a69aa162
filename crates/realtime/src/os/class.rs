//! Scheduling classes of threads, and which of them serves which priority of tasks.

use std::fmt;
use std::time::Duration;

use nanosecond_scheduler::Priority;

/// How the operating system schedules a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SchedClass {
    /// The time-sharing default: `SCHED_OTHER`.
    #[default]
    Normal,
    /// Real-time, runs until it waits: `SCHED_FIFO` at a priority of 1 (lowest) to 99.
    Fifo(u8),
    /// Real-time, in turn with its equals: `SCHED_RR` at a priority of 1 (lowest) to 99.
    RoundRobin(u8),
    /// Guaranteed `runtime` in each `period`, within `deadline` of the period's start:
    /// `SCHED_DEADLINE`. Linux refuses it to a pinned thread.
    Deadline {
        /// Processor time per period; Linux wants at least 1,024 ns.
        runtime: Duration,
        /// Relative deadline: at least `runtime`, at most `period`.
        deadline: Duration,
        /// Period; Linux takes 100 µs to 4.19 s unless configured otherwise.
        period: Duration,
    },
}

impl SchedClass {
    /// What no operating system takes, as a hint.
    pub(super) fn flaw(self) -> Option<String> {
        match self {
            SchedClass::Fifo(priority) | SchedClass::RoundRobin(priority)
                if !(1..=99).contains(&priority) =>
            {
                Some(format!("the priority {priority} is not within 1 to 99"))
            }
            SchedClass::Deadline { runtime, deadline, period }
                if runtime.is_zero() || runtime > deadline || deadline > period =>
            {
                Some(format!(
                    "0 < runtime <= deadline <= period does not hold for {runtime:?}, \
                     {deadline:?}, {period:?}"
                ))
            }
            _ => None,
        }
    }
}

impl fmt::Display for SchedClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchedClass::Normal => f.write_str("OTHER"),
            SchedClass::Fifo(priority) => write!(f, "FIFO {priority}"),
            SchedClass::RoundRobin(priority) => write!(f, "RR {priority}"),
            SchedClass::Deadline { runtime, deadline, period } => {
                write!(f, "DEADLINE {runtime:?} within {deadline:?} each {period:?}")
            }
        }
    }
}

/// The class of the threads that serve tasks of a [`Priority`].
///
/// A worker has one class, set when it starts and never switched per job: a switch is a system
/// call, longer than most jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityClasses {
    /// For [`Priority::Critical`]; FIFO 99 by default.
    pub critical: SchedClass,
    /// For [`Priority::High`]; FIFO 90 by default.
    pub high: SchedClass,
    /// For [`Priority::Normal`]; FIFO 50 by default.
    pub normal: SchedClass,
    /// For [`Priority::Low`]; the time-sharing class by default.
    pub low: SchedClass,
}

impl PriorityClasses {
    /// The class for `priority`.
    #[must_use]
    pub fn of(&self, priority: Priority) -> SchedClass {
        match priority {
            Priority::Critical => self.critical,
            Priority::High => self.high,
            Priority::Normal => self.normal,
            Priority::Low => self.low,
        }
    }
}

impl Default for PriorityClasses {
    fn default() -> Self {
        PriorityClasses {
            critical: SchedClass::Fifo(99),
            high: SchedClass::Fifo(90),
            normal: SchedClass::Fifo(50),
            low: SchedClass::Normal,
        }
    }
}

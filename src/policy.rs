//! [`Policy`]: which released task goes first.

/// Which of the released tasks runs first. Ties go by [`Priority`](crate::Priority), then first in,
/// first out.
///
/// Jobs are never preempted: a policy decides when a job ends, among the tasks released by then.
///
/// | policy | goes first | tasks without that attribute |
/// |---|---|---|
/// | `Priority` | the most urgent [`Priority`](crate::Priority), then the earliest release | – |
/// | `EarliestDeadlineFirst` | the earliest absolute deadline | last |
/// | `RateMonotonic` | the shortest period, or least gap of a sporadic task | last |
/// | `DeadlineMonotonic` | the shortest relative deadline | last |
/// | `LeastLaxity` | the least time to spare: deadline − now − WCET | last; without a WCET it is 0 |
///
/// A repeating task without a deadline counts as one whose deadline is the end of its period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Policy {
    /// By priority, then release.
    #[default]
    Priority,
    /// By absolute deadline (EDF).
    EarliestDeadlineFirst,
    /// By period (RM).
    RateMonotonic,
    /// By relative deadline (DM).
    DeadlineMonotonic,
    /// By laxity (LLF). All waiting jobs lose laxity alike, so that their order does not change while
    /// they wait: it is that of their latest possible starts.
    LeastLaxity,
}

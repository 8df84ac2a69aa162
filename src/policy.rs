//! [`Policy`]: which released task goes first, as a key to sort by.

use crate::attributes::Attributes;

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
    /// they wait: it is that of their latest possible starts. An estimated WCET counts as it is when
    /// the job is found released.
    LeastLaxity,
}

impl Policy {
    /// The sort key of a job: the least goes first. `wcet` is declared or estimated, in ns.
    ///
    /// Under `Priority` all keys are alike, which leaves the order to class and release.
    pub(crate) fn key(self, release: u64, attributes: &Attributes, wcet: Option<u64>) -> u64 {
        let key = match self {
            Policy::Priority => None,
            Policy::EarliestDeadlineFirst => absolute_deadline(release, attributes),
            Policy::RateMonotonic => attributes.repeat.period(),
            Policy::DeadlineMonotonic => attributes.relative_deadline(release),
            Policy::LeastLaxity => absolute_deadline(release, attributes)
                .map(|deadline| latest_start(deadline, wcet.unwrap_or(0))),
        };
        key.unwrap_or(u64::MAX)
    }
}

fn absolute_deadline(release: u64, attributes: &Attributes) -> Option<u64> {
    match attributes.deadline {
        Some(deadline) => Some(deadline.due.absolute(release)),
        None => attributes.repeat.period().map(|period| release.saturating_add(period)),
    }
}

/// `deadline - wcet`, which may lie before the origin of time, in an order of `u64`. Saturates 292
/// years before and after it.
fn latest_start(deadline: u64, wcet: u64) -> u64 {
    let signed = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    signed(deadline).saturating_sub(signed(wcet)) as u64 ^ 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latest_start_before_the_origin_comes_before_one_after_it() {
        let starts = [(3, 9), (5, 7), (7, 7), (8, 7), (u64::MAX, 7), (u64::MAX, 0)];
        let keys = starts.map(|(deadline, wcet)| latest_start(deadline, wcet));
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(keys[0] < keys[1] && keys[1] < keys[2] && keys[2] < keys[3]);
    }
}

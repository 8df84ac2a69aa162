//! How task sets are drawn at random.

use nanosecond_scheduler::{DeadlineKind, MissedTick, Priority};
use proptest::prelude::*;

use crate::book::{Action, Kind, Spec};

/// What happens between ticks.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Advance(u64),
    SetBack(u64),
    Schedule(Spec),
    Cancel(usize),
    Trigger(usize),
}

fn span() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..20u64, 0..300u64]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => span().prop_map(Action::Take),
        1 => span().prop_map(Action::SetBack),
        2 => span().prop_map(Action::Schedule),
        1 => any::<usize>().prop_map(Action::Cancel),
        1 => Just(Action::CancelSelf),
        1 => any::<usize>().prop_map(Action::Trigger),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    use DeadlineKind::{Firm, Hard, Soft};
    use MissedTick::{Burst, Delay, Skip};
    let period = || prop_oneof![Just(50), Just(100), 5..400u64];
    let missed_tick = prop::sample::select(vec![Burst, Delay, Skip]);
    let kind = prop_oneof![
        2 => Just(Kind::Once),
        3 => (period(), missed_tick).prop_map(|(period, missed)| Kind::Periodic(period, missed)),
        2 => period().prop_map(Kind::Sporadic),
    ];
    let deadline = (prop::sample::select(vec![Soft, Firm, Hard]), period());
    let priority = prop::sample::select(Priority::ALL.to_vec());
    let name = prop::sample::select(vec!["", "one", "two"]);
    let wcet = prop::option::of(span());
    let actions = prop::collection::vec(action(), 0..4);
    (kind, span(), priority, prop::option::of(deadline), wcet, name, actions).prop_map(
        |(kind, delay, priority, deadline, wcet, name, actions)| Spec {
            kind,
            delay,
            priority,
            deadline,
            wcet,
            name,
            actions,
        },
    )
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => span().prop_map(Step::Advance),
        1 => span().prop_map(Step::SetBack),
        4 => spec().prop_map(Step::Schedule),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Trigger),
    ]
}

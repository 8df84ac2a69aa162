//! Sets that no test decides, and large ones that it does.

use super::*;

#[test]
fn unknown_is_treated_as_configured() {
    for on_unknown in [UnknownVerdict::Refuse, UnknownVerdict::Accept] {
        let unknown = |cause| match on_unknown {
            UnknownVerdict::Refuse => Err(Rejection::Unknown(cause)),
            UnknownVerdict::Accept => Ok(()),
        };
        let set_up = |policy| manual(Config { on_unknown, ..config(policy, Admission::Exact) });
        let outcome = |scheduler: &mut Scheduler<ManualClock>, task| {
            scheduler.schedule(task).map(|_| ()).map_err(|error| match error.kind() {
                ScheduleErrorKind::Rejected(rejection) => rejection,
                other => panic!("{other:?}"),
            })
        };
        let (mut scheduler, clock) = set_up(Policy::LeastLaxity);
        let policy = unknown(UnknownCause::Policy);
        assert_eq!(outcome(&mut scheduler, works(&clock, 1, 10)), policy);
        let (mut scheduler, clock) = set_up(Policy::Priority);
        clock.set(at(50));
        let release = unknown(UnknownCause::Release);
        assert_eq!(outcome(&mut scheduler, works(&clock, 1, 10).at(at(49))), release);
        assert_eq!(outcome(&mut scheduler, works(&clock, 1, 10).at(at(50))), Ok(()));
        let absolute = || once(1, 10).with_deadline_at(DeadlineKind::Soft, at(70));
        assert_eq!(outcome(&mut scheduler, absolute()), Ok(()));
        let before = scheduler.schedule(once(1, 15)).unwrap();
        assert_eq!(outcome(&mut scheduler, absolute().after(&[before])), release);
        assert_eq!(outcome(&mut scheduler, once(1, 20).after(&[before])), Ok(()));
        let too_much = outcome(&mut scheduler, works(&clock, 20, 10));
        assert!(matches!(too_much, Err(Rejection::Utilization { .. })), "{too_much:?}");
    }
    assert!(Rejection::Unknown(UnknownCause::Policy).to_string().contains("policy"));
}

#[test]
fn a_check_that_takes_too_long_comes_to_no_verdict() {
    // Similar periods, with hardly any room left: each task needs an analysis of its own.
    let task = |number| {
        let period = 1_000_000 + scatter(number, 1_000_000);
        model(period / 2_060, period, period)
    };
    let mut refuses = control(Policy::RateMonotonic);
    let mut accepts =
        AdmissionControl::new(Admission::Exact, Policy::RateMonotonic, UnknownVerdict::Accept);
    let undecided = (0..2_000).find(|&number| {
        let checked = refuses.check(task(number), Priority::Normal);
        let undecided = checked.is_err_and(|e| e == Rejection::Unknown(UnknownCause::Work));
        for control in [&mut refuses, &mut accepts] {
            if let Ok(share) = control.check(task(number), Priority::Normal) {
                control.insert(TaskId::from_bits(number), share);
            }
        }
        undecided
    });
    assert!(undecided.is_some_and(|number| number > 1_000), "{undecided:?}");
    assert_eq!(accepts.len(), refuses.len() + 1);
}

#[test]
fn a_thousand_tasks_at_seventy_percent_are_decided() {
    for policy in POLICIES {
        let mut control = control(policy);
        for number in 0..1_000 {
            let period = 10_000_000 + scatter(number, 90_000_000);
            // Under `Priority` all are of one class, whose tasks wait for each other once around.
            let deadline = if policy == Policy::Priority { 10 * period } else { period };
            let task = model(period * 7 / 10_000, period, deadline);
            let share = control.check(task, Priority::Normal);
            control.insert(TaskId::from_bits(number), share.unwrap());
        }
        assert_eq!(control.len(), 1_000);
    }
}

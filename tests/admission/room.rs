//! Who has gone leaves room, no sooner than its time is free.

use super::*;

#[test]
fn who_ends_leaves_room() {
    type End = fn(&mut Scheduler<ManualClock>, &ManualClock, TaskId);
    let ends: [(&str, End); 4] = [
        ("cancelled", |scheduler, _, id| scheduler.cancel(id).unwrap()),
        ("cleared", |scheduler, _, _| scheduler.clear()),
        ("finished", |scheduler, clock, _| {
            clock.set(at(10));
            scheduler.tick();
        }),
        ("skipped", |scheduler, clock, _| {
            clock.set(at(31));
            scheduler.tick();
        }),
    ];
    for policy in POLICIES {
        for (name, end) in ends {
            let (mut scheduler, clock) = manual(config(policy, Admission::Exact));
            let first =
                |delay| Task::new(|| (), ns(delay)).with_wcet(ns(15)).with_firm_deadline(ns(20));
            let id = scheduler.schedule(first(10)).unwrap();
            assert!(!is_accepted(&mut scheduler, once(15, 20)), "{policy:?}");
            end(&mut scheduler, &clock, id);
            assert!(!scheduler.is_pending(id));
            assert!(is_accepted(&mut scheduler, once(15, 20)), "{name} under {policy:?}");
            assert!(!is_accepted(&mut scheduler, once(15, 20)), "{name} under {policy:?}");
        }
    }
}

#[test]
fn an_idle_tick_after_a_full_one_sees_that_there_is_room() {
    let (mut scheduler, _) =
        manual(Config { max_tasks_per_tick: 1, ..config(Policy::Priority, Admission::Exact) });
    scheduler.schedule(once(15, 20)).unwrap();
    assert_eq!(scheduler.tick().executed, 1);
    assert!(!is_accepted(&mut scheduler, once(15, 20)));
    assert_eq!(scheduler.tick().executed, 0);
    assert!(is_accepted(&mut scheduler, once(15, 20)));
}

#[cfg(feature = "std")]
#[test]
fn who_panics_leaves_room() {
    for handled in [true, false] {
        let (mut scheduler, clock) = manual(config(Policy::Priority, Admission::Exact));
        if handled {
            scheduler.on_panic(|_| ());
        }
        let fails = Task::periodic(|_| std::panic::resume_unwind(Box::new(())), ns(10));
        scheduler.schedule(fails.with_wcet(ns(9))).unwrap();
        clock.set(at(10));
        let tick = std::panic::AssertUnwindSafe(|| scheduler.tick());
        assert_eq!(std::panic::catch_unwind(tick).is_ok(), handled);
        // Where nobody took the panic, the tick has not seen that nothing else is due.
        scheduler.tick();
        assert!(is_accepted(&mut scheduler, works(&clock, 9, 10)));
    }
}

#[test]
fn safe_mode_leaves_room() {
    let config =
        Config { emergency: Emergency::SafeMode, ..config(Policy::Priority, Admission::Exact) };
    let (mut scheduler, clock) = manual(config);
    scheduler.schedule(works(&clock, 5, 10)).unwrap();
    let hard = once(1, 9).with_priority(Priority::Critical).with_delay(ns(3));
    scheduler.schedule(hard.with_hard_deadline(ns(9))).unwrap();
    clock.set(at(20));
    scheduler.tick();
    assert!(scheduler.is_in_safe_mode() && scheduler.is_empty());
    let critical = works(&clock, 10, 10).with_priority(Priority::Critical);
    assert!(is_accepted(&mut scheduler, critical));
}

#[cfg(feature = "std")]
#[test]
fn a_share_is_kept_while_its_time_may_have_been_used_for_waiting_jobs() {
    // `victim` has waited for 6 of its 10 ns when `first` has finished: no room for another 6.
    let (mut scheduler, clock) =
        manual(Config { max_tasks_per_tick: 1, ..config(Policy::Priority, Admission::Exact) });
    let misses = Log::default();
    let misses2 = misses.clone();
    scheduler.on_deadline_miss(move |miss| misses2.push(miss));
    let takes = |wcet, deadline| {
        let clock = clock.clone();
        let task = Task::new(move || clock.advance(ns(wcet)), ns(0));
        task.with_wcet(ns(wcet)).with_deadline(ns(deadline))
    };
    let critical = || takes(6, 100).with_priority(Priority::Critical);
    let first = scheduler.schedule(critical()).unwrap();
    let victim = scheduler.schedule(takes(3, 10)).unwrap();
    scheduler.tick();
    assert!(!scheduler.is_pending(first) && scheduler.is_pending(victim));
    let late = Rejection::Deadline { task: Some(victim), late_by_ns: 5 };
    assert_eq!(rejection(&mut scheduler, critical()), late);
    scheduler.tick();
    scheduler.tick();
    assert_eq!(misses.take(), []);
    assert!(is_accepted(&mut scheduler, critical()), "the processor was idle");
}

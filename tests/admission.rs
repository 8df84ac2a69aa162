//! Hazard: admission that accepts what misses deadlines, forgets who has gone, or loses what it refuses.

mod common;

use std::rc::Rc;
use std::time::Duration;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::analysis::{nonpreemptive, Response, TaskModel, Verdict};
use nanosecond_scheduler::{
    Admission, AdmissionControl, Config, Context, DeadlineKind, Emergency, ManualClock, MissedTick,
    OnFailure, Policy, Priority, Rejection, ScheduleErrorKind, Scheduler, Task, TaskId,
    UnknownCause, UnknownVerdict,
};

const POLICIES: [Policy; 4] = [
    Policy::Priority,
    Policy::RateMonotonic,
    Policy::DeadlineMonotonic,
    Policy::EarliestDeadlineFirst,
];

fn config(policy: Policy, admission: Admission) -> Config {
    Config { policy, admission, ..Config::default() }
}

fn model(wcet: u64, period: u64, deadline: u64) -> TaskModel {
    TaskModel::new(wcet, period, deadline).unwrap()
}

fn control(policy: Policy) -> AdmissionControl {
    AdmissionControl::new(Admission::Exact, policy, UnknownVerdict::Refuse)
}

/// A task that takes what it declares.
fn works(clock: &ManualClock, wcet: u64, period: u64) -> Task {
    let clock = clock.clone();
    Task::periodic(move |_| clock.advance(ns(wcet)), ns(period)).with_wcet(ns(wcet))
}

fn once(wcet: u64, deadline: u64) -> Task {
    Task::new(|| (), Duration::ZERO).with_wcet(ns(wcet)).with_deadline(ns(deadline))
}

/// The reason for which a task is refused.
fn rejection(scheduler: &mut Scheduler<ManualClock>, task: Task) -> Rejection {
    match scheduler.schedule(task).expect_err("it is refused").kind() {
        ScheduleErrorKind::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

fn is_accepted(scheduler: &mut Scheduler<ManualClock>, task: Task) -> bool {
    scheduler.schedule(task).is_ok()
}

#[test]
fn behaviour_10_a_refused_task_comes_back_and_nothing_else_changes() {
    let (mut scheduler, clock) = manual(config(Policy::RateMonotonic, Admission::Exact));
    let short = scheduler.schedule(works(&clock, 2, 5)).unwrap();
    let log = Log::default();
    let log2 = log.clone();
    let long = Task::new(move || log2.push("long"), ns(7)).with_wcet(ns(5)).with_name("long");
    let error = scheduler.schedule(long).unwrap_err();
    let late = Rejection::Deadline { task: Some(short), late_by_ns: 1 };
    assert_eq!(error.kind(), ScheduleErrorKind::Rejected(late));
    assert_eq!(error.to_string(), format!("{short:?} might miss its deadline by 1 ns"));
    assert_eq!((scheduler.len(), scheduler.is_pending(short)), (1, true));
    let (mut other, other_clock) = manual(Config::default());
    other.schedule(error.into_task()).unwrap();
    other_clock.set(at(7));
    other.tick();
    assert_eq!(log.take(), ["long"]);
    assert!(is_accepted(&mut scheduler, once(4, 1_000)));
}

#[test]
fn off_admits_everything_and_utilization_only_looks_at_the_sum() {
    let (mut off, clock) = manual(Config::default());
    for _ in 0..3 {
        assert!(is_accepted(&mut off, works(&clock, 5, 5)));
    }
    for policy in POLICIES {
        let (mut scheduler, clock) = manual(config(policy, Admission::Utilization));
        assert!(is_accepted(&mut scheduler, works(&clock, 1, 2)));
        let cannot_work = works(&clock, 50, 100).with_deadline(ns(1));
        assert!(is_accepted(&mut scheduler, cannot_work), "ΣC/T = 1 is admitted");
        let one_more = works(&clock, 1, 1_000_000);
        let above = Rejection::Utilization { excess_ppm: 1 };
        assert_eq!(rejection(&mut scheduler, one_more), above);
        assert!(is_accepted(&mut scheduler, Task::periodic(|_| (), ns(1))), "without a WCET");
        assert!(is_accepted(&mut scheduler, once(1_000, 1)), "a one-shot");
    }
}

#[test]
fn exact_needs_a_wcet() {
    let (mut scheduler, _) = manual(config(Policy::Priority, Admission::Exact));
    for task in [
        Task::new(|| (), ns(1)),
        Task::new(|| (), ns(1)).with_deadline(ns(10)),
        Task::periodic(|_| (), ns(10)),
        Task::sporadic(|_| (), ns(10)),
    ] {
        assert_eq!(rejection(&mut scheduler, task), Rejection::MissingWcet);
    }
    assert!(Rejection::MissingWcet.to_string().contains("WCET"));
}

#[test]
fn a_rejection_says_which_deadline_and_by_how_much() {
    let (mut scheduler, clock) = manual(config(Policy::Priority, Admission::Exact));
    let high = works(&clock, 3, 10).with_priority(Priority::High);
    let high = scheduler.schedule(high).unwrap();
    let at_once = once(4, 0).with_priority(Priority::Critical);
    let late = Rejection::Deadline { task: None, late_by_ns: 6 };
    assert_eq!(rejection(&mut scheduler, at_once), late);
    let own = once(4, 6);
    let late = Rejection::Deadline { task: None, late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, own), late);
    // It may have started 1 ns before: 10 − 1 + 3 > 10.
    let blocks = Task::new(|| (), ns(0)).with_wcet(ns(10)).with_priority(Priority::Low);
    let late = Rejection::Deadline { task: Some(high), late_by_ns: 2 };
    assert_eq!(rejection(&mut scheduler, blocks), late);
    let urgent = once(8, 100).with_priority(Priority::Critical);
    let late = Rejection::Deadline { task: Some(high), late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, urgent), late);
    let too_much = works(&clock, 8, 10);
    let above = Rejection::Utilization { excess_ppm: 100_000 };
    assert_eq!(rejection(&mut scheduler, too_much), above);
    assert!(above.to_string().contains("100000 millionths"), "{above}");

    let (mut scheduler, clock) = manual(config(Policy::EarliestDeadlineFirst, Admission::Exact));
    let short = scheduler.schedule(works(&clock, 2, 5)).unwrap();
    let late = Rejection::Deadline { task: Some(short), late_by_ns: 2 };
    assert_eq!(rejection(&mut scheduler, once(6, 100)), late);
    let late = Rejection::Deadline { task: None, late_by_ns: 1 };
    assert_eq!(rejection(&mut scheduler, once(5, 6)), late);
    assert!(late.to_string().contains("itself"), "{late}");
}

#[test]
fn the_deadline_of_a_repeating_task_is_its_period_and_sporadic_tasks_count() {
    for policy in POLICIES {
        let (mut scheduler, _) = manual(config(policy, Admission::Exact));
        let sporadic = |wcet, gap| Task::sporadic(|_| (), ns(gap)).with_wcet(ns(wcet));
        assert!(is_accepted(&mut scheduler, sporadic(5, 10)), "{policy:?}");
        assert!(!is_accepted(&mut scheduler, sporadic(6, 10)), "{policy:?}");
        assert!(is_accepted(&mut scheduler, sporadic(5, 10)), "{policy:?}");
        let above = Rejection::Utilization { excess_ppm: u64::MAX };
        let (mut empty, _) = manual(config(policy, Admission::Exact));
        assert_eq!(rejection(&mut empty, sporadic(1, 0)), above);
    }
}

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
fn tasks_of_a_remote_are_checked_too() {
    let (mut scheduler, _) = manual(config(Policy::Priority, Admission::Exact));
    let remote = scheduler.remote();
    for _ in 0..2 {
        let task = nanosecond_scheduler::SendTask::periodic(|_| (), ns(10)).with_wcet(ns(6));
        remote.schedule(task).unwrap();
    }
    scheduler.tick();
    assert_eq!((scheduler.len(), scheduler.metrics().remote_refused), (1, 1));
}

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

/// What the tests of the analysis say of a set, where equal tasks go before each other.
fn reference(policy: Policy, tasks: &[(TaskModel, Priority)]) -> Option<bool> {
    let models: Vec<_> = tasks.iter().map(|(model, _)| *model).collect();
    if policy == Policy::EarliestDeadlineFirst {
        return nonpreemptive::edf(&models, 1 << 30).is_schedulable();
    }
    if nonpreemptive::edf(&models, 1 << 30) == Verdict::Overloaded {
        return Some(false);
    }
    let kept =
        (0..tasks.len()).map(|own| response(policy, tasks, own).meets(models[own].deadline()));
    kept.into_iter().try_fold(true, |all, kept| Some(all && kept?))
}

/// The response time of one task among equals.
fn response(policy: Policy, tasks: &[(TaskModel, Priority)], own: usize) -> Response {
    let rank = |(model, priority): (TaskModel, Priority)| match policy {
        Policy::Priority => (0, priority),
        Policy::RateMonotonic => (model.period(), priority),
        _ => (model.deadline(), priority),
    };
    let others = tasks.iter().copied().enumerate().filter(|(index, _)| *index != own);
    let (before, after): (Vec<_>, Vec<_>) =
        others.map(|(_, task)| task).partition(|task| rank(*task) <= rank(tasks[own]));
    let list: Vec<_> =
        before.iter().chain([&tasks[own]]).chain(&after).map(|task| task.0).collect();
    nonpreemptive::response_times(&list, 1 << 30)[before.len()]
}

#[test]
fn while_tasks_come_and_go_the_verdicts_are_those_of_a_fresh_analysis() {
    let cases = std::env::var("ADMISSION_CASES").map_or(150, |cases| cases.parse().unwrap());
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..cases {
        let policy = POLICIES[case as usize % 4];
        let mut control = control(policy);
        let mut tasks: Vec<(u64, (TaskModel, Priority))> = Vec::new();
        for step in 0..40 {
            let mut draws = 0;
            let mut below = |bound| {
                draws += 1;
                scatter(case * 10_000 + step * 100 + draws, bound)
            };
            if below(3) == 0 && !tasks.is_empty() {
                control.set_busy(below(2) == 0);
                for _ in 0..1 + below(tasks.len() as u64 / 2 + 1) {
                    let (id, _) = tasks.swap_remove(below(tasks.len() as u64) as usize);
                    control.remove(TaskId::from_bits(id));
                }
                control.set_busy(false);
                assert_eq!(control.len(), tasks.len());
                continue;
            }
            let period = [5, 8, 10, 20, 40, TaskModel::NEVER][below(6) as usize];
            let wcet = 1 + below(4);
            let deadline = match below(3) {
                0 if period == TaskModel::NEVER => TaskModel::NEVER,
                _ => below(60),
            };
            let task = model(wcet, period, deadline);
            let priority = Priority::ALL[below(4) as usize];
            let together: Vec<_> =
                tasks.iter().map(|(_, task)| *task).chain([(task, priority)]).collect();
            let expected = reference(policy, &together);
            match control.check(task, priority) {
                Ok(share) => {
                    assert_eq!(expected, Some(true), "{policy:?} {together:?}");
                    control.insert(TaskId::from_bits(step), share);
                    tasks.push((step, (task, priority)));
                    accepted += 1;
                }
                Err(rejection) => {
                    assert_eq!(expected, Some(false), "{policy:?} {together:?} {rejection}");
                    check_rejection(rejection, policy, &together, &tasks);
                    refused += 1;
                }
            }
            assert_eq!(control.len(), tasks.len());
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > cases * 5 && refused > cases * 5);
}

/// Under fixed priorities a rejection names a task that is late, by no more than it is.
fn check_rejection(
    rejection: Rejection,
    policy: Policy,
    together: &[(TaskModel, Priority)],
    tasks: &[(u64, (TaskModel, Priority))],
) {
    let Rejection::Deadline { task, late_by_ns } = rejection else { return };
    let is_it = |id: TaskId| tasks.iter().position(|(number, _)| *number == id.to_bits());
    let late = task.map_or(tasks.len(), |id| is_it(id).expect("it is one of the tasks"));
    assert!(late_by_ns > 0);
    if policy != Policy::EarliestDeadlineFirst {
        match response(policy, together, late) {
            Response::Bounded(response) => {
                assert!(together[late].0.deadline() + late_by_ns <= response, "{together:?}");
            }
            other => assert_eq!(other, Response::Unbounded),
        }
    }
}

/// Random tasks come and go, also from within jobs; every one that was accepted keeps its deadlines.
#[test]
fn what_was_accepted_misses_nothing() {
    let cases = std::env::var("ADMISSION_CASES").map_or(100, |cases| cases.parse().unwrap());
    let mut ran = 0;
    for case in 0..cases {
        let policy = POLICIES[case as usize % 4];
        let config = Config {
            max_tasks_per_tick: 1 + case as usize / 4 % 3,
            audit: true,
            ..config(policy, Admission::Exact)
        };
        let (mut scheduler, clock) = manual(config);
        let misses = Log::default();
        let misses2 = misses.clone();
        scheduler.on_deadline_miss(move |miss| misses2.push(miss));
        let mut ids: Vec<TaskId> = Vec::new();
        for step in 0..400 {
            let mut draws = 0;
            let mut below = |bound| {
                draws += 1;
                scatter(case * 1_000_000 + step * 100 + draws, bound)
            };
            match below(8) {
                0 if !ids.is_empty() => {
                    let id = ids.swap_remove(below(ids.len() as u64) as usize);
                    let _ = scheduler.cancel(id);
                }
                1 if !ids.is_empty() => {
                    let _ = scheduler.trigger(ids[below(ids.len() as u64) as usize]);
                }
                2..=4 => {
                    let mut task = random_task(&clock, &mut below);
                    if below(3) == 0 && !ids.is_empty() {
                        task = task.after(&[ids[below(ids.len() as u64) as usize]]);
                        if below(2) == 0 {
                            task = task.on_failure(OnFailure::Run);
                        }
                    }
                    let missed_tick = [MissedTick::Burst, MissedTick::Delay, MissedTick::Skip];
                    task = task.with_missed_tick(missed_tick[below(3) as usize]);
                    ids.extend(scheduler.schedule(task));
                }
                _ => {}
            }
            // Never past a release: a tick that comes late is not what admission answers for.
            if let Some(next) = scheduler.next_release().filter(|next| *next > scheduler.now()) {
                clock.set(next.min(scheduler.now() + ns(below(3))));
                if below(2) == 0 {
                    clock.set(next);
                }
            }
            ran += scheduler.tick().executed;
            assert_eq!(misses.take(), [], "{policy:?}, case {case}, step {step}");
        }
        assert_eq!(scheduler.inversions(), Some(0));
    }
    println!("{ran} jobs ran");
    assert!(ran as u64 > 50 * cases);
}

/// A periodic, a sporadic or a one-shot task that takes its WCET.
fn random_task(clock: &ManualClock, below: &mut impl FnMut(u64) -> u64) -> Task {
    let wcet = 1 + below(6);
    let period = 10 + below(60);
    let clock = Rc::new(clock.clone());
    let body = {
        let clock = Rc::clone(&clock);
        move |_: &mut Context<'_>| clock.advance(ns(wcet))
    };
    let task = match below(4) {
        0 => Task::periodic(body, ns(period)).with_delay(ns(below(30))),
        1 => Task::sporadic(body, ns(period)),
        2 => Task::new(move || clock.advance(ns(wcet)), ns(below(4))),
        // Schedules another 1 ns after its own start.
        _ => {
            let (child, deadline) = (1 + below(wcet), 10 + below(60));
            let own = Rc::clone(&clock);
            let job = move |cx: &mut Context<'_>| {
                let task = Task::new(move || clock.advance(ns(child)), ns(1));
                let _ = cx.schedule(task.with_wcet(ns(child)).with_deadline(ns(deadline)));
                own.advance(ns(wcet));
            };
            Task::with_context(job, ns(below(4)))
        }
    };
    let priority = Priority::ALL[below(4) as usize];
    task.with_wcet(ns(wcet)).with_deadline(ns(wcet + below(60))).with_priority(priority)
}

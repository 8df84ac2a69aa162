//! Hazard: tasks that change the scheduler they run in.

mod common;

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, Context, Priority, Task, WindowSpec};

#[test]
fn behaviour_03_a_delay_counts_from_the_decision_instant() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    clock.set(at(1_000));
    let (log2, clock2) = (log.clone(), clock.clone());
    let body = move |cx: &mut Context<'_>| {
        assert_eq!((cx.release(), cx.now()), (at(1_000), at(1_007)));
        clock2.advance(ns(500)); // The job takes its time, but decides as of its start.
        assert_eq!(cx.now(), at(1_007));
        cx.schedule(log2.task("child", ns(10))).unwrap();
    };
    scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
    clock.set(at(1_007));
    assert_eq!(scheduler.tick().next_release, Some(at(1_017)));
    scheduler.tick();
    assert_eq!(log.take(), ["child"]);
}

#[test]
fn behaviour_03_children_compete_in_the_same_tick_under_the_same_order() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let parent = {
        let log = log.clone();
        move |cx: &mut Context<'_>| {
            log.push("parent");
            for (name, priority, release) in [
                ("low", Priority::Low, 50),
                ("critical", Priority::Critical, 50),
                ("before siblings", Priority::Normal, 5),
                ("between siblings", Priority::Normal, 15),
                ("tie", Priority::Normal, 20),
                ("after siblings", Priority::Normal, 50),
                ("not due", Priority::Critical, 51),
            ] {
                let task = log.task(name, ns(0)).at(at(release)).with_priority(priority);
                cx.schedule(task).unwrap();
            }
        }
    };
    scheduler.schedule(Task::with_context(parent, ns(1))).unwrap();
    scheduler.schedule(log.task("sibling 10", ns(10))).unwrap();
    scheduler.schedule(log.task("sibling 20", ns(20))).unwrap();
    clock.set(at(50));
    let report = scheduler.tick();
    let expected = [
        "parent",
        "critical",
        "before siblings",
        "sibling 10",
        "between siblings",
        "sibling 20",
        "tie",
        "after siblings",
        "low",
    ];
    assert_eq!(log.take(), expected);
    assert_eq!((report.executed, report.next_release), (9, Some(at(51))));
}

/// Schedules itself again at once, for ever.
fn restless(log: Log<&'static str>, cx: &mut Context<'_>) {
    log.push("restless");
    cx.schedule(Task::with_context(move |cx| restless(log, cx), ns(0))).unwrap();
}

#[test]
fn behaviour_03_a_task_that_reschedules_itself_at_once_cannot_hang_a_tick() {
    let config = Config { max_tasks_per_tick: 5, ..Config::default() };
    let (mut scheduler, _clock) = manual(config);
    let log = Log::default();
    let log2 = log.clone();
    scheduler.schedule(Task::with_context(move |cx| restless(log2, cx), ns(0))).unwrap();
    scheduler.schedule(log.task("equal", ns(0))).unwrap();
    scheduler.schedule(log.task("low", ns(0)).with_priority(Priority::Low)).unwrap();
    for _ in 0..3 {
        let report = scheduler.tick();
        assert_eq!((report.executed, report.more_due), (5, true));
    }
    let jobs = log.take();
    assert_eq!(jobs[..3], ["restless", "equal", "restless"], "it goes to the end of its class");
    assert!(!jobs.contains(&"low"));
    assert_eq!(scheduler.len(), 2);
}

#[test]
fn behaviour_03_a_long_chain_of_tasks_needs_no_stack() {
    fn step(left: u32, log: Log<u32>, cx: &mut Context<'_>) {
        if left == 0 {
            return log.push(cx.now().as_nanos() as u32);
        }
        cx.schedule(Task::with_context(move |cx| step(left - 1, log, cx), ns(0))).unwrap();
    }

    let config = Config { max_tasks_per_tick: usize::MAX, ..Config::default() };
    let (mut scheduler, _clock) = manual(config);
    let log = Log::default();
    let log2 = log.clone();
    let links = if cfg!(miri) { 1_000 } else { 100_000 };
    scheduler.schedule(Task::with_context(move |cx| step(links, log2, cx), ns(0))).unwrap();
    assert_eq!(scheduler.tick().executed, links as usize + 1);
    assert_eq!(log.take(), [0]);
}

/// Scheduling thousands of tasks moves every growing structure below the running closure.
#[test]
fn the_store_may_grow_while_a_closure_runs() {
    let (mut scheduler, clock) =
        manual(Config { max_tasks_per_tick: 1 << 20, ..Config::default() });
    let log = Log::default();
    let log2 = log.clone();
    let mut round = 0;
    let captured = [7u64; 3];
    let parent = move |cx: &mut Context<'_>| {
        for n in 0..3_000u64 {
            let task = log2.task((round, n), ns(0)).with_name("child");
            cx.schedule(task.with_priority(Priority::Critical)).unwrap();
        }
        round += 1;
        assert_eq!(captured, [7; 3]);
    };
    scheduler.schedule(Task::periodic(parent, ns(10))).unwrap();
    clock.set(at(20));
    assert_eq!(scheduler.tick().executed, 6_002);
    let expected = (0..2).flat_map(|round| (0..3_000).map(move |n| (round, n)));
    assert!(log.take().into_iter().eq(expected));
    assert_eq!(scheduler.len(), 1);
}

#[test]
fn a_task_knows_itself_and_what_is_pending() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let once = {
        let log = log.clone();
        move |cx: &mut Context<'_>| log.push((cx.id(), cx.is_pending(cx.id())))
    };
    let repeating = {
        let log = log.clone();
        move |cx: &mut Context<'_>| log.push((cx.id(), cx.is_pending(cx.id())))
    };
    let once = scheduler.schedule(Task::with_context(once, ns(0))).unwrap();
    let repeating = Task::periodic(repeating, ns(5)).with_delay(ns(0));
    let repeating = scheduler.schedule(repeating).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), [(once, false), (repeating, true)]);
}

#[test]
fn a_periodic_task_may_trigger_a_sporadic_one_in_the_same_tick() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let sporadic = Task::sporadic(move |cx| log2.push(("sporadic", cx.release())), ns(15));
    let sporadic = scheduler.schedule(sporadic).unwrap();
    let log2 = log.clone();
    let trigger = move |cx: &mut Context<'_>| {
        let release = cx.trigger(sporadic).unwrap();
        log2.push(("triggered", release));
    };
    scheduler.schedule(Task::periodic(trigger, ns(10))).unwrap();
    for now in [10, 20, 25] {
        clock.set(at(now));
        scheduler.tick();
    }
    let expected = [
        ("triggered", at(10)),
        ("sporadic", at(10)),
        ("triggered", at(25)), // Put off until its gap has passed.
        ("sporadic", at(25)),
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn a_child_of_a_capacity_of_one_takes_its_parents_place() {
    let (mut scheduler, clock) = manual(Config { capacity: 1, ..Config::default() });
    let log = Log::default();
    let log2 = log.clone();
    let parent = move |cx: &mut Context<'_>| {
        let child = cx.schedule(log2.task("child", ns(1))).unwrap();
        assert!(cx.is_pending(child) && child != cx.id());
        assert!(cx.schedule(Task::new(|| (), ns(1))).is_err());
    };
    scheduler.schedule(Task::with_context(parent, ns(0))).unwrap();
    scheduler.tick();
    clock.set(at(1));
    scheduler.tick();
    assert_eq!(log.take(), ["child"]);
}

#[test]
fn a_running_task_sees_the_scheduler_without_itself() {
    let windows = Some(WindowSpec::new(10, 5));
    let (mut scheduler, clock) = manual(Config { windows, ..Config::default() });
    let log = Log::default();
    let body = {
        let log = log.clone();
        move |cx: &mut Context<'_>| {
            let counts = (cx.len(), cx.is_empty(), cx.metrics().executed, cx.metrics().pending);
            log.push((counts, cx.next_release(), cx.windows().count(), cx.temporal_overlap()));
            assert_eq!(cx.strange_loop().observations, cx.metrics().ticks);
        }
    };
    for delay in [10, 20, 20] {
        scheduler.schedule(Task::with_context(body.clone(), ns(delay))).unwrap();
    }
    for now in [10, 20] {
        clock.set(at(now));
        scheduler.tick();
    }
    let expected = [
        ((2, false, 0, 2), Some(at(20)), 0, 0.0),
        ((1, false, 1, 1), Some(at(20)), 2, 0.5),
        ((0, true, 1, 0), None, 2, 0.5),
    ];
    assert_eq!(log.take(), expected);
    assert!(scheduler.temporal_overlap().is_sign_positive());
}

#[test]
fn a_task_clears_the_scheduler_and_what_it_schedules_then_runs() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let body = {
        let log = log.clone();
        move |cx: &mut Context<'_>| {
            log.push("clear");
            cx.clear();
            assert!(!cx.is_pending(cx.id()) && cx.is_empty() && cx.next_release().is_none());
            cx.schedule(log.task("at once", ns(0))).unwrap();
            cx.schedule(log.task("later", ns(7))).unwrap();
        }
    };
    scheduler.schedule(Task::periodic(body, ns(5)).with_deadline(ns(1))).unwrap();
    scheduler.schedule(log.task("cleared", ns(5))).unwrap();
    scheduler.schedule(log.task("cleared, too", ns(1_000_000_000))).unwrap();
    clock.set(at(5));
    assert_eq!(scheduler.tick().next_release, Some(at(12)));
    clock.set(at(100));
    let report = scheduler.tick();
    assert_eq!((report.next_release, scheduler.len()), (None, 0));
    assert_eq!(log.take(), ["clear", "at once", "later"]);
}

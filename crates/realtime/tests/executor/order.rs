//! Tasks that run too early, or in another order than that of their wakes, priorities and deadlines.

use super::*;

#[test]
fn sleepers_wake_at_their_instant_in_order_and_equals_in_order_of_sleeping() {
    let mut executor = simple();
    let (handle, log) = (executor.handle(), Log::default());
    for (name, instant) in [("c", 70), ("a", 5), ("d", 70), ("b", 6), ("e", 4_096), ("f", 70)] {
        executor.spawn(sleeper(&handle, &log, name, instant)).detach();
    }
    executor.run_until_idle();
    let expected = [("a", 5), ("b", 6), ("c", 70), ("d", 70), ("f", 70), ("e", 4_096)];
    assert_eq!(log.take(), expected);
    assert!(executor.scheduler().is_empty());
}

#[test]
fn a_sleep_never_ends_early_and_a_late_tick_keeps_the_order() {
    let (mut executor, clock) = executor(Config::default());
    let (handle, log) = (executor.handle(), Log::default());
    for instant in [30, 10, 20] {
        executor.spawn(sleeper(&handle, &log, instant, instant)).detach();
    }
    executor.tick();
    clock.set(at(9));
    let report = executor.tick();
    assert_eq!((log.take(), report.next_release), (vec![], Some(at(10))));
    clock.set(at(25));
    executor.tick();
    assert_eq!(log.take(), [(10, 25), (20, 25)]);
    clock.set(at(30));
    executor.tick();
    assert_eq!(log.take(), [(30, 30)]);
}

#[test]
fn tasks_run_in_order_of_their_wakes_and_of_their_priority() {
    let mut executor = simple();
    let log = Log::default();
    let all = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];
    for (n, priority) in all.into_iter().chain(all).enumerate() {
        let log = log.clone();
        let body = async move {
            log.push((n, 0));
            yield_now().await;
            log.push((n, 1));
        };
        executor.spawn_with(SpawnOptions::default().with_priority(priority), body).detach();
    }
    executor.run_until_idle();
    let of_class = |a, b| [(a, 0), (b, 0), (a, 1), (b, 1)];
    let expected = [of_class(3, 7), of_class(2, 6), of_class(1, 5), of_class(0, 4)].concat();
    assert_eq!(log.take(), expected);
}

#[test]
fn sleepers_keep_their_priority_and_compete_with_plain_tasks() {
    let (mut executor, clock) = executor(Config::default());
    let (handle, log) = (executor.handle(), Log::default());
    let low = SpawnOptions::default().with_priority(Priority::Low);
    let high = SpawnOptions::default().with_priority(Priority::High);
    executor.spawn_with(low, sleeper(&handle, &log, "low", 10)).detach();
    executor.spawn(sleeper(&handle, &log, "early", 11)).detach();
    executor.spawn(sleeper(&handle, &log, "late", 15)).detach();
    executor.spawn_with(high, sleeper(&handle, &log, "high", 20)).detach();
    executor.tick();
    let plain = log.clone();
    let task = Task::new(move || plain.push(("plain", 0)), ns(0)).at(at(13));
    executor.scheduler().schedule(task).unwrap();
    clock.set(at(20));
    executor.tick();
    let names: Vec<_> = log.take().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["high", "early", "plain", "late", "low"]);
}

#[test]
fn deadlines_count_from_the_instant_slept_for_and_order_polls_under_edf() {
    let config = Config { policy: Policy::EarliestDeadlineFirst, ..Config::default() };
    let (mut executor, clock) = executor(config);
    let (handle, log) = (executor.handle(), Log::default());
    for (name, deadline) in [("loose", 90), ("tight", 30), ("missed", 5)] {
        let options = SpawnOptions::default().with_deadline(ns(deadline)).with_name(name);
        executor.spawn_with(options, sleeper(&handle, &log, name, 100)).detach();
    }
    let misses = Rc::new(Cell::new(0));
    let counter = Rc::clone(&misses);
    executor.scheduler().on_deadline_miss(move |_| counter.set(counter.get() + 1));
    executor.tick();
    clock.set(at(110));
    let report = executor.tick();
    assert_eq!(log.take(), [("missed", 110), ("tight", 110), ("loose", 110)]);
    assert_eq!((report.missed_deadlines, misses.get()), (1, 1));
}

#[test]
fn a_sleep_costs_one_job() {
    let mut executor = simple();
    let handle = executor.handle();
    executor.spawn(async move { handle.sleep(ns(5)).await }).detach();
    assert_eq!(executor.tick().executed, 1);
    executor.scheduler().clock().set(at(5));
    assert_eq!(executor.tick().executed, 1);
}

/// A program of sleeps, spawns, yields, cancels and messages; hands out its trace.
fn trace() -> String {
    let (mut executor, _clock) = executor(Config { max_tasks_per_tick: 7, ..Config::default() });
    let (handle, log) = (executor.handle(), Log::<String>::default());
    let all = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];
    for n in 0..200 {
        let (inner, out) = (handle.clone(), log.clone());
        let body = async move {
            for round in 0..5 {
                inner.sleep(ns(scatter(n * 31 + round, 300))).await;
                out.push(format!("{n}.{round} at {}\n", inner.now()));
                let child = inner.spawn(sleeper(&inner, &Log::default(), (), scatter(n, 900)));
                match scatter(n + round, 3) {
                    0 => drop(child),
                    1 => drop(child.await),
                    _ => yield_now().await,
                }
            }
        };
        let priority = all[scatter(n, 4) as usize];
        executor.spawn_with(SpawnOptions::default().with_priority(priority), body).detach();
    }
    executor.run_until_idle();
    log.take().concat()
}

#[test]
fn a_program_has_the_same_trace_twice() {
    let first = trace();
    assert_eq!(first.lines().count(), 1_000);
    assert!(first == trace(), "the second trace differs");
}

#[test]
fn ten_thousand_sleepers_wake_in_order() {
    let sleepers = 10_000;
    let mut executor = simple();
    let (handle, log) = (executor.handle(), Log::default());
    for n in 0..sleepers {
        executor.spawn(sleeper(&handle, &log, n, scatter(n, 1_000_000))).detach();
    }
    executor.run_until_idle();
    let mut expected: Vec<_> = (0..sleepers).map(|n| (n, scatter(n, 1_000_000))).collect();
    expected.sort_by_key(|&(_, instant)| instant);
    assert!(log.take() == expected, "the order differs");
    assert!(executor.scheduler().is_empty());
}

#[test]
fn more_tasks_than_the_scheduler_has_room_for_wait_and_all_run() {
    let config = Config { capacity: 8, ..Config::default() };
    let (mut executor, _clock) = executor(config);
    let (handle, log) = (executor.handle(), Log::default());
    for n in 0..100 {
        executor.spawn(sleeper(&handle, &log, n, 10 + n)).detach();
    }
    // Plain tasks, whose end alone makes room.
    for n in 0..8 {
        executor.scheduler().schedule(Task::new(|| (), ns(100 + n))).unwrap();
    }
    executor.run_until_idle();
    let mut ran: Vec<_> = log.take().into_iter().map(|(n, _)| n).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..100).collect::<Vec<_>>());
    let sleeper = sleeper(&handle, &log, 0, 5_000);
    for n in 0..8 {
        executor.scheduler().schedule(Task::new(|| (), ns(100 + n))).unwrap();
    }
    executor.block_on(sleeper);
    assert_eq!(executor.now(), at(5_000));
}

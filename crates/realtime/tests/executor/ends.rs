//! Panics and drops, and whom they cost what.

use super::*;

#[test]
fn a_panic_goes_to_the_handle() {
    let mut executor = simple();
    let drops = Drops::default();
    let token = drops.token();
    let handle = executor.handle();
    let task = executor.spawn(async move {
        token.touch();
        handle.sleep(ns(5)).await;
        std::panic::panic_any(42);
    });
    let other = executor.spawn(async { "runs" });
    let (panicked, other) = executor.block_on(async { (task.await, other.await) });
    let Err(JoinError::Panicked(payload)) = panicked else { panic!("{panicked:?}") };
    assert_eq!((payload.downcast_ref(), other.unwrap()), (Some(&42), "runs"));
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_panic_without_a_handle_goes_to_the_scheduler() {
    let mut executor = simple();
    let log = Log::default();
    let reports = log.clone();
    executor.scheduler().on_panic(move |panic| reports.push(panic.name));
    let named = SpawnOptions::default().with_name("culprit");
    executor.spawn_with(named, async { panic!("on purpose") }).detach();
    let neighbour = executor.spawn(async { 1 });
    assert_eq!(executor.block_on(neighbour).unwrap(), 1);
    assert_eq!(log.take(), [Some("culprit")]);
}

#[test]
fn an_unhandled_panic_is_raised_by_the_run_and_costs_nobody_else() {
    let mut executor = simple();
    executor.spawn(async { panic!("on purpose") }).detach();
    let neighbour = executor.spawn(async { 1 });
    assert!(catch_unwind(AssertUnwindSafe(|| executor.run_until_idle())).is_err());
    assert_eq!(executor.block_on(neighbour).unwrap(), 1);
}

#[test]
fn a_future_whose_drop_panics_costs_nobody_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let mut executor = simple();
    let neighbours = Rc::new(RefCell::new(Vec::new()));
    let (handle, woken) = (executor.handle(), Rc::clone(&neighbours));
    let culprit = executor.spawn(async move {
        let _bomb = Bomb;
        woken.borrow_mut().push(handle.spawn(async { 1 }));
        handle.sleep(ns(1)).await;
    });
    assert!(matches!(executor.block_on(culprit), Err(JoinError::Panicked(_))));
    let neighbour = neighbours.borrow_mut().pop().unwrap();
    assert_eq!(executor.block_on(neighbour).unwrap(), 1);
}

#[test]
fn dropping_the_executor_drops_every_future_once() {
    let drops = Drops::default();
    let (mut executor, _clock) = executor(Config::default());
    let (handle, gate) = (executor.handle(), Gate::default());
    for n in 0..30 {
        let (token, handle, gate) = (drops.token(), handle.clone(), gate.clone());
        let body = async move {
            token.touch();
            match n % 3 {
                0 => handle.sleep(ns(1_000)).await,
                1 => gate.await,
                _ => (),
            }
        };
        executor.spawn(body).detach();
    }
    executor.tick();
    assert_eq!(drops.count(), 10);
    for _ in 0..10 {
        let token = drops.token();
        executor.spawn(async move { token.touch() }).detach(); // Never polled.
    }
    drop(executor);
    assert_eq!(drops.count(), 40);
    gate.open(); // A waker that outlives the executor wakes nobody.
    let token = drops.token();
    let mut refused = handle.spawn(async move { token.touch() });
    assert_eq!(drops.count(), 41);
    assert!(matches!(refused.try_take(), Some(Err(JoinError::Cancelled))));
}

#[test]
fn tasks_and_executor_are_freed_though_they_refer_to_each_other() {
    let drops = Drops::default();
    let mut executor = simple();
    let (handle, token) = (executor.handle(), drops.token());
    let (slot, inner) = (Rc::new(RefCell::new(None)), handle.clone());
    let own = Rc::clone(&slot);
    let task = handle.spawn(async move {
        token.touch();
        let _own = own;
        inner.sleep(Duration::MAX).await;
    });
    slot.replace(Some(task));
    drop(slot);
    executor.tick();
    let sleep = handle.sleep(ns(1));
    drop(executor);
    assert_eq!(drops.count(), 1);
    // A sleep without its executor waits for ever, and leaks nothing.
    let mut sleep = pin!(sleep);
    assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn clearing_the_scheduler_cancels_the_tasks_that_sleep() {
    let mut executor = simple();
    let handle = executor.handle();
    let mut task = executor.spawn(handle.sleep(ns(10)));
    executor.tick();
    executor.scheduler().clear();
    assert!(matches!(task.try_take(), Some(Err(JoinError::Cancelled))));
}

#[test]
fn safe_mode_cancels_all_but_critical_tasks_and_keeps_the_loop_alive() {
    let config = Config { emergency: Emergency::SafeMode, ..Config::default() };
    let (mut executor, clock) = executor(config);
    let (handle, log) = (executor.handle(), Log::default());
    let critical = SpawnOptions::default().with_priority(Priority::Critical);
    executor.spawn_with(critical, sleeper(&handle, &log, "critical", 50)).detach();
    let mut pending = executor.spawn(sleeper(&handle, &log, "pending", 50));
    let mut woken_later = executor.spawn(Gate::default());
    executor.tick();
    let overlong = move || clock.advance(ns(10));
    executor.scheduler().schedule(Task::new(overlong, ns(0)).with_hard_deadline(ns(5))).unwrap();
    executor.tick();
    assert!(executor.scheduler().is_in_safe_mode());
    executor.block_on(handle.sleep_until(at(60)));
    assert_eq!((executor.now(), log.take()), (at(60), vec![("critical", 50)]));
    assert!(matches!(pending.try_take(), Some(Err(JoinError::Cancelled))));
    assert!(woken_later.try_take().is_none(), "nobody has woken it");
    let mut late = executor.spawn_with(SpawnOptions::default().with_name("late"), async {});
    executor.run_until_idle();
    assert!(matches!(late.try_take(), Some(Err(JoinError::Cancelled))));
}

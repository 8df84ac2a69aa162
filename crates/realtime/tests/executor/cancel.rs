//! Tasks and sleeps that are cancelled, dropped or moved.

use super::*;

#[test]
fn tasks_spawn_and_await_tasks() {
    fn tree(handle: LocalHandle, depth: u64) -> Pin<Box<dyn Future<Output = u64>>> {
        Box::pin(async move {
            if depth == 0 {
                handle.sleep(ns(1)).await;
                return 1;
            }
            let left = handle.spawn(tree(handle.clone(), depth - 1));
            let right = handle.spawn(tree(handle.clone(), depth - 1));
            left.await.unwrap() + right.await.unwrap()
        })
    }
    let mut executor = simple();
    let handle = executor.handle();
    assert_eq!(executor.block_on(tree(handle, 6)), 64);
    assert_eq!(executor.now(), at(1));
}

#[test]
fn a_task_cancelled_while_it_sleeps_is_dropped_at_once_and_leaves_no_timer() {
    let mut executor = simple();
    let (handle, drops) = (executor.handle(), Drops::default());
    let token = drops.token();
    let task = executor.spawn(async move {
        token.touch();
        handle.sleep(Duration::from_secs(1)).await;
        unreachable!("it was cancelled");
    });
    executor.tick();
    assert_eq!((drops.count(), executor.scheduler().len()), (0, 1));
    drop(task);
    assert_eq!(drops.count(), 1);
    executor.run_until_idle();
    assert_eq!((executor.now(), executor.scheduler().len()), (TimePoint::ZERO, 0));
}

#[test]
fn a_cancelled_task_says_so_and_a_finished_one_keeps_its_value() {
    let mut executor = simple();
    let mut cancelled = executor.spawn(pending::<()>());
    let mut finished = executor.spawn(async { 7 });
    assert!(finished.try_take().is_none());
    executor.run_until_idle();
    assert!(cancelled.try_take().is_none());
    cancelled.cancel();
    finished.cancel();
    assert!(matches!(cancelled.try_take(), Some(Err(JoinError::Cancelled))));
    assert!(matches!(finished.try_take(), Some(Ok(7))));
    assert!(matches!(finished.try_take(), Some(Err(JoinError::Cancelled))));
}

#[test]
fn a_task_that_cancels_itself_ends_when_its_poll_returns() {
    let mut executor = simple();
    let (own, drops) = (Rc::new(RefCell::new(None)), Drops::default());
    let (token, slot) = (drops.token(), Rc::clone(&own));
    let seen = drops.clone();
    let task = executor.spawn(async move {
        token.touch();
        drop(slot.take());
        assert_eq!(seen.count(), 0);
        pending::<()>().await;
    });
    own.replace(Some(task));
    executor.run_until_idle();
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_task_cancels_another_that_is_woken_already() {
    let mut executor = simple();
    let log = Log::default();
    let victim = Rc::new(RefCell::new(None));
    let (slot, murderer) = (Rc::clone(&victim), log.clone());
    executor
        .spawn(async move {
            murderer.push("cancels");
            drop(slot.take());
        })
        .detach();
    let other = log.clone();
    victim.replace(Some(executor.spawn(async move { other.push("runs all the same") })));
    executor.run_until_idle();
    assert_eq!(log.take(), ["cancels"]);
}

#[test]
fn a_stale_waker_does_not_wake_the_next_task_in_the_slot() {
    let mut executor = simple();
    let gate = Gate::default();
    let task = executor.spawn(gate.clone());
    executor.run_until_idle();
    drop(task);
    let polls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&polls);
    let next = poll_fn(move |_| {
        counter.set(counter.get() + 1);
        Poll::<()>::Pending
    });
    executor.spawn(next).detach();
    executor.run_until_idle();
    gate.open();
    executor.run_until_idle();
    assert_eq!(polls.get(), 1);
}

#[test]
fn a_sleep_dropped_early_leaves_no_garbage() {
    let mut executor = simple();
    let handle = executor.handle();
    let inner = handle.clone();
    let task = executor.spawn(async move {
        for _ in 0..1_000 {
            let mut sleep = pin!(inner.sleep(Duration::from_secs(1)));
            poll_fn(|cx| {
                assert!(sleep.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            yield_now().await;
        }
    });
    executor.tick();
    assert!(executor.scheduler().len() <= 3, "{}", executor.scheduler().len());
    executor.run_until_idle();
    assert_eq!((executor.scheduler().len(), executor.now()), (0, TimePoint::ZERO));
    drop(task);
}

#[test]
fn a_sleep_moves_to_another_task_and_its_priority() {
    let (mut executor, clock) = executor(Config::default());
    let (handle, log) = (executor.handle(), Log::default());
    let sleep = Rc::new(RefCell::new(Box::pin(handle.sleep_until(at(10)))));
    let moved = Rc::clone(&sleep);
    let low = SpawnOptions::default().with_priority(Priority::Low);
    let high = SpawnOptions::default().with_priority(Priority::High);
    let first = executor.spawn_with(low, async move {
        poll_fn(|cx| Poll::Ready(sleep.borrow_mut().as_mut().poll(cx).is_ready())).await
    });
    let mover = log.clone();
    let second = async move {
        assert!(!first.await.unwrap());
        poll_fn(|cx| moved.borrow_mut().as_mut().poll(cx)).await;
        mover.push(("moved", 0));
    };
    executor.spawn_with(high, second).detach();
    executor.spawn(sleeper(&handle, &log, "normal", 10)).detach();
    executor.tick();
    assert_eq!(executor.scheduler().len(), 2);
    clock.set(at(10));
    executor.tick();
    assert_eq!(log.take(), [("moved", 0), ("normal", 10)]);
}

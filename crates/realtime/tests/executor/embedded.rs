//! The executor within the loops of others.

use super::*;

#[test]
fn a_plain_task_wakes_async_ones_within_a_run() {
    let mut executor = simple();
    let gate = Gate::default();
    let task = executor.spawn(gate.clone());
    executor.scheduler().schedule(Task::new(move || gate.open(), ns(7))).unwrap();
    executor.block_on(task).unwrap();
    assert_eq!(executor.now(), at(7));
}

#[test]
fn the_loop_of_somebody_else_learns_when_to_tick() {
    let (mut executor, clock) = executor(Config::default());
    let gate = Gate::default();
    executor.spawn(gate.clone()).detach();
    executor.tick();
    executor.scheduler().schedule(Task::new(move || gate.open(), ns(7))).unwrap();
    clock.set(at(7));
    let report = executor.tick();
    assert_eq!((report.more_due, report.next_release), (true, Some(at(7))));
    let report = executor.tick();
    assert_eq!((report.executed, report.more_due, report.next_release), (1, false, None));
}

#[test]
fn it_runs_within_tokio_without_blocking_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut executor = LocalExecutor::new();
    let handle = executor.handle();
    let gate = Gate::default();
    let opener = gate.clone();
    let (local, slept) = (tokio::task::LocalSet::new(), handle.clone());
    local.spawn_local(async move {
        while !opener.is_awaited() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        opener.open(); // Never, if the driven executor kept the thread.
    });
    let root = async move {
        let before = slept.now();
        let task = slept.spawn(gate);
        slept.sleep(Duration::from_millis(3)).await;
        task.await.unwrap();
        slept.now().duration_since(before)
    };
    let took = local.block_on(&runtime, executor.drive(root, tokio::time::sleep));
    assert!(took >= Duration::from_millis(3));
}

#[test]
fn it_runs_within_smol() {
    let mut executor = LocalExecutor::new();
    let (handle, gate) = (executor.handle(), Gate::default());
    let opener = gate.clone();
    let root = async move {
        handle.sleep(Duration::from_micros(300)).await;
        let thread = thread::spawn(move || {
            while !opener.is_awaited() {
                thread::yield_now();
            }
            opener.open();
        });
        gate.await;
        thread.join().unwrap();
        "done"
    };
    assert_eq!(smol::block_on(executor.drive(root, smol::Timer::after)), "done");
}

#[test]
fn handles_and_wakers_are_what_they_should_be() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let mut executor: LocalExecutor<ManualClock> = LocalExecutor::with_scheduler(
        Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap(),
    );
    let task = executor.spawn(poll_fn(|cx| {
        is_send_and_sync(cx.waker());
        Poll::Ready(())
    }));
    executor.block_on(task).unwrap();
}

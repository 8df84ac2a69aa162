//! Wakes from other threads, and futures that are waited for.

use super::*;

#[test]
fn wakes_from_other_threads_end_the_wait() {
    let mut executor = LocalExecutor::new();
    let gates: Vec<Gate> = (0..4).map(|_| Gate::default()).collect();
    let tasks: Vec<_> = gates.iter().map(|gate| executor.spawn(gate.clone())).collect();
    let threads: Vec<_> = gates
        .into_iter()
        .map(|gate| {
            thread::spawn(move || {
                while !gate.is_awaited() {
                    thread::yield_now();
                }
                gate.open();
            })
        })
        .collect();
    executor.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_storm_of_wakes_from_other_threads_loses_none() {
    let mut executor = LocalExecutor::new();
    let (to_thread, requests) = channel::<Gate>();
    let opener = thread::spawn(move || requests.iter().for_each(|gate| gate.open()));
    async fn echo(to_thread: Sender<Gate>) {
        for _ in 0..2_000 {
            let gate = Gate::default();
            to_thread.send(gate.clone()).unwrap();
            gate.await;
        }
    }
    let spawned: Vec<_> = (0..3).map(|_| executor.spawn(echo(to_thread.clone()))).collect();
    executor.block_on(async {
        echo(to_thread).await;
        for task in spawned {
            task.await.unwrap();
        }
    });
    drop(executor);
    opener.join().unwrap();
}

#[test]
fn block_on_waits_for_a_future_that_is_woken_from_outside_and_may_borrow() {
    let mut executor = LocalExecutor::new();
    let gate = Gate::default();
    let opener = gate.clone();
    let thread = thread::spawn(move || {
        while !opener.is_awaited() {
            thread::yield_now();
        }
        opener.open();
    });
    let text = String::from("borrowed");
    let length = executor.block_on(async {
        gate.await;
        text.len()
    });
    assert_eq!(length, 8);
    thread.join().unwrap();
}

#[test]
fn block_on_leaves_other_tasks_for_the_next_call() {
    let mut executor = simple();
    let (handle, log) = (executor.handle(), Log::default());
    executor.spawn(sleeper(&handle, &log, "later", 50)).detach();
    executor.block_on(handle.sleep(ns(20)));
    assert_eq!((executor.now(), log.take()), (at(20), vec![]));
    executor.block_on(async { yield_now().await });
    executor.block_on(handle.sleep(ns(30)));
    assert_eq!(log.take(), [("later", 50)]);
}

#[test]
fn requests_of_remotes_run_while_tasks_sleep() {
    let mut executor = LocalExecutor::new();
    let gate = Gate::default();
    let remote = executor.scheduler().remote();
    let opener = gate.clone();
    let thread = thread::spawn(move || {
        while !opener.is_awaited() {
            thread::yield_now();
        }
        remote.schedule(SendTask::new(move || opener.open(), ns(0))).unwrap();
    });
    executor.block_on(gate);
    thread.join().unwrap();
}

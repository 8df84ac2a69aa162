//! Hazard: async tasks that run early, out of order, twice or never; wakes, panics and drops that
//! get lost between the tasks, their handles and the scheduler.
#![cfg(not(target_arch = "wasm32"))]

#[allow(unexpected_cfgs, reason = "it asks for features of the root")]
#[path = "../../../tests/common/mod.rs"]
mod common;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::{at, manual, ns, scatter, Drops, Log};
use nanosecond_realtime::{JoinError, LocalExecutor, LocalHandle, SpawnOptions};
use nanosecond_scheduler::{
    Config, Emergency, ManualClock, Policy, Priority, Scheduler, SendTask, Task, TimePoint,
};

type Executor = LocalExecutor<ManualClock>;

fn executor(config: Config) -> (Executor, ManualClock) {
    let (scheduler, clock) = manual(config);
    (LocalExecutor::with_scheduler(scheduler), clock)
}

fn simple() -> Executor {
    executor(Config::default()).0
}

/// Sleeps until `instant`, then records `value` and when that was.
fn sleeper<T: 'static>(
    handle: &LocalHandle,
    log: &Log<(T, u64)>,
    value: T,
    instant: u64,
) -> impl Future<Output = ()> {
    let (handle, log) = (handle.clone(), log.clone());
    async move {
        handle.sleep_until(at(instant)).await;
        log.push((value, handle.now().as_nanos()));
    }
}

/// Pending once, and woken at once.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Ready when somebody sets the flag and wakes the waker that it left.
#[derive(Clone, Default)]
struct Gate(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Gate {
    fn open(&self) {
        self.0 .0.store(true, Ordering::Release);
        if let Some(waker) = self.0 .1.lock().unwrap().take() {
            waker.wake();
        }
    }

    fn is_awaited(&self) -> bool {
        self.0 .1.lock().unwrap().is_some()
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waker = self.0 .1.lock().unwrap();
        if self.0 .0.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

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

#[test]
fn instants_at_and_beyond_the_end_of_time_never_panic() {
    let mut executor = simple();
    let (handle, log) = (executor.handle(), Log::default());
    for duration in [Duration::MAX, Duration::from_nanos(u64::MAX) + ns(1)] {
        assert_eq!(handle.sleep(duration).until(), None);
        let sleep = handle.sleep(duration);
        executor.spawn(sleep).detach();
    }
    executor.spawn(sleeper(&handle, &log, "end", u64::MAX)).detach();
    executor.run_until_idle();
    assert_eq!(log.take(), [("end", u64::MAX)]);
    executor.spawn(handle.sleep(ns(1))).detach();
    executor.run_until_idle();
    assert_eq!(executor.now(), TimePoint::MAX);
}

#[test]
fn a_clock_that_steps_back_fires_nothing_early() {
    let (mut executor, clock) = executor(Config::default());
    let handle = executor.handle();
    clock.set(at(100));
    assert_eq!(executor.now(), at(100));
    clock.set(at(50));
    let sleep = handle.sleep(ns(10));
    assert_eq!(sleep.until(), Some(at(110)));
    executor.block_on(sleep);
    assert_eq!(clock_reading(&clock), at(110));
}

fn clock_reading(clock: &ManualClock) -> TimePoint {
    nanosecond_scheduler::Clock::now(clock)
}

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

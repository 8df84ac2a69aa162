//! Hazard: closures that are dropped twice, never, or at the wrong time.

mod common;

use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::{Clock, Config, Context, Scheduler, Task, TaskId};

/// A closure that is boxed because of its alignment.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Aligned([u8; 64]);

/// Tasks of every shape, each with a token: none is due before 10.
fn every_shape(scheduler: &mut Scheduler<impl Clock>, drops: &Drops) -> Vec<TaskId> {
    let mut tasks = Vec::new();
    for delay in [10, 11, 10, 40_000, 1 << 20, 1 << 20, 1 << 45, u64::MAX - 1_000] {
        let token = drops.token();
        tasks.push(Task::new(move || token.touch(), ns(delay)));
        let token = drops.token();
        tasks.push(Task::with_context(move |_| token.touch(), ns(delay)).with_name("named"));
        let (token, ballast) = (drops.token(), [3u8; 4_096]);
        let large = move || {
            assert_eq!(ballast, [3; 4_096]);
            token.touch();
        };
        tasks.push(Task::new(large, ns(delay)));
        let (token, aligned) = (drops.token(), Aligned([5; 64]));
        let aligned = move |_: &mut Context<'_>| {
            assert_eq!(aligned.0, [5; 64]);
            assert_eq!((&raw const aligned).addr() % 64, 0);
            token.touch();
        };
        tasks.push(Task::periodic(aligned, ns(delay)).with_deadline(ns(5)));
        let token = drops.token();
        tasks.push(Task::sporadic(move |_| token.touch(), ns(delay)));
    }
    tasks.into_iter().map(|task| scheduler.schedule(task).unwrap()).collect()
}

#[test]
fn behaviour_09_dropping_the_scheduler_drops_every_closure_once() {
    let drops = Drops::default();
    let (mut scheduler, _clock) = manual(Config::default());
    let ids = every_shape(&mut scheduler, &drops);
    assert_eq!(drops.count(), 0);
    drop(scheduler);
    assert_eq!(drops.count(), ids.len());
}

#[test]
fn behaviour_09_clearing_drops_every_closure_once_and_leaves_a_usable_scheduler() {
    let drops = Drops::default();
    let (mut scheduler, clock) = manual(Config::default());
    let ids = every_shape(&mut scheduler, &drops);
    scheduler.clear();
    assert_eq!(drops.count(), ids.len());
    assert!(ids.iter().all(|&id| !scheduler.is_pending(id) && scheduler.cancel(id).is_err()));
    assert_eq!((scheduler.len(), scheduler.next_release()), (0, None));
    clock.set(at(20));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.next_release), (0, None));

    let log = Log::default();
    let new = scheduler.schedule(log.task("new", ns(5))).unwrap();
    assert!(ids.iter().all(|&id| id != new && !scheduler.is_pending(id)));
    clock.set(at(25));
    scheduler.tick();
    assert_eq!(log.take(), ["new"]);
    scheduler.clear();
    drop(scheduler);
    assert_eq!(drops.count(), ids.len());
}

#[test]
fn behaviour_09_whatever_ends_a_task_drops_its_closure_once() {
    let drops = Drops::default();
    let (mut scheduler, clock) = manual(Config::default());
    let ids = every_shape(&mut scheduler, &drops);
    clock.set(at(10));
    // Six one-shots run at 10; the two periodic ones stay.
    assert_eq!(scheduler.tick().executed, 8);
    assert_eq!(drops.count(), 6);
    let cancelled = ids.iter().filter(|&&id| scheduler.cancel(id).is_ok()).count();
    assert_eq!(cancelled, ids.len() - 6);
    assert_eq!(drops.count(), ids.len());
    drop(scheduler);
    assert_eq!(drops.count(), ids.len());
}

#[test]
fn behaviour_09_a_task_that_was_never_scheduled_drops_its_closure_once() {
    let drops = Drops::default();
    let token = drops.token();
    drop(Task::new(move || token.touch(), ns(1)));
    assert_eq!(drops.count(), 1);
    let token = drops.token();
    let (mut scheduler, _clock) = manual(Config::default());
    let refused = scheduler.schedule(Task::periodic(move |_| token.touch(), ns(0)));
    assert_eq!(drops.count(), 1, "the error holds it");
    drop(refused);
    assert_eq!(drops.count(), 2);
}

#[test]
fn behaviour_09_closures_of_every_size_keep_their_captures() {
    fn check<const N: usize>(log: &Log<usize>, scheduler: &mut Scheduler<impl Clock>) {
        let captured: [u8; N] = std::array::from_fn(|n| (n * 37 + N) as u8);
        let log = log.clone();
        let body = move || {
            assert_eq!(captured, std::array::from_fn(|n| (n * 37 + N) as u8));
            log.push(N);
        };
        scheduler.schedule(Task::new(body, ns(3))).unwrap();
    }

    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    // With the log's 8 bytes: to both sides of the 48 that are stored inline.
    check::<0>(&log, &mut scheduler);
    check::<1>(&log, &mut scheduler);
    check::<32>(&log, &mut scheduler);
    check::<39>(&log, &mut scheduler);
    check::<40>(&log, &mut scheduler);
    check::<41>(&log, &mut scheduler);
    check::<48>(&log, &mut scheduler);
    check::<1_000>(&log, &mut scheduler);
    clock.set(at(3));
    scheduler.tick();
    assert_eq!(log.take(), [0, 1, 32, 39, 40, 41, 48, 1_000]);
}

#[cfg(feature = "std")]
mod with_std {
    use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;

    use nanosecond_scheduler::{Remote, RemoteErrorKind, RemoteId, SendTask};

    use super::*;

    /// Calls back through its remote when it is dropped.
    struct Caller {
        remote: Remote,
        victim: RemoteId,
        answers: Log<Result<(), RemoteErrorKind>>,
        drops: Arc<AtomicUsize>,
    }

    impl Drop for Caller {
        fn drop(&mut self) {
            let drops = Arc::clone(&self.drops);
            let child = SendTask::new(move || drop(drops), ns(0));
            let scheduled = self.remote.schedule(child).map(drop);
            self.answers.push(scheduled.map_err(|error| error.kind()));
            let cancelled = self.remote.cancel(self.victim);
            self.answers.push(cancelled.map_err(|error| error.kind()));
            self.remote.wake();
            self.remote.stop();
            self.drops.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A scheduler with `count` callers pending, and one task that they cancel.
    fn with_callers(
        count: usize,
    ) -> (Scheduler<impl Clock>, Remote, Log<Result<(), RemoteErrorKind>>, Arc<AtomicUsize>) {
        let (mut scheduler, _clock) = manual(Config::default());
        let remote = scheduler.remote();
        let victim = remote.schedule(SendTask::new(|| (), ns(500))).unwrap();
        scheduler.tick();
        let (answers, drops) = (Log::default(), Arc::default());
        for n in 0..count {
            let (remote, answers, drops) = (remote.clone(), answers.clone(), Arc::clone(&drops));
            let caller = Caller { remote, victim, answers, drops };
            let body = move || drop(caller);
            scheduler.schedule(Task::new(body, ns(100 << (n * 10)))).unwrap();
        }
        (scheduler, remote, answers, drops)
    }

    #[test]
    fn behaviour_09_closures_may_call_back_while_they_are_cleared() {
        let (mut scheduler, _remote, answers, drops) = with_callers(4);
        scheduler.clear();
        assert_eq!(drops.load(Ordering::Relaxed), 4);
        assert_eq!(answers.take(), [Ok(()); 8]);
        assert!(scheduler.is_empty(), "what they sent comes with the next tick");
        assert_eq!(scheduler.tick().executed, 4);
        assert_eq!(Arc::strong_count(&drops), 1);
    }

    #[test]
    fn behaviour_09_closures_may_call_back_while_the_scheduler_is_dropped() {
        let (scheduler, remote, answers, drops) = with_callers(4);
        drop(scheduler);
        assert_eq!(drops.load(Ordering::Relaxed), 4);
        assert_eq!(answers.take(), [Err(RemoteErrorKind::Closed); 8]);
        assert_eq!(Arc::strong_count(&drops), 1, "what they sent is not kept");
        assert!(remote.schedule(SendTask::new(|| (), ns(0))).is_err());
    }

    /// Tasks that no tick has accepted yet are pending, too; also one that holds its own door open.
    #[test]
    fn behaviour_09_dropping_the_scheduler_drops_what_remotes_have_sent() {
        let (mut scheduler, _clock) = manual(Config { capacity: 1, ..Config::default() });
        let alive = Arc::new(());
        let remote = scheduler.remote();
        for accepted in [true, true, false, false] {
            let (inner, alive) = (remote.clone(), Arc::clone(&alive));
            remote.schedule(SendTask::new(move || drop((inner, alive)), ns(9))).unwrap();
            if accepted {
                scheduler.tick(); // The second one finds no room, and waits.
            }
        }
        assert_eq!((scheduler.len(), Arc::strong_count(&alive)), (1, 5));
        drop(scheduler);
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    /// Panics when it is dropped.
    struct Bomb(Drops);

    impl Drop for Bomb {
        fn drop(&mut self) {
            drop(self.0.token());
            resume_unwind(Box::new("in drop"));
        }
    }

    /// A scheduler with a hundred closures in all its parts; one of them panics when dropped.
    fn with_bomb(drops: &Drops) -> Scheduler<impl Clock> {
        let (mut scheduler, _clock) = manual(Config::default());
        for n in 0..100u32 {
            let delay = ns(if n % 2 == 0 { 10 } else { 1 << (n / 2) });
            let task = if n == 40 {
                let bomb = Bomb(drops.clone());
                Task::new(move || drop(bomb), delay)
            } else {
                let token = drops.token();
                Task::new(move || drop(token), delay)
            };
            scheduler.schedule(task).unwrap();
        }
        scheduler
    }

    #[test]
    fn behaviour_09_a_closure_that_panics_when_cleared_does_not_save_the_others() {
        let drops = Drops::default();
        let mut scheduler = with_bomb(&drops);
        assert!(catch_unwind(AssertUnwindSafe(|| scheduler.clear())).is_err());
        assert_eq!(drops.count(), 100);
        assert_eq!((scheduler.len(), scheduler.next_release()), (0, None));
        let log = Log::default();
        scheduler.schedule(log.task("new", ns(0))).unwrap();
        scheduler.tick();
        assert_eq!(log.take(), ["new"]);
    }

    #[test]
    fn behaviour_09_a_closure_that_panics_when_dropped_does_not_save_the_others() {
        let drops = Drops::default();
        let scheduler = with_bomb(&drops);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(scheduler))).is_err());
        assert_eq!(drops.count(), 100);
    }

    #[test]
    fn behaviour_09_a_panicking_job_drops_its_captures_once() {
        let (mut scheduler, _clock) = manual(Config::default());
        scheduler.on_panic(|_| ());
        let drops = Drops::default();
        let (held, moved) = (drops.token(), drops.token());
        let body = move || {
            held.touch();
            drop(moved);
            resume_unwind(Box::new("boom"));
        };
        scheduler.schedule(Task::new(body, ns(0))).unwrap();
        scheduler.tick();
        assert_eq!(drops.count(), 2);
    }

    #[test]
    fn behaviour_09_handlers_are_dropped_when_replaced_and_with_the_scheduler() {
        let (mut scheduler, _clock) = manual(Config::default());
        let drops = Drops::default();
        for expected in 0..2 {
            let (panic, miss) = (drops.token(), drops.token());
            scheduler.on_panic(move |_| panic.touch());
            scheduler.on_deadline_miss(move |_| miss.touch());
            assert_eq!(drops.count(), expected * 2);
        }
        drop(scheduler);
        assert_eq!(drops.count(), 4);
    }
}

//! Hazard: a full scheduler that loses the newcomer, or disturbs those within.

mod common;

use common::{at, manual, ns, Drops, Log};
use nanosecond_scheduler::{Config, Context, ScheduleErrorKind, Task};

fn holding(capacity: usize) -> Config {
    Config { capacity, ..Config::default() }
}

#[test]
fn behaviour_10_a_full_scheduler_gives_the_task_back_and_takes_it_later() {
    let (mut scheduler, clock) = manual(holding(2));
    let log = Log::default();
    let drops = Drops::default();
    scheduler.schedule(log.task("first", ns(10))).unwrap();
    scheduler.schedule(log.task("second", ns(20))).unwrap();
    let (token, log2) = (drops.token(), log.clone());
    let third = move || {
        token.touch();
        log2.push("third");
    };
    let error = scheduler.schedule(Task::new(third, ns(15))).unwrap_err();
    assert_eq!(error.kind(), ScheduleErrorKind::Full { capacity: 2 });
    assert_eq!(error.to_string(), "2 tasks are pending, which is Config::capacity");
    assert_eq!(error.kind().to_string(), error.to_string());
    assert_eq!(drops.count(), 0);

    clock.set(at(10));
    assert_eq!(scheduler.tick().executed, 1);
    let third = scheduler.schedule(error.into_task()).unwrap();
    assert!(scheduler.is_pending(third));
    clock.set(at(24));
    scheduler.tick();
    assert_eq!(log.take(), ["first", "second"], "its delay counts from when it was accepted");
    clock.set(at(25));
    scheduler.tick();
    assert_eq!(log.take(), ["third"]);
    assert_eq!(drops.count(), 1);
}

#[test]
fn behaviour_10_what_is_given_back_keeps_all_it_had() {
    use nanosecond_scheduler::{MissedTick, Priority};
    let (mut scheduler, clock) = manual(holding(1));
    let log = Log::default();
    let blocker = scheduler.schedule(Task::new(|| (), ns(500))).unwrap();
    let log2 = log.clone();
    let task = Task::periodic(move |cx| log2.push(cx.release().as_nanos()), ns(10))
        .at(at(7))
        .with_priority(Priority::High)
        .with_missed_tick(MissedTick::Skip)
        .with_deadline(ns(3))
        .with_name("kept");
    let mut task = scheduler.schedule(task).unwrap_err().into_task();
    task = scheduler.schedule(task).unwrap_err().into_task();
    scheduler.cancel(blocker).unwrap();
    let id = scheduler.schedule(task).unwrap();
    let misses = Log::default();
    let misses2 = misses.clone();
    scheduler.on_deadline_miss(move |miss| misses2.push((miss.task(), miss.expected())));
    for now in [7, 29, 37] {
        clock.set(at(now));
        scheduler.tick();
    }
    assert_eq!(log.take(), [7, 17, 37]);
    assert_eq!(misses.take(), [(id, at(20))]);
}

#[test]
fn behaviour_10_refused_tasks_do_not_disturb_the_accepted_ones() {
    let (mut scheduler, clock) = manual(holding(50));
    let log = Log::default();
    for n in 0..50 {
        scheduler.schedule(log.task(n, ns(100 + n % 7))).unwrap();
    }
    let before = scheduler.metrics();
    for delay in [0, 99, 100, 1 << 40] {
        for task in [Task::new(|| (), ns(delay)), Task::new(|| (), ns(delay)).with_name("named")] {
            assert!(scheduler.schedule(task.with_deadline(ns(1))).is_err());
        }
        assert_eq!((scheduler.len(), scheduler.next_release()), (50, Some(at(100))));
    }
    assert_eq!(scheduler.metrics(), before);
    clock.set(at(200));
    scheduler.tick();
    let mut expected: Vec<u64> = (0..50).collect();
    expected.sort_by_key(|n| n % 7);
    assert_eq!(log.take(), expected);
}

#[test]
fn behaviour_10_every_kind_of_pending_task_takes_room_until_it_ends() {
    let (mut scheduler, clock) = manual(holding(3));
    let once = scheduler.schedule(Task::new(|| (), ns(5))).unwrap();
    let periodic = scheduler.schedule(Task::periodic(|_| (), ns(5))).unwrap();
    let untriggered = scheduler.schedule(Task::sporadic(|_| (), ns(5))).unwrap();
    let full = |scheduler: &mut nanosecond_scheduler::Scheduler<_>| {
        let attempt = scheduler.schedule(Task::new(|| (), ns(0)));
        let full = attempt
            .as_ref()
            .is_err_and(|error| error.kind() == ScheduleErrorKind::Full { capacity: 3 });
        attempt.map(|id| scheduler.cancel(id).unwrap()).ok();
        full
    };
    assert!(full(&mut scheduler));
    clock.set(at(5));
    scheduler.tick();
    assert!(!scheduler.is_pending(once) && !full(&mut scheduler), "the one-shot has ended");
    scheduler.schedule(Task::new(|| (), ns(50))).unwrap();
    for id in [periodic, untriggered] {
        assert!(full(&mut scheduler));
        scheduler.cancel(id).unwrap();
        assert!(!full(&mut scheduler));
        scheduler.schedule(Task::new(|| (), ns(50))).unwrap();
    }
    scheduler.clear();
    assert!(!full(&mut scheduler));
}

#[test]
fn behaviour_10_a_running_task_is_refused_like_everybody() {
    let (mut scheduler, _clock) = manual(holding(3));
    let log = Log::default();
    scheduler.schedule(Task::new(|| (), ns(100))).unwrap();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| {
        // A running periodic task keeps its room.
        let first = cx.schedule(log2.task("child", ns(0)));
        assert!(first.is_ok());
        let error = cx.schedule(log2.task("retried", ns(0))).unwrap_err();
        assert_eq!(error.kind(), ScheduleErrorKind::Full { capacity: 3 });
        cx.cancel(cx.id()).unwrap();
        cx.schedule(error.into_task()).unwrap();
    };
    scheduler.schedule(Task::periodic(body, ns(9)).with_delay(ns(0))).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), ["child", "retried"]);
    assert_eq!(scheduler.len(), 1);
}

#[test]
fn behaviour_10_a_result_that_was_refused_can_still_come() {
    let (mut scheduler, _clock) = manual(holding(1));
    let log = Log::default();
    scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    let log2 = log.clone();
    let error = scheduler.schedule_with_result(move || log2.push("ran"), ns(0)).unwrap_err();
    assert_eq!(error.kind(), ScheduleErrorKind::Full { capacity: 1 });
    scheduler.tick();
    scheduler.schedule(error.into_task()).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn a_capacity_of_one_is_enough_to_go_on_for_ever() {
    let (mut scheduler, clock) = manual(holding(1));
    let log = Log::default();
    for n in 0..1_000 {
        scheduler.schedule(log.task(n, ns(n % 3))).unwrap();
        clock.advance(ns(2));
        scheduler.tick();
    }
    assert!(log.take().into_iter().eq(0..1_000));
}

//! Hazard: a cancel that hits the wrong task, none, or leaves something behind.

mod common;

use common::{at, manual, ns, scatter, Drops, Log};
use nanosecond_scheduler::{
    CancelError, Config, Context, ManualClock, Scheduler, Task, TaskId, TriggerError,
};

/// A place in the queue, and releases that lead there, by order of submission.
type Place = (&'static str, fn(u64) -> u64);

/// Where tasks are when they are cancelled.
const PLACES: [Place; 5] = [
    ("near, in order", |n| 10 + n),
    ("near, against the order", |n| 5_000 - n),
    ("far, in order", |n| (1 << 40) + n),
    ("far, scattered", |n| (1 << 40) + scatter(n, 1 << 38)),
    ("one far instant", |_| 1 << 40),
];

/// When tests begin: at 0 all goes to the queue's part for what is far; later some is near.
const STARTS: [u64; 2] = [0, 1 << 20];

fn started(start: u64, max_tasks_per_tick: usize) -> (Scheduler<ManualClock>, ManualClock) {
    let (scheduler, clock) = manual(Config { max_tasks_per_tick, ..Config::default() });
    clock.set(at(start));
    (scheduler, clock)
}

/// Cancels `victims` of `count` tasks, and checks all that is left against what should be.
fn cancel_and_check(count: u64, victims: &[u64], place: Place) {
    STARTS.iter().for_each(|&start| cancel_and_check_from(start, count, victims, place));
}

fn cancel_and_check_from(start: u64, count: u64, victims: &[u64], (place, release_of): Place) {
    let (mut scheduler, clock) = started(start, 64);
    let log = Log::default();
    let ids: Vec<TaskId> =
        (0..count).map(|n| scheduler.schedule(log.task(n, ns(release_of(n)))).unwrap()).collect();
    let mut left: Vec<(u64, u64)> = (0..count).map(|n| (release_of(n), n)).collect();
    left.sort();
    for &victim in victims {
        assert_eq!(scheduler.cancel(ids[victim as usize]), Ok(()));
        assert!(!scheduler.is_pending(ids[victim as usize]));
        left.retain(|&(_, n)| n != victim);
        assert_eq!(scheduler.len(), left.len());
        let next = left.first().map(|&(release, _)| at(start + release));
        assert_eq!(scheduler.next_release(), next, "{victim} of {count}, {place}");
    }
    clock.set(at(u64::MAX));
    while scheduler.tick().more_due {}
    let expected: Vec<u64> = left.iter().map(|&(_, n)| n).collect();
    assert_eq!(log.take(), expected, "{victims:?} of {count}, {place}");
    assert!(ids.iter().all(|&id| !scheduler.is_pending(id)));
}

#[test]
fn behaviour_06_cancel_of_head_middle_last_or_any_leaves_the_others_alone() {
    for place in PLACES {
        for count in [1, 2, 3, 17, 70] {
            (0..count).for_each(|victim| cancel_and_check(count, &[victim], place));
        }
        for victim in [0, 1, 1_023, 1_024, 1_025, 2_999] {
            cancel_and_check(3_000, &[victim], place);
        }
    }
}

#[test]
fn behaviour_06_cancel_of_most_tasks_in_any_direction_leaves_the_others_alone() {
    for place in PLACES {
        let count = 2_500u64;
        let most = |n: &u64| n % 9 != 4;
        let forwards: Vec<u64> = (0..count).filter(most).collect();
        let backwards: Vec<u64> = forwards.iter().rev().copied().collect();
        let mut shuffled = forwards.clone();
        shuffled.sort_by_key(|&n| scatter(n, 1 << 60));
        let everything: Vec<u64> = (0..count).collect();
        for victims in [forwards, backwards, shuffled, everything] {
            cancel_and_check(count, &victims, place);
        }
    }
}

/// The same while the tasks are being run: the first 100 are through when the cancels begin.
#[test]
fn behaviour_06_cancels_between_partial_ticks_hit_only_their_task() {
    for ((place, release_of), start) in PLACES.iter().flat_map(|p| STARTS.map(|start| (*p, start)))
    {
        let (mut scheduler, clock) = started(start, 50);
        let log = Log::default();
        let ids: Vec<TaskId> = (0..1_500)
            .map(|n| scheduler.schedule(log.task(n, ns(release_of(n)))).unwrap())
            .collect();
        let mut order: Vec<u64> = (0..1_500).collect();
        order.sort_by_key(|&n| (release_of(n), n));
        clock.set(at(u64::MAX));
        scheduler.tick();
        scheduler.tick();
        let victims: Vec<u64> = order[100..].iter().copied().filter(|n| n % 5 < 3).collect();
        for &victim in &victims {
            assert_eq!(scheduler.cancel(ids[victim as usize]), Ok(()), "{place}");
        }
        order.retain(|n| !victims.contains(n));
        assert_eq!(scheduler.next_release(), Some(at(start + release_of(order[100]))));
        while scheduler.tick().more_due {}
        assert_eq!(log.take(), order, "{place}");
    }
}

#[test]
fn behaviour_06_cancel_drops_the_closure_before_it_returns() {
    let (mut scheduler, _clock) = manual(Config::default());
    let drops = Drops::default();
    let once = {
        let token = drops.token();
        Task::new(move || drop(token), ns(5))
    };
    let large = {
        let (token, ballast) = (drops.token(), [0u8; 200]);
        Task::new(move || drop((token, ballast)), ns(1 << 40))
    };
    let periodic = {
        let token = drops.token();
        Task::periodic(move |_| token.touch(), ns(7))
    };
    let sporadic = {
        let token = drops.token();
        Task::sporadic(move |_| token.touch(), ns(7))
    };
    let ids = [once, large, periodic, sporadic].map(|task| scheduler.schedule(task).unwrap());
    for (cancelled, id) in ids.into_iter().enumerate() {
        assert_eq!(drops.count(), cancelled);
        scheduler.cancel(id).unwrap();
        assert_eq!(drops.count(), cancelled + 1);
    }
    assert!(scheduler.is_empty());
    assert_eq!(scheduler.metrics().cancelled, 4);
}

#[test]
fn behaviour_06_a_task_that_has_run_or_was_cancelled_cannot_be_cancelled() {
    let (mut scheduler, _clock) = manual(Config::default());
    let ran = scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    let cancelled = scheduler.schedule(Task::new(|| (), ns(9))).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.cancel(ran), Err(CancelError));
    assert_eq!(scheduler.cancel(cancelled), Ok(()));
    assert_eq!(scheduler.cancel(cancelled), Err(CancelError));
    assert_eq!(scheduler.metrics().cancelled, 1, "what was refused is not counted");
    assert_eq!(CancelError.to_string(), "the task is not pending: it has run or was cancelled");
}

/// The slot of a task, which its id shares with earlier and later tasks.
fn slot(id: TaskId) -> u32 {
    id.to_bits() as u32
}

#[test]
fn behaviour_06_a_stale_handle_never_names_the_slots_next_task() {
    let (mut scheduler, clock) = manual(Config { capacity: 1, ..Config::default() });
    let log = Log::default();
    let mut stale: Vec<TaskId> = Vec::new();
    for round in 0..200 {
        let id = scheduler.schedule(log.task(round, ns(1))).unwrap();
        assert!(stale.iter().all(|old| slot(*old) == slot(id)), "the slot is to be reused");
        for &old in &stale {
            assert_eq!(scheduler.cancel(old), Err(CancelError));
            assert_eq!(scheduler.trigger(old), Err(TriggerError::NotPending));
            assert!(!scheduler.is_pending(old));
        }
        stale.push(id);
        assert!(scheduler.is_pending(id));
        // Free the slot by running and by cancelling in turn.
        clock.advance(ns(round % 2));
        scheduler.tick();
        assert_eq!(scheduler.cancel(id).is_ok(), round % 2 == 0);
    }
    assert!(log.take().into_iter().eq((1..200).step_by(2)));
    stale.sort();
    stale.dedup();
    assert_eq!(stale.len(), 200, "every id is unique");
}

/// The dead entry of a cancelled task must not run the task that got its slot.
#[test]
fn behaviour_06_a_reused_slot_does_not_run_at_the_cancelled_tasks_release() {
    for (old_release, new_release) in [(10, 500), (500, 10), (1 << 30, 1 << 50), (1 << 50, 1 << 30)]
    {
        let (mut scheduler, clock) = manual(Config::default());
        let log = Log::default();
        let stays = scheduler.schedule(log.task("stays", ns(old_release))).unwrap();
        let old = scheduler.schedule(log.task("old", ns(old_release))).unwrap();
        scheduler.cancel(old).unwrap();
        let new = scheduler.schedule(log.task("new", ns(new_release))).unwrap();
        assert_eq!(slot(old), slot(new), "the slot is to be reused");
        clock.set(at(old_release.min(new_release)));
        assert_eq!(scheduler.tick().executed, 1);
        let first = if old_release < new_release { "stays" } else { "new" };
        assert_eq!(log.take(), [first]);
        assert_ne!(scheduler.is_pending(stays), scheduler.is_pending(new));
    }
}

#[test]
fn behaviour_06_any_number_is_a_safe_id() {
    let (mut scheduler, _clock) = manual(Config::default());
    let live = scheduler.schedule(Task::new(|| (), ns(9))).unwrap();
    assert_eq!(TaskId::from_bits(live.to_bits()), live);
    let forged =
        (0..20_000).map(|n| scatter(n, u64::MAX)).chain([0, 1, u64::MAX, 1 << 32, 2 << 32]);
    for bits in forged.chain((0..64).map(|bit| live.to_bits() ^ 1 << bit)) {
        let id = TaskId::from_bits(bits);
        assert_eq!(id.to_bits(), bits);
        if id != live {
            assert!(!scheduler.is_pending(id), "{bits:#x}");
            assert_eq!(scheduler.cancel(id), Err(CancelError), "{bits:#x}");
            assert_eq!(scheduler.trigger(id), Err(TriggerError::NotPending), "{bits:#x}");
        }
    }
    assert!(scheduler.is_pending(live));
    assert_eq!(scheduler.cancel(live), Ok(()));
}

#[test]
fn behaviour_06_a_running_one_shot_cannot_cancel_itself() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| log2.push(cx.cancel(cx.id()));
    scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), [Err(CancelError)]);
    assert_eq!(scheduler.metrics().cancelled, 0);
}

#[test]
fn behaviour_06_a_periodic_task_that_cancels_itself_ends_with_its_job() {
    let (mut scheduler, clock) = manual(Config::default());
    let drops = Drops::default();
    let log = Log::default();
    let body = {
        let (drops, token, log) = (drops.clone(), drops.token(), log.clone());
        let mut jobs = 0;
        move |cx: &mut Context<'_>| {
            jobs += 1;
            if jobs == 3 {
                assert_eq!(cx.cancel(cx.id()), Ok(()));
                assert_eq!(cx.cancel(cx.id()), Err(CancelError));
                assert!(!cx.is_pending(cx.id()));
                // The slot is free, and may be another's while this closure still runs.
                let child = cx.schedule(log.task("child", ns(0))).unwrap();
                assert_eq!(slot(child), slot(cx.id()));
            }
            assert_eq!(drops.count(), 0, "the closure lives until its job returns");
            token.touch();
            log.push("job");
        }
    };
    let id = scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    clock.set(at(1_000));
    assert_eq!(scheduler.tick().executed, 4);
    assert_eq!(log.take(), ["job", "job", "job", "child"]);
    assert_eq!(drops.count(), 1);
    assert!(!scheduler.is_pending(id) && scheduler.is_empty());
    assert_eq!(scheduler.next_release(), None);
}

/// One task of six cancels a sibling of the same instant, from within the tick.
fn siblings_after_cancel(canceller: usize, victim: usize) -> (Vec<usize>, Result<(), CancelError>) {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let answer = Log::default();
    let ids: Log<TaskId> = Log::default();
    for n in 0..6 {
        let (log, answer, others) = (log.clone(), answer.clone(), ids.clone());
        let body = move |cx: &mut Context<'_>| {
            log.push(n);
            if n == canceller {
                answer.push(cx.cancel(others.take()[victim]));
            }
        };
        ids.push(scheduler.schedule(Task::with_context(body, ns(100_000))).unwrap());
    }
    clock.set(at(100_000));
    scheduler.tick();
    assert!(scheduler.is_empty());
    (log.take(), answer.take()[0])
}

#[test]
fn behaviour_06_a_task_may_cancel_a_sibling_of_the_same_tick() {
    let all = [0, 1, 2, 3, 4, 5];
    for canceller in all {
        for victim in all {
            let already_run = victim <= canceller;
            let expected: Vec<usize> =
                all.into_iter().filter(|&n| n != victim || already_run).collect();
            let answer = if already_run { Err(CancelError) } else { Ok(()) };
            assert_eq!(siblings_after_cancel(canceller, victim), (expected, answer));
        }
    }
}

#[test]
fn behaviour_06_cancelled_tasks_leave_no_garbage() {
    let (mut scheduler, clock) = manual(Config::default());
    let cycle = |scheduler: &mut Scheduler<_>, round: u64| {
        let ids: Vec<TaskId> = (0..1_000)
            .map(|n| scatter(n + round * 1_000, 1 << (20 + round % 20)))
            .map(|delay| scheduler.schedule(Task::new(|| (), ns(delay))).unwrap())
            .collect();
        ids.into_iter().for_each(|id| scheduler.cancel(id).unwrap());
        clock.advance(ns(1_000));
        scheduler.tick();
    };
    (0..20).for_each(|round| cycle(&mut scheduler, round));
    let warm = scheduler.metrics().memory_bytes;
    (20..100).for_each(|round| cycle(&mut scheduler, round));
    let now = scheduler.metrics().memory_bytes;
    assert!(now < warm + warm / 10, "{warm} bytes after 20 rounds, {now} after 100");
    assert_eq!(scheduler.next_release(), None);
}

/// One long-lived task at the head must not keep what is cancelled behind it.
#[test]
fn behaviour_06_a_survivor_does_not_keep_its_cancelled_neighbours() {
    for distance in [10, 1_000_000, 1 << 40] {
        let (mut scheduler, _clock) = started(STARTS[1], 1);
        for end in [0, 50] {
            scheduler.schedule(Task::new(|| (), ns(distance + end))).unwrap();
        }
        for n in 0..1_000_000u64 / if cfg!(miri) { 1_000 } else { 10 } {
            let task = Task::new(|| (), ns(distance + n % 50));
            let id = scheduler.schedule(task).unwrap();
            scheduler.cancel(id).unwrap();
        }
        let bytes = scheduler.metrics().memory_bytes;
        assert!(bytes < 200_000, "{bytes} bytes for two tasks, {distance} ns ahead");
        assert_eq!(scheduler.len(), 2);
    }
}

/// The same when a new task always comes before the old one goes, as with a timeout that is put off.
#[test]
fn behaviour_06_a_task_that_is_replaced_again_and_again_leaves_no_garbage() {
    // All at one instant, and at two in turn.
    for (distance, instants) in [10, 1_000_000, 1 << 40].iter().flat_map(|d| [(d, 1), (d, 2)]) {
        let (mut scheduler, _clock) = started(STARTS[1], 1);
        let mut current = scheduler.schedule(Task::new(|| (), ns(*distance))).unwrap();
        for n in 0..if cfg!(miri) { 1_000 } else { 50_000 } {
            let next = scheduler.schedule(Task::new(|| (), ns(distance + n % instants))).unwrap();
            scheduler.cancel(current).unwrap();
            current = next;
        }
        let bytes = scheduler.metrics().memory_bytes;
        assert!(bytes < 200_000, "{bytes} bytes for one task, {distance} ns ahead");
        assert_eq!(scheduler.len(), 1);
    }
}

//! Hazard: instants at the seams of the queue's levels, and at the end of time.

mod common;

use std::time::Duration;

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, Context, ScheduleErrorKind, Task, TimePoint};

/// Every 64^k - 1, 64^k, 64^k + 1, and the last instants.
fn seams() -> Vec<u64> {
    let powers = (0..=10).flat_map(|k| {
        let power = 1u64 << (6 * k);
        [power - 1, power, power + 1]
    });
    powers.chain([u64::MAX - 1, u64::MAX]).collect()
}

const STARTS: [u64; 9] =
    [0, 1, 63, 64, 4_095, 262_144, (1 << 36) - 1, 0x7FFF_FFFF_FFFF_FFFF, u64::MAX - 4_097];

#[test]
fn behaviour_04_releases_at_every_power_of_64_run_in_order_and_on_time() {
    for start in STARTS {
        let (mut scheduler, clock) = manual(Config::default());
        let log = Log::default();
        clock.set(at(start));
        let mut releases: Vec<u64> = seams();
        releases.extend(seams().iter().filter_map(|delay| start.checked_add(*delay)));
        for &release in &releases {
            scheduler.schedule(log.task(release, ns(0)).at(at(release))).unwrap();
        }
        releases.sort_unstable();
        let (past, future) = releases.split_at(releases.partition_point(|&r| r <= start));
        scheduler.tick();
        assert_eq!(log.take(), past, "from {start}");
        let mut future = future.to_vec();
        while let Some(&next) = future.first() {
            assert_eq!(scheduler.next_release(), Some(at(next)), "from {start}");
            clock.set(at(next - 1));
            assert_eq!(scheduler.tick().executed, 0, "from {start}, early at {}", next - 1);
            clock.set(at(next));
            scheduler.tick();
            let due: Vec<u64> = future.iter().copied().take_while(|&r| r == next).collect();
            future.drain(..due.len());
            assert_eq!(log.take(), due, "from {start}");
        }
        assert!(scheduler.is_empty());
    }
}

#[test]
fn behaviour_04_delays_of_every_power_of_64_add_up_exactly() {
    for start in STARTS {
        for delay in seams() {
            let (mut scheduler, clock) = manual(Config::default());
            clock.set(at(start));
            let result = scheduler.schedule(Task::new(|| (), ns(delay)));
            match start.checked_add(delay) {
                Some(release) => {
                    result.unwrap();
                    assert_eq!(scheduler.next_release(), Some(at(release)));
                }
                None => {
                    assert_eq!(result.unwrap_err().kind(), ScheduleErrorKind::TimeOverflow);
                    assert_eq!(scheduler.next_release(), None);
                }
            }
        }
    }
}

#[test]
fn behaviour_04_one_jump_over_all_levels_keeps_the_order() {
    for start in STARTS {
        let (mut scheduler, clock) = manual(Config::default());
        let log = Log::default();
        clock.set(at(start));
        scheduler.tick();
        let mut releases = seams();
        for (n, &release) in releases.iter().rev().enumerate() {
            scheduler.schedule(log.task((release, n), ns(0)).at(at(release))).unwrap();
            scheduler.schedule(log.task((release, n + 1_000), ns(0)).at(at(release))).unwrap();
        }
        releases.sort_unstable();
        clock.set(TimePoint::MAX);
        assert_eq!(scheduler.tick().executed, 2 * releases.len());
        let ran = log.take();
        assert!(ran.is_sorted(), "{ran:?}");
    }
}

#[test]
fn behaviour_04_the_last_instant_is_an_instant_like_any_other() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 2, ..Config::default() });
    let log = Log::default();
    for n in 0..4 {
        scheduler.schedule(log.task(n, ns(0)).at(TimePoint::MAX)).unwrap();
    }
    let last = scheduler.schedule(log.task(4, ns(u64::MAX))).unwrap();
    assert_eq!(scheduler.next_release(), Some(TimePoint::MAX));
    clock.set(at(u64::MAX - 1));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.next_release), (0, Some(TimePoint::MAX)));

    clock.set(TimePoint::MAX);
    assert!(scheduler.tick().more_due);
    scheduler.schedule(log.task(5, ns(0))).unwrap();
    scheduler.cancel(last).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.next_release(), Some(TimePoint::MAX));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due, report.next_release), (1, false, None));
    assert_eq!(log.take(), [0, 1, 2, 3, 5]);

    let report = scheduler.tick();
    assert_eq!((report.executed, report.more_due, report.next_release), (0, false, None));
    scheduler.schedule(log.task(6, ns(0))).unwrap();
    assert_eq!(scheduler.next_release(), Some(TimePoint::MAX));
    scheduler.tick();
    assert_eq!(log.take(), [6]);
}

#[test]
fn behaviour_04_a_crowd_at_the_last_instant_is_fifo() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 700, ..Config::default() });
    let log = Log::default();
    let ids: Vec<_> = (0..5_000)
        .map(|n| scheduler.schedule(log.task(n, ns(0)).at(TimePoint::MAX)).unwrap())
        .collect();
    for n in (0..5_000).filter(|n| n % 7 == 3) {
        scheduler.cancel(ids[n]).unwrap();
        assert_eq!(scheduler.next_release(), Some(TimePoint::MAX));
    }
    clock.set(TimePoint::MAX);
    while scheduler.tick().more_due {}
    assert!(log.take().into_iter().eq((0..5_000).filter(|n| n % 7 != 3)));
}

#[test]
fn behaviour_04_what_cannot_be_represented_is_refused_and_given_back() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    clock.set(at(10));
    for delay in
        [ns(u64::MAX - 9), ns(u64::MAX), Duration::from_secs(18_446_744_074), Duration::MAX]
    {
        let error = scheduler.schedule(log.task(delay, delay)).unwrap_err();
        assert_eq!(error.kind(), ScheduleErrorKind::TimeOverflow);
        assert_eq!(
            error.to_string(),
            "the release lies beyond the last instant of the clock (2^64 - 1 ns, 584 years)"
        );
        assert_eq!((scheduler.len(), scheduler.next_release()), (0, None));
        // The task is whole: it runs once its delay is one that fits.
        scheduler.schedule(error.into_task().with_delay(ns(0))).unwrap();
        scheduler.tick();
        assert_eq!(log.take(), [delay]);
    }
    scheduler.schedule(log.task(ns(0), ns(u64::MAX - 10))).unwrap();
    assert_eq!(scheduler.next_release(), Some(TimePoint::MAX));
}

#[test]
fn behaviour_04_a_running_task_is_refused_what_cannot_be_represented() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    clock.set(at(u64::MAX - 5));
    let body = move |cx: &mut Context<'_>| {
        for delay in 4..8 {
            log2.push(
                cx.schedule(Task::new(|| (), ns(delay))).map_err(|error| error.kind()).is_ok(),
            );
        }
    };
    scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
    scheduler.tick();
    assert_eq!(log.take(), [true, true, false, false]);
    assert_eq!(scheduler.len(), 2);
}

#[test]
fn behaviour_04_a_release_in_the_past_takes_its_place_among_the_due() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    clock.set(at(1 << 40));
    scheduler.tick();
    for release in [1 << 40, 7, 0, 1 << 39, (1 << 40) + 1, 7] {
        scheduler.schedule(log.task(release, ns(0)).at(at(release))).unwrap();
    }
    assert_eq!(scheduler.next_release(), Some(at(0)));
    scheduler.tick();
    assert_eq!(log.take(), [0, 7, 7, 1 << 39, 1 << 40]);
}

#[test]
fn behaviour_04_a_deadline_beyond_time_is_never_missed() {
    let (mut scheduler, clock) = manual(Config::default());
    clock.set(at(u64::MAX - 10));
    for deadline in [ns(u64::MAX), Duration::MAX] {
        scheduler.schedule(Task::new(|| (), ns(5)).with_deadline(deadline)).unwrap();
    }
    clock.set(TimePoint::MAX);
    let report = scheduler.tick();
    assert_eq!((report.executed, report.missed_deadlines), (2, 0));
}

#[test]
fn behaviour_04_running_until_the_end_of_time_ends() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    clock.set(at(3));
    for delay in [0, 1 << 20, 1 << 50, u64::MAX - 3] {
        scheduler.schedule(log.task(delay, ns(delay))).unwrap();
    }
    scheduler.run_for(Duration::MAX);
    assert_eq!(log.take(), [0, 1 << 20, 1 << 50, u64::MAX - 3]);
    assert_eq!(scheduler.now(), TimePoint::MAX);
    scheduler.run_until(TimePoint::MAX);
}

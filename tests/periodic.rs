//! Hazard: periods that drift, or are lost or doubled when ticks come late.

mod common;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{Config, Context, MissedTick, ScheduleErrorKind, Scheduler, Task};
use nanosecond_scheduler::{ManualClock, TimePoint};

/// A job's decision instant and release, in ns.
type Job = (u64, u64);

fn recorder(log: &Log<Job>) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = log.clone();
    move |cx| log.push((cx.now().as_nanos(), cx.release().as_nanos()))
}

/// Ticks at these instants, and tells what ran.
fn jobs_at(
    (scheduler, clock): &mut (Scheduler<ManualClock>, ManualClock),
    log: &Log<Job>,
    instants: &[u64],
) -> Vec<Job> {
    for &instant in instants {
        clock.set(at(instant));
        scheduler.tick();
    }
    log.take()
}

#[test]
fn behaviour_07_release_k_is_first_plus_k_periods() {
    for missed_tick in [MissedTick::Burst, MissedTick::Skip] {
        let mut pair = manual(Config { missed_tick, ..Config::default() });
        let log = Log::default();
        pair.0.schedule(Task::periodic(recorder(&log), ns(1_000))).unwrap();
        // Every tick is late by something else, but none by a period.
        let instants: Vec<u64> = (1..=500).map(|k| k * 1_000 + scatter(k, 999)).collect();
        let jobs = jobs_at(&mut pair, &log, &instants);
        let expected: Vec<Job> = instants.iter().map(|&now| (now, now / 1_000 * 1_000)).collect();
        assert_eq!(jobs, expected, "{missed_tick:?}");
        assert_eq!(pair.0.metrics().missed_ticks, 0);
    }
}

#[test]
fn behaviour_07_under_delay_a_period_counts_from_the_late_job() {
    let mut pair = manual(Config { missed_tick: MissedTick::Delay, ..Config::default() });
    let log = Log::default();
    pair.0.schedule(Task::periodic(recorder(&log), ns(1_000))).unwrap();
    let jobs = jobs_at(&mut pair, &log, &[1_000, 2_003, 3_002, 3_003, 4_010]);
    assert_eq!(jobs, [(1_000, 1_000), (2_003, 2_000), (3_003, 3_003), (4_010, 4_003)]);
}

/// First release 10, period 10, and the first tick comes at `late`.
fn after_a_late_tick(missed_tick: MissedTick, late: u64) -> (Vec<u64>, Option<TimePoint>, u64) {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let task = Task::periodic(recorder(&log), ns(10)).with_missed_tick(missed_tick);
    scheduler.schedule(task).unwrap();
    clock.set(at(late));
    let report = scheduler.tick();
    let (decided, releases): (Vec<u64>, Vec<u64>) = log.take().into_iter().unzip();
    assert_eq!(decided, vec![late; releases.len()]);
    assert_eq!(report.executed, releases.len());
    (releases, report.next_release, scheduler.metrics().missed_ticks)
}

#[test]
fn behaviour_07_burst_delay_and_skip_mean_what_they_do_in_tokio() {
    use MissedTick::{Burst, Delay, Skip};
    let cases = [
        // On time, late by less than a period, and late by almost one.
        (Burst, 10, vec![10], 20, 0),
        (Delay, 10, vec![10], 20, 0),
        (Skip, 10, vec![10], 20, 0),
        (Burst, 13, vec![10], 20, 0),
        (Delay, 13, vec![10], 23, 0),
        (Skip, 13, vec![10], 20, 0),
        (Burst, 19, vec![10], 20, 0),
        (Skip, 19, vec![10], 20, 0),
        // Late by exactly one period, by several, and by several and a half.
        (Burst, 20, vec![10, 20], 30, 1),
        (Delay, 20, vec![10], 30, 1),
        (Skip, 20, vec![10], 30, 1),
        (Burst, 40, vec![10, 20, 30, 40], 50, 3),
        (Delay, 40, vec![10], 50, 3),
        (Skip, 40, vec![10], 50, 3),
        (Burst, 45, vec![10, 20, 30, 40], 50, 3),
        (Delay, 45, vec![10], 55, 3),
        (Skip, 45, vec![10], 50, 3),
    ];
    for (missed_tick, late, releases, next, missed) in cases {
        assert_eq!(
            after_a_late_tick(missed_tick, late),
            (releases, Some(at(next)), missed),
            "{missed_tick:?}, first tick at {late}"
        );
    }
}

#[test]
fn behaviour_07_burst_is_the_default_and_a_task_overrides_the_config() {
    assert_eq!(Config::default().missed_tick, MissedTick::Burst);
    let (mut scheduler, clock) =
        manual(Config { missed_tick: MissedTick::Skip, ..Config::default() });
    let (default, own) = (Log::default(), Log::default());
    scheduler.schedule(Task::periodic(recorder(&default), ns(10))).unwrap();
    let task = Task::periodic(recorder(&own), ns(10)).with_missed_tick(MissedTick::Burst);
    scheduler.schedule(task).unwrap();
    clock.set(at(35));
    scheduler.tick();
    assert_eq!(default.take(), [(35, 10)]);
    assert_eq!(own.take(), [(35, 10), (35, 20), (35, 30)]);
}

#[test]
fn behaviour_07_a_burst_goes_on_in_the_next_tick_when_one_is_full() {
    let mut pair = manual(Config { max_tasks_per_tick: 3, ..Config::default() });
    let log = Log::default();
    pair.0.schedule(Task::periodic(recorder(&log), ns(10))).unwrap();
    let jobs = jobs_at(&mut pair, &log, &[75, 76, 77, 78]);
    let expected: [Job; 7] = [(75, 10), (75, 20), (75, 30), (76, 40), (76, 50), (76, 60), (77, 70)];
    assert_eq!(jobs, expected);
}

#[test]
fn behaviour_07_delay_and_at_move_the_first_release_only() {
    let mut pair = manual(Config::default());
    let (delayed, dated, late) = (Log::default(), Log::default(), Log::default());
    pair.1.set(at(100));
    for task in [
        Task::periodic(recorder(&delayed), ns(50)).with_delay(ns(0)),
        Task::periodic(recorder(&dated), ns(50)).at(at(120)),
        Task::periodic(recorder(&late), ns(50)).at(at(30)),
    ] {
        pair.0.schedule(task).unwrap();
    }
    jobs_at(&mut pair, &Log::default(), &[100, 120, 150, 170]);
    assert_eq!(delayed.take(), [(100, 100), (150, 150)]);
    assert_eq!(dated.take(), [(120, 120), (170, 170)]);
    assert_eq!(late.take(), [(100, 30), (100, 80), (150, 130)]);
}

#[test]
fn behaviour_07_a_rearmed_job_takes_a_fresh_sequence_number() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| {
        log2.push("periodic");
        cx.schedule(log2.task("child", ns(0)).at(at(20))).unwrap();
    };
    scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    scheduler.schedule(log.task("before", ns(20))).unwrap();
    clock.set(at(10));
    scheduler.tick();
    scheduler.schedule(log.task("after", ns(10))).unwrap();
    assert_eq!(log.take(), ["periodic"]);
    clock.set(at(20));
    scheduler.tick();
    // The child was submitted by the job, so before the job's successor.
    assert_eq!(log.take(), ["before", "child", "periodic", "after", "child"]);
}

#[test]
fn behaviour_07_periodic_tasks_of_equal_phase_keep_their_turns() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    for name in 0..50 {
        let log = log.clone();
        scheduler.schedule(Task::periodic(move |_| log.push(name), ns(100))).unwrap();
    }
    for round in 1..=20 {
        clock.set(at(round * 100));
        scheduler.tick();
        assert!(log.take().into_iter().eq(0..50), "round {round}");
    }
}

#[test]
fn a_period_of_zero_is_refused() {
    let (mut scheduler, _clock) = manual(Config::default());
    let error = scheduler.schedule(Task::periodic(|_| (), ns(0)).with_delay(ns(5))).unwrap_err();
    assert_eq!(error.kind(), ScheduleErrorKind::ZeroPeriod);
    assert_eq!(
        error.to_string(),
        "the period of a periodic task is 0 ns; it must be at least 1 ns"
    );
    assert!(scheduler.is_empty());
}

#[test]
fn a_period_of_one_nanosecond_runs_every_nanosecond() {
    let mut pair = manual(Config::default());
    let log = Log::default();
    pair.0.schedule(Task::periodic(recorder(&log), ns(1))).unwrap();
    assert_eq!(jobs_at(&mut pair, &log, &[1, 2, 4]), [(1, 1), (2, 2), (4, 3), (4, 4)]);
}

#[test]
fn a_periodic_task_ends_when_time_does() {
    use MissedTick::{Burst, Delay, Skip};
    let end = u64::MAX;
    let cases = [
        (Burst, vec![end - 7, end - 4, end - 1]),
        (Skip, vec![end - 7, end - 4]),
        (Delay, vec![end - 7, end - 2]),
    ];
    for (missed_tick, releases) in cases {
        let mut pair = manual(Config { missed_tick, ..Config::default() });
        let log = Log::default();
        pair.1.set(at(end - 10));
        pair.0.schedule(Task::periodic(recorder(&log), ns(3))).unwrap();
        let jobs = jobs_at(&mut pair, &log, &[end - 10, end - 5, end - 1, end]);
        let ran: Vec<u64> = jobs.into_iter().map(|(_, release)| release).collect();
        assert_eq!(ran, releases, "{missed_tick:?}");
        assert!(pair.0.is_empty());
        assert_eq!(pair.0.next_release(), None);
    }
}

#[test]
fn the_last_release_may_be_the_last_instant() {
    let mut pair = manual(Config::default());
    let log = Log::default();
    pair.1.set(at(u64::MAX - 6));
    pair.0.schedule(Task::periodic(recorder(&log), ns(3))).unwrap();
    let jobs = jobs_at(&mut pair, &log, &[u64::MAX - 3, u64::MAX]);
    assert_eq!(jobs, [(u64::MAX - 3, u64::MAX - 3), (u64::MAX, u64::MAX)]);
    assert!(pair.0.is_empty());
}

#[test]
fn a_period_longer_than_time_is_refused_or_runs_once() {
    let mut pair = manual(Config::default());
    let log = Log::default();
    let endless = || Task::periodic(|_| (), std::time::Duration::MAX);
    let kind = pair.0.schedule(endless()).unwrap_err().kind();
    assert_eq!(kind, ScheduleErrorKind::TimeOverflow);

    let task = Task::periodic(recorder(&log), std::time::Duration::MAX).with_delay(ns(1));
    pair.0.schedule(task).unwrap();
    assert_eq!(jobs_at(&mut pair, &log, &[1, 2]), [(1, 1)]);
    assert!(pair.0.is_empty());
}

#[test]
fn a_cancelled_periodic_task_runs_no_more() {
    let mut pair = manual(Config::default());
    let log = Log::default();
    let id = pair.0.schedule(Task::periodic(recorder(&log), ns(10))).unwrap();
    assert_eq!(jobs_at(&mut pair, &log, &[10, 20]), [(10, 10), (20, 20)]);
    pair.0.cancel(id).unwrap();
    assert_eq!(pair.0.next_release(), None);
    assert_eq!(jobs_at(&mut pair, &log, &[30, 40]), []);
}

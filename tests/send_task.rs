//! Hazard: a task taken apart loses an attribute, or its body runs once too often.
#![cfg(feature = "std")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, DeadlineKind, ManualClock, MissedTick, Priority, ScheduleErrorKind, Scheduler,
    SendTask, TaskId, TimePoint,
};

const fn ns(n: u64) -> Duration {
    Duration::from_nanos(n)
}

fn counting(runs: &Arc<AtomicU32>) -> impl FnMut() + Send + 'static {
    let runs = Arc::clone(runs);
    move || {
        runs.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_body_runs_under_another_task_with_the_same_attributes() {
    let runs = Arc::new(AtomicU32::new(0));
    for (task, expected) in [
        (SendTask::new(counting(&runs), ns(5)), 1),
        (
            SendTask::periodic(
                {
                    let mut count = counting(&runs);
                    move |_| count()
                },
                ns(5),
            ),
            3,
        ),
    ] {
        let clock = ManualClock::new();
        let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
        let outline = task.with_priority(Priority::High).with_deadline(ns(7)).with_wcet(ns(2));
        assert_eq!(outline.priority(), Priority::High);
        assert_eq!(outline.wcet(), Some(ns(2)));
        let at = TimePoint::from_nanos;
        assert_eq!(outline.deadline_of(at(100)), Some(at(107)));
        assert_eq!(outline.release_from(at(100)), Ok(Some(at(105))));
        let empty = outline.like(|_| {});
        assert_eq!(empty.period(), outline.period());
        let mut body = outline.into_body();
        scheduler
            .schedule(empty.like(move |cx| {
                body.run(cx);
                assert_eq!(cx.release().as_nanos() % 5, 0);
            }))
            .unwrap();
        scheduler.run_until(at(17));
        assert_eq!(runs.swap(0, Ordering::Relaxed), expected);
        assert_eq!(scheduler.metrics().missed_deadlines, 0);
    }
}

#[test]
fn a_spent_one_shot_does_nothing() {
    let runs = Arc::new(AtomicU32::new(0));
    let mut body = SendTask::new(counting(&runs), ns(0)).into_body();
    let clock = ManualClock::new();
    let mut scheduler = Scheduler::with_clock(Config::default(), clock).unwrap();
    scheduler.schedule(SendTask::periodic(move |cx| body.run(cx), ns(1))).unwrap();
    scheduler.run_for(ns(4));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn what_no_scheduler_accepts_is_told_before() {
    let now = TimePoint::from_nanos(10);
    let flaw = |task: SendTask| task.release_from(now).unwrap_err();
    assert_eq!(flaw(SendTask::new(|| (), Duration::MAX)), ScheduleErrorKind::TimeOverflow);
    assert_eq!(flaw(SendTask::periodic(|_| (), ns(0))), ScheduleErrorKind::ZeroPeriod);
    let absolute = SendTask::periodic(|_| (), ns(1)).with_deadline_at(DeadlineKind::Soft, now);
    assert_eq!(flaw(absolute), ScheduleErrorKind::AbsoluteDeadline);
    assert_eq!(SendTask::sporadic(|_| (), ns(1)).release_from(now), Ok(None));
}

#[test]
fn a_new_period_moves_a_first_release_that_was_a_period_away() {
    let now = TimePoint::ZERO;
    let first = |task: SendTask| task.release_from(now).unwrap().map(TimePoint::as_nanos);
    let periodic = || SendTask::periodic(|_| (), ns(5));
    assert_eq!(first(periodic().with_period(ns(8))), Some(8));
    assert_eq!(first(periodic().with_delay(ns(2)).with_period(ns(8))), Some(2));
    assert_eq!(periodic().with_period(ns(8)).period(), Some(ns(8)));
    assert_eq!(SendTask::sporadic(|_| (), ns(5)).with_period(ns(8)).period(), Some(ns(8)));
    assert_eq!(SendTask::new(|| (), ns(5)).with_period(ns(8)).period(), None);
    let skips = periodic().with_missed_tick(MissedTick::Skip);
    assert_eq!(skips.missed_tick(), Some(MissedTick::Skip));
    assert!(periodic().after(&[TaskId::from_bits(1)]).has_predecessors());
}

//! Hazard: jobs of a sporadic task that come unasked, too close, or not at all.

mod common;

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, Context, Task, TaskId, TriggerError};

fn recorder(log: &Log<u64>) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = log.clone();
    move |cx| log.push(cx.release().as_nanos())
}

#[test]
fn a_sporadic_task_waits_for_its_trigger() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let id = scheduler.schedule(Task::sporadic(recorder(&log), ns(100))).unwrap();
    assert!(scheduler.is_pending(id));
    assert_eq!((scheduler.len(), scheduler.next_release()), (1, None));
    clock.set(at(1_000_000));
    let report = scheduler.tick();
    assert_eq!((report.executed, report.next_release), (0, None));

    assert_eq!(scheduler.trigger(id), Ok(at(1_000_000)));
    assert_eq!(scheduler.next_release(), Some(at(1_000_000)));
    scheduler.tick();
    scheduler.tick();
    assert_eq!(log.take(), [1_000_000]);
    assert!(scheduler.is_pending(id), "it waits for the next trigger");
}

#[test]
fn triggers_count_from_the_clock_and_keep_the_gap() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let id = scheduler.schedule(Task::sporadic(recorder(&log), ns(100))).unwrap();
    for (now, released) in [
        (10, 10),
        (11, 110),  // The gap since 10 is not over.
        (60, 110),  // One job is pending: this trigger is part of it.
        (110, 110), // Pending still.
        (115, 110), // The job is late, but was not run yet.
    ] {
        clock.set(at(now));
        assert_eq!(scheduler.trigger(id), Ok(at(released)), "at {now}");
        if now < 110 {
            scheduler.tick();
        }
    }
    scheduler.tick();
    assert_eq!(scheduler.trigger(id), Ok(at(210)), "the gap counts from release to release");
    clock.set(at(500));
    scheduler.tick();
    assert_eq!(scheduler.trigger(id), Ok(at(500)), "the gap is over long since");
    scheduler.tick();
    assert_eq!(log.take(), [10, 110, 210, 500]);
}

#[test]
fn a_gap_of_zero_allows_a_job_per_trigger() {
    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let id = scheduler.schedule(Task::sporadic(recorder(&log), ns(0))).unwrap();
    for _ in 0..3 {
        scheduler.trigger(id).unwrap();
        scheduler.trigger(id).unwrap();
        assert_eq!(scheduler.tick().executed, 1);
    }
    assert_eq!(log.take(), [0, 0, 0]);
}

#[test]
fn a_job_may_trigger_its_own_successor() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| log2.push(cx.trigger(cx.id()));
    let id = scheduler.schedule(Task::sporadic(body, ns(100))).unwrap();
    scheduler.trigger(id).unwrap();
    assert_eq!(scheduler.tick().next_release, Some(at(100)));
    clock.set(at(250));
    scheduler.tick();
    assert_eq!(log.take(), [Ok(at(100)), Ok(at(250)), Ok(at(350))]);
    assert_eq!(scheduler.next_release(), Some(at(350)));
}

/// The first job may be given a release without a trigger; the gap holds for it, too.
#[test]
fn a_first_release_that_was_set_counts_for_the_gap() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let task = Task::sporadic(recorder(&log), ns(100)).with_delay(ns(10));
    let id = scheduler.schedule(task).unwrap();
    assert_eq!(scheduler.next_release(), Some(at(10)));
    assert_eq!(scheduler.trigger(id), Ok(at(10)), "the first job is pending");
    clock.set(at(10));
    assert_eq!(scheduler.tick().executed, 1);
    assert_eq!(scheduler.trigger(id), Ok(at(110)), "never closer than the gap");
    clock.set(at(110));
    scheduler.tick();
    assert_eq!(log.take(), [10, 110]);
}

#[test]
fn only_pending_sporadic_tasks_can_be_triggered() {
    let (mut scheduler, _clock) = manual(Config::default());
    let once = scheduler.schedule(Task::new(|| (), ns(5))).unwrap();
    let named = scheduler.schedule(Task::new(|| (), ns(5)).with_name("named")).unwrap();
    let periodic = scheduler.schedule(Task::periodic(|_| (), ns(5))).unwrap();
    for id in [once, named, periodic] {
        assert_eq!(scheduler.trigger(id), Err(TriggerError::NotSporadic));
    }
    let id = scheduler.schedule(Task::sporadic(|_| (), ns(5))).unwrap();
    scheduler.trigger(id).unwrap();
    scheduler.cancel(id).unwrap();
    assert_eq!(scheduler.trigger(id), Err(TriggerError::NotPending));
    assert_eq!(scheduler.trigger(TaskId::from_bits(77)), Err(TriggerError::NotPending));
    for (error, text) in [
        (TriggerError::NotSporadic, "only a sporadic task can be triggered"),
        (TriggerError::NotPending, "the task is not pending: it was cancelled"),
        (
            TriggerError::TimeOverflow,
            "the task's gap ends beyond the last instant of the clock (2^64 - 1 ns)",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn behaviour_04_a_gap_that_ends_beyond_time_refuses_the_trigger() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let id = scheduler.schedule(Task::sporadic(recorder(&log), ns(100))).unwrap();
    clock.set(at(u64::MAX - 50));
    scheduler.trigger(id).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.trigger(id), Err(TriggerError::TimeOverflow));
    assert!(scheduler.is_pending(id), "a refused trigger changes nothing");
    assert_eq!(scheduler.tick().executed, 0);
    assert_eq!(log.take(), [u64::MAX - 50]);
}

#[test]
fn behaviour_06_a_cancel_withdraws_the_triggered_job() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let sporadic = scheduler.schedule(Task::sporadic(recorder(&log), ns(0))).unwrap();
    let untriggered = scheduler.schedule(Task::sporadic(recorder(&log), ns(0))).unwrap();
    scheduler.trigger(sporadic).unwrap();
    scheduler.cancel(sporadic).unwrap();
    scheduler.cancel(untriggered).unwrap();
    assert_eq!(scheduler.next_release(), None);
    clock.set(at(10));
    assert_eq!(scheduler.tick().executed, 0);
    assert!(scheduler.is_empty());
}

#[test]
fn behaviour_06_a_job_that_triggers_and_cancels_itself_ends() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let body = move |cx: &mut Context<'_>| {
        log2.push(cx.trigger(cx.id()).is_ok());
        log2.push(cx.cancel(cx.id()).is_ok());
        log2.push(cx.trigger(cx.id()).is_ok());
    };
    let id = scheduler.schedule(Task::sporadic(body, ns(1))).unwrap();
    scheduler.trigger(id).unwrap();
    assert_eq!(scheduler.tick().next_release, None);
    clock.set(at(100));
    assert_eq!(scheduler.tick().executed, 0);
    assert_eq!(log.take(), [true, true, false]);
    assert!(scheduler.is_empty());
}

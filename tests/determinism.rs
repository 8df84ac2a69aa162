//! Hazard: a program that does not do the same again.

mod common;

use std::fmt::Write;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{Config, Context, MissedTick, Priority, Task, TaskId, TimePoint};

/// What happens in a busy, varied program, as text: jobs, their ids and instants, reports, metrics.
fn trace(seed: u64) -> String {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 20, ..Config::default() });
    let log: Log<String> = Log::default();
    let mut ids: Vec<TaskId> = Vec::new();
    for n in 0..600 {
        let draw = |salt: u64, bound: u64| scatter(seed * 1_000_000 + n * 16 + salt, bound);
        let (lines, time) = (log.clone(), clock.clone());
        let other = (draw(0, 2) == 0).then(|| ids.get(draw(1, n + 1) as usize).copied()).flatten();
        let delay = draw(2, 1 << draw(3, 34));
        let jitter = draw(4, 300);
        let body = move |cx: &mut Context<'_>| {
            let cancelled = other.map(|id| cx.cancel(id).is_ok());
            time.advance(ns(jitter));
            let child = lines.task(format!("child of {n}\n"), ns(jitter));
            let child = cx.schedule(child.with_priority(Priority::High)).map(TaskId::to_bits);
            let (id, now, release) = (cx.id().to_bits(), cx.now(), cx.release());
            lines.push(format!("{n} {id:x} {now} {release} {cancelled:?} {child:?}\n"));
        };
        let task = match n % 4 {
            0 => Task::periodic(body, ns(1 + draw(5, 1 << 30))).with_delay(ns(delay)),
            1 => Task::with_context(body, ns(delay)).with_deadline(ns(draw(6, 500))),
            _ => Task::with_context(body, ns(delay)),
        };
        let task = task.with_missed_tick(MissedTick::Skip);
        let task = task.with_priority(Priority::ALL[draw(7, 4) as usize]);
        ids.push(scheduler.schedule(task).unwrap());
        if n % 10 == 0 {
            clock.advance(ns(draw(8, 1_000)));
            log.push(format!("{:?}\n", scheduler.tick()));
        }
    }
    scheduler.run_until(at(1 << 33));
    let mut text: String = log.take().concat();
    let metrics = scheduler.metrics();
    let next = scheduler.next_release().map(TimePoint::as_nanos);
    write!(text, "{metrics}\n{}\n{next:?}", metrics.to_prometheus()).unwrap();
    text
}

#[test]
fn behaviour_12_two_runs_give_the_same_trace() {
    for seed in 0..5 {
        let first = trace(seed);
        assert!(first.lines().count() > 1_500, "the program does something");
        // Another thread has other addresses and other random state.
        let second = std::thread::spawn(move || trace(seed)).join().unwrap();
        assert!(first == second, "seed {seed}");
    }
}

#[test]
fn behaviour_12_other_programs_give_other_traces() {
    assert_ne!(trace(1), trace(2));
}

//! Tasks after others: when they are released, and in what order they run.
#![cfg(feature = "std")]

mod common;

use common::graph::Graph;
use common::timed::{logs, take_in_turn, takes};
use common::{at, ns, Log};
use nanosecond_scheduler::{
    Config, Context, MetricsLevel, MonitorConfig, OnFailure, Policy, Priority, ScheduleErrorKind,
    Task, TaskId,
};

#[test]
fn a_chain_runs_in_its_order_within_one_tick_whatever_the_priorities() {
    let mut graph = Graph::new(Config::default());
    let low = |task: Task| task.with_priority(Priority::Low);
    let a = graph.add_as("a", &[], low);
    let b = graph.add_as("b", &[a], |task| task.with_priority(Priority::Critical));
    graph.add("c", &[b]);
    graph.add("other", &[]);
    assert_eq!(graph.tick(), ["other", "a", "b", "c"]);
    assert!(graph.scheduler.is_empty());
}

#[test]
fn a_diamond_waits_for_both_sides() {
    let mut graph = Graph::new(Config::default());
    let top = graph.add("top", &[]);
    let left = graph.add("left", &[top]);
    let right = graph.add_as("right", &[top], |task| task.with_delay(ns(10)));
    let bottom = graph.add("bottom", &[left, right]);
    assert_eq!(graph.tick(), ["top", "left"]);
    assert!(graph.is_pending(bottom));
    assert_eq!(graph.scheduler.next_release(), Some(at(10)), "of the right side");
    assert_eq!(graph.tick_at(10), ["right", "bottom"]);
}

#[test]
fn a_thousand_after_one_and_one_after_a_thousand() {
    let mut graph = Graph::new(Config { max_tasks_per_tick: 5_000, ..Config::default() });
    let first = graph.add("first", &[]);
    let middle: Vec<_> = (0..1_000).map(|n| graph.add(n, &[first])).collect();
    graph.add("last", &middle);
    let ran = graph.tick();
    assert_eq!(ran.len(), 1_002);
    assert_eq!((&*ran[0], &*ran[1_001]), ("first", "last"));
    let numbers = ran[1..1_001].iter().map(|name| name.parse::<usize>().unwrap());
    assert!(numbers.eq(0..1_000), "in the order of their submission");
}

#[test]
fn a_predecessor_named_twice_is_waited_for_once() {
    for on_failure in [OnFailure::Cancel, OnFailure::Run] {
        let mut graph = Graph::new(Config::default());
        let a = graph.add("a", &[]);
        graph.add_as("b", &[a, a], |task| task.after(&[a]).on_failure(on_failure));
        let c = graph.add_as("c", &[], |task| task.with_delay(ns(10)));
        let d = graph.add_as("d", &[c, c], |task| task.on_failure(on_failure));
        assert_eq!(graph.tick(), ["a", "b"]);
        graph.scheduler.cancel(c).unwrap();
        assert_eq!(graph.is_pending(d), on_failure == OnFailure::Run);
        assert_eq!(graph.tick_at(10).len(), usize::from(on_failure == OnFailure::Run));
        assert!(graph.scheduler.is_empty());
    }
}

#[test]
fn calls_of_after_add_up() {
    let mut graph = Graph::new(Config::default());
    let a = graph.add_as("a", &[], |task| task.with_delay(ns(10)));
    let b = graph.add_as("b", &[], |task| task.with_delay(ns(20)));
    graph.add_as("c", &[a], |task| task.after(&[b]));
    assert_eq!(graph.tick_at(10), ["a"]);
    assert_eq!(graph.tick_at(20), ["b", "c"]);
}

#[test]
fn ids_that_were_never_given_out_are_refused_and_named() {
    let mut graph = Graph::new(Config::default());
    let live = graph.add_as("live", &[], |task| task.with_delay(ns(10)));
    let ended = graph.add("ended", &[]);
    graph.tick();
    let generation = 1 << 32;
    for bits in [
        0,
        u64::MAX,
        live.to_bits() + 7,              // A slot that does not exist yet.
        live.to_bits() - generation,     // No task has an even generation.
        live.to_bits() + 2 * generation, // The slot's next but one.
        ended.to_bits() + generation,
        ended.to_bits() + 2 * generation, // The slot's next.
    ] {
        let id = TaskId::from_bits(bits);
        let task = graph.log.task("refused".to_owned(), ns(0)).after(&[live, ended, id]);
        let error = graph.scheduler.schedule(task).unwrap_err();
        assert_eq!(error.kind(), ScheduleErrorKind::UnknownPredecessor { id });
        assert!(error.to_string().contains(&format!("{id:?}")), "{error}");
        drop(error.into_task());
    }
    assert_eq!(graph.scheduler.len(), 1);
    assert_eq!(graph.tick_at(10), ["live"], "nobody waits for it");
}

#[test]
fn a_repeating_predecessor_is_waited_for_until_its_next_job() {
    let mut graph = Graph::new(Config::default());
    let periodic = graph.add_periodic("job", 10, &[]);
    graph.add("first", &[periodic]);
    assert_eq!(graph.tick_at(10), ["job", "first"]);
    assert_eq!(graph.tick_at(20), ["job"]);
    graph.add("second", &[periodic]);
    graph.add("third", &[periodic]);
    assert!(graph.tick_at(25).is_empty());
    assert_eq!(graph.tick_at(30), ["job", "second", "third"]);

    let log = graph.log.clone();
    let sporadic = Task::sporadic(move |_| log.push("triggered".to_owned()), ns(1));
    let sporadic = graph.scheduler.schedule(sporadic).unwrap();
    graph.add("after it", &[sporadic]);
    assert!(graph.tick_at(39).is_empty());
    graph.scheduler.trigger(sporadic).unwrap();
    assert_eq!(graph.tick(), ["triggered", "after it"]);
}

#[test]
fn what_a_running_job_schedules_after_itself_waits_for_the_next_if_there_is_one() {
    let mut graph = Graph::new(Config::default());
    let log = graph.log.clone();
    let once = move |cx: &mut Context<'_>| {
        cx.schedule(log.task("after once".to_owned(), ns(0)).after(&[cx.id()])).unwrap();
    };
    graph.scheduler.schedule(Task::with_context(once, ns(0))).unwrap();
    assert_eq!(graph.tick(), ["after once"]);

    let log = graph.log.clone();
    let mut jobs = 0;
    let body = move |cx: &mut Context<'_>| {
        log.push(format!("job {jobs}"));
        if jobs < 2 {
            let name = format!("after job {}", jobs + 1);
            cx.schedule(log.task(name, ns(0)).after(&[cx.id()])).unwrap();
        }
        jobs += 1;
    };
    graph.scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    assert_eq!(graph.tick_at(10), ["job 0"]);
    assert_eq!(graph.tick_at(20), ["job 1", "after job 1"]);
    assert_eq!(graph.tick_at(30), ["job 2", "after job 2"]);
}

#[test]
fn the_later_of_own_release_and_last_predecessor_counts() {
    let mut graph = Graph::new(Config::default());
    let a = graph.add_as("a", &[], |task| task.with_delay(ns(10)));
    let releases = Log::default();
    for (name, delay) in [("own", 30), ("same", 10), ("past", 1)] {
        let (log, releases) = (graph.log.clone(), releases.clone());
        let body = move |cx: &mut Context<'_>| {
            log.push(name.to_owned());
            releases.push(cx.release());
        };
        graph.scheduler.schedule(Task::with_context(body, ns(delay)).after(&[a])).unwrap();
    }
    assert!(graph.tick_at(5).is_empty());
    assert_eq!(graph.scheduler.next_release(), Some(at(10)));
    assert_eq!(graph.tick_at(12), ["a", "same", "past"]);
    assert_eq!(graph.scheduler.next_release(), Some(at(30)));
    assert_eq!(graph.tick_at(30), ["own"]);
    assert_eq!(releases.take(), [at(12), at(12), at(30)], "a was run at 12");
}

#[test]
fn deadlines_of_a_successor_count_from_the_finish_it_waited_for() {
    for (time, missed) in [(5, 0), (6, 1)] {
        let mut graph = Graph::new(Config::default());
        let first = Task::new(takes(&graph.clock, 100), ns(0));
        let first = graph.scheduler.schedule(first).unwrap();
        let body = logs(&graph.log, "second".to_owned(), &graph.clock, time);
        let second = Task::new(body, ns(0)).after(&[first]).with_deadline(ns(5));
        graph.scheduler.schedule(second).unwrap();
        assert_eq!(graph.scheduler.tick().missed_deadlines, missed);
        assert_eq!(graph.scheduler.now(), at(100 + time));
    }
}

#[test]
fn a_periodic_successor_waits_once_and_keeps_its_phase_from_there() {
    let mut graph = Graph::new(Config::default());
    let a = graph.add_as("a", &[], |task| task.with_delay(ns(33)));
    graph.add_periodic("p", 10, &[a]);
    assert!(graph.tick_at(30).is_empty());
    assert_eq!(graph.tick_at(33), ["a", "p"]);
    assert_eq!(graph.scheduler.next_release(), Some(at(43)));
    assert_eq!(graph.tick_at(43), ["p"]);
}

#[test]
fn a_sporadic_successor_needs_its_trigger_as_well() {
    for triggered_first in [false, true] {
        let mut graph = Graph::new(Config::default());
        let a = graph.add_as("a", &[], |task| task.with_delay(ns(10)));
        let log = graph.log.clone();
        let sporadic = Task::sporadic(move |_| log.push("s".to_owned()), ns(5)).after(&[a]);
        let sporadic = graph.scheduler.schedule(sporadic).unwrap();
        if triggered_first {
            graph.scheduler.trigger(sporadic).unwrap();
            graph.scheduler.trigger(sporadic).unwrap();
            assert!(graph.tick_at(9).is_empty());
            assert_eq!(graph.tick_at(10), ["a", "s"]);
        } else {
            assert_eq!(graph.tick_at(10), ["a"]);
            assert_eq!(graph.scheduler.trigger(sporadic), Ok(at(10)));
            assert_eq!(graph.tick(), ["s"]);
        }
        assert_eq!(graph.scheduler.trigger(sporadic), Ok(at(15)), "the gap counts as ever");
    }
}

/// To watch must not change what is watched: in which tick, in what order, and released when.
#[test]
fn successors_run_in_the_same_tick_with_any_observer_as_without() {
    let observed = [
        Config::default(),
        Config { trace_capacity: 100, ..Config::default() },
        Config { monitor: Some(MonitorConfig::default()), ..Config::default() },
        Config { metrics: MetricsLevel::Histograms, ..Config::default() },
        Config { audit: true, ..Config::default() },
    ];
    for config in observed {
        let text = format!("{config:?}");
        let mut graph = Graph::new(config);
        let first = Task::new(takes(&graph.clock, 100), ns(0));
        let first = graph.scheduler.schedule(first).unwrap();
        let releases = Log::default();
        let releases2 = releases.clone();
        let body = move |cx: &mut Context<'_>| releases2.push(cx.release());
        graph.scheduler.schedule(Task::with_context(body, ns(0)).after(&[first])).unwrap();
        assert_eq!(graph.scheduler.tick().executed, 2, "{text}");
        assert_eq!(releases.take(), [at(0)], "by the tick's only decision: {text}");
    }
}

#[test]
fn under_every_policy_successors_come_after() {
    for policy in [
        Policy::EarliestDeadlineFirst,
        Policy::RateMonotonic,
        Policy::DeadlineMonotonic,
        Policy::LeastLaxity,
    ] {
        let mut graph = Graph::new(Config { policy, audit: true, ..Config::default() });
        let a = graph.add("a", &[]);
        let b = graph.add_as("b", &[a], |task| task.with_deadline(ns(1)).with_wcet(ns(1)));
        graph.add_as("c", &[a, b], |task| task.with_deadline(ns(1)));
        let d = graph.add("d", &[]);
        let e = graph.add("e", &[d]);
        graph.scheduler.cancel(d).unwrap();
        assert!(!graph.is_pending(e));
        assert_eq!(graph.tick(), ["a", "b", "c"], "{policy:?}");
        assert_eq!(graph.scheduler.inversions(), Some(0));
        assert!(graph.scheduler.is_empty());
    }
}

#[test]
fn a_slow_successor_of_a_periodic_task_does_not_hold_it_back() {
    let mut graph = Graph::new(Config::default());
    let body = take_in_turn(&graph.clock, []);
    let periodic = graph.scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    let slow = Task::new(takes(&graph.clock, 25), ns(0)).after(&[periodic]);
    graph.scheduler.schedule(slow).unwrap();
    graph.scheduler.run_until(at(40));
    assert_eq!(graph.scheduler.metrics().executed, 5, "at 10, twice, 20, 30 and 40");
}

#[cfg(feature = "parallel")]
mod parallel {
    use super::*;
    use common::manual;
    use common::timed::{fail, log_panics};
    use nanosecond_scheduler::SendTask;
    use std::sync::{Arc, Mutex};

    type Shared = Arc<Mutex<Vec<u32>>>;

    fn pushes(log: &Shared, value: u32) -> SendTask {
        let log = Arc::clone(log);
        SendTask::new(move || log.lock().unwrap().push(value), ns(0))
    }

    #[test]
    fn successors_run_after_their_predecessors_also_where_those_may_run_elsewhere() {
        let (mut scheduler, _clock) = manual(Config { parallel: true, ..Config::default() });
        let log = Shared::default();
        let mut layer: Vec<TaskId> = Vec::new();
        for value in 0..5 {
            let schedule = |_| scheduler.schedule(pushes(&log, value).after(&layer)).unwrap();
            layer = (0..20).map(schedule).collect();
        }
        for _ in 0..5 {
            scheduler.tick();
        }
        assert!(scheduler.is_empty());
        let log = log.lock().unwrap();
        assert!(log.len() == 100 && log.is_sorted(), "{log:?}");
    }

    #[test]
    fn a_panic_there_cancels_them() {
        let (mut scheduler, _clock) = manual(Config { parallel: true, ..Config::default() });
        let panics = log_panics(&mut scheduler);
        let log = Shared::default();
        let bad = scheduler.schedule(SendTask::new(|| fail("boom"), ns(0))).unwrap();
        scheduler.schedule(pushes(&log, 1).after(&[bad])).unwrap();
        scheduler.schedule(pushes(&log, 2).after(&[bad]).on_failure(OnFailure::Run)).unwrap();
        scheduler.tick();
        scheduler.tick();
        assert_eq!(panics.take(), ["boom"]);
        assert_eq!(*log.lock().unwrap(), [2]);
        assert!(scheduler.is_empty());
    }
}

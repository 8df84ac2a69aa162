//! Tasks after others that fail, end, or never come: what becomes of them.
#![cfg(feature = "std")]

mod common;

use common::graph::Graph;
use common::timed::{caught, fail, log_misses, log_panics, takes};
use common::{at, ns, Drops, Log};
use nanosecond_scheduler::{Config, Context, Emergency, OnFailure, Task, TaskId};

#[test]
fn predecessors_that_have_ended_however_count_as_finished() {
    let mut graph = Graph::new(Config::default());
    let panics = log_panics(&mut graph.scheduler);
    let finished = graph.add("finished", &[]);
    let cancelled = graph.add("cancelled", &[]);
    graph.scheduler.cancel(cancelled).unwrap();
    let panicked = graph.scheduler.schedule(Task::new(|| fail("boom"), ns(0))).unwrap();
    assert_eq!(graph.tick(), ["finished"]);
    assert_eq!(panics.take(), ["boom"]);
    graph.add("after", &[finished, cancelled, panicked]);
    assert_eq!(graph.tick(), ["after"]);
}

/// How a predecessor may fail.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Cancelled,
    Panicked,
    Skipped,
    SkippedInEmergency,
    PeriodicSkipped,
    PeriodicPanicked,
    CancelledByTask,
}

const FAILURES: [Failure; 7] = [
    Failure::Cancelled,
    Failure::Panicked,
    Failure::Skipped,
    Failure::SkippedInEmergency,
    Failure::PeriodicSkipped,
    Failure::PeriodicPanicked,
    Failure::CancelledByTask,
];

impl Failure {
    /// A task that will fail at 10.
    fn schedule(self, graph: &mut Graph) -> TaskId {
        let late = Task::new(|| unreachable!(), ns(5));
        let task = match self {
            Failure::Cancelled | Failure::CancelledByTask => Task::new(|| unreachable!(), ns(50)),
            Failure::Panicked => Task::new(|| fail("boom"), ns(10)),
            Failure::Skipped => late.with_firm_deadline(ns(1)),
            Failure::SkippedInEmergency => late.with_hard_deadline(ns(1)),
            Failure::PeriodicSkipped => {
                Task::periodic(|_| unreachable!(), ns(1_000)).at(at(5)).with_firm_deadline(ns(1))
            }
            Failure::PeriodicPanicked => Task::periodic(|_| fail("boom"), ns(10)),
        };
        graph.scheduler.schedule(task).unwrap()
    }

    fn happen(self, graph: &mut Graph, id: TaskId) {
        if let Failure::CancelledByTask = self {
            let body = move |cx: &mut Context<'_>| cx.cancel(id).unwrap();
            graph.scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
        }
        graph.clock.set(at(10));
        if let Failure::Cancelled = self {
            graph.scheduler.cancel(id).unwrap();
        }
    }
}

#[test]
fn a_failure_cancels_or_releases_as_each_successor_has_it_and_goes_on_from_there() {
    for failure in FAILURES {
        let config = Config { emergency: Emergency::SkipTask, ..Config::default() };
        let mut graph = Graph::new(config);
        log_panics(&mut graph.scheduler);
        let (drops, runs) = (Drops::default(), |task: Task| task.on_failure(OnFailure::Run));
        let fails = failure.schedule(&mut graph);
        let far = graph.add_as("far", &[], |task| task.with_delay(ns(20)));
        // Cancelled, and with it one that waits for others too; what is after that runs all the same.
        let token = drops.token();
        let cancelled = Task::new(move || token.touch(), ns(0)).after(&[fails]);
        let cancelled = graph.scheduler.schedule(cancelled).unwrap();
        let transitively = graph.add("transitively", &[cancelled, far]);
        graph.add_as("runs after cancelled", &[transitively], runs);
        // Runs, and what is after it does not know.
        let all_the_same = graph.add_as("runs", &[fails], runs);
        graph.add("after runs", &[all_the_same]);
        graph.add_as("runs later", &[fails, far], runs);
        assert!(graph.tick().is_empty());

        failure.happen(&mut graph, fails);
        let mut ran = graph.tick();
        ran.sort();
        assert_eq!(ran, ["after runs", "runs", "runs after cancelled"], "{failure:?}");
        assert!(!graph.is_pending(cancelled) && !graph.is_pending(transitively));
        assert_eq!(drops.count(), 1);
        assert_eq!(graph.tick_at(20), ["far", "runs later"], "{failure:?}");
        let itself = matches!(failure, Failure::Cancelled | Failure::CancelledByTask);
        assert_eq!(graph.scheduler.metrics().cancelled, 2 + u64::from(itself), "{failure:?}");
    }
}

#[test]
fn a_job_that_cancels_its_own_task_still_finishes_but_the_next_never_comes() {
    let mut graph = Graph::new(Config::default());
    let log = graph.log.clone();
    let body = move |cx: &mut Context<'_>| {
        cx.schedule(log.task("of the next".to_owned(), ns(0)).after(&[cx.id()])).unwrap();
        cx.cancel(cx.id()).unwrap();
        cx.schedule(log.task("after the end".to_owned(), ns(0)).after(&[cx.id()])).unwrap();
    };
    let id = graph.scheduler.schedule(Task::periodic(body, ns(10))).unwrap();
    graph.add("of this", &[id]);
    let mut ran = graph.tick_at(10);
    ran.sort();
    assert_eq!(ran, ["after the end", "of this"]);
    assert!(graph.scheduler.is_empty());
}

#[test]
fn who_waits_for_a_job_beyond_the_end_of_time_is_cancelled() {
    let mut graph = Graph::new(Config::default());
    graph.clock.set(at(u64::MAX - 5));
    let (log, log2) = (graph.log.clone(), graph.log.clone());
    let body = move |cx: &mut Context<'_>| {
        log2.push("last job".to_owned());
        cx.schedule(log.task("never".to_owned(), ns(0)).after(&[cx.id()])).unwrap();
    };
    graph.scheduler.schedule(Task::periodic(body, ns(10)).with_delay(ns(0))).unwrap();
    assert_eq!(graph.tick(), ["last job"]);
    assert!(graph.scheduler.is_empty());
    assert_eq!(graph.scheduler.metrics().cancelled, 1);
}

#[test]
fn a_successor_cancelled_while_it_waits_takes_only_its_own_with_it() {
    let mut graph = Graph::new(Config::default());
    let drops = Drops::default();
    let a = graph.add("a", &[]);
    let token = drops.token();
    let b = Task::new(move || token.touch(), ns(0)).after(&[a]);
    let b = graph.scheduler.schedule(b).unwrap();
    let c = graph.add("c", &[a]);
    let d = graph.add("d", &[b, c]);
    graph.scheduler.cancel(b).unwrap();
    assert_eq!(drops.count(), 1);
    assert!(graph.scheduler.cancel(b).is_err() && !graph.is_pending(d));
    assert_eq!(graph.tick(), ["a", "c"]);
}

#[test]
fn a_reused_slot_is_not_taken_for_the_task_before() {
    let mut graph = Graph::new(Config::default());
    let a = graph.add_as("a", &[], |task| task.with_delay(ns(10)));
    let waits = graph.add("waits", &[a]);
    graph.scheduler.cancel(waits).unwrap();
    // In the slot of the one that waited: a must not release it early.
    let late = graph.add_as("late", &[], |task| task.with_delay(ns(30)));
    assert_eq!(late.to_bits() as u32, waits.to_bits() as u32, "the same slot");
    let waits_for_late = graph.add("waits for late", &[late]);
    assert_eq!(graph.tick_at(10), ["a"]);
    // In the slot of a: nobody waits for it.
    let newer = graph.add("newer", &[]);
    assert_eq!(newer.to_bits() as u32, a.to_bits() as u32, "the same slot");
    graph.add("after a", &[a]);
    assert_eq!(graph.tick(), ["newer", "after a"]);
    assert!(graph.is_pending(waits_for_late));
    assert_eq!(graph.tick_at(30), ["late", "waits for late"]);
}

#[test]
fn a_running_task_may_cancel_those_that_wait_for_it() {
    let mut graph = Graph::new(Config::default());
    let waiting: Log<TaskId> = Log::default();
    let waiting2 = waiting.clone();
    let body = move |cx: &mut Context<'_>| {
        waiting2.take().into_iter().for_each(|id| cx.cancel(id).unwrap());
        // In the slot of the first of them.
        cx.schedule(Task::new(|| (), ns(50))).unwrap();
    };
    let a = graph.scheduler.schedule(Task::with_context(body, ns(0))).unwrap();
    for name in ["b", "c"] {
        waiting.push(graph.add(name, &[a]));
    }
    graph.add("d", &[a]);
    assert_eq!(graph.tick(), ["d"]);
    assert_eq!(graph.scheduler.next_release(), Some(at(50)));
}

#[test]
fn what_waits_for_ever_does_not_keep_a_run_going_and_can_be_dropped() {
    let mut graph = Graph::new(Config::default());
    let drops = Drops::default();
    let sporadic = graph.scheduler.schedule(Task::sporadic(|_| (), ns(1))).unwrap();
    for _ in 0..10 {
        let token = drops.token();
        let waits = Task::new(move || token.touch(), ns(0)).after(&[sporadic]);
        graph.scheduler.schedule(waits).unwrap();
    }
    assert_eq!(graph.scheduler.next_release(), None);
    graph.scheduler.run();
    graph.scheduler.run_until_idle();
    assert_eq!((graph.scheduler.len(), drops.count()), (11, 0));
    graph.scheduler.clear();
    assert_eq!((graph.scheduler.len(), drops.count()), (0, 10));
    let a = graph.add("a", &[]);
    graph.add("b", &[a]);
    assert_eq!(graph.tick(), ["a", "b"]);
}

/// Chains so deep that one stack frame per task would not do.
#[test]
fn deep_chains_run_and_fall_without_recursion() {
    const DEPTH: usize = 100_000;
    let chain = |on_failure| {
        let mut graph = Graph::new(Config { max_tasks_per_tick: usize::MAX, ..Config::default() });
        let first = graph.scheduler.schedule(Task::new(|| fail("boom"), ns(5))).unwrap();
        let mut last = first;
        for _ in 0..DEPTH {
            let next = Task::new(|| (), ns(0)).after(&[last]).on_failure(on_failure);
            last = graph.scheduler.schedule(next).unwrap();
        }
        (graph, first)
    };
    let (mut graph, first) = chain(OnFailure::Cancel);
    graph.scheduler.cancel(first).unwrap();
    assert_eq!(graph.scheduler.metrics().cancelled, DEPTH as u64 + 1);
    assert!(graph.scheduler.is_empty());

    let (mut graph, _) = chain(OnFailure::Cancel);
    log_panics(&mut graph.scheduler);
    graph.tick_at(5);
    assert!(graph.scheduler.is_empty());

    let (mut graph, _) = chain(OnFailure::Run);
    log_panics(&mut graph.scheduler);
    graph.clock.set(at(5));
    assert_eq!(graph.scheduler.tick().executed, DEPTH + 1);

    drop(chain(OnFailure::Cancel)); // With all of it pending.
}

/// Panics when it is dropped.
struct FailsInDrop;

impl FailsInDrop {
    fn touch(&self) {}
}

impl Drop for FailsInDrop {
    fn drop(&mut self) {
        fail("of a drop");
    }
}

#[test]
fn a_failure_that_drops_what_panics_is_reported_beside_the_one_it_came_from() {
    for failure in FAILURES {
        let config = Config { emergency: Emergency::SkipTask, ..Config::default() };
        let mut graph = Graph::new(config);
        let panics = log_panics(&mut graph.scheduler);
        let fails = failure.schedule(&mut graph);
        let owned = FailsInDrop;
        let waits = Task::new(move || owned.touch(), ns(0)).after(&[fails]);
        let waits = graph.scheduler.schedule(waits).unwrap();
        graph.add_as("next", &[], |task| task.with_delay(ns(10)));
        graph.add_as("last", &[waits, fails], |task| task.on_failure(OnFailure::Run));
        graph.add_as("falls", &[waits], |task| task);
        let by_hand = caught(|| failure.happen(&mut graph, fails)).err();
        let mut ran = graph.tick();
        ran.sort();
        assert_eq!(ran, ["last", "next"], "{failure:?}");
        let mut told: Vec<_> = panics.take().into_iter().chain(by_hand).collect();
        told.sort_unstable();
        let itself = matches!(failure, Failure::Panicked | Failure::PeriodicPanicked);
        let expected: &[_] = if itself { &["boom", "of a drop"] } else { &["of a drop"] };
        assert_eq!(told, expected, "{failure:?}");
        let goes_on = matches!(failure, Failure::PeriodicSkipped);
        assert_eq!(graph.scheduler.len(), usize::from(goes_on), "{failure:?}");
        assert_eq!(graph.scheduler.metrics().ticks, 1, "the tick is counted: {failure:?}");
    }
}

#[test]
fn what_is_dropped_with_a_skipped_job_is_blamed_on_it_and_on_nobody_after() {
    let mut graph = Graph::new(Config::default());
    let blamed = Log::default();
    let blamed2 = blamed.clone();
    graph.scheduler.on_panic(move |panic| blamed2.push((panic.id, panic.name)));
    graph.add_as("earlier", &[], |task| task.with_name("earlier"));
    let firm = |task: Task| task.with_name("firm").with_firm_deadline(ns(1));
    let skipped = graph.add_as("skipped", &[], firm);
    let owned = FailsInDrop;
    let waits = Task::new(move || owned.touch(), ns(0)).after(&[skipped]);
    graph.scheduler.schedule(waits).unwrap();
    graph.add_as("skipped too", &[], firm);
    let plain = graph.scheduler.schedule(Task::new(|| fail("boom"), ns(0))).unwrap();
    assert_eq!(graph.tick_at(5), ["earlier"]);
    assert_eq!(blamed.take(), [(skipped, Some("firm")), (plain, None)]);
}

#[test]
fn who_runs_after_a_panic_all_the_same_is_released_by_it_and_not_before() {
    let mut graph = Graph::new(Config::default());
    log_panics(&mut graph.scheduler);
    let misses = log_misses(&mut graph.scheduler);
    let work = takes(&graph.clock, 30);
    let fails = Task::new(|| (work(), fail("boom")).1, ns(0)).with_wcet(ns(30));
    let fails = graph.scheduler.schedule(fails).unwrap();
    let log = Log::default();
    let log2 = log.clone();
    let after = Task::with_context(move |cx| log2.push(cx.release()), ns(0)).after(&[fails]);
    let after = after.on_failure(OnFailure::Run).with_deadline(ns(5));
    graph.scheduler.schedule(after).unwrap();
    graph.tick();
    assert_eq!((log.take(), misses.take()), (vec![at(30)], vec![]));
}

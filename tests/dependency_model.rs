//! Random DAGs of tasks that finish, panic, are skipped or cancelled, against a model without a queue.
//!
//! `PROPTEST_CASES` sets their number; otherwise it is 1,000.
#![cfg(feature = "std")]

mod common;

use common::timed::{fail, log_panics};
use common::{at, manual, ns, Log};
use nanosecond_scheduler::{Config, DeadlineKind, OnFailure, Policy, Priority, Task, TaskId};
use proptest::prelude::*;

/// Ticks come at 10, 20, …; cancels are made before a tick.
const STEP: u64 = 10;
const TICKS: u64 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Finishes,
    Panics,
    /// It has a firm deadline that has passed from the start.
    IsSkipped,
}

#[derive(Clone, Debug)]
struct Node {
    /// Which of the earlier nodes it waits for, modulo their number.
    after: Vec<usize>,
    /// Due in this tick at the earliest.
    tick: u64,
    end: End,
    on_failure: OnFailure,
    priority: Priority,
    /// The tick before which it is cancelled, if it is still pending.
    cancelled: Option<u64>,
}

impl Node {
    /// The earlier nodes that the one of this number waits for.
    fn predecessors(&self, number: usize) -> Vec<usize> {
        self.after.iter().filter(|_| number > 0).map(|n| n % number).collect()
    }
}

fn node() -> impl Strategy<Value = Node> {
    let end =
        prop_oneof![6 => Just(End::Finishes), 1 => Just(End::Panics), 1 => Just(End::IsSkipped)];
    let on_failure = prop_oneof![Just(OnFailure::Cancel), Just(OnFailure::Run)];
    let priority = (0..4_usize).prop_map(|n| Priority::ALL[n]);
    let cancelled = prop_oneof![9 => Just(None), 1 => (1..=TICKS).prop_map(Some)];
    let after = prop::collection::vec(0..1_000_usize, 0..4);
    (after, 1..=TICKS, end, on_failure, priority, cancelled).prop_map(
        |(after, tick, end, on_failure, priority, cancelled)| Node {
            after,
            tick,
            end,
            on_failure,
            priority,
            cancelled,
        },
    )
}

/// What became of a node. Instants are twice the tick, or one less for what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    at: u64,
    /// Whether its body was run.
    ran: bool,
    /// Whether those after it see it as finished.
    is_finished: bool,
}

/// By the rules alone: nodes are in an order in which they may run.
fn model(nodes: &[Node]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let before: Vec<_> = node.predecessors(number).iter().map(|n| outcomes[*n]).collect();
        let cancel = |at| Outcome { at, ran: false, is_finished: false };
        let by_hand = node.cancelled.map(|tick| cancel(2 * tick - 1));
        let failed = before.iter().filter(|outcome| !outcome.is_finished).map(|failed| failed.at);
        let failed = failed.min().filter(|_| node.on_failure == OnFailure::Cancel).map(cancel);
        let released = before.iter().map(|outcome| outcome.at).max().unwrap_or(0);
        // What is released before a tick runs in it.
        let runs_at = released.max(2 * node.tick).next_multiple_of(2);
        let ran = node.end != End::IsSkipped;
        let runs = failed.is_none().then_some(Outcome {
            at: runs_at,
            ran,
            is_finished: node.end == End::Finishes,
        });
        let first = [by_hand, failed, runs].into_iter().flatten().min_by_key(|outcome| outcome.at);
        outcomes.push(first.expect("a node runs or is cancelled"));
    }
    outcomes
}

/// What the scheduler makes of the nodes, and in which order it ran them.
fn play(nodes: &[Node], config: Config) -> (Vec<Outcome>, Vec<usize>) {
    let (mut scheduler, clock) = manual(config);
    log_panics(&mut scheduler);
    let log = Log::default();
    let mut ids: Vec<TaskId> = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let (log, end) = (log.clone(), node.end);
        let body = move || {
            log.push(number);
            if end == End::Panics {
                fail("of a node");
            }
        };
        let after: Vec<_> = node.predecessors(number).iter().map(|n| ids[*n]).collect();
        let mut task = Task::new(body, ns(node.tick * STEP)).after(&after);
        if node.end == End::IsSkipped {
            task = task.with_deadline_at(DeadlineKind::Firm, at(0));
        }
        let task = task.with_priority(node.priority).on_failure(node.on_failure);
        ids.push(scheduler.schedule(task).unwrap());
    }
    let mut outcomes = vec![None; nodes.len()];
    let mut order = Vec::new();
    for half in 1..=2 * TICKS {
        if half % 2 == 1 {
            for (node, id) in nodes.iter().zip(&ids) {
                if node.cancelled == Some(half.div_ceil(2)) {
                    let _ = scheduler.cancel(*id); // Others may have taken it with them.
                }
            }
        } else {
            clock.set(at(half / 2 * STEP));
            let report = scheduler.tick();
            assert!(!report.more_due, "the tick is not bounded");
        }
        let ran = log.take();
        for (number, id) in ids.iter().enumerate() {
            if outcomes[number].is_none() && !scheduler.is_pending(*id) {
                let ran = ran.contains(&number);
                let is_finished = ran && nodes[number].end == End::Finishes;
                outcomes[number] = Some(Outcome { at: half, ran, is_finished });
            }
        }
        order.extend(ran);
    }
    assert!(scheduler.is_empty(), "nobody waits for ever");
    assert_eq!(scheduler.inversions().unwrap_or(0), 0);
    let metrics = scheduler.metrics();
    let accounted = metrics.executed + metrics.skipped + metrics.cancelled;
    assert_eq!(accounted, nodes.len() as u64, "every task is accounted for");
    (outcomes.into_iter().map(Option::unwrap).collect(), order)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() {
            ProptestConfig::default().cases
        } else {
            1_000
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn outcomes_are_those_of_the_rules_and_nobody_runs_before_its_predecessors(
        nodes in prop::collection::vec(node(), 1..40),
    ) {
        let expected = model(&nodes);
        for config in [
            Config::default(),
            Config { trace_capacity: 64, ..Config::default() },
            Config { policy: Policy::EarliestDeadlineFirst, audit: true, ..Config::default() },
        ] {
            let (outcomes, order) = play(&nodes, config);
            prop_assert_eq!(&outcomes, &expected);
            let mut position = vec![None; nodes.len()];
            for (place, &number) in order.iter().enumerate() {
                prop_assert_eq!(position[number].replace(place), None, "it ran once");
            }
            for (number, node) in nodes.iter().enumerate() {
                for before in node.predecessors(number) {
                    if let (Some(before), Some(after)) = (position[before], position[number]) {
                        prop_assert!(before < after);
                    }
                }
            }
        }
    }
}

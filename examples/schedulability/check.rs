//! The tests of one set, as a line of JSON.

use std::collections::BTreeMap;

use nanosecond_scheduler::analysis::{
    hyperperiod, nonpreemptive, preemptive, simulate, Order, Response, Simulation, TaskModel,
};
use serde::Serialize;

use crate::options::Options;
use crate::sets::TaskSet;

/// What is printed of a set. A verdict of `None` is not known.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    name: &'a str,
    edf_nonpreemptive_ok: Option<bool>,
    fp_nonpreemptive_response: Vec<Option<u64>>,
    fp_nonpreemptive_ok: Option<bool>,
    edf_preemptive_ok: Option<bool>,
    fp_preemptive_response: Vec<Option<u64>>,
    #[serde(flatten)]
    simulated: Option<Simulated>,
    /// What is null because it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<&'static str>,
}

#[derive(Serialize)]
struct Simulated {
    hyperperiod: Option<u64>,
    simulated_synchronous: BTreeMap<&'static str, Option<Schedule>>,
}

/// One schedule, all tasks released together.
#[derive(Serialize)]
struct Schedule {
    misses: u64,
    first_misses_task_release_finish: Vec<(usize, u64, u64)>,
    worst_response: Vec<u64>,
}

const SCHEDULES: [(&str, Order, bool); 6] = [
    ("fp_preemptive", Order::FixedPriority, true),
    ("fp_nonpreemptive", Order::FixedPriority, false),
    ("edf_preemptive", Order::EarliestDeadline, true),
    ("edf_nonpreemptive", Order::EarliestDeadline, false),
    ("llf_preemptive", Order::LeastLaxity, true),
    ("llf_nonpreemptive", Order::LeastLaxity, false),
];

/// All verdicts on a set.
pub(crate) fn verdicts<'a>(set: &'a TaskSet, options: &Options) -> Line<'a> {
    let tasks = &set.tasks;
    let work_per_task = options.work / tasks.len().max(1) as u64;
    let nonpreemptive = nonpreemptive::response_times(tasks, work_per_task);
    let preemptive = preemptive::response_times(tasks, work_per_task);
    let mut line = Line {
        name: &set.name,
        edf_nonpreemptive_ok: nonpreemptive::edf(tasks, options.work).is_schedulable(),
        fp_nonpreemptive_response: responses(&nonpreemptive),
        fp_nonpreemptive_ok: all_meet(&nonpreemptive, tasks),
        edf_preemptive_ok: preemptive::qpa(tasks, options.work).is_schedulable(),
        fp_preemptive_response: responses(&preemptive),
        simulated: options.simulate.then(|| simulations(tasks, options.work)),
        unknown: Vec::new(),
    };
    line.unknown = unknown(&line, &nonpreemptive, &preemptive);
    line
}

fn responses(responses: &[Response]) -> Vec<Option<u64>> {
    let bound = |response: &Response| match response {
        Response::Bounded(bound) => Some(*bound),
        Response::Unbounded | Response::Unknown => None,
    };
    responses.iter().map(bound).collect()
}

/// Whether every task meets its deadline: certainly not if one does not.
fn all_meet(responses: &[Response], tasks: &[TaskModel]) -> Option<bool> {
    let meets: Vec<_> = responses
        .iter()
        .zip(tasks)
        .map(|(response, task)| response.meets(task.deadline()))
        .collect();
    match meets.contains(&Some(false)) {
        true => Some(false),
        false if meets.contains(&None) => None,
        false => Some(true),
    }
}

/// The keys of what is null because it is not known.
fn unknown(
    line: &Line<'_>,
    nonpreemptive: &[Response],
    preemptive: &[Response],
) -> Vec<&'static str> {
    let is_capped =
        |simulated: &Simulated| simulated.simulated_synchronous.values().any(Option::is_none);
    let keys = [
        ("edf_nonpreemptive_ok", line.edf_nonpreemptive_ok.is_none()),
        ("fp_nonpreemptive_response", nonpreemptive.contains(&Response::Unknown)),
        ("fp_nonpreemptive_ok", line.fp_nonpreemptive_ok.is_none()),
        ("edf_preemptive_ok", line.edf_preemptive_ok.is_none()),
        ("fp_preemptive_response", preemptive.contains(&Response::Unknown)),
        ("simulated_synchronous", line.simulated.as_ref().is_some_and(is_capped)),
    ];
    keys.into_iter().filter(|(_, is_unknown)| *is_unknown).map(|(key, _)| key).collect()
}

/// The schedules over the hyperperiod; `None` where that takes too long.
fn simulations(tasks: &[TaskModel], work: u64) -> Simulated {
    let hyperperiod = hyperperiod(tasks);
    let play = |(key, order, preempts): (&'static str, Order, bool)| {
        let seen = hyperperiod.and_then(|until| simulate(tasks, order, preempts, until, work));
        (key, seen.map(schedule))
    };
    Simulated { hyperperiod, simulated_synchronous: SCHEDULES.map(play).into_iter().collect() }
}

fn schedule(seen: Simulation) -> Schedule {
    let first = seen.first_misses.iter();
    Schedule {
        misses: seen.misses,
        first_misses_task_release_finish: first
            .map(|miss| (miss.task, miss.release, miss.finish))
            .collect(),
        worst_response: seen.worst_response,
    }
}

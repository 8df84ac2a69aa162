//! Hazard: schedulability tests that accept what misses, or refuse what does not.

use nanosecond_scheduler::analysis::{
    nonpreemptive, preemptive, simulate, Order, Response, TaskModel,
};
use serde_json::Value;

const WORK: u64 = 10_000_000;

fn numbers(value: &Value) -> Vec<u64> {
    let numbers = value.as_array().expect("a list").iter();
    numbers.map(|number| number.as_u64().expect("a whole number")).collect()
}

fn bounded(responses: &[Response]) -> Vec<u64> {
    let bound = |response: &Response| match response {
        Response::Bounded(bound) => *bound,
        other => panic!("{other:?}"),
    };
    responses.iter().map(bound).collect()
}

/// The sets of the table with their reference values.
fn reference_sets() -> Vec<(Vec<TaskModel>, Value)> {
    let table: Value = serde_json::from_str(include_str!("data/rt_task_sets.json")).unwrap();
    let set = |set: &Value| {
        let tasks = set["tasks_C_T_D"].as_array().unwrap().iter().map(|task| {
            let task = numbers(task);
            TaskModel::new(task[0], task[1], task[2]).unwrap()
        });
        (tasks.collect(), set.clone())
    };
    table["sets"].as_array().unwrap().iter().map(set).collect()
}

fn meets(responses: &[Response], tasks: &[TaskModel]) -> Vec<bool> {
    let pairs = responses.iter().zip(tasks);
    pairs.map(|(response, task)| response.meets(task.deadline()).unwrap()).collect()
}

#[test]
fn response_times_and_verdicts_are_those_of_the_table() {
    let sets = reference_sets();
    assert_eq!(sets.len(), 7);
    for (tasks, expected) in sets {
        let name = &expected["name"];
        for (responses, expected) in [
            (preemptive::response_times(&tasks, WORK), &expected["rta_preemptive"]),
            (
                nonpreemptive::response_times(&tasks, WORK),
                &expected["rta_nonpreemptive_integer_time"],
            ),
        ] {
            assert_eq!(bounded(&responses), numbers(&expected["response"]), "{name}");
            let met = serde_json::to_value(meets(&responses, &tasks)).unwrap();
            assert_eq!(met, expected["meets"], "{name}");
        }
        let qpa = preemptive::qpa(&tasks, WORK).is_schedulable();
        assert_eq!(qpa, expected["edf_preemptive_demand_ok"].as_bool(), "{name}");
        let edf = nonpreemptive::edf(&tasks, WORK).is_schedulable();
        assert_eq!(edf, expected["edf_nonpreemptive_integer_ok"].as_bool(), "{name}");
    }
}

#[test]
fn simulated_schedules_are_those_of_the_table() {
    for (tasks, expected) in reference_sets() {
        let whole = nanosecond_scheduler::analysis::hyperperiod(&tasks).unwrap();
        for (key, order, is_preemptive) in [
            ("fp_preemptive", Order::FixedPriority, true),
            ("fp_nonpreemptive", Order::FixedPriority, false),
            ("edf_preemptive", Order::EarliestDeadline, true),
            ("edf_nonpreemptive", Order::EarliestDeadline, false),
            ("llf_preemptive", Order::LeastLaxity, true),
            ("llf_nonpreemptive", Order::LeastLaxity, false),
        ] {
            let expected = &expected["simulated_synchronous"][key];
            let seen = simulate(&tasks, order, is_preemptive, 2 * whole, WORK).unwrap();
            assert_eq!(seen.worst_response, numbers(&expected["worst_response"]), "{key}");
            let misses = expected["first_misses_task_release_finish"].as_array().unwrap();
            let misses: Vec<_> = misses.iter().map(numbers).collect();
            let first = seen.first_misses.iter();
            let first: Vec<_> =
                first.map(|miss| vec![miss.task as u64, miss.release, miss.finish]).collect();
            assert_eq!(first, misses, "{key} of {tasks:?}");
        }
    }
}

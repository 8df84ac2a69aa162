//! Verdicts that are kept up to date, against a fresh analysis.

use super::*;

/// What the tests of the analysis say of a set, where equal tasks go before each other.
/// What the tests of the analysis say of a set, where equal tasks go before each other.
fn reference(policy: Policy, tasks: &[(TaskModel, Priority)]) -> Option<bool> {
    let models: Vec<_> = tasks.iter().map(|(model, _)| *model).collect();
    if policy == Policy::EarliestDeadlineFirst {
        return nonpreemptive::edf(&models, 1 << 30).is_schedulable();
    }
    if nonpreemptive::edf(&models, 1 << 30) == Verdict::Overloaded {
        return Some(false);
    }
    let kept =
        (0..tasks.len()).map(|own| response(policy, tasks, own).meets(models[own].deadline()));
    kept.into_iter().try_fold(true, |all, kept| Some(all && kept?))
}

/// The response time of one task among equals.
fn response(policy: Policy, tasks: &[(TaskModel, Priority)], own: usize) -> Response {
    let rank = |(model, priority): (TaskModel, Priority)| match policy {
        Policy::Priority => (0, priority),
        Policy::RateMonotonic => (model.period(), priority),
        _ => (model.deadline(), priority),
    };
    let others = tasks.iter().copied().enumerate().filter(|(index, _)| *index != own);
    let (before, after): (Vec<_>, Vec<_>) =
        others.map(|(_, task)| task).partition(|task| rank(*task) <= rank(tasks[own]));
    let list: Vec<_> =
        before.iter().chain([&tasks[own]]).chain(&after).map(|task| task.0).collect();
    nonpreemptive::response_times(&list, 1 << 30)[before.len()]
}

#[test]
fn while_tasks_come_and_go_the_verdicts_are_those_of_a_fresh_analysis() {
    let cases = std::env::var("ADMISSION_CASES").map_or(150, |cases| cases.parse().unwrap());
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..cases {
        let policy = POLICIES[case as usize % 4];
        let mut control = control(policy);
        let mut tasks: Vec<(u64, (TaskModel, Priority))> = Vec::new();
        for step in 0..40 {
            let mut draws = 0;
            let mut below = |bound| {
                draws += 1;
                scatter(case * 10_000 + step * 100 + draws, bound)
            };
            if below(3) == 0 && !tasks.is_empty() {
                control.set_busy(below(2) == 0);
                for _ in 0..1 + below(tasks.len() as u64 / 2 + 1) {
                    let (id, _) = tasks.swap_remove(below(tasks.len() as u64) as usize);
                    control.remove(TaskId::from_bits(id));
                }
                control.set_busy(false);
                assert_eq!(control.len(), tasks.len());
                continue;
            }
            let period = [5, 8, 10, 20, 40, TaskModel::NEVER][below(6) as usize];
            let wcet = 1 + below(4);
            let deadline = match below(3) {
                0 if period == TaskModel::NEVER => TaskModel::NEVER,
                _ => below(60),
            };
            let task = model(wcet, period, deadline);
            let priority = Priority::ALL[below(4) as usize];
            let together: Vec<_> =
                tasks.iter().map(|(_, task)| *task).chain([(task, priority)]).collect();
            let expected = reference(policy, &together);
            match control.check(task, priority) {
                Ok(share) => {
                    assert_eq!(expected, Some(true), "{policy:?} {together:?}");
                    control.insert(TaskId::from_bits(step), share);
                    tasks.push((step, (task, priority)));
                    accepted += 1;
                }
                Err(rejection) => {
                    assert_eq!(expected, Some(false), "{policy:?} {together:?} {rejection}");
                    check_rejection(rejection, policy, &together, &tasks);
                    refused += 1;
                }
            }
            assert_eq!(control.len(), tasks.len());
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > cases * 5 && refused > cases * 5);
}

/// Under fixed priorities a rejection names a task that is late, by no more than it is.
fn check_rejection(
    rejection: Rejection,
    policy: Policy,
    together: &[(TaskModel, Priority)],
    tasks: &[(u64, (TaskModel, Priority))],
) {
    let Rejection::Deadline { task, late_by_ns } = rejection else { return };
    let is_it = |id: TaskId| tasks.iter().position(|(number, _)| *number == id.to_bits());
    let late = task.map_or(tasks.len(), |id| is_it(id).expect("it is one of the tasks"));
    assert!(late_by_ns > 0);
    if policy != Policy::EarliestDeadlineFirst {
        match response(policy, together, late) {
            Response::Bounded(response) => {
                assert!(together[late].0.deadline() + late_by_ns <= response, "{together:?}");
            }
            other => assert_eq!(other, Response::Unbounded),
        }
    }
}

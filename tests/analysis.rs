//! Hazard: schedulability tests that accept what misses deadlines, or refuse what keeps them.

mod common;

use std::cmp::Ordering;

use common::scatter;
use nanosecond_scheduler::analysis::{
    compare_utilization, hyperperiod, nonpreemptive, preemptive, simulate, ModelError, Order,
    Response, TaskModel, Verdict,
};
use serde_json::Value;

const WORK: u64 = 10_000_000;
const NEVER: u64 = TaskModel::NEVER;

fn task(wcet: u64, period: u64, deadline: u64) -> TaskModel {
    TaskModel::new(wcet, period, deadline).unwrap()
}

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
    let table: Value =
        serde_json::from_str(include_str!("data/oracles/rt_task_sets.json")).unwrap();
    let set = |set: &Value| {
        let tasks = set["tasks_C_T_D"].as_array().unwrap().iter().map(numbers);
        (tasks.map(|numbers| task(numbers[0], numbers[1], numbers[2])).collect(), set.clone())
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
        let preemptive = preemptive::response_times(&tasks, WORK);
        let nonpreemptive = nonpreemptive::response_times(&tasks, WORK);
        for (responses, expected) in [
            (preemptive, &expected["rta_preemptive"]),
            (nonpreemptive, &expected["rta_nonpreemptive_integer_time"]),
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

const SCHEDULES: [(&str, Order, bool); 6] = [
    ("fp_preemptive", Order::FixedPriority, true),
    ("fp_nonpreemptive", Order::FixedPriority, false),
    ("edf_preemptive", Order::EarliestDeadline, true),
    ("edf_nonpreemptive", Order::EarliestDeadline, false),
    ("llf_preemptive", Order::LeastLaxity, true),
    ("llf_nonpreemptive", Order::LeastLaxity, false),
];

#[test]
fn simulated_schedules_are_those_of_the_table() {
    for (tasks, expected) in reference_sets() {
        let whole = hyperperiod(&tasks).unwrap();
        for (key, order, preempts) in SCHEDULES {
            let expected = &expected["simulated_synchronous"][key];
            let seen = simulate(&tasks, order, preempts, 2 * whole, WORK).unwrap();
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

/// What came of a schedule that was played tick by tick.
struct Played {
    /// Of the jobs that finished, the longest response of each task.
    worst: Vec<u64>,
    misses: u64,
}

/// Plays a schedule in the plainest way: every tick, every job is looked at. Written independently of
/// the crate's simulation.
fn play(tasks: &[TaskModel], offsets: &[u64], order: Order, preempts: bool, until: u64) -> Played {
    struct Job {
        task: usize,
        release: u64,
        left: u64,
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut played = Played { worst: vec![0; tasks.len()], misses: 0 };
    let mut running: Option<usize> = None;
    for now in 0..until {
        for (task, model) in tasks.iter().enumerate() {
            let due = match model.period() {
                NEVER => now == offsets[task],
                period => now >= offsets[task] && (now - offsets[task]) % period == 0,
            };
            if due {
                jobs.push(Job { task, release: now, left: model.wcet() });
            }
        }
        if preempts {
            running = None;
        }
        let chosen = running.or_else(|| {
            (0..jobs.len()).min_by_key(|&job| {
                let Job { task, release, .. } = jobs[job];
                let deadline = release.saturating_add(tasks[task].deadline());
                let key = if order == Order::FixedPriority { 0 } else { deadline };
                (key, task, release)
            })
        });
        running = chosen;
        let Some(chosen) = chosen else { continue };
        jobs[chosen].left -= 1;
        if jobs[chosen].left == 0 {
            let Job { task, release, .. } = jobs.remove(chosen);
            let response = now + 1 - release;
            played.worst[task] = played.worst[task].max(response);
            played.misses += u64::from(response > tasks[task].deadline());
            running = None;
        }
    }
    played
}

/// A small random set, utilizations up to a little more than 1 included, and its hyperperiod.
fn random_set(seed: u64) -> (Vec<TaskModel>, u64) {
    let mut draws = 0;
    let mut below = |bound| {
        draws += 1;
        scatter(seed * 1_000 + draws, bound)
    };
    const PERIODS: [u64; 10] = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20];
    let count = 2 + below(4);
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let period = PERIODS[below(10) as usize];
            let wcet = 1 + below(period.div_ceil(count) + 1).min(period - 1);
            let deadline = below(wcet + 2 * period);
            let period = if below(8) == 0 { NEVER } else { period };
            task(wcet, period, deadline)
        })
        .collect();
    let whole = hyperperiod(&tasks).unwrap();
    (tasks, whole)
}

fn random_sets() -> impl Iterator<Item = (Vec<TaskModel>, u64)> {
    let count = std::env::var("ANALYSIS_SETS").map_or(1_500, |count| count.parse().unwrap());
    (0..count).map(random_set)
}

/// The phases of which one is the worst: a job starts one tick before all others are released, or
/// none does.
fn worst_phases(tasks: &[TaskModel]) -> impl Iterator<Item = Vec<u64>> + '_ {
    let early = |blocker| (0..tasks.len()).map(move |task| u64::from(task != blocker)).collect();
    (0..=tasks.len()).map(early)
}

fn is_overloaded(tasks: &[TaskModel]) -> bool {
    compare_utilization(tasks) == Some(Ordering::Greater)
}

/// Up to where a played schedule shows everything.
fn long(tasks: &[TaskModel], whole: u64) -> u64 {
    let deadline = tasks.iter().map(TaskModel::deadline).max().unwrap();
    4 * whole + 2 * deadline + tasks.iter().map(TaskModel::wcet).sum::<u64>()
}

#[test]
fn response_times_are_the_worst_of_all_phases() {
    let (mut compared, mut kept, mut missed) = (0, 0, 0);
    for (tasks, whole) in random_sets() {
        let until = long(&tasks, whole);
        let found = nonpreemptive::response_times(&tasks, WORK);
        let mut worst = vec![0; tasks.len()];
        for offsets in worst_phases(&tasks) {
            let seen = play(&tasks, &offsets, Order::FixedPriority, false, until).worst;
            worst.iter_mut().zip(seen).for_each(|(worst, seen)| *worst = seen.max(*worst));
        }
        let found_preemptive = preemptive::response_times(&tasks, WORK);
        let together = vec![0; tasks.len()];
        let preempted = play(&tasks, &together, Order::FixedPriority, true, until).worst;
        for index in 0..tasks.len() {
            let level = &tasks[..=index];
            let starves = tasks[index].period() == NEVER
                && compare_utilization(level) == Some(Ordering::Equal);
            let expected = |worst| match is_overloaded(level) || starves {
                true => Response::Unbounded,
                false => Response::Bounded(worst),
            };
            assert_eq!(found[index], expected(worst[index]), "task {index} of {tasks:?}");
            let preempted = expected(preempted[index]);
            assert_eq!(found_preemptive[index], preempted, "preempted task {index} of {tasks:?}");
            compared += 1;
            match found[index].meets(tasks[index].deadline()) {
                Some(true) => kept += 1,
                _ => missed += 1,
            }
        }
    }
    println!("{compared} response times, {kept} in time and {missed} not");
    assert!(kept > compared / 5 && missed > compared / 5, "the sets are one-sided");
}

#[test]
fn demand_tests_accept_what_no_phase_makes_late_and_nothing_else() {
    let mut accepted = [0, 0];
    let mut refused = [0, 0];
    for (tasks, whole) in random_sets() {
        let until = long(&tasks, whole);
        let misses = |offsets: &[u64], preempts| {
            play(&tasks, offsets, Order::EarliestDeadline, preempts, until).misses > 0
        };
        let late = worst_phases(&tasks).any(|offsets| misses(&offsets, false));
        let late_preempted = misses(&vec![0; tasks.len()], true);
        for (preempts, verdict, late) in [
            (0, nonpreemptive::edf(&tasks, WORK), late),
            (1, preemptive::qpa(&tasks, WORK), late_preempted),
        ] {
            let expected = !late && !is_overloaded(&tasks);
            assert_eq!(verdict.is_schedulable(), Some(expected), "{verdict:?} on {tasks:?}");
            assert_eq!(verdict == Verdict::Overloaded, is_overloaded(&tasks));
            let counts = if expected { &mut accepted } else { &mut refused };
            counts[preempts] += 1;
        }
    }
    println!("accepted {accepted:?}, refused {refused:?} (non-preemptive, preemptive)");
    let few = (accepted[0] + refused[0]) / 10;
    assert!(accepted.iter().chain(&refused).all(|count| *count > few), "the sets are one-sided");
}

#[test]
fn what_is_accepted_misses_nothing_in_random_phases() {
    for (seed, (tasks, whole)) in (0..).zip(random_sets()) {
        let until = long(&tasks, whole);
        let kept = nonpreemptive::response_times(&tasks, WORK)
            .iter()
            .zip(&tasks)
            .all(|(response, task)| response.meets(task.deadline()) == Some(true));
        let edf = nonpreemptive::edf(&tasks, WORK) == Verdict::Schedulable;
        for phase in 0..4 {
            let offset = |index| scatter(seed * 100 + phase * 10 + index, 25);
            let offsets: Vec<_> = (0..tasks.len() as u64).map(offset).collect();
            for (accepted, order) in [(kept, Order::FixedPriority), (edf, Order::EarliestDeadline)]
            {
                if accepted {
                    let misses = play(&tasks, &offsets, order, false, until).misses;
                    assert_eq!(misses, 0, "{order:?}, {offsets:?}, {tasks:?}");
                }
            }
        }
    }
}

#[test]
fn an_excess_is_at_a_deadline_and_is_what_is_too_much() {
    for (tasks, _) in random_sets() {
        let Verdict::Exceeded { interval, by } = nonpreemptive::edf(&tasks, WORK) else { continue };
        let jobs = |task: &TaskModel| match interval.checked_sub(task.deadline()) {
            Some(later) => later / task.period() + 1,
            None => 0,
        };
        let due: u64 = tasks.iter().map(|task| jobs(task) * task.wcet()).sum();
        let later = tasks.iter().filter(|task| task.deadline() > interval);
        let blocking = later.map(|task| task.wcet() - 1).max().unwrap_or(0);
        assert_eq!(due + blocking, interval + by, "{tasks:?}");
        assert!(by > 0);
        let is_due = |task: &TaskModel| {
            interval.checked_sub(task.deadline()).is_some_and(|later| later % task.period() == 0)
        };
        assert!(tasks.iter().any(is_due), "no deadline at {interval} of {tasks:?}");
    }
}

#[test]
fn the_simulation_is_the_schedule_played_tick_by_tick() {
    // With nothing left to do at the end of the hyperperiod, where both stop.
    let sets = random_sets().filter(|(tasks, _)| {
        !is_overloaded(tasks) && tasks.iter().all(|task| task.period() != NEVER)
    });
    let mut compared = 0;
    for (tasks, whole) in sets {
        let together = vec![0; tasks.len()];
        // The table has the schedules by laxity.
        for (key, order, preempts) in SCHEDULES.into_iter().filter(|s| s.1 != Order::LeastLaxity) {
            let seen = simulate(&tasks, order, preempts, whole, WORK).unwrap();
            let played = play(&tasks, &together, order, preempts, whole);
            assert_eq!(seen.worst_response, played.worst, "{key} of {tasks:?}");
            assert_eq!(seen.misses, played.misses, "{key} of {tasks:?}");
            compared += 1;
        }
    }
    assert!(compared > 0, "the sets are one-sided");
}

#[test]
fn utilization_is_compared_exactly() {
    let third = task(1, 3, 3);
    assert_eq!(compare_utilization(&[third; 3]), Some(Ordering::Equal));
    assert_eq!(compare_utilization(&[third, third, task(1, 4, 4)]), Some(Ordering::Less));
    assert_eq!(compare_utilization(&[third, third, third, third]), Some(Ordering::Greater));
    let hardly = task(1, NEVER - 1, NEVER);
    assert_eq!(compare_utilization(&[third, third, third, hardly]), Some(Ordering::Greater));
    assert_eq!(compare_utilization(&[]), Some(Ordering::Less));
    // By one part in 2^124, where neither doubles nor the rounded sums tell.
    let (p, q) = (2_305_843_009_213_693_951, 2_305_843_009_213_693_921);
    let almost = |more| [task(p / 2, p, p), task(q / 2 + more, q, q)];
    assert_eq!(compare_utilization(&almost(0)), Some(Ordering::Less));
    assert_eq!(compare_utilization(&almost(1)), Some(Ordering::Greater));
    let equal = [task(p - 1, p, p), task(1, p, p)];
    assert_eq!(compare_utilization(&equal), Some(Ordering::Equal));
    // The common multiple of a third such number does not fit.
    let [p, q, r] = [u64::MAX - 58, u64::MAX - 82, u64::MAX - 94];
    let three = [task(p / 3, p, p), task(q / 3, q, q), task(r - 2 * (r / 3), r, r)];
    assert_eq!(compare_utilization(&three), None);
    assert_eq!(nonpreemptive::edf(&three, WORK), Verdict::Unknown);
    assert_eq!(preemptive::qpa(&three, WORK), Verdict::Unknown);
    assert_eq!(nonpreemptive::response_times(&three, WORK)[2], Response::Unknown);
    assert_eq!(preemptive::response_times(&three, WORK)[2], Response::Unknown);
}

#[test]
fn utilization_bounds_are_the_published_ones() {
    // 2·(2^(1/2) − 1) = 0.82842…
    let two = |parts| [task(parts, 10_000, 10_000), task(parts, 10_000, 10_000)];
    assert!(preemptive::liu_layland(&two(4_142)) && !preemptive::liu_layland(&two(4_143)));
    assert!(preemptive::hyperbolic(&two(4_142)) && !preemptive::hyperbolic(&two(4_143)));
    // One task may take everything.
    assert!(preemptive::liu_layland(&[task(7, 7, 7)]) && preemptive::hyperbolic(&[task(7, 7, 7)]));
    // (1/2 + 1)(1/3 + 1) = 2, and U = 0.8333….
    let unequal = [task(1, 2, 2), task(1, 3, 3)];
    assert!(!preemptive::liu_layland(&unequal) && preemptive::hyperbolic(&unequal));
    let more = [task(1_000_000, 2_000_000, 2_000_000), task(1_000_001, 3_000_000, 3_000_000)];
    assert!(!preemptive::hyperbolic(&more));
    // ln 2 = 0.69314… for many.
    let many = |parts| vec![task(parts, 1_000_000, 1_000_000); 1_000];
    assert!(preemptive::liu_layland(&many(693)) && preemptive::hyperbolic(&many(693)));
    assert!(!preemptive::liu_layland(&many(694)) && !preemptive::hyperbolic(&many(694)));
    let constrained = [task(1, 10, 9)];
    assert!(!preemptive::liu_layland(&constrained) && !preemptive::hyperbolic(&constrained));
}

#[test]
fn sets_within_a_bound_keep_their_deadlines() {
    let (mut within, mut all) = ([0, 0], 0);
    for (tasks, _) in random_sets() {
        let mut tasks: Vec<_> =
            tasks.iter().map(|given| task(given.wcet(), given.period(), given.period())).collect();
        tasks.sort_by_key(TaskModel::period);
        let liu_layland = preemptive::liu_layland(&tasks);
        let hyperbolic = preemptive::hyperbolic(&tasks);
        all += 1;
        within[0] += u32::from(liu_layland);
        within[1] += u32::from(hyperbolic);
        assert!(hyperbolic || !liu_layland, "{tasks:?}");
        let kept = meets(&preemptive::response_times(&tasks, WORK), &tasks);
        assert!(!hyperbolic || kept.iter().all(|kept| *kept), "{tasks:?}");
    }
    assert!(within[0] > all / 20 && within[1] > within[0], "{within:?}");
}

#[test]
fn preemptive_tests_accept_what_misses_without_preemption() {
    let tasks = [task(1, 4, 4), task(5, 20, 20)];
    assert!(preemptive::liu_layland(&tasks));
    assert_eq!(preemptive::qpa(&tasks, WORK), Verdict::Schedulable);
    assert_eq!(nonpreemptive::edf(&tasks, WORK), Verdict::Exceeded { interval: 4, by: 1 });
    assert_eq!(nonpreemptive::response_times(&tasks, WORK)[0], Response::Bounded(5));
}

#[test]
fn too_little_work_and_numbers_that_do_not_fit_give_no_verdict() {
    let tasks = [task(2, 5, 5), task(4, 7, 7)];
    assert_eq!(nonpreemptive::response_times(&tasks, 1), [Response::Unknown; 2]);
    assert_eq!(preemptive::response_times(&tasks, 1)[1], Response::Unknown);
    assert_eq!(nonpreemptive::edf(&tasks, 1), Verdict::Unknown);
    let constrained = [task(2, 5, 4), task(4, 7, 6)];
    assert_eq!(preemptive::qpa(&constrained, 1), Verdict::Unknown);
    assert_eq!(simulate(&tasks, Order::FixedPriority, true, 35, 10), None);
    let huge = [task(NEVER, NEVER - 1, NEVER), task(NEVER, NEVER, NEVER), task(1, 1, NEVER)];
    for tasks in [&huge[..], &huge[..1], &huge[1..2], &huge[2..], &huge[..2], &huge[1..]] {
        let _ = (nonpreemptive::response_times(tasks, WORK), nonpreemptive::edf(tasks, WORK));
        let _ = (preemptive::response_times(tasks, WORK), preemptive::qpa(tasks, WORK));
        let _ = (preemptive::liu_layland(tasks), preemptive::hyperbolic(tasks));
        let _ = simulate(tasks, Order::LeastLaxity, true, NEVER, 1_000);
    }
    let late = [task(NEVER - 1, NEVER, 5), task(NEVER - 1, NEVER, 5)];
    assert_eq!(nonpreemptive::response_times(&late, WORK)[1], Response::Unknown);
    assert_eq!(nonpreemptive::edf(&late, WORK), Verdict::Unknown);
}

#[test]
fn a_processor_used_fully_with_blocking_is_decided() {
    // The busy period of the first two has no end, but it repeats.
    let tasks = [task(1, 2, 2), task(2, 4, 8), task(3, NEVER, NEVER)];
    let found = nonpreemptive::response_times(&tasks, WORK);
    assert_eq!(found, [Response::Bounded(3), Response::Bounded(7), Response::Unbounded]);
    assert_eq!(nonpreemptive::edf(&tasks, WORK), Verdict::Exceeded { interval: 2, by: 1 });
    // Late only at a deadline that is longer than the hyperperiod.
    let late = [task(1, 2, 5), task(1, 2, 5), task(4, NEVER, 9)];
    assert_eq!(nonpreemptive::edf(&late, WORK), Verdict::Exceeded { interval: 9, by: 1 });
    assert_eq!(preemptive::qpa(&late, WORK), Verdict::Exceeded { interval: 9, by: 1 });
    let patient = [task(1, 2, 5), task(2, 4, 8), task(3, NEVER, NEVER)];
    assert_eq!(nonpreemptive::edf(&patient, WORK), Verdict::Schedulable);
}

#[test]
fn a_task_takes_time_and_has_a_period() {
    assert_eq!(TaskModel::new(0, 1, 1), Err(ModelError::ZeroWcet));
    assert_eq!(TaskModel::new(1, 0, 1), Err(ModelError::ZeroPeriod));
    assert!(ModelError::ZeroWcet.to_string().contains("at least 1"));
    assert_eq!(
        nonpreemptive::edf(&[task(1, 1, 0)], WORK),
        Verdict::Exceeded { interval: 0, by: 1 }
    );
    assert_eq!(nonpreemptive::edf(&[], WORK), Verdict::Schedulable);
    assert_eq!(nonpreemptive::response_times(&[], WORK), []);
}

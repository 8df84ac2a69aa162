//! A processor that looks for released jobs at the multiples of a tick rate only, when it is idle.

use super::*;

/// A set of tasks, the most urgent first, and the tick rate.
struct Case {
    tasks: Vec<TaskModel>,
    tick_rate: u64,
}

fn random_case(seed: u64) -> Case {
    let mut draws = 0;
    let mut below = |bound| {
        draws += 1;
        scatter(seed * 1_000 + draws, bound)
    };
    let tick_rate = 1 + below(7);
    let count = 2 + below(2);
    let tasks = (0..count).map(|_| {
        let period = [4, 5, 6, 8, 10, 12][below(6) as usize];
        let wcet = 1 + below(period / count);
        model(wcet, period, wcet + below(2 * period))
    });
    Case { tasks: tasks.collect(), tick_rate }
}

/// Whether a deadline is missed when the tasks' first jobs come at `offsets`: tick by tick, in the plainest
/// way.
fn misses(case: &Case, by_deadline: bool, offsets: &[u64]) -> bool {
    let Case { tasks, tick_rate } = case;
    // (key, task, release), by which the first goes first.
    let mut waiting: Vec<(u64, usize, u64)> = Vec::new();
    let mut running: Option<(usize, u64, u64)> = None;
    let mut is_awake = false;
    for now in 0..400 {
        for (task, model) in tasks.iter().enumerate() {
            if now >= offsets[task] && (now - offsets[task]) % model.period() == 0 {
                let key = if by_deadline { now + model.deadline() } else { 0 };
                waiting.push((key, task, now));
            }
        }
        if let Some((task, release, 0)) = running {
            if now - release > tasks[task].deadline() {
                return true;
            }
            running = None;
        }
        is_awake |= now % tick_rate == 0;
        if running.is_none() && is_awake {
            match waiting.iter().copied().min() {
                Some(first) => {
                    waiting.retain(|job| *job != first);
                    running = Some((first.1, first.2, tasks[first.1].wcet()));
                }
                None => is_awake = false,
            }
        }
        running = running.map(|(task, release, left)| (task, release, left - 1));
    }
    false
}

/// All ways in which the first jobs may come in the first so many ns.
fn phases(tasks: usize, span: u64) -> impl Iterator<Item = Vec<u64>> {
    let of = move |number: u64| {
        let digit = |task: usize| number / span.pow(task as u32) % span;
        (0..tasks).map(digit).collect()
    };
    (0..span.pow(tasks as u32)).map(of)
}

#[test]
fn the_verdict_is_that_of_all_phases() {
    let cases = std::env::var("ADMISSION_CASES").map_or(150, |cases| cases.parse().unwrap());
    let mut counts = [0, 0];
    let mut by_the_rate = 0;
    for seed in 0..cases {
        let case = random_case(seed);
        let policy = POLICIES[3 * (seed as usize % 2)];
        let accepts = |tick_rate| {
            let mut control = control(policy).with_tick_rate(tick_rate);
            (0..).zip(&case.tasks).all(|(number, task)| {
                let priority = Priority::ALL[number as usize];
                let share = control.check(*task, priority);
                share.map(|share| control.insert(TaskId::from_bits(number), share)).is_ok()
            })
        };
        let by_deadline = policy == Policy::EarliestDeadlineFirst;
        // As long as a tick and a job that may block, and a little more.
        let mut phases = phases(case.tasks.len(), case.tick_rate + 8);
        // A set that is too much by itself is late at last.
        let is_overloaded = nonpreemptive::edf(&case.tasks, 1 << 30) == Verdict::Overloaded;
        let is_late = is_overloaded || phases.any(|phase| misses(&case, by_deadline, &phase));
        let Case { tasks, tick_rate } = &case;
        assert_eq!(accepts(*tick_rate), !is_late, "{policy:?} {tasks:?} every {tick_rate}");
        counts[usize::from(is_late)] += 1;
        by_the_rate += u64::from(is_late && accepts(0));
    }
    println!("{counts:?} accepted and refused, {by_the_rate} of these by the rate");
    assert!(counts.iter().all(|count| count * 5 > cases) && by_the_rate * 20 > cases);
}

#[test]
fn a_rate_counts_as_a_job_that_has_just_started() {
    for policy in POLICIES {
        let accepts = |tick_rate_ns, wcet, deadline| {
            let config = Config { tick_rate_ns, ..config(policy, Admission::Exact) };
            let (mut scheduler, _) = manual(config);
            is_accepted(&mut scheduler, once(wcet, deadline))
        };
        assert!(accepts(0, 5, 5) && accepts(1, 5, 5), "{policy:?}");
        assert!(accepts(100, 5, 104) && !accepts(100, 5, 103), "{policy:?}");
        assert!(!accepts(u64::MAX, 5, u64::MAX - 1), "{policy:?}");
        // A longer job counts instead, not too.
        let config = Config { tick_rate_ns: 100, ..config(policy, Admission::Exact) };
        let (mut scheduler, _) = manual(config);
        let long = Task::new(|| (), ns(0)).with_wcet(ns(150)).with_deadline(ns(10_000));
        assert!(is_accepted(&mut scheduler, long.with_priority(Priority::Low)));
        let next = || once(5, 154).with_priority(Priority::Critical);
        assert!(!is_accepted(&mut scheduler, next().with_deadline(ns(153))), "{policy:?}");
        let kept = is_accepted(&mut scheduler, next());
        assert!(kept || policy == Policy::RateMonotonic, "{policy:?}"); // Equals wait for each other.
    }
}

/// Through the loop itself.
#[test]
fn what_was_accepted_keeps_its_deadlines_in_a_loop_at_that_rate() {
    let cases = std::env::var("ADMISSION_CASES").map_or(60, |cases| cases.parse().unwrap());
    let mut ran = 0;
    for case in 0..cases {
        let policy = POLICIES[case as usize % 4];
        let tick_rate_ns = 1 + scatter(case, 40);
        let config = Config { tick_rate_ns, ..config(policy, Admission::Exact) };
        let (mut scheduler, clock) = manual(config);
        for number in 0..20 {
            let draw = |nth, bound| scatter(case * 10_000 + number * 10 + nth, bound);
            let (wcet, period) = (1 + draw(0, 9), 30 + draw(1, 200));
            let task = works(&clock, wcet, period).with_delay(ns(draw(2, 300)));
            let priority = Priority::ALL[draw(3, 4) as usize];
            let _ =
                scheduler.schedule(task.with_deadline(ns(draw(4, 200))).with_priority(priority));
        }
        scheduler.run_until(at(5_000));
        let metrics = scheduler.metrics();
        assert_eq!(metrics.missed_deadlines, 0, "{policy:?} every {tick_rate_ns}");
        ran += metrics.executed;
    }
    assert!(ran > 20 * cases, "{ran} jobs ran");
}

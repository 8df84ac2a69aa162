//! Hazard: a schedule other than the textbooks'. Other people's simulations, on the real scheduler.
//!
//! Jobs take their execution time by moving the manual clock. Preemption is simulated by slices of
//! one time unit: where one ends, the policy chooses anew among all that is released.

mod common;

use std::rc::Rc;

use common::{at, manual, ns, Log};
use nanosecond_scheduler::{
    Clock, Config, Context, DeadlineKind, ManualClock, Policy, Priority, Scheduler, Task,
};
use serde_json::Value;

/// One of the oracles' ticks, in ns.
const UNIT: u64 = 1_000;

/// C, T and D, in units.
type TaskSet = Vec<[u64; 3]>;

/// A job that has finished: task, release and finish, in units.
type Finished = (usize, u64, u64);

fn units(count: u64) -> std::time::Duration {
    ns(count * UNIT)
}

/// Ties go by the place in the list, which is the class: no set has more than four tasks.
fn class(task: usize) -> Priority {
    Priority::ALL[task]
}

fn scheduler(policy: Policy) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { policy, audit: true, ..Config::default() })
}

/// Runs every job released before `end` without preemption, as periodic tasks.
fn whole_jobs(policy: Policy, set: &TaskSet, end: u64) -> Vec<Finished> {
    let (mut scheduler, clock) = scheduler(policy);
    let log = Log::default();
    for (task, &[execution, period, deadline]) in set.iter().enumerate() {
        let (log, clock) = (log.clone(), clock.clone());
        let body = move |cx: &mut Context<'_>| {
            let release = cx.release().as_nanos() / UNIT;
            clock.advance(units(execution));
            log.push((task, release, clock.now().as_nanos() / UNIT));
            if release + period >= end {
                cx.cancel(cx.id()).unwrap();
            }
        };
        let task = Task::periodic(body, units(period)).with_priority(class(task));
        let task =
            task.with_delay(ns(0)).with_deadline(units(deadline)).with_wcet(units(execution));
        scheduler.schedule(task).unwrap();
    }
    scheduler.run_until_idle();
    assert_eq!(scheduler.inversions(), Some(0));
    let jobs = log.take();
    assert_eq!(scheduler.metrics().missed_deadlines, misses(set, &jobs).len() as u64);
    jobs
}

/// A task that is preempted: a chain of slices, one job after the other.
struct Sliced {
    task: usize,
    parameters: [u64; 3],
    end: u64,
    clock: ManualClock,
    log: Log<Finished>,
}

impl Sliced {
    /// The next slice of the job released at `release`.
    fn slice(self: Rc<Self>, release: u64, left: u64) -> Task {
        let [execution, period, deadline] = self.parameters;
        let class = class(self.task);
        let body = move |cx: &mut Context<'_>| {
            self.clock.advance(units(1));
            let now = self.clock.now().as_nanos() / UNIT;
            if left > 1 {
                cx.schedule(self.slice(release, left - 1)).unwrap();
                return;
            }
            self.log.push((self.task, release, now));
            if release + period < self.end {
                cx.schedule(self.slice(release + period, execution)).unwrap();
            }
        };
        Task::with_context(body, ns(0))
            .at(at(release * UNIT))
            .with_priority(class)
            .with_wcet(units(left))
            .with_deadline_at(DeadlineKind::Soft, at((release + deadline) * UNIT))
    }
}

/// Runs every job released before `end` with preemption.
fn sliced_jobs(policy: Policy, set: &TaskSet, end: u64) -> Vec<Finished> {
    let (mut scheduler, clock) = scheduler(policy);
    let log = Log::default();
    for (task, &parameters) in set.iter().enumerate() {
        let sliced = Sliced { task, parameters, end, clock: clock.clone(), log: log.clone() };
        scheduler.schedule(Rc::new(sliced).slice(0, parameters[0])).unwrap();
    }
    scheduler.run_until_idle();
    assert_eq!(scheduler.inversions(), Some(0));
    log.take()
}

fn worst_responses(set: &TaskSet, jobs: &[Finished]) -> Vec<u64> {
    let responses = |task| {
        let of_task = jobs.iter().filter(move |job| job.0 == task);
        of_task.map(|(_, release, finish)| finish - release)
    };
    (0..set.len()).map(|task| responses(task).max().unwrap()).collect()
}

/// The jobs that finished after their deadline, by finish.
fn misses(set: &TaskSet, jobs: &[Finished]) -> Vec<Finished> {
    let is_late = |&&(task, release, finish): &&Finished| finish > release + set[task][2];
    jobs.iter().filter(is_late).copied().collect()
}

fn oracle(file: &str) -> Value {
    let path = format!("{}/tests/data/oracles/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

fn task_set(list: &Value) -> TaskSet {
    let parameters = |task: &Value| numbers(task).try_into().unwrap();
    list.as_array().unwrap().iter().map(parameters).collect()
}

fn hyperperiod(set: &TaskSet) -> u64 {
    fn gcd(a: u64, b: u64) -> u64 {
        if b == 0 {
            a
        } else {
            gcd(b, a % b)
        }
    }
    set.iter().fold(1, |all, &[_, period, _]| all / gcd(all, period) * period)
}

/// Checks `simulated_synchronous.<key>` of every set of `rt_task_sets.json`.
fn check_sets(key: &str, simulate: impl Fn(&TaskSet, u64) -> Vec<Finished>) {
    let sets = oracle("rt_task_sets.json");
    let sets = sets["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 7);
    for entry in sets {
        let set = task_set(&entry["tasks_C_T_D"]);
        // The list order can be expressed by period and by deadline as well as by class.
        assert!(set.is_sorted_by_key(|task| task[1]) && set.is_sorted_by_key(|task| task[2]));
        let expected = &entry["simulated_synchronous"][key];
        let jobs = simulate(&set, 2 * hyperperiod(&set));
        let name = &entry["name"];
        let worst = numbers(&expected["worst_response"]);
        assert_eq!(worst_responses(&set, &jobs), worst, "{name}, {key}");
        // The oracle lists the first three.
        let missed = misses(&set, &jobs).into_iter().take(3);
        let missed: Vec<_> =
            missed.map(|(task, release, finish)| [task as u64, release, finish]).collect();
        let listed = task_set(&expected["first_misses_task_release_finish"]);
        assert_eq!(missed, listed, "{name}, {key}");
    }
}

#[test]
fn fixed_priorities_without_preemption_agree_with_the_textbook_sets() {
    for policy in [Policy::Priority, Policy::RateMonotonic, Policy::DeadlineMonotonic] {
        check_sets("fp_nonpreemptive", |set, end| whole_jobs(policy, set, end));
    }
}

#[test]
fn deadlines_and_laxities_without_preemption_agree_with_the_textbook_sets() {
    let edf = Policy::EarliestDeadlineFirst;
    check_sets("edf_nonpreemptive", |set, end| whole_jobs(edf, set, end));
    check_sets("llf_nonpreemptive", |set, end| whole_jobs(Policy::LeastLaxity, set, end));
}

/// A one-shot has no period, so that rates are left out: `DeadlineMonotonic` gives the same order.
#[test]
fn slices_agree_with_the_preemptive_simulation_of_the_textbook_sets() {
    for (key, policy) in [
        ("fp_preemptive", Policy::Priority),
        ("fp_preemptive", Policy::DeadlineMonotonic),
        ("edf_preemptive", Policy::EarliestDeadlineFirst),
        ("llf_preemptive", Policy::LeastLaxity),
    ] {
        check_sets(key, |set, end| sliced_jobs(policy, set, end));
    }
}

/// A schedule by SimSo: its task set, and its jobs by task and release.
fn simso(name: &str) -> (TaskSet, u64, Vec<Finished>) {
    let schedule = &oracle("rt_simso.json")[name];
    let end = schedule["H"].as_u64().unwrap();
    let job = |job: &Value| {
        let task: usize = job[0].as_str()?.strip_prefix('t')?.parse().ok()?;
        // A job that has not finished has no number there.
        Some((task - 1, job[1].as_f64()? as u64, job[3].as_f64()? as u64))
    };
    let jobs = schedule["jobs"].as_array().unwrap().iter().filter_map(job);
    // It also lists jobs released at the end of the hyperperiod.
    let mut jobs: Vec<_> = jobs.filter(|(_, release, _)| *release < end).collect();
    jobs.sort_unstable();
    (task_set(&schedule["taskset"]), end, jobs)
}

fn sorted(mut jobs: Vec<Finished>) -> Vec<Finished> {
    jobs.sort_unstable();
    jobs
}

#[test]
fn every_job_of_non_preemptive_edf_finishes_when_it_does_in_simso() {
    for set in 0..3 {
        let (set, end, jobs) = simso(&format!("set{set}_NP_EDF"));
        assert!(jobs.len() >= 12);
        assert_eq!(sorted(whole_jobs(Policy::EarliestDeadlineFirst, &set, end)), jobs);
    }
}

/// SimSo's rates are preemptive; by slices, and in the order of their deadlines, which is the same.
#[test]
fn every_slice_wise_job_of_rate_monotonic_finishes_when_it_does_in_simso() {
    for set in 0..3 {
        let (set, end, jobs) = simso(&format!("set{set}_RM"));
        assert!(jobs.len() >= 12);
        for policy in [Policy::DeadlineMonotonic, Policy::Priority] {
            assert_eq!(sorted(sliced_jobs(policy, &set, end)), jobs, "{policy:?}");
        }
    }
}

#[test]
fn preemptive_edf_by_slices_misses_what_it_does_in_simso() {
    for set in 0..3 {
        let (set, end, jobs) = simso(&format!("set{set}_EDF"));
        let sliced = sorted(sliced_jobs(Policy::EarliestDeadlineFirst, &set, end));
        assert_eq!(misses(&set, &sliced), misses(&set, &jobs));
        assert_eq!(sliced.len(), jobs.len());
    }
}

//! Tests for jobs that are preempted at once by more urgent ones.
//!
//! This crate's scheduler does not do that: a set that passes here may miss deadlines on it. See
//! [`nonpreemptive`](super::nonpreemptive).

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::demand::{find_excess, verdict, Growth};
use super::{hyperperiod, Exhausted, Response, TaskModel, Utilization, Verdict, Work};

/// 1 in the fixed point of the utilization bounds.
const ONE: u128 = 1 << 62;

/// C/T in that fixed point, rounded up; more than 1 counts as 2.
fn share(task: &TaskModel) -> u128 {
    if !task.repeats() {
        return 0;
    }
    let (wcet, period) = (u128::from(task.wcet()), u128::from(task.period()));
    (wcet << 62).div_ceil(period).min(2 * ONE)
}

fn multiply_up(a: u128, b: u128) -> u128 {
    (a * b).div_ceil(ONE)
}

/// Whether the utilization is at most n·(2^(1/n) − 1), so that rate-monotonic priorities keep all
/// deadlines. `false` proves nothing, and is the answer for sets in which D < T somewhere. O(n).
///
/// C. Liu and J. Layland, "Scheduling algorithms for multiprogramming in a hard-real-time environment",
/// JACM 20(1), 1973. Decided as (1 + U/n)^n ≤ 2, rounded up.
#[must_use]
pub fn liu_layland(tasks: &[TaskModel]) -> bool {
    if tasks.iter().any(|task| task.deadline() < task.period()) {
        return false;
    }
    let tasks_count = tasks.len().max(1) as u128;
    let factor = ONE + tasks.iter().map(share).sum::<u128>().div_ceil(tasks_count);
    fits_two(tasks.iter().map(|_| factor))
}

/// Whether Π(C/T + 1) ≤ 2, so that rate-monotonic priorities keep all deadlines; it accepts more than
/// [`liu_layland`]. `false` proves nothing, and is the answer for sets in which D < T somewhere. O(n).
///
/// E. Bini, G. Buttazzo and G. Buttazzo, "Rate monotonic analysis: the hyperbolic bound", IEEE Trans.
/// Computers 52(7), 2003. Rounded up, but exact where the product of the periods fits 128 bits.
#[must_use]
pub fn hyperbolic(tasks: &[TaskModel]) -> bool {
    if tasks.iter().any(|task| task.deadline() < task.period()) {
        return false;
    }
    let mut products = Some((1_u128, 2_u128));
    for task in tasks.iter().filter(|task| task.repeats()) {
        products = products.and_then(|(left, right)| {
            let factor = u128::from(task.wcet()) + u128::from(task.period());
            Some((left.checked_mul(factor)?, right.checked_mul(task.period().into())?))
        });
    }
    match products {
        Some((left, right)) => left <= right,
        None => fits_two(tasks.iter().map(|task| ONE + share(task))),
    }
}

/// Whether a product of factors of at least 1 is at most 2.
fn fits_two(mut factors: impl Iterator<Item = u128>) -> bool {
    let multiply =
        |product, factor| Some(multiply_up(product, factor)).filter(|product| *product <= 2 * ONE);
    factors.try_fold(ONE, multiply).is_some()
}

/// The worst response time of each task under fixed priorities, that of the list. D may exceed T.
///
/// Exact for sporadic tasks, and for periodic ones released together. J. Lehoczky, "Fixed priority
/// scheduling of periodic task sets with arbitrary deadlines", RTSS 1990: every job in the level-i busy
/// period is looked at. `work` steps are allowed for each task; one for each task per iteration.
#[must_use]
pub fn response_times(tasks: &[TaskModel], work: u64) -> Vec<Response> {
    let mut utilization = Utilization::default();
    let response = |own| {
        let task: &TaskModel = &tasks[own];
        utilization.add(task);
        let found = response(&tasks[..=own], &utilization, &mut Work::new(work));
        found.unwrap_or(Response::Unknown)
    };
    (0..tasks.len()).map(response).collect()
}

/// The worst response time of the last task.
fn response(
    level: &[TaskModel],
    utilization: &Utilization,
    work: &mut Work,
) -> Result<Response, Exhausted> {
    let Some((own, higher)) = level.split_last() else { return Ok(Response::Bounded(0)) };
    work.spend(level.len())?;
    let jobs = match utilization.compare(level.iter().copied()).ok_or(Exhausted)? {
        Ordering::Greater => return Ok(Response::Unbounded),
        // The others take all the time there is.
        Ordering::Equal if !own.repeats() => return Ok(Response::Unbounded),
        Ordering::Equal => hyperperiod(level).map(|whole| whole / own.period()),
        Ordering::Less => None,
    };
    let (mut worst, mut finish, mut released) = (0, own.wcet(), 0_u64);
    for _ in 0..jobs.unwrap_or(u64::MAX) {
        finish = last_finish(own, higher, (finish, released), work)?;
        worst = worst.max(finish - released);
        match released.checked_add(own.period()) {
            Some(next) if next < finish => released = next,
            _ => break,
        }
    }
    Ok(Response::Bounded(worst))
}

/// When the job released at `released` is finished at the latest, if that is not before `finish`.
fn last_finish(
    own: &TaskModel,
    higher: &[TaskModel],
    (mut finish, released): (u64, u64),
    work: &mut Work,
) -> Result<u64, Exhausted> {
    let own_work = own.released_by(released);
    loop {
        work.spend(higher.len() + 1)?;
        let others = higher.iter().map(|task| task.released_before(finish));
        let next = others.fold(own_work, u128::saturating_add);
        let next = u64::try_from(next).map_err(|_| Exhausted)?;
        if next <= finish {
            return Ok(finish);
        }
        finish = next;
    }
}

/// Whether all deadlines are kept by the earliest deadline first (EDF). D may be less or more than T.
///
/// Exact for sporadic tasks, and for periodic ones released together: the processor demand test, by
/// quick processor-demand analysis (QPA: F. Zhang and A. Burns, "Schedulability analysis for
/// real-time systems with EDF scheduling", IEEE Trans. Computers 58(9), 2009). `work` steps are allowed,
/// one for each task per length looked at.
#[must_use]
pub fn qpa(tasks: &[TaskModel], work: u64) -> Verdict {
    let utilization = Utilization::of(tasks);
    let load = match utilization.compare(tasks.iter().copied()) {
        None => return Verdict::Unknown,
        Some(Ordering::Greater) => return Verdict::Overloaded,
        Some(load) => load,
    };
    let Some(low) = tasks.iter().map(TaskModel::deadline).min() else {
        return Verdict::Schedulable;
    };
    let mut work = Work::new(work);
    let found = Growth::new(tasks, utilization, load, &mut work)
        .and_then(|growth| growth.horizon(0, &mut work))
        .and_then(|high| find_excess(tasks, 0, (low, high), &mut work));
    verdict(found)
}

//! Tests for jobs that run to their end once started, as this crate's scheduler runs them.
//!
//! A job may find another running that is less urgent, and that started before it was released: by at
//! least one tick, so that it still takes its C − 1 at most. (In continuous time it would be C.)

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::demand::{find_excess, verdict, Growth};
use super::{hyperperiod, Excess, Exhausted, Response, TaskModel, Utilization, Verdict, Work};

/// The worst response time of each task under fixed priorities, that of the list. D may exceed T.
///
/// Exact for sporadic tasks. After R. Davis, A. Burns, R. Bril and J. Lukkien, "Controller Area Network
/// (CAN) schedulability analysis: Refuted, revisited and revised", Real-Time Systems 35, 2007: every job
/// in the level-i busy period is looked at. If that has no end, because tasks up to i use the
/// processor fully, the pattern repeats after their hyperperiod. `work` steps are allowed for each
/// task; one for each task per iteration.
#[must_use]
pub fn response_times(tasks: &[TaskModel], work: u64) -> Vec<Response> {
    let mut utilization = Utilization::default();
    let response = |(own, task)| {
        utilization.add(task);
        let (level, lower) = tasks.split_at(own + 1);
        let level = Level { tasks: level, own, utilization, blocking: blocking(lower) };
        let found = level.response(TaskModel::NEVER, &mut Work::new(work));
        found.unwrap_or(Response::Unknown)
    };
    tasks.iter().enumerate().map(response).collect()
}

/// What a less urgent job may still take after the release of another.
pub(crate) fn blocking(lower: &[TaskModel]) -> u64 {
    lower.iter().map(|task| task.wcet() - 1).max().unwrap_or(0)
}

/// A task and those that go before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level<'a> {
    /// The tasks of the level, the one in question among them.
    pub(crate) tasks: &'a [TaskModel],
    pub(crate) own: usize,
    pub(crate) utilization: Utilization,
    pub(crate) blocking: u64,
}

impl Level<'_> {
    /// The worst response time; from the first that exceeds `limit` on, others are not looked for.
    pub(crate) fn response(&self, limit: u64, work: &mut Work) -> Result<Response, Exhausted> {
        work.spend(self.tasks.len())?;
        let own = self.tasks[self.own];
        let jobs = match self.utilization.compare(self.tasks.iter().copied()).ok_or(Exhausted)? {
            Ordering::Greater => return Ok(Response::Unbounded),
            // The others take all the time there is.
            Ordering::Equal if !own.repeats() => return Ok(Response::Unbounded),
            Ordering::Equal => hyperperiod(self.tasks).map(|whole| whole / own.period()),
            Ordering::Less => None,
        };
        let (mut worst, mut start, mut busy) = (0, self.blocking, 1);
        let mut released = 0_u64; // By the job in question's own releases.
        for _ in 0..jobs.unwrap_or(u64::MAX) {
            start = self.start(start, released, work)?;
            let finish = start.checked_add(own.wcet()).ok_or(Exhausted)?;
            worst = worst.max(finish - released);
            if worst > limit || !own.repeats() {
                break;
            }
            released = released.checked_add(own.period()).ok_or(Exhausted)?;
            if self.ends_by(&mut busy, released, work)? {
                break;
            }
            start = finish;
        }
        Ok(Response::Bounded(worst))
    }

    /// When the job released at `released` starts at the latest, if that is not before `start`.
    fn start(&self, mut start: u64, released: u64, work: &mut Work) -> Result<u64, Exhausted> {
        let own = self.tasks[self.own];
        // A job's own predecessors are those released before it.
        let before = own.released_before(released).saturating_add(self.blocking.into());
        loop {
            work.spend(self.tasks.len())?;
            let (left, right) = (&self.tasks[..self.own], &self.tasks[self.own + 1..]);
            let others = left.iter().chain(right).map(|task| task.released_by(start));
            let next = others.fold(before, u128::saturating_add);
            let next = u64::try_from(next).map_err(|_| Exhausted)?;
            if next <= start {
                return Ok(start);
            }
            start = next;
        }
    }

    /// Whether the busy period, of which `busy` is a lower bound, has ended by `instant`.
    fn ends_by(&self, busy: &mut u64, instant: u64, work: &mut Work) -> Result<bool, Exhausted> {
        while *busy <= instant {
            work.spend(self.tasks.len())?;
            let released = self.released_before(*busy);
            match u64::try_from(released) {
                Ok(next) if next <= *busy => return Ok(true),
                Ok(next) => *busy = next,
                Err(_) => return Err(Exhausted),
            }
        }
        Ok(false)
    }

    /// The blocking, and all work of the level released in `[0, length)`.
    pub(crate) fn released_before(&self, length: u64) -> u128 {
        let released = self.tasks.iter().map(|task| task.released_before(length));
        released.fold(self.blocking.into(), u128::saturating_add)
    }
}

/// Whether all deadlines are kept by the earliest deadline first (EDF). D may be less or more than T.
///
/// Exact for sporadic tasks: the work due in an interval, and a job with a later deadline that
/// started before it, fit in every interval (K. Jeffay, D. Stanat and C. Martel, "On non-preemptive
/// scheduling of periodic and sporadic tasks", RTSS 1991; L. George, N. Rivierre and M. Spuri,
/// "Preemptive and non-preemptive real-time uniprocessor scheduling", INRIA RR-2966, 1996). Intervals are
/// searched by QPA. `work` steps are allowed, one for each task per length looked at.
#[must_use]
pub fn edf(tasks: &[TaskModel], work: u64) -> Verdict {
    let mut sorted = tasks.to_vec();
    sorted.sort_unstable_by_key(TaskModel::deadline);
    let utilization = Utilization::of(&sorted);
    match utilization.compare(sorted.iter().copied()) {
        None => Verdict::Unknown,
        Some(Ordering::Greater) => Verdict::Overloaded,
        Some(load) => verdict(find_late(&sorted, 0, (utilization, load), &mut Work::new(work))),
    }
}

/// Looks for an interval in which more is to be done than fits, if any may be blocked for `least`.
/// `tasks` are sorted by deadline.
pub(crate) fn find_late(
    tasks: &[TaskModel],
    least: u64,
    (utilization, load): (Utilization, Ordering),
    work: &mut Work,
) -> Result<Option<Excess>, Exhausted> {
    let Some(last) = tasks.last() else { return Ok(None) };
    // Longer intervals are not blocked by any task.
    let growth = Growth::new(tasks, utilization, load, work)?;
    let high = growth.horizon(least, work)?;
    if let excess @ Some(_) = find_excess(tasks, least, (last.deadline(), high), work)? {
        return Ok(excess);
    }
    // From the longest deadline down: in which lengths is the blocking the same?
    let (mut rest, mut high) = (tasks, last.deadline());
    let mut blocking = least.max(last.wcet() - 1);
    while let Some((task, shorter)) = rest.split_last() {
        let is_last = shorter.is_empty();
        if task.wcet() - 1 > blocking || is_last {
            let low = task.deadline();
            let below = high.min(growth.horizon(blocking, work)?);
            let due = tasks.partition_point(|task| task.deadline() < below);
            if let excess @ Some(_) = find_excess(&tasks[..due], blocking, (low, below), work)? {
                return Ok(excess);
            }
            (high, blocking) = (low, blocking.max(task.wcet() - 1));
        }
        rest = shorter;
    }
    Ok(None)
}

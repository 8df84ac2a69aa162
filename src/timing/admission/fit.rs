//! Fixed priorities: who still keeps the deadline when one more task comes, found at little cost.
//!
//! Let F(t) be the blocking of a task and all work of its level released in `[0, t)`. If F(t) ≤ t for some
//! t from 1 to D, the busy period has ended by then, and with it every job that was released in it: none
//! has taken longer than D. Such a t is remembered with the room t − F(t): as long as that suffices for
//! what comes, one comparison proves anew that the deadline is kept. Only else the analysis is done.

use super::{AdmissionControl, Rank, Rejection, Share};
use crate::timing::analysis::nonpreemptive::{blocking, Level};
use crate::timing::analysis::{Exhausted, Response, TaskModel, Utilization, Work};

/// A time in which all work of a task's level fits, with room to spare.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    length: u64,
    /// What is left of it; the blocking is to fit in here.
    room: u64,
}

impl Fit {
    /// The fit with one more task in the level, if it still is one.
    pub(super) fn with(self, task: &TaskModel) -> Option<Fit> {
        let released = u64::try_from(task.released_before(self.length)).ok()?;
        Some(Fit { room: self.room.checked_sub(released)?, ..self })
    }

    /// The fit with one task less in the level, one whose work it contains.
    pub(super) fn without(self, task: &TaskModel) -> Fit {
        let released = u64::try_from(task.released_before(self.length)).unwrap_or(0);
        Fit { room: self.room.saturating_add(released), ..self }
    }

    /// Whether it holds with this blocking.
    fn suffices(self, blocking: u64) -> bool {
        self.room >= blocking
    }

    /// The fit of this length, if it is one.
    fn of_length(
        level: &Level<'_>,
        length: u64,
        work: &mut Work,
    ) -> Result<Option<Fit>, Exhausted> {
        let needed = needed(level, length, work)?;
        // In no time at all no job is done.
        Ok(needed.filter(|needed| *needed <= length && length > 0).map(|needed| {
            let room = length - needed + level.blocking;
            Fit { length, room }
        }))
    }

    /// Finds one, with much room if that is easy; not finding one proves nothing.
    fn find(level: &Level<'_>, work: &mut Work) -> Result<Option<Fit>, Exhausted> {
        let longest = level.tasks[level.own].deadline();
        if let fit @ Some(_) = Fit::of_length(level, longest, work)? {
            return Ok(fit); // There is most room, most often.
        }
        // The shortest, from below.
        let mut length = 1;
        for _ in 0..ATTEMPTS {
            match needed(level, length, work)? {
                Some(next) if next <= length => {
                    let length = next_release(level, length).min(longest);
                    return Fit::of_length(level, length, work);
                }
                Some(next) if next <= longest => length = next,
                _ => break,
            }
        }
        Ok(None)
    }
}

/// Steps upwards to the shortest fit, which takes hardly more than ten unless there is no room at all.
const ATTEMPTS: usize = 32;

/// The next instant at which a task of the level is released; until then there is only more room.
fn next_release(level: &Level<'_>, length: u64) -> u64 {
    let next = |task: &TaskModel| length.div_ceil(task.period()).saturating_mul(task.period());
    level.tasks.iter().map(next).min().unwrap_or(length)
}

/// The blocking and all work of the level released in `[0, length)`; `None` if it does not fit.
fn needed(level: &Level<'_>, length: u64, work: &mut Work) -> Result<Option<u64>, Exhausted> {
    work.spend(level.tasks.len())?;
    Ok(u64::try_from(level.released_before(length)).ok())
}

/// The blocking of each member, from the least urgent up.
struct Blocking {
    /// By those that are less urgent than the one looked at, and by those that are not more urgent.
    less: u64,
    not_more: u64,
    rank: Option<Rank>,
}

impl Blocking {
    /// Everybody may be blocked for `least`.
    fn new(least: u64) -> Self {
        Blocking { less: least, not_more: least, rank: None }
    }

    fn next(&mut self, rank: Rank, task: &TaskModel) -> u64 {
        if self.rank != Some(rank) {
            (self.less, self.rank) = (self.not_more, Some(rank));
        }
        self.not_more = self.not_more.max(task.wcet() - 1);
        self.less
    }
}

impl AdmissionControl {
    /// The response times of the trial with the new task at `position`: of those whom it affects.
    pub(super) fn check_responses(
        &self,
        share: &mut Share,
        position: usize,
        work: &mut Work,
    ) -> Result<Option<Rejection>, Exhausted> {
        let own_blocking = blocking(&self.models[position..]).max(self.sleep_ns);
        let level = self.trial_level(position, position + 1, own_blocking);
        share.fit = Fit::find(&level, work)?;
        if share.fit.is_none() {
            if let Some(late_by_ns) = late_by(&level, work)? {
                return Ok(Some(Rejection::Deadline { task: None, late_by_ns }));
            }
        }
        let mut blockings = Blocking::new(self.sleep_ns);
        for index in (0..self.members.len()).rev() {
            let (member, model) = (&self.members[index], &self.models[index]);
            let mut blocking = blockings.next(member.rank, model);
            let mut fit = member.fit;
            work.spend(1)?;
            if member.rank >= share.rank {
                fit = fit.and_then(|fit| fit.with(&share.model));
            } else if share.model.wcet() - 1 > blocking {
                blocking = share.model.wcet() - 1;
            } else {
                continue;
            }
            if member.has_left || fit.is_some_and(|fit| fit.suffices(blocking)) {
                continue;
            }
            let is_behind = usize::from(index >= position);
            let joins = usize::from(member.rank >= share.rank);
            let end = self.position_of(member.rank) + joins;
            let level = self.trial_level(index + is_behind, end, blocking);
            if let Some(late_by_ns) = late_by(&level, work)? {
                return Ok(Some(Rejection::Deadline { task: Some(member.id), late_by_ns }));
            }
        }
        Ok(None)
    }

    /// The trial's tasks up to `end`, seen from one of them.
    fn trial_level(&self, own: usize, end: usize, blocking: u64) -> Level<'_> {
        let tasks = &self.trial[..end];
        Level { tasks, own, utilization: Utilization::of(tasks), blocking }
    }

    /// Finds fits for those who have none, as far as a check's work goes.
    pub(super) fn renew_fits(&mut self) {
        let mut work = Work::new(Self::WORK);
        let mut blockings = Blocking::new(self.sleep_ns);
        for index in (0..self.members.len()).rev() {
            let (member, model) = (&self.members[index], &self.models[index]);
            let rank = member.rank;
            let blocking = blockings.next(rank, model);
            let has_fit = member.fit.is_some_and(|fit| fit.suffices(blocking));
            if has_fit || model.deadline() == TaskModel::NEVER {
                continue;
            }
            let tasks = &self.models[..self.position_of(rank)];
            let utilization = Utilization::default(); // A fit needs none.
            let level = Level { tasks, own: index, utilization, blocking };
            let Ok(fit) = Fit::find(&level, &mut work) else { return };
            self.members[index].fit = fit;
        }
    }
}

/// By how much the task in question is late, if it is.
fn late_by(level: &Level<'_>, work: &mut Work) -> Result<Option<u64>, Exhausted> {
    let deadline = level.tasks[level.own].deadline();
    if deadline == TaskModel::NEVER || Fit::of_length(level, deadline, work)?.is_some() {
        return Ok(None);
    }
    Ok(match level.response(deadline, work)? {
        Response::Bounded(response) => response.checked_sub(deadline).filter(|late| *late > 0),
        Response::Unbounded => Some(u64::MAX),
        Response::Unknown => return Err(Exhausted),
    })
}

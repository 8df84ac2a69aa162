//! Admission control: whether one more task fits, kept up to date while tasks come and go.

mod fit;
mod rejection;

use alloc::vec::Vec;
use core::cmp::Ordering;

use fit::Fit;
pub use rejection::{Rejection, UnknownCause};

use super::analysis::nonpreemptive::find_late;
use super::analysis::{Excess, Exhausted, TaskModel, Utilization, Work};
use crate::policy::Policy;
use crate::task::{Priority, TaskId};

/// Which tasks are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Admission {
    /// None.
    #[default]
    Off,
    /// Periodic and sporadic tasks that would bring ΣC/T above 1. This is necessary only: tasks that are
    /// admitted may still miss deadlines. Those without a WCET count nothing, nor do one-shots.
    Utilization,
    /// Tasks that might make any admitted task miss its deadline, themselves included, by the
    /// non-preemptive response-time analysis under fixed priorities and by the demand test under
    /// [`Policy::EarliestDeadlineFirst`]; see [`analysis::nonpreemptive`](crate::analysis::nonpreemptive).
    ///
    /// A task without a declared WCET is refused. The deadline of a repeating task without one is its
    /// period; a one-shot counts as a task with a single job, until it has run. Tasks of equal
    /// urgency count as more urgent than each other, which is on the safe side.
    ///
    /// What a test assumes: jobs take no longer than declared, overhead included, and are released at
    /// any time from outside; ticks come as soon as something is released, or at the next multiple of
    /// [`Config::tick_rate_ns`](crate::Config::tick_rate_ns), as the `run*` methods have it. A job that a
    /// running job releases at its own start (`Context::schedule` with delay 0, `Context::trigger`) may
    /// find 1 ns more of it left than is counted.
    Exact,
}

/// What to do about a task when its test comes to no verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum UnknownVerdict {
    /// Refuse it.
    #[default]
    Refuse,
    /// Accept it. Its deadline, and others, may be missed.
    Accept,
}

/// Decides whether tasks fit on one processor. A scheduler has one, see
/// [`Config::admission`](crate::Config::admission); use your own to place tasks on several.
///
/// A task that goes keeps its share until the processor is idle, if jobs are running or waiting
/// meanwhile: what it has taken of their time cannot be given to another. Whoever runs the jobs tells
/// by [`set_busy`](Self::set_busy); without that shares are free at once. So its size is bounded by
/// the tasks admitted since the processor was idle.
///
/// ```
/// use nanosecond_scheduler::analysis::TaskModel;
/// use nanosecond_scheduler::{
///     Admission, AdmissionControl, Policy, Priority, Rejection, TaskId, UnknownVerdict,
/// };
///
/// let mut control =
///     AdmissionControl::new(Admission::Exact, Policy::RateMonotonic, UnknownVerdict::Refuse);
/// for (number, task) in [TaskModel::new(2, 5, 5)?, TaskModel::new(3, 7, 7)?].into_iter().enumerate() {
///     let share = control.check(task, Priority::Normal)?;
///     control.insert(TaskId::from_bits(number as u64), share);
/// }
/// // If it has just started when both are released, the second ends after 4 + 2 + 3 ns, and after 2 more
/// // that the first one's next job takes meanwhile: 4 ns late.
/// let rejection = control.check(TaskModel::new(5, 100, 100)?, Priority::Normal).unwrap_err();
/// let second = TaskId::from_bits(1);
/// assert_eq!(rejection, Rejection::Deadline { task: Some(second), late_by_ns: 4 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AdmissionControl {
    admission: Admission,
    policy: Policy,
    on_unknown: UnknownVerdict,
    /// For so long an idle processor may leave what is released waiting.
    sleep_ns: u64,
    is_busy: bool,
    utilization: Utilization,
    /// How many members have left.
    left: usize,
    /// The admitted tasks, by rank; `models` are theirs.
    members: Vec<Member>,
    models: Vec<TaskModel>,
    /// The models with the task in question among them; kept for its memory.
    trial: Vec<TaskModel>,
}

/// The policy's key, then the priority: the least is the most urgent.
type Rank = (u64, Priority);

#[derive(Clone, Copy, Debug)]
struct Member {
    id: TaskId,
    rank: Rank,
    /// Why it keeps its deadline, where that can be said shortly.
    fit: Option<Fit>,
    /// It has gone while the processor was busy.
    has_left: bool,
}

/// What a task that fits is to take, for [`AdmissionControl::insert`].
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is taken before `insert`"]
pub struct Share {
    model: TaskModel,
    rank: Rank,
    fit: Option<Fit>,
}

impl AdmissionControl {
    /// Steps that a check may take, each a look at one task, of about 5 ns.
    pub const WORK: u64 = 100_000;

    /// Admits tasks to a processor that runs their jobs by `policy`, without preemption.
    #[must_use]
    pub fn new(admission: Admission, policy: Policy, on_unknown: UnknownVerdict) -> Self {
        AdmissionControl {
            admission,
            policy,
            on_unknown,
            sleep_ns: 0,
            is_busy: false,
            utilization: Utilization::default(),
            left: 0,
            members: Vec::new(),
            models: Vec::new(),
            trial: Vec::new(),
        }
    }

    /// Counts with a processor that, when idle, looks for released jobs at the multiples of `tick_rate_ns`
    /// only, as [`Config::tick_rate_ns`](crate::Config::tick_rate_ns) has it; 0, the default, is at once.
    ///
    /// The worst that comes of it is that all jobs are released right after such a look. That is as if a
    /// less urgent job of `tick_rate_ns` had just started, and as little worse than with one of the others:
    /// the longest of them counts.
    #[must_use]
    pub fn with_tick_rate(mut self, tick_rate_ns: u64) -> Self {
        self.sleep_ns = tick_rate_ns.saturating_sub(1);
        self
    }

    /// Which tasks are refused.
    #[must_use]
    pub fn admission(&self) -> Admission {
        self.admission
    }

    /// Tasks that have a share, those included that have gone since the processor was idle.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task has a share.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a task, in ns, fits together with those admitted. At most [`WORK`](Self::WORK) steps; under
    /// fixed priorities about one for each task, as long as there is room.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] with the reason.
    pub fn check(&mut self, task: TaskModel, priority: Priority) -> Result<Share, Rejection> {
        let mut share = Share { model: task, rank: self.rank(&task, priority), fit: None };
        if self.admission == Admission::Off {
            return Ok(share);
        }
        let load = match self.load_with(&task)? {
            Some(load) => load,
            None => return self.unknown(UnknownCause::Work).map(|()| share),
        };
        if self.admission == Admission::Utilization {
            return Ok(share);
        }
        let position = self.position_of(share.rank);
        self.trial.clone_from(&self.models);
        self.trial.insert(position, task);
        let work = &mut Work::new(Self::WORK);
        let checked = match self.policy {
            Policy::LeastLaxity => return self.unknown(UnknownCause::Policy).map(|()| share),
            Policy::EarliestDeadlineFirst => self.check_demand(&task, position, load, work),
            _ => self.check_responses(&mut share, position, work),
        };
        match checked {
            Ok(None) => Ok(share),
            Ok(Some(rejection)) => Err(rejection),
            Err(Exhausted) => self.unknown(UnknownCause::Work).map(|()| share),
        }
    }

    /// Admits a task that has just been checked. O(tasks), but if there is hardly any room as long as
    /// a check.
    pub fn insert(&mut self, id: TaskId, share: Share) {
        if self.admission == Admission::Off {
            return;
        }
        let Share { model, rank, fit } = share;
        let position = self.position_of(rank);
        self.utilization.add(&model);
        for member in self.members.iter_mut().filter(|member| member.rank >= rank) {
            member.fit = member.fit.and_then(|fit| fit.with(&model));
        }
        self.members.insert(position, Member { id, rank, fit, has_left: false });
        self.models.insert(position, model);
        if self.has_fixed_priorities() && self.admission == Admission::Exact {
            self.renew_fits();
        }
    }

    /// Takes back what [`insert`](Self::insert) has given to a task, at once or, while the processor is
    /// busy, as soon as it is idle. Other ids are ignored. O(tasks).
    pub fn remove(&mut self, id: TaskId) {
        let is_it = |member: &Member| member.id == id && !member.has_left;
        let Some(position) = self.members.iter().position(is_it) else { return };
        self.members[position].has_left = true;
        self.left += 1;
        if !self.is_busy || self.admission != Admission::Exact {
            self.settle();
        }
    }

    /// Takes back all shares. No job may be running.
    pub fn clear(&mut self) {
        self.members.clear();
        self.models.clear();
        self.utilization = Utilization::default();
        self.left = 0;
        self.is_busy = false;
    }

    /// Tells whether a job is running, or released and waiting. When none is, the shares of the tasks that
    /// have gone meanwhile are free.
    #[inline]
    pub fn set_busy(&mut self, is_busy: bool) {
        if self.is_busy != is_busy {
            self.is_busy = is_busy;
            if !is_busy && self.left > 0 {
                self.settle();
            }
        }
    }

    /// Takes back the shares of those who have left. O(tasks), and for each of those O(tasks that stay).
    #[inline(never)]
    fn settle(&mut self) {
        let mut stay = 0;
        for index in 0..self.members.len() {
            if !self.members[index].has_left {
                self.members.swap(stay, index);
                self.models.swap(stay, index);
                stay += 1;
            }
        }
        let (members, left) = self.members.split_at_mut(stay);
        for (gone, model) in left.iter().zip(&self.models[stay..]) {
            self.utilization.subtract(model);
            let first = members.partition_point(|member| member.rank < gone.rank);
            for member in &mut members[first..] {
                member.fit = member.fit.map(|fit| fit.without(model));
            }
        }
        self.members.truncate(stay);
        self.models.truncate(stay);
        self.left = 0;
    }

    /// What follows if a test comes to no verdict.
    pub(crate) fn unknown(&self, cause: UnknownCause) -> Result<(), Rejection> {
        match self.on_unknown {
            UnknownVerdict::Refuse => Err(Rejection::Unknown(cause)),
            UnknownVerdict::Accept => Ok(()),
        }
    }

    fn rank(&self, task: &TaskModel, priority: Priority) -> Rank {
        let key = match self.policy {
            Policy::Priority => 0,
            Policy::RateMonotonic => task.period(),
            Policy::EarliestDeadlineFirst | Policy::DeadlineMonotonic | Policy::LeastLaxity => {
                task.deadline()
            }
        };
        (key, priority)
    }

    fn has_fixed_priorities(&self) -> bool {
        use Policy::{DeadlineMonotonic, Priority, RateMonotonic};
        matches!(self.policy, Priority | RateMonotonic | DeadlineMonotonic)
    }

    /// The place behind all tasks of at least this urgency.
    fn position_of(&self, rank: Rank) -> usize {
        self.members.partition_point(|member| member.rank <= rank)
    }

    /// How the utilization with one more task compares with 1; above it is a rejection.
    fn load_with(&self, task: &TaskModel) -> Result<Option<Ordering>, Rejection> {
        let mut utilization = self.utilization;
        utilization.add(task);
        let tasks = self.models.iter().chain([task]).copied();
        match utilization.compare(tasks) {
            Some(Ordering::Greater) => {
                Err(Rejection::Utilization { excess_ppm: utilization.excess_ppm() })
            }
            load => Ok(load),
        }
    }

    /// The demand test of the trial, with the new task at `position`.
    fn check_demand(
        &self,
        task: &TaskModel,
        position: usize,
        load: Ordering,
        work: &mut Work,
    ) -> Result<Option<Rejection>, Exhausted> {
        let mut utilization = self.utilization;
        utilization.add(task);
        let found = find_late(&self.trial, self.sleep_ns, (utilization, load), work)?;
        Ok(found.map(|Excess { interval, by }| {
            let is_due = |task: &TaskModel| {
                interval.checked_sub(task.deadline()).is_some_and(|past| past % task.period() == 0)
            };
            let late = self.trial.iter().position(is_due).unwrap_or(position);
            Rejection::Deadline { task: self.trial_id(late, position), late_by_ns: by }
        }))
    }

    /// The id of a task of the trial, if it is not the new one.
    fn trial_id(&self, index: usize, position: usize) -> Option<TaskId> {
        match index.cmp(&position) {
            Ordering::Less => Some(self.members[index].id),
            Ordering::Equal => None,
            Ordering::Greater => Some(self.members[index - 1].id),
        }
    }
}

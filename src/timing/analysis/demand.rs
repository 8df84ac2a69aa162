//! The demand test of EDF: in no interval may more work be due than fits.

use core::cmp::Ordering;

use super::{hyperperiod, Exhausted, TaskModel, Utilization, Verdict, Work};

/// More work in an interval than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// The interval's length, at which a deadline is.
    pub(crate) interval: u64,
    pub(crate) by: u64,
}

/// Looks for a length from `low` to below `high` in which `blocking` and the work due take longer. At
/// `low` is a deadline, and `tasks` are those due before `high`, at least.
///
/// It goes down: if the demand h(t) ≤ t, no length from h(t) to t is exceeded either, because h does
/// not decrease (QPA: Zhang and Burns, "Schedulability Analysis for Real-Time Systems with EDF
/// Scheduling", IEEE Trans. Computers 58(9), 2009).
pub(crate) fn find_excess(
    tasks: &[TaskModel],
    blocking: u64,
    (low, high): (u64, u64),
    work: &mut Work,
) -> Result<Option<Excess>, Exhausted> {
    let mut next = high.checked_sub(1);
    while let Some(length) = next.filter(|length| *length >= low) {
        work.spend(tasks.len())?;
        let due = tasks.iter().map(|task| task.due_by(length)).fold(0, u128::saturating_add);
        let demand = due.saturating_add(blocking.into());
        match u64::try_from(demand) {
            Ok(demand) if demand < length => next = Some(demand),
            // Is there a deadline at this very length, the next may be just as full.
            Ok(demand) if demand == length => next = length.checked_sub(1),
            _ => return Ok(Some(excess(tasks, length, demand))),
        }
    }
    Ok(None)
}

/// The demand of `length`, which exceeds it, is that of the last deadline up to there.
fn excess(tasks: &[TaskModel], length: u64, demand: u128) -> Excess {
    let last = |task: &TaskModel| {
        let later = length.checked_sub(task.deadline())?;
        Some(length - later % task.period())
    };
    let interval = tasks.iter().filter_map(last).max().unwrap_or(length);
    let by = u64::try_from(demand - u128::from(interval)).unwrap_or(u64::MAX);
    Excess { interval, by }
}

/// How the work due grows with the length of an interval. The utilization is at most 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth<'a> {
    tasks: &'a [TaskModel],
    utilization: Utilization,
    load: Ordering,
    /// How far the work due in an interval of length t may be ahead of U·t.
    ahead: u128,
}

impl<'a> Growth<'a> {
    pub(crate) fn new(
        tasks: &'a [TaskModel],
        utilization: Utilization,
        load: Ordering,
        work: &mut Work,
    ) -> Result<Self, Exhausted> {
        work.spend(tasks.len())?;
        // It is at most C/T·(t + T − D) and, if there is a single job, C (George, Rivierre and Spuri).
        let ahead = |task: &TaskModel| match task.repeats() {
            true => {
                let early = u128::from(task.period().saturating_sub(task.deadline()));
                (early * u128::from(task.wcet())).div_ceil(task.period().into())
            }
            false => task.wcet().into(),
        };
        let ahead = tasks.iter().map(ahead).fold(0, u128::saturating_add);
        Ok(Growth { tasks, utilization, load, ahead })
    }

    /// A length from which on no interval with this blocking is exceeded, unless a shorter one is.
    pub(crate) fn horizon(&self, blocking: u64, work: &mut Work) -> Result<u64, Exhausted> {
        let ahead = self.ahead.saturating_add(blocking.into());
        if let Some(length) = self.utilization.catches_up(ahead) {
            return Ok(length);
        }
        let ends = self.load == Ordering::Less || self.tasks.iter().all(TaskModel::repeats);
        if blocking == 0 && ends {
            // A job that is late is so before the processor is idle for the first time.
            return busy_period(self.tasks, work);
        }
        // From the last first deadline on, no more becomes due in a hyperperiod than fits.
        let deadlines = self.tasks.iter().map(TaskModel::deadline);
        let last = deadlines.filter(|deadline| *deadline != TaskModel::NEVER).max().unwrap_or(0);
        let horizon = hyperperiod(self.tasks).and_then(|whole| whole.checked_add(last));
        Ok(horizon.unwrap_or(u64::MAX))
    }
}

/// How long the processor is busy if all tasks are released at once, and then as often as they may.
fn busy_period(tasks: &[TaskModel], work: &mut Work) -> Result<u64, Exhausted> {
    let mut length = 1;
    loop {
        work.spend(tasks.len())?;
        let released = tasks.iter().map(|task| task.released_before(length));
        let released = released.fold(0, u128::saturating_add);
        let next = u64::try_from(released).map_err(|_| Exhausted)?;
        if next <= length {
            return Ok(length);
        }
        length = next;
    }
}

/// The verdict on what a search has found.
pub(crate) fn verdict(found: Result<Option<Excess>, Exhausted>) -> Verdict {
    match found {
        Ok(None) => Verdict::Schedulable,
        Ok(Some(Excess { interval, by })) => Verdict::Exceeded { interval, by },
        Err(Exhausted) => Verdict::Unknown,
    }
}

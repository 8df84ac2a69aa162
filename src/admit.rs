//! Admission control in the scheduler: a task as its tests see it.

use crate::attributes::{Due, Repeat};
use crate::engine::Engine;
use crate::error::ScheduleErrorKind;
use crate::task::Task;
use crate::timing::analysis::TaskModel;
use crate::timing::{Admission, Rejection, Share, UnknownCause};

impl Engine {
    /// Checks whether a task may be accepted, and what share it takes then.
    pub(crate) fn admit(
        &mut self,
        task: &Task,
        release: Option<u64>,
    ) -> Result<Option<Share>, ScheduleErrorKind> {
        let Some(admission) = self.admission.get() else { return Ok(None) };
        let is_exact = admission.admission() == Admission::Exact;
        let uncounted = task.attributes.wcet.is_none() || task.attributes.repeat == Repeat::Never;
        if !is_exact && uncounted {
            return Ok(None);
        }
        let model = self.model(task, release);
        let has_known_release = self.has_known_release(task, release);
        let Some(admission) = self.admission.get_mut() else { return Ok(None) };
        let checked = model.and_then(|model| {
            if is_exact && !has_known_release {
                admission.unknown(UnknownCause::Release)?;
            }
            admission.check(model, task.priority)
        });
        checked.map(Some).map_err(ScheduleErrorKind::Rejected)
    }

    /// The task in ns, from its release on. A WCET of 0 ns counts as 1 ns.
    fn model(&self, task: &Task, release: Option<u64>) -> Result<TaskModel, Rejection> {
        let attributes = &task.attributes;
        let wcet = attributes.wcet.ok_or(Rejection::MissingWcet)?.max(1);
        let period = attributes.repeat.period().unwrap_or(TaskModel::NEVER);
        let deadline = attributes.relative_deadline(release.unwrap_or(self.now));
        TaskModel::new(wcet, period, deadline.unwrap_or(TaskModel::NEVER))
            // Jobs without any gap.
            .map_err(|_| Rejection::Utilization { excess_ppm: u64::MAX })
    }

    /// Whether it is known how long after each release the deadline is, and that releases are not
    /// closer than a period.
    fn has_known_release(&self, task: &Task, release: Option<u64>) -> bool {
        let is_absolute = |due| matches!(due, Due::At(_));
        let is_absolute =
            task.attributes.deadline.is_some_and(|deadline| is_absolute(deadline.due));
        release.is_none_or(|release| release >= self.now) && (!is_absolute || task.after.is_empty())
    }
}

//! Accepting tasks: plain ones at once, the others after a look at what they ask for.

use crate::attributes::{Attributes, Details, Progress};
use crate::engine::Engine;
use crate::error::{ScheduleError, ScheduleErrorKind};
use crate::store::Location;
use crate::task::{Priority, Task, TaskId};

impl Engine {
    /// Accepts a task. Delays count from [`now`](Self::now).
    // Inlined, and taken apart at once, so that building a plain task and storing it become one.
    #[inline(always)]
    pub(crate) fn schedule(&mut self, task: Task) -> Result<TaskId, ScheduleError> {
        let Task { closure, start, priority, has_attributes, attributes, after } = task;
        let release = start.release_from(self.now);
        match release {
            Some(release) if !has_attributes && self.is_plain && !self.store.is_full() => {
                let id = self.store.insert(closure, priority);
                self.queue.insert(priority as usize, release, id, self.now, &mut self.store);
                Ok(id)
            }
            _ => {
                let task = Task { closure, start, priority, has_attributes, attributes, after };
                self.schedule_special(task, release)
            }
        }
    }

    /// Accepts a task that is not plain, or says why a task is refused.
    #[inline(never)]
    fn schedule_special(
        &mut self,
        task: Task,
        release: Option<u64>,
    ) -> Result<TaskId, ScheduleError> {
        let admitted = self.refusal(&task, release).and_then(|()| self.admit(&task, release));
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(kind) => return Err(ScheduleError::new(kind, task)),
        };
        let Task { closure, priority, has_attributes, attributes, after, .. } = task;
        let estimator = self.estimator_for(&attributes); // First, as this runs the user's code.
        let id = self.store.insert(closure, priority);
        let mut waits = false;
        if has_attributes || admitted.is_some() {
            let waits_for = self.wait_for(&after, id);
            let is_admitted = admitted.is_some();
            let progress = Progress {
                last_release: release,
                estimator,
                waits_for,
                is_admitted,
                ..Progress::default()
            };
            let details = self.store.set_details(id, Details { attributes, progress });
            let is_timed = details.is_timed();
            self.timed_changed(false, is_timed);
            waits = waits_for > 0;
        }
        if let Some(admitted) = admitted {
            if let Some(admission) = self.admission.get_mut() {
                admission.insert(id, admitted);
            }
        }
        match release {
            Some(release) if !waits => self.enqueue(id, release),
            _ => self.store.set_location(id, Location::NONE),
        }
        Ok(id)
    }

    /// Why a task cannot be accepted, admission aside.
    fn refusal(&self, task: &Task, release: Option<u64>) -> Result<(), ScheduleErrorKind> {
        if let Some(flaw) = task.flaw(release) {
            return Err(flaw);
        }
        if let Some(&id) = task.after.iter().find(|id| !self.store.was_issued(**id)) {
            return Err(ScheduleErrorKind::UnknownPredecessor { id });
        }
        if self.safe_mode && task.priority != Priority::Critical {
            return Err(ScheduleErrorKind::SafeMode);
        }
        if self.store.is_full() {
            return Err(ScheduleErrorKind::Full { capacity: self.capacity });
        }
        Ok(())
    }

    /// The estimator that measures a task: only one that is named and declares no WCET.
    pub(crate) fn estimator_for(&mut self, attributes: &Attributes) -> Option<u32> {
        if attributes.wcet.is_some() {
            return None;
        }
        self.estimators.as_mut()?.index(attributes.name?)
    }
}

//! What a running task may do with its scheduler.

use crate::engine::Engine;
use crate::error::{CancelError, ScheduleError, TriggerError};
use crate::metrics::Metrics;
use crate::strange_loop::Estimates;
use crate::task::{Task, TaskId};
use crate::time::TimePoint;
use crate::window::WindowSummary;

/// A running task's access to its scheduler.
///
/// Not generic over the clock: time stands still at the current decision instant.
pub struct Context<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) id: TaskId,
    pub(crate) release: u64,
}

impl Context<'_> {
    /// Schedules a task; a delay counts from [`now`](Self::now). If it is due at once it competes
    /// within the same tick, under the same order as everybody else.
    ///
    /// # Errors
    ///
    /// As [`Scheduler::schedule`](crate::Scheduler::schedule).
    #[inline(always)]
    pub fn schedule(&mut self, task: impl Into<Task>) -> Result<TaskId, ScheduleError> {
        self.engine.schedule(task.into())
    }

    /// Cancels a pending task. A repeating task that cancels itself ends when its job returns.
    ///
    /// # Errors
    ///
    /// [`CancelError`] if the task is not pending. A running one-shot is not.
    pub fn cancel(&mut self, id: TaskId) -> Result<(), CancelError> {
        self.engine.cancel(id)
    }

    /// Releases a job of a [`Task::sporadic`]; see [`Scheduler::trigger`](crate::Scheduler::trigger).
    ///
    /// # Errors
    ///
    /// As [`Scheduler::trigger`](crate::Scheduler::trigger).
    pub fn trigger(&mut self, id: TaskId) -> Result<TimePoint, TriggerError> {
        self.engine.trigger(id)
    }

    /// Whether a task will run (again).
    #[must_use]
    pub fn is_pending(&self, id: TaskId) -> bool {
        self.engine.is_pending(id)
    }

    /// The decision instant at which this job was found due: read by the tick, not at this call.
    #[must_use]
    pub fn now(&self) -> TimePoint {
        TimePoint::from_nanos(self.engine.now)
    }

    /// The running task.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// When this job was released: at or before [`now`](Self::now).
    #[must_use]
    pub fn release(&self) -> TimePoint {
        TimePoint::from_nanos(self.release)
    }

    /// Records a value in every window of [`Config::windows`](crate::Config::windows) that
    /// [`now`](Self::now) lies in. Without windows it does nothing. O(1) amortised.
    pub fn record(&mut self, value: f64) {
        self.engine.reflection.record(self.engine.now, value);
    }

    /// Number of tasks that have not ended. A one-shot that runs has ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.engine.store.len()
    }

    /// Whether every other task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`Scheduler::next_release`](crate::Scheduler::next_release), but the running task's own next
    /// job is queued only when this one returns.
    #[must_use]
    pub fn next_release(&mut self) -> Option<TimePoint> {
        let next = self.engine.next_release();
        // It may change until the end of the tick, which finds it anew.
        self.engine.queue.forget_next_release();
        next
    }

    /// Drops every pending task. A repeating task that runs ends when its job returns.
    pub fn clear(&mut self) {
        self.engine.clear();
    }

    /// What has been counted and timed up to the tick before this one.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.engine.metrics(self.engine.now)
    }

    /// As [`Scheduler::temporal_overlap`](crate::Scheduler::temporal_overlap).
    #[must_use]
    pub fn temporal_overlap(&self) -> f64 {
        self.engine.reflection.temporal_overlap()
    }

    /// As [`Scheduler::strange_loop`](crate::Scheduler::strange_loop).
    #[must_use]
    pub fn strange_loop(&self) -> Estimates {
        self.engine.reflection.estimates()
    }

    /// As [`Scheduler::windows`](crate::Scheduler::windows).
    pub fn windows(&self) -> impl DoubleEndedIterator<Item = &WindowSummary> {
        self.engine.reflection.windows()
    }

    /// Makes the innermost `run*` method return after this tick.
    pub fn stop(&mut self) {
        self.engine.stop_requested = true;
    }
}

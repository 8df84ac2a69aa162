//! [`SendTask`]: a task that may come from another thread, or run on one.

use core::time::Duration;

use crate::attributes::{DeadlineKind, OnFailure, Repeat};
use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::task::{Priority, Start, Task, TaskId};
use crate::time::TimePoint;

/// A [`Task`] whose closure is `Send`: what a [`Remote`](crate::Remote) takes from other threads,
/// and the only kind that [`Config::parallel`](crate::Config::parallel) may run on another thread.
///
/// The builder methods are those of [`Task`].
#[derive(Debug)]
#[must_use = "a task does nothing until it is scheduled"]
pub struct SendTask(Task);

// SAFETY: a `Task` is not `Send` only because of its closure, and every constructor below requires
// a closure that is; the other fields are plain data.
unsafe impl Send for SendTask {}

// SAFETY: a shared `SendTask` gives no access to its closure.
unsafe impl Sync for SendTask {}

impl SendTask {
    /// See [`Task::new`]. This is the one shape that `parallel` runs elsewhere: the others get a
    /// [`Context`], which stays with the scheduler.
    #[inline(always)]
    pub fn new(body: impl FnOnce() + Send + 'static, delay: Duration) -> Self {
        let start = Start::After(delay);
        SendTask(Task::from_closure(Closure::once_send(body), start, Repeat::Never))
    }

    /// See [`Task::with_context`].
    pub fn with_context(
        body: impl FnOnce(&mut Context<'_>) + Send + 'static,
        delay: Duration,
    ) -> Self {
        SendTask(Task::with_context(body, delay))
    }

    /// See [`Task::periodic`].
    pub fn periodic(body: impl FnMut(&mut Context<'_>) + Send + 'static, period: Duration) -> Self {
        SendTask(Task::periodic(body, period))
    }

    /// See [`Task::sporadic`].
    pub fn sporadic(
        body: impl FnMut(&mut Context<'_>) + Send + 'static,
        min_gap: Duration,
    ) -> Self {
        SendTask(Task::sporadic(body, min_gap))
    }

    /// See [`Task::with_priority`].
    pub fn with_priority(self, priority: Priority) -> Self {
        SendTask(self.0.with_priority(priority))
    }

    /// See [`Task::with_name`].
    pub fn with_name(self, name: &'static str) -> Self {
        SendTask(self.0.with_name(name))
    }

    /// See [`Task::at`].
    pub fn at(self, release: TimePoint) -> Self {
        SendTask(self.0.at(release))
    }

    /// See [`Task::with_delay`].
    pub fn with_delay(self, delay: Duration) -> Self {
        SendTask(self.0.with_delay(delay))
    }

    /// See [`Task::with_missed_tick`].
    pub fn with_missed_tick(self, missed_tick: MissedTick) -> Self {
        SendTask(self.0.with_missed_tick(missed_tick))
    }

    /// See [`Task::with_deadline`].
    pub fn with_deadline(self, relative: Duration) -> Self {
        SendTask(self.0.with_deadline(relative))
    }

    /// See [`Task::with_firm_deadline`].
    pub fn with_firm_deadline(self, relative: Duration) -> Self {
        SendTask(self.0.with_firm_deadline(relative))
    }

    /// See [`Task::with_hard_deadline`].
    pub fn with_hard_deadline(self, relative: Duration) -> Self {
        SendTask(self.0.with_hard_deadline(relative))
    }

    /// See [`Task::with_wcet`].
    pub fn with_wcet(self, wcet: Duration) -> Self {
        SendTask(self.0.with_wcet(wcet))
    }

    /// See [`Task::with_deadline_at`].
    pub fn with_deadline_at(self, kind: DeadlineKind, deadline: TimePoint) -> Self {
        SendTask(self.0.with_deadline_at(kind, deadline))
    }

    /// See [`Task::after`].
    pub fn after(self, predecessors: &[TaskId]) -> Self {
        SendTask(self.0.after(predecessors))
    }

    /// See [`Task::on_failure`].
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        SendTask(self.0.on_failure(on_failure))
    }

    #[cfg(feature = "std")]
    pub(crate) fn has_zero_period(&self) -> bool {
        self.0.attributes.repeat == Repeat::Every(0)
    }
}

impl From<SendTask> for Task {
    #[inline]
    fn from(task: SendTask) -> Task {
        task.0
    }
}

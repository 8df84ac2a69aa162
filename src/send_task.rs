//! [`SendTask`]: a task that may come from another thread, or run on one.

use core::time::Duration;

use crate::attributes::{Deadline, DeadlineKind, OnFailure, Repeat};
use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::error::ScheduleErrorKind;
#[cfg(feature = "realtime")]
use crate::task::TaskId;
use crate::task::{Priority, Start, Task};
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
    #[cfg(feature = "realtime")]
    pub fn with_firm_deadline(self, relative: Duration) -> Self {
        SendTask(self.0.with_firm_deadline(relative))
    }

    /// See [`Task::with_hard_deadline`].
    #[cfg(feature = "realtime")]
    pub fn with_hard_deadline(self, relative: Duration) -> Self {
        SendTask(self.0.with_hard_deadline(relative))
    }

    /// See [`Task::with_wcet`].
    #[cfg(feature = "realtime")]
    pub fn with_wcet(self, wcet: Duration) -> Self {
        SendTask(self.0.with_wcet(wcet))
    }

    /// See [`Task::with_deadline_at`].
    #[cfg(feature = "realtime")]
    pub fn with_deadline_at(self, kind: DeadlineKind, deadline: TimePoint) -> Self {
        SendTask(self.0.with_deadline_at(kind, deadline))
    }

    /// See [`Task::after`].
    #[cfg(feature = "realtime")]
    pub fn after(self, predecessors: &[TaskId]) -> Self {
        SendTask(self.0.after(predecessors))
    }

    /// See [`Task::on_failure`].
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        SendTask(self.0.on_failure(on_failure))
    }

    /// See [`Task::with_period`].
    pub fn with_period(self, period: Duration) -> Self {
        SendTask(self.0.with_period(period))
    }

    /// A task with the attributes of this one and another body, which runs as often.
    pub fn like(&self, body: impl FnMut(&mut Context<'_>) + Send + 'static) -> Self {
        let Task { start, priority, has_attributes, attributes, ref after, .. } = self.0;
        let closure = match attributes.repeat {
            Repeat::Never => Closure::once_with_context(body),
            Repeat::Every(_) | Repeat::Triggered(_) => Closure::repeating(body),
        };
        let after = after.clone();
        SendTask(Task { closure, start, priority, has_attributes, attributes, after })
    }

    /// What the task runs, to be run within a task of another shape.
    #[must_use]
    pub fn into_body(self) -> SendBody {
        SendBody(self.0.closure)
    }

    /// The first release if the task is scheduled at `now`; `None` for a sporadic task.
    ///
    /// # Errors
    ///
    /// The reason why no scheduler would accept the task.
    pub fn release_from(&self, now: TimePoint) -> Result<Option<TimePoint>, ScheduleErrorKind> {
        let release = self.0.start.release_from(now.as_nanos());
        match self.0.flaw(release) {
            Some(flaw) => Err(flaw),
            None => Ok(release.map(TimePoint::from_nanos)),
        }
    }

    /// The priority.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.0.priority
    }

    /// The period, or a sporadic task's least gap; `None` for a one-shot.
    #[must_use]
    pub fn period(&self) -> Option<Duration> {
        self.0.attributes.repeat.period().map(Duration::from_nanos)
    }

    /// Whether its jobs are released by triggers; the first may have a release of its own.
    #[must_use]
    pub fn is_sporadic(&self) -> bool {
        matches!(self.0.attributes.repeat, Repeat::Triggered(_))
    }

    /// The declared worst-case execution time.
    #[must_use]
    pub fn wcet(&self) -> Option<Duration> {
        self.0.attributes.wcet.map(Duration::from_nanos)
    }

    /// The absolute deadline of the job released at `release`, if it was given one.
    #[must_use]
    pub fn deadline_of(&self, release: TimePoint) -> Option<TimePoint> {
        let absolute = self.0.attributes.deadline?.due.absolute(release.as_nanos());
        Some(TimePoint::from_nanos(absolute))
    }

    /// What its deadline is worth, if it was given one.
    #[must_use]
    pub fn deadline_kind(&self) -> Option<DeadlineKind> {
        self.0.attributes.deadline.map(Deadline::kind)
    }

    /// What it does about periods slept through, if it was told.
    #[must_use]
    pub fn missed_tick(&self) -> Option<MissedTick> {
        self.0.attributes.missed_tick
    }

    /// Whether it is to run after others.
    #[must_use]
    pub fn has_predecessors(&self) -> bool {
        !self.0.after.is_empty()
    }

    #[cfg(feature = "std")]
    pub(crate) fn has_zero_period(&self) -> bool {
        self.0.attributes.repeat == Repeat::Every(0)
    }
}

/// The body of a [`SendTask`], taken out with [`SendTask::into_body`].
#[derive(Debug)]
pub struct SendBody(Closure);

// SAFETY: it comes from a `SendTask`, every constructor of which requires a closure that is `Send`.
unsafe impl Send for SendBody {}

impl SendBody {
    /// Runs it as part of the job that `cx` belongs to. A one-shot's is spent then: to run it again
    /// does nothing.
    pub fn run(&mut self, cx: &mut Context<'_>) {
        self.0.run(cx);
    }
}

impl From<SendTask> for Task {
    #[inline]
    fn from(task: SendTask) -> Task {
        task.0
    }
}

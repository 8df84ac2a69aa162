//! What can be scheduled: closures, [`Job`]s and [`SendTask`]s, by one trait.

use std::time::Duration;

use nanosecond_scheduler::{Context, DeadlineKind, Priority, SendBody, SendTask, TimePoint};

use crate::outcome::{Sender, Why};
use crate::token::Running;

/// What a runtime can schedule: a closure `FnOnce() -> T + Send`, a [`Job`], or a
/// [`SendTask`], whose value is `()`. Sealed by its hidden methods.
pub trait IntoJob: Sized {
    /// What the handle gives.
    type Output: Send + 'static;

    /// The attributes, without the body.
    #[doc(hidden)]
    fn outline(&self) -> SendTask;

    #[doc(hidden)]
    fn into_body(self, sender: Sender<Self::Output>) -> Box<dyn Body>;
}

/// What [`schedule_periodic`](crate::NanosecondScheduler::schedule_periodic) takes: a closure
/// `FnMut() + Send`, or a [`SendTask`] that repeats.
pub trait IntoPeriodic {
    /// The task with this period.
    #[doc(hidden)]
    fn into_periodic(self, period: Duration) -> SendTask;
}

impl<F: FnMut() + Send + 'static> IntoPeriodic for F {
    fn into_periodic(mut self, period: Duration) -> SendTask {
        SendTask::periodic(move |_| self(), period)
    }
}

impl IntoPeriodic for SendTask {
    fn into_periodic(self, period: Duration) -> SendTask {
        self.with_period(period)
    }
}

/// A closure that returns a value, with attributes: the builder methods are those of [`SendTask`].
///
/// ```
/// use std::time::Duration;
/// use nanosecond_realtime::{Job, NanosecondScheduler, SchedulerConfig};
///
/// let runtime = NanosecondScheduler::new(SchedulerConfig::default())?;
/// let job = Job::new(|| 6 * 7).with_name("answer").with_delay(Duration::from_micros(200));
/// let handle = runtime.schedule(job)?;
/// assert_eq!(runtime.wait_for_completion(handle)?, 42);
/// # Ok::<(), nanosecond_realtime::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a job does nothing until it is scheduled"]
pub struct Job<F> {
    body: F,
    outline: SendTask,
}

impl<F> Job<F> {
    /// Runs `body` once, as soon as possible.
    pub fn new(body: F) -> Self {
        Job { body, outline: SendTask::new(|| (), Duration::ZERO) }
    }

    /// See [`SendTask::with_priority`].
    pub fn with_priority(self, priority: Priority) -> Self {
        self.shaped(|task| task.with_priority(priority))
    }

    /// See [`SendTask::with_name`].
    pub fn with_name(self, name: &'static str) -> Self {
        self.shaped(|task| task.with_name(name))
    }

    /// See [`SendTask::with_delay`]: the delay counts from the call of `schedule`.
    pub fn with_delay(self, delay: Duration) -> Self {
        self.shaped(|task| task.with_delay(delay))
    }

    /// See [`SendTask::at`]: an instant as [`NanosecondScheduler::now`](crate::NanosecondScheduler::now)
    /// tells them.
    pub fn at(self, release: TimePoint) -> Self {
        self.shaped(|task| task.at(release))
    }

    /// See [`SendTask::with_deadline`].
    pub fn with_deadline(self, relative: Duration) -> Self {
        self.shaped(|task| task.with_deadline(relative))
    }

    /// See [`SendTask::with_firm_deadline`].
    pub fn with_firm_deadline(self, relative: Duration) -> Self {
        self.shaped(|task| task.with_firm_deadline(relative))
    }

    /// See [`SendTask::with_hard_deadline`].
    pub fn with_hard_deadline(self, relative: Duration) -> Self {
        self.shaped(|task| task.with_hard_deadline(relative))
    }

    /// See [`SendTask::with_deadline_at`].
    pub fn with_deadline_at(self, kind: DeadlineKind, deadline: TimePoint) -> Self {
        self.shaped(|task| task.with_deadline_at(kind, deadline))
    }

    /// See [`SendTask::with_wcet`].
    pub fn with_wcet(self, wcet: Duration) -> Self {
        self.shaped(|task| task.with_wcet(wcet))
    }

    fn shaped(self, shape: impl FnOnce(SendTask) -> SendTask) -> Self {
        Job { body: self.body, outline: shape(self.outline) }
    }
}

impl<F, T> IntoJob for F
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn outline(&self) -> SendTask {
        SendTask::new(|| (), Duration::ZERO)
    }

    fn into_body(self, sender: Sender<T>) -> Box<dyn Body> {
        Box::new(Once { body: Some(self), sender })
    }
}

impl<F, T> IntoJob for Job<F>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn outline(&self) -> SendTask {
        self.outline.like(|_| ())
    }

    fn into_body(self, sender: Sender<T>) -> Box<dyn Body> {
        self.body.into_body(sender)
    }
}

impl IntoJob for SendTask {
    type Output = ();

    fn outline(&self) -> SendTask {
        self.like(|_| ())
    }

    fn into_body(self, sender: Sender<()>) -> Box<dyn Body> {
        let repeats = self.period().is_some();
        Box::new(Whole { body: SendTask::into_body(self), repeats, sender })
    }
}

/// What a task runs, with its handle's other end: neither knows the other's type.
pub trait Body: Send {
    /// Runs a job. `running` is told when it has finished, and before its handle is.
    fn run(&mut self, cx: &mut Context<'_>, running: &mut Running<'_>);
    /// It will not run any more.
    fn end(self: Box<Self>, why: Why);
    /// It is at another worker now.
    fn moves(&self, home: usize);
}

struct Once<F, T> {
    body: Option<F>,
    /// Last, so that the handle is told when the body has been dropped, even if that panics.
    sender: Sender<T>,
}

impl<F: FnOnce() -> T + Send, T: Send> Body for Once<F, T> {
    fn run(&mut self, _: &mut Context<'_>, running: &mut Running<'_>) {
        let Some(body) = self.body.take() else { return };
        self.sender.starts();
        let value = body();
        let finish = running.finished();
        self.sender.finishes(value, finish, running.deadline);
    }

    fn end(mut self: Box<Self>, why: Why) {
        self.sender.expects(why);
    }

    fn moves(&self, home: usize) {
        self.sender.moves(home);
    }
}

struct Whole {
    body: SendBody,
    repeats: bool,
    /// Last, as above.
    sender: Sender<()>,
}

impl Body for Whole {
    fn run(&mut self, cx: &mut Context<'_>, running: &mut Running<'_>) {
        self.sender.starts();
        self.body.run(cx);
        let finish = running.finished();
        if !self.repeats {
            self.sender.finishes((), finish, running.deadline);
        } else if cx.is_pending(cx.id()) {
            self.sender.pauses();
        } else {
            self.sender.finishes((), finish, None); // It has cancelled itself.
        }
    }

    fn end(mut self: Box<Self>, why: Why) {
        self.sender.expects(why);
    }

    fn moves(&self, home: usize) {
        self.sender.moves(home);
    }
}

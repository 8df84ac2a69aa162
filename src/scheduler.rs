//! [`Scheduler`]: the public face. Submitting, cancelling, asking; `tick` and `run` have their own
//! files.

use core::fmt;
use core::time::Duration;

use crate::clock::Clock;
#[cfg(feature = "std")]
use crate::clock::DefaultClock;
use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::error::{CancelError, ScheduleError, TriggerError};
use crate::join::{self, JoinHandle};
use crate::task::{Start, Task, TaskId};
use crate::time::TimePoint;
use crate::wait::Waiter;

/// A single-threaded scheduler of one-shot, periodic and sporadic tasks.
///
/// The caller owns the loop and calls [`tick`](Self::tick), or hands it over with
/// [`run`](Self::run). Released tasks run by priority, then release, then submission.
///
/// It is not `Send`, since its tasks need not be; other threads reach it through a
/// [`Remote`](crate::Remote).
pub struct Scheduler<#[cfg(feature = "std")] C = DefaultClock, #[cfg(not(feature = "std"))] C> {
    /// First, and so dropped first: what the dropping of tasks sends is refused.
    #[cfg(feature = "std")]
    pub(crate) inbox: crate::remote::Inbox,
    pub(crate) clock: C,
    pub(crate) engine: Engine,
    pub(crate) max_tasks_per_tick: usize,
    pub(crate) tick_rate_ns: u64,
    pub(crate) waiter: Waiter,
    #[cfg(feature = "std")]
    pub(crate) remote_capacity: usize,
}

#[cfg(feature = "std")]
impl Scheduler {
    /// A scheduler on the [`DefaultClock`].
    ///
    /// # Panics
    ///
    /// If the configuration is invalid, with the message of [`try_new`](Self::try_new).
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::try_new(config).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A scheduler on the [`DefaultClock`].
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the field and its bound.
    pub fn try_new(config: Config) -> Result<Self, ConfigError> {
        Self::with_clock(config, DefaultClock::new())
    }
}

#[cfg(feature = "std")]
impl Default for Scheduler {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl<C: Clock> Scheduler<C> {
    /// A scheduler on a clock of the caller's choice.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the field and its bound.
    pub fn with_clock(config: Config, clock: C) -> Result<Self, ConfigError> {
        config.validate()?;
        let now = clock.now().as_nanos();
        Ok(Scheduler {
            clock,
            engine: Engine::new(&config, now)?,
            max_tasks_per_tick: config.max_tasks_per_tick,
            tick_rate_ns: config.tick_rate_ns,
            waiter: Waiter::new(config.wait),
            #[cfg(feature = "std")]
            remote_capacity: config.remote_capacity,
            #[cfg(feature = "std")]
            inbox: crate::remote::Inbox::default(),
        })
    }

    /// Moves the decision instant to the clock's reading, unless that lies in the past.
    #[inline]
    pub(crate) fn read_clock(&mut self) -> u64 {
        self.engine.now = self.engine.now.max(self.clock.now().as_nanos());
        self.engine.now
    }

    /// Schedules a task; its delay counts from now. O(1) amortised, or O(log n) for a release within
    /// microseconds of now that is out of order; allocates only to grow.
    ///
    /// # Errors
    ///
    /// A [`ScheduleError`], which gives the task back: at
    /// [`Config::capacity`](crate::Config::capacity), for a release beyond [`TimePoint::MAX`], a
    /// period of zero, or any other reason of
    /// [`ScheduleErrorKind`](crate::ScheduleErrorKind).
    #[inline(always)]
    pub fn schedule(&mut self, task: impl Into<Task>) -> Result<TaskId, ScheduleError> {
        let task = task.into();
        // Admission asks whether an absolute release lies in the past.
        let is_admitted = task.has_attributes && self.engine.admission.get().is_some();
        if is_admitted || matches!(task.start, Start::After(_)) {
            self.read_clock();
        }
        self.engine.schedule(task)
    }

    /// Schedules `body` to run once after `delay`, and hands out what it returns.
    ///
    /// # Errors
    ///
    /// As [`schedule`](Self::schedule).
    pub fn schedule_with_result<T: 'static>(
        &mut self,
        body: impl FnOnce() -> T + 'static,
        delay: Duration,
    ) -> Result<JoinHandle<T>, ScheduleError> {
        let (task, mut handle) = join::task_with_result(body, delay);
        handle.id = self.schedule(task)?;
        Ok(handle)
    }

    /// Cancels a pending task. Its closure is dropped before this returns. O(1) amortised; where the task
    /// was admitted, O(admitted tasks).
    ///
    /// # Errors
    ///
    /// [`CancelError`] if the task has run or was cancelled; no other task is affected. An id of
    /// another scheduler is not told apart from one of this one.
    pub fn cancel(&mut self, id: TaskId) -> Result<(), CancelError> {
        self.engine.cancel(id)
    }

    /// Releases the next job of a [`Task::sporadic`]: now, or when its gap since the release before
    /// has passed; tells when. While that job is pending, further triggers count as the same one.
    ///
    /// # Errors
    ///
    /// A [`TriggerError`] if the task is not pending or not sporadic, or if its gap ends beyond
    /// [`TimePoint::MAX`].
    pub fn trigger(&mut self, id: TaskId) -> Result<TimePoint, TriggerError> {
        self.read_clock();
        self.engine.trigger(id)
    }

    /// Whether a task will run (again).
    #[must_use]
    pub fn is_pending(&self, id: TaskId) -> bool {
        self.engine.is_pending(id)
    }

    /// Number of tasks that have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.engine.store.len()
    }

    /// Whether every task has ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The earliest release among pending tasks, exactly; while released tasks wait for their turn
    /// under another [`Policy`](crate::Policy) than `Priority`, the earliest since none did. Tasks that
    /// wait for a trigger or for others have none yet. O(1) amortised; after the
    /// earliest task was cancelled a leaf of up to 1,024 entries may be sorted.
    #[must_use]
    pub fn next_release(&mut self) -> Option<TimePoint> {
        self.engine.next_release()
    }

    /// The clock's reading, never earlier than one seen before.
    #[must_use]
    pub fn now(&self) -> TimePoint {
        self.clock.now().max(TimePoint::from_nanos(self.engine.now))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Drops every pending task. What remotes have sent since the last tick is not pending yet.
    pub fn clear(&mut self) {
        self.engine.clear();
    }

    /// Hands panics of tasks to `handler`, and goes on with the tick. Without a handler
    /// [`tick`](Self::tick) raises the panic again. Where panics abort, neither happens.
    #[cfg(feature = "std")]
    pub fn on_panic(&mut self, handler: impl FnMut(crate::TaskPanic) + 'static) {
        self.engine.on_panic = Some(alloc::boxed::Box::new(handler));
    }
}

impl<C> fmt::Debug for Scheduler<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("pending", &self.engine.store.len())
            .field("now", &TimePoint::from_nanos(self.engine.now))
            .finish_non_exhaustive()
    }
}

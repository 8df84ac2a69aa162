//! What to run, when, and how urgently: [`Task`], [`Priority`], [`TaskId`].

use alloc::vec::Vec;
use core::time::Duration;

use crate::attributes::{Attributes, Deadline, DeadlineKind, Due, OnFailure, Repeat};
use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::error::ScheduleErrorKind;
use crate::time::{checked_nanos, saturating_nanos, TimePoint};

/// Urgency among released tasks; declared from most to least urgent, and ordered that way.
///
/// A released task never runs before a more urgent one that is released too. Lower classes get
/// what the higher ones leave: there is no ageing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Priority {
    /// Before everything else.
    Critical = 0,
    /// Before `Normal`.
    High = 1,
    /// The default.
    #[default]
    Normal = 2,
    /// After everything else.
    Low = 3,
}

impl Priority {
    /// All priorities, from most to least urgent.
    pub const ALL: [Priority; 4] =
        [Priority::Critical, Priority::High, Priority::Normal, Priority::Low];
}

/// A handle to a scheduled task. It stays unique when its slot is reused: a stale handle is
/// refused, never mistaken for a newer task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
// One word instead of two fields, so that it travels in a register.
pub struct TaskId(u64);

impl TaskId {
    /// An id that no task has.
    pub(crate) const NONE: TaskId = TaskId(0);

    #[inline]
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        TaskId((generation as u64) << 32 | index as u64)
    }

    /// The slot in the store.
    #[inline]
    pub(crate) const fn index(self) -> u32 {
        self.0 as u32
    }

    /// Which of the slot's successive tasks.
    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The id as one number, for logs and foreign interfaces.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The id that [`to_bits`](Self::to_bits) came from. Any other number is safe to use and names
    /// no task, or one that is live.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        TaskId(bits)
    }
}

/// When a task's first job is released.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    After(Duration),
    At(TimePoint),
    /// Not before it is triggered.
    OnTrigger,
}

impl Start {
    /// The first release of a task that is scheduled at `now`, in ns: none before a trigger, or beyond
    /// the end of time.
    #[inline(always)]
    pub(crate) fn release_from(self, now: u64) -> Option<u64> {
        match self {
            Start::After(delay) => checked_nanos(delay).and_then(|ns| now.checked_add(ns)),
            Start::At(release) => Some(release.as_nanos()),
            Start::OnTrigger => None,
        }
    }
}

/// A closure with its release, priority and attributes, ready to be scheduled.
///
/// Closures of up to 48 bytes of captures are stored inline; larger ones, or such as need an
/// alignment above 8, are boxed when the task is made.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Priority, Task};
///
/// let task = Task::new(|| println!("late"), Duration::from_millis(5))
///     .with_priority(Priority::Low)
///     .with_name("greeting");
/// ```
#[derive(Debug)]
#[must_use = "a task does nothing until it is scheduled"]
pub struct Task {
    pub(crate) closure: Closure,
    pub(crate) start: Start,
    pub(crate) priority: Priority,
    pub(crate) has_attributes: bool,
    pub(crate) attributes: Attributes,
    /// Tasks that are to finish a job before.
    pub(crate) after: Vec<TaskId>,
}

impl Task {
    /// Runs `body` once, `delay` after the instant at which it is scheduled.
    #[inline(always)]
    pub fn new(body: impl FnOnce() + 'static, delay: Duration) -> Self {
        Self::from_closure(Closure::once(body), Start::After(delay), Repeat::Never)
    }

    /// Like [`new`](Self::new) for a body that schedules, cancels or asks for the time.
    #[inline(always)]
    pub fn with_context(body: impl FnOnce(&mut Context<'_>) + 'static, delay: Duration) -> Self {
        Self::from_closure(Closure::once_with_context(body), Start::After(delay), Repeat::Never)
    }

    /// Runs `body` every `period`, first one period from now; [`with_delay`](Self::with_delay) and
    /// [`at`](Self::at) move the first release. Release k is exactly first + k·period, except
    /// under [`MissedTick::Delay`]. A period of zero is refused by `schedule`.
    pub fn periodic(body: impl FnMut(&mut Context<'_>) + 'static, period: Duration) -> Self {
        let repeat = Repeat::Every(saturating_nanos(period));
        Self::from_closure(Closure::repeating(body), Start::After(period), repeat)
    }

    /// Runs `body` when triggered, but never sooner than `min_gap` after the release before:
    /// an earlier trigger is put off, and triggers until then count as one.
    ///
    /// See [`Scheduler::trigger`](crate::Scheduler::trigger) and [`Context::trigger`].
    pub fn sporadic(body: impl FnMut(&mut Context<'_>) + 'static, min_gap: Duration) -> Self {
        let repeat = Repeat::Triggered(saturating_nanos(min_gap));
        Self::from_closure(Closure::repeating(body), Start::OnTrigger, repeat)
    }

    #[inline(always)]
    pub(crate) fn from_closure(closure: Closure, start: Start, repeat: Repeat) -> Self {
        let has_attributes = repeat != Repeat::Never;
        let attributes = Attributes { repeat, ..Attributes::default() };
        let priority = Priority::Normal;
        Task { closure, start, priority, has_attributes, attributes, after: Vec::new() }
    }

    /// Sets the priority; the default is [`Priority::Normal`].
    #[inline(always)]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Names the task in reports, traces and panics, and for estimates of its execution time.
    #[inline(always)]
    pub fn with_name(mut self, name: &'static str) -> Self {
        self.attributes.name = Some(name);
        self.with_attributes()
    }

    /// Releases the task, or a periodic task's first job, at an instant of the scheduler's clock.
    /// An instant in the past means as soon as possible, in its place in the order.
    #[inline(always)]
    pub fn at(mut self, release: TimePoint) -> Self {
        self.start = Start::At(release);
        self
    }

    /// Releases the task, or a periodic task's first job, `delay` after it is scheduled.
    #[inline(always)]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.start = Start::After(delay);
        self
    }

    /// What to do about periods slept through; without it
    /// [`Config::missed_tick`](crate::Config::missed_tick) decides. One-shot tasks ignore it.
    #[inline(always)]
    pub fn with_missed_tick(mut self, missed_tick: MissedTick) -> Self {
        self.attributes.missed_tick = Some(missed_tick);
        self.with_attributes()
    }

    /// Gives every job the soft deadline release + `relative`: a job that finishes later still
    /// runs, is counted, and is reported to
    /// [`on_deadline_miss`](crate::Scheduler::on_deadline_miss).
    #[inline(always)]
    pub fn with_deadline(self, relative: Duration) -> Self {
        self.with_deadline_of(DeadlineKind::Soft, relative)
    }

    /// Gives every job the firm deadline release + `relative`: as [`with_deadline`](Self::with_deadline),
    /// but a job that has not started by then is skipped and counted.
    #[cfg(feature = "realtime")]
    #[inline(always)]
    pub fn with_firm_deadline(self, relative: Duration) -> Self {
        self.with_deadline_of(DeadlineKind::Firm, relative)
    }

    /// Gives every job the hard deadline release + `relative`: as [`with_deadline`](Self::with_deadline),
    /// but a miss is followed by [`Config::emergency`](crate::Config::emergency).
    #[cfg(feature = "realtime")]
    #[inline(always)]
    pub fn with_hard_deadline(self, relative: Duration) -> Self {
        self.with_deadline_of(DeadlineKind::Hard, relative)
    }

    /// Gives the task an absolute deadline. A repeating task is refused with one: its jobs need
    /// deadlines of their own.
    #[cfg(feature = "realtime")]
    #[inline(always)]
    pub fn with_deadline_at(mut self, kind: DeadlineKind, deadline: TimePoint) -> Self {
        self.attributes.deadline = Some(Deadline::new(kind, Due::At(deadline)));
        self.with_attributes()
    }

    #[inline(always)]
    fn with_deadline_of(mut self, kind: DeadlineKind, relative: Duration) -> Self {
        let due = Due::In(saturating_nanos(relative));
        self.attributes.deadline = Some(Deadline::new(kind, due));
        self.with_attributes()
    }

    /// Declares the worst-case execution time (WCET) of a job. A job that runs longer is an overrun,
    /// which is counted; [`Config::admission`](crate::Config::admission) relies on it.
    #[cfg(feature = "realtime")]
    #[inline(always)]
    pub fn with_wcet(mut self, wcet: Duration) -> Self {
        self.attributes.wcet = Some(saturating_nanos(wcet));
        self.with_attributes()
    }

    /// Holds the task, or a repeating task's first job, back until each of `predecessors` has finished
    /// a job: its only one, or a repeating task's next. It is released then, or at its own release
    /// if that is later. Calls add up.
    ///
    /// A predecessor that has ended by the time of `schedule`, however it ended, counts as finished, and
    /// so does the running job of a one-shot. Ids exist before they are named, so there are no cycles.
    #[cfg(feature = "realtime")]
    pub fn after(mut self, predecessors: &[TaskId]) -> Self {
        self.after.extend_from_slice(predecessors);
        self.with_attributes()
    }

    /// What becomes of the task if a predecessor is cancelled, skipped or panics. Default
    /// [`OnFailure::Cancel`].
    #[inline(always)]
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.attributes.on_failure = on_failure;
        self.with_attributes()
    }

    /// Changes the period of a periodic task, or the least gap of a sporadic one; a first release after
    /// one period moves along. A one-shot stays one.
    pub fn with_period(mut self, period: Duration) -> Self {
        let new = saturating_nanos(period);
        self.attributes.repeat = match self.attributes.repeat {
            Repeat::Never => Repeat::Never,
            Repeat::Triggered(_) => Repeat::Triggered(new),
            Repeat::Every(old) => {
                if matches!(self.start, Start::After(delay) if saturating_nanos(delay) == old) {
                    self.start = Start::After(period);
                }
                Repeat::Every(new)
            }
        };
        self
    }

    #[inline(always)]
    fn with_attributes(mut self) -> Self {
        self.has_attributes = true;
        self
    }

    /// Why no scheduler would accept the task, given its first release.
    pub(crate) fn flaw(&self, release: Option<u64>) -> Option<ScheduleErrorKind> {
        let deadline = self.attributes.deadline;
        let repeat = self.attributes.repeat;
        let is_absolute = deadline.is_some_and(|deadline| matches!(deadline.due, Due::At(_)));
        if release.is_none() && !matches!(self.start, Start::OnTrigger) {
            Some(ScheduleErrorKind::TimeOverflow)
        } else if repeat == Repeat::Every(0) {
            Some(ScheduleErrorKind::ZeroPeriod)
        } else if is_absolute && repeat != Repeat::Never {
            Some(ScheduleErrorKind::AbsoluteDeadline)
        } else {
            None
        }
    }
}

//! What the scheduler and its running tasks share: store, queue, time and counters.
//!
//! The engine does not know the clock's type, and therefore neither does [`Context`]: whoever owns
//! the clock moves [`Engine::now`].

use alloc::boxed::Box;

use crate::config::{Config, MissedTick};
use crate::error::{CancelError, ScheduleError, ScheduleErrorKind, TriggerError};
use crate::metrics::Recorder;
#[cfg(feature = "std")]
use crate::metrics::TickCounts;
use crate::queue::{Entry, Queue};
use crate::store::{Location, Place, Store};
use crate::task::{Attributes, Repeat, Start, Task, TaskId};
use crate::time::{checked_nanos, TimePoint};

/// A deadline that was missed, as told to
/// [`Scheduler::on_deadline_miss`](crate::Scheduler::on_deadline_miss).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineMiss {
    /// The task, which is no longer pending if it was a one-shot.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// The absolute deadline: release + relative deadline.
    pub deadline: TimePoint,
    /// When the job finished.
    pub finished_at: TimePoint,
}

/// A panic that was caught, as told to [`Scheduler::on_panic`](crate::Scheduler::on_panic).
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct TaskPanic {
    /// The task, which is no longer pending: also a repeating task ends with its panic.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// What it panicked with.
    pub payload: Box<dyn core::any::Any + Send>,
}

pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    /// The current decision instant: what is released by now is due. It never steps back.
    pub(crate) now: u64,
    pub(crate) capacity: usize,
    pub(crate) missed_tick: MissedTick,
    pub(crate) recorder: Recorder,
    #[cfg(feature = "parallel")]
    pub(crate) batch: crate::batch::Batch,
    /// Live tasks with a deadline: while there are any, time moves between the jobs of a tick.
    pub(crate) deadlines: usize,
    /// The task whose job runs, or ran last.
    pub(crate) running: TaskId,
    /// Its name.
    pub(crate) running_name: Option<&'static str>,
    pub(crate) stop_requested: bool,
    #[cfg(feature = "std")]
    pub(crate) remote_ids: std::collections::HashMap<u64, TaskId>,
    #[cfg(feature = "std")]
    pub(crate) on_panic: Option<Box<dyn FnMut(TaskPanic)>>,
    pub(crate) on_deadline_miss: Option<Box<dyn FnMut(DeadlineMiss)>>,
}

/// Which task a job is of, for reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) id: TaskId,
    pub(crate) name: Option<&'static str>,
}

impl Engine {
    pub(crate) fn new(config: &Config, now: u64) -> Self {
        Engine {
            store: Store::new(config.capacity),
            queue: Queue::new(),
            now,
            capacity: config.capacity,
            missed_tick: config.missed_tick,
            recorder: Recorder::new(config.metrics, now),
            #[cfg(feature = "parallel")]
            batch: crate::batch::Batch::new(config.parallel),
            deadlines: 0,
            running: TaskId::NONE,
            running_name: None,
            stop_requested: false,
            #[cfg(feature = "std")]
            remote_ids: std::collections::HashMap::new(),
            #[cfg(feature = "std")]
            on_panic: None,
            on_deadline_miss: None,
        }
    }

    /// Accepts a task. Delays count from [`now`](Self::now).
    // Inlined, and taken apart at once, so that building a plain task and storing it become one.
    #[inline(always)]
    pub(crate) fn schedule(&mut self, task: Task) -> Result<TaskId, ScheduleError> {
        let Task { closure, start, priority, has_attributes, attributes } = task;
        let release = match start {
            Start::After(delay) => checked_nanos(delay).and_then(|ns| self.now.checked_add(ns)),
            Start::At(release) => Some(release.as_nanos()),
            Start::OnTrigger => None,
        };
        match release {
            Some(release) if !has_attributes && !self.store.is_full() => {
                let id = self.store.insert(closure, priority);
                self.queue.insert(priority as usize, release, id, self.now, &mut self.store);
                Ok(id)
            }
            _ => {
                let task = Task { closure, start, priority, has_attributes, attributes };
                self.schedule_special(task, release)
            }
        }
    }

    /// Accepts a task with attributes, or says why a task is refused.
    #[inline(never)]
    fn schedule_special(
        &mut self,
        task: Task,
        release: Option<u64>,
    ) -> Result<TaskId, ScheduleError> {
        let refused = if release.is_none() && !matches!(task.start, Start::OnTrigger) {
            Some(ScheduleErrorKind::TimeOverflow)
        } else if task.attributes.repeat == Repeat::Every(0) {
            Some(ScheduleErrorKind::ZeroPeriod)
        } else if self.store.is_full() {
            Some(ScheduleErrorKind::Full { capacity: self.capacity })
        } else {
            None
        };
        if let Some(kind) = refused {
            return Err(ScheduleError::new(kind, task));
        }
        self.deadlines += usize::from(task.attributes.deadline.is_some());
        let id = self.store.insert(task.closure, task.priority);
        self.store.set_attributes(id, task.attributes);
        match release {
            Some(release) => {
                self.store.attributes_mut(id).last_release = Some(release);
                self.enqueue(id, release);
            }
            None => self.store.set_location(id, Location::NONE),
        }
        Ok(id)
    }

    /// Queues the next job of a live task that is not in the queue.
    pub(crate) fn enqueue(&mut self, id: TaskId, release: u64) {
        self.store.set_location(id, Location::RUN);
        let class = self.store.place(id).class();
        self.queue.insert(class, release, id, self.now, &mut self.store);
    }

    pub(crate) fn cancel(&mut self, id: TaskId) -> Result<(), CancelError> {
        let Some((place, closure)) = self.store.remove(id) else { return Err(CancelError) };
        self.queue.cancelled(id, place, &mut self.store);
        self.recorder.cancelled();
        if place.has_attributes() {
            self.ended(&self.store.attributes(id).clone());
        }
        // Last, because dropping what the closure captured runs the user's code.
        drop(closure);
        Ok(())
    }

    /// Forgets what was kept for a task with attributes that is no longer live.
    pub(crate) fn ended(&mut self, attributes: &Attributes) {
        self.deadlines -= usize::from(attributes.deadline.is_some());
        #[cfg(feature = "std")]
        if let Some(number) = attributes.remote {
            self.remote_ids.remove(&number);
        }
    }

    #[inline]
    pub(crate) fn is_pending(&self, id: TaskId) -> bool {
        self.store.contains(id)
    }

    /// Releases the next job of a sporadic task as soon as its gap allows; tells when.
    pub(crate) fn trigger(&mut self, id: TaskId) -> Result<TimePoint, TriggerError> {
        if !self.is_pending(id) {
            return Err(TriggerError::NotPending);
        }
        let place: Place = self.store.place(id);
        if !place.has_attributes() {
            return Err(TriggerError::NotSporadic);
        }
        let now = self.now;
        let attributes = self.store.attributes_mut(id);
        let Repeat::Triggered(gap) = attributes.repeat else {
            return Err(TriggerError::NotSporadic);
        };
        let release = match attributes.last_release {
            // A job is queued already, and this trigger counts as part of it.
            Some(release) if place.location() != Location::NONE => release,
            Some(last) => last.checked_add(gap).ok_or(TriggerError::TimeOverflow)?.max(now),
            None => now,
        };
        if place.location() == Location::NONE {
            attributes.last_release = Some(release);
            self.enqueue(id, release);
        }
        Ok(TimePoint::from_nanos(release))
    }

    /// Whether a job's start is to be recorded: not if it is cancelled, nor if it waits in the batch.
    #[inline]
    pub(crate) fn times_start_of(&self, entry: Entry) -> bool {
        if !self.recorder.times_jobs() || !self.store.is_live(entry.id) {
            return false;
        }
        #[cfg(feature = "parallel")]
        if self.batch.is_enabled() && self.store.is_send(entry.id) {
            return false;
        }
        true
    }

    /// Records the dispatch latency of a job about to run, and for repeating tasks its change.
    #[inline]
    pub(crate) fn record_dispatch(&mut self, entry: Entry, started_at: u64) {
        let latency = started_at - entry.release;
        let mut previous = None;
        if self.store.place(entry.id).has_attributes() {
            previous = self.store.attributes_mut(entry.id).last_latency.replace(latency);
        }
        self.recorder.dispatched(latency, previous);
    }

    /// The job that runs or ran last; afterwards it has no name any more.
    pub(crate) fn running_job(&mut self) -> Job {
        Job { id: self.running, name: self.running_name.take() }
    }

    /// Counts a job's panic and tells the handler. `Err` is for the caller to raise: the panic, if
    /// there is no handler, or else the handler's own.
    #[cfg(feature = "std")]
    pub(crate) fn report_panic(
        &mut self,
        job: Job,
        payload: Box<dyn core::any::Any + Send>,
        counts: &mut TickCounts,
    ) -> Result<(), Box<dyn core::any::Any + Send>> {
        counts.panicked += 1;
        let Some(handle) = &mut self.on_panic else { return Err(payload) };
        let panic = TaskPanic { id: job.id, name: job.name, payload };
        // Unwind safe: the handler owns what it may leave broken, and nothing of ours is borrowed.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| handle(panic)))
    }

    /// The earliest release among pending tasks.
    #[inline]
    pub(crate) fn next_release(&mut self) -> Option<TimePoint> {
        let next = self.queue.next_release(&mut self.store);
        if next == u64::MAX && (self.store.len() == 0 || self.queue.is_empty(&mut self.store)) {
            return None;
        }
        Some(TimePoint::from_nanos(next))
    }

    /// Drops every pending task.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.deadlines = 0;
        #[cfg(feature = "std")]
        self.remote_ids.clear();
        // Dropped last and together: if one panics, the others are still dropped.
        drop(self.store.take_all());
    }

    /// Bytes of store and queue; boxed closures and handlers are not counted.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.store.bytes() + self.queue.bytes()
    }
}

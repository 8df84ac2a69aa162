//! What executor, handles, sleeps and jobs share: the tasks, and the requests to the scheduler.
//!
//! A future that is polled by a job cannot reach the scheduler, which is busy running that job. So it
//! leaves requests, and the job hands them over when the poll has returned.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as PollContext, Poll, Waker};

use nanosecond_scheduler::{
    Clock, Context, Priority, ScheduleError, ScheduleErrorKind, Scheduler, Task, TaskId, TimePoint,
};
use slab::Slab;

use super::handle::SpawnOptions;
use super::job;
use super::sleep::Timer;
use super::task::{Payload, Spawned};
use super::wake::{TaskRef, Wakes};

pub(super) struct Shared {
    clock: Box<dyn Clock>,
    /// The latest instant seen: a clock that steps back is not followed.
    latest: Cell<TimePoint>,
    tasks: RefCell<Slab<Slot>>,
    /// The task that is being polled.
    running: RefCell<Option<Arc<TaskRef>>>,
    requests: RefCell<VecDeque<Request>>,
    /// Timers whose sleeps were dropped.
    cancels: RefCell<Vec<TaskId>>,
    /// Empty between uses: it is kept for its memory.
    batch: RefCell<Vec<Arc<TaskRef>>>,
    is_closed: Cell<bool>,
    pub(super) wakes: Arc<Wakes>,
}

/// A live task.
struct Slot {
    task: Arc<TaskRef>,
    /// `None` while it is being polled.
    future: Option<Spawned>,
    options: SpawnOptions,
    is_cancelled: bool,
}

/// A job to schedule, and the timer that it belongs to. There is at most one for each sleep and each
/// woken task.
type Request = (Task, Option<Rc<Timer>>);

/// Whom requests are handed to: the scheduler, or the context of its running job.
pub(super) trait Host {
    fn schedule(&mut self, task: Task) -> Result<TaskId, ScheduleError>;
    fn cancel(&mut self, id: TaskId);
}

impl<C: Clock> Host for Scheduler<C> {
    fn schedule(&mut self, task: Task) -> Result<TaskId, ScheduleError> {
        self.schedule(task)
    }

    fn cancel(&mut self, id: TaskId) {
        // It may have been cancelled, by `clear` say.
        let _ = self.cancel(id);
    }
}

impl Host for Context<'_> {
    fn schedule(&mut self, task: Task) -> Result<TaskId, ScheduleError> {
        self.schedule(task)
    }

    fn cancel(&mut self, id: TaskId) {
        let _ = self.cancel(id);
    }
}

/// The time in which futures are polled. At its end, also by a panic, requests are handed over.
pub(super) struct Attending<'a, H: Host> {
    shared: &'a Rc<Shared>,
    host: &'a mut H,
}

impl<H: Host> Drop for Attending<'_, H> {
    fn drop(&mut self) {
        self.shared.settle(self.host);
    }
}

/// A poll under way. At its end, also by a panic, a task without a future is removed.
struct Polling<'a> {
    shared: &'a Shared,
    task: &'a Arc<TaskRef>,
    /// Who is polled around it.
    outer: Option<Arc<TaskRef>>,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.shared.running.replace(self.outer.take());
        let mut tasks = self.shared.tasks.borrow_mut();
        if slot(&mut tasks, self.task).is_some_and(|slot| slot.future.is_none()) {
            tasks.remove(self.task.key);
        }
    }
}

/// The slot of a task that is live.
fn slot<'a>(tasks: &'a mut Slab<Slot>, task: &Arc<TaskRef>) -> Option<&'a mut Slot> {
    tasks.get_mut(task.key).filter(|slot| Arc::ptr_eq(&slot.task, task))
}

impl Shared {
    pub(super) fn new(clock: Box<dyn Clock>, wakes: Arc<Wakes>) -> Rc<Self> {
        Rc::new(Shared {
            latest: Cell::new(clock.now()),
            clock,
            tasks: RefCell::default(),
            running: RefCell::default(),
            requests: RefCell::default(),
            cancels: RefCell::default(),
            batch: RefCell::default(),
            is_closed: Cell::new(false),
            wakes,
        })
    }

    pub(super) fn now(&self) -> TimePoint {
        self.reached(self.clock.now());
        self.latest.get()
    }

    /// Tells that it is `now` at least.
    pub(super) fn reached(&self, now: TimePoint) {
        self.latest.set(self.latest.get().max(now));
    }

    pub(super) fn running(&self) -> Option<Arc<TaskRef>> {
        self.running.borrow().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// Adds a task and wakes it. Without its executor it is dropped.
    pub(super) fn insert(&self, future: Spawned, options: SpawnOptions) -> Arc<TaskRef> {
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        let task = TaskRef::new(entry.key(), &self.wakes);
        if !self.is_closed.get() {
            let future = Some(future);
            entry.insert(Slot { task: Arc::clone(&task), future, options, is_cancelled: false });
            drop(tasks);
            Waker::from(Arc::clone(&task)).wake();
        }
        task
    }

    /// Drops a task, at once unless it is being polled.
    pub(super) fn cancel(&self, task: &Arc<TaskRef>) {
        let mut tasks = self.tasks.borrow_mut();
        let Some(slot) = slot(&mut tasks, task) else { return };
        if slot.future.is_none() {
            slot.is_cancelled = true;
            return;
        }
        let slot = tasks.remove(task.key);
        drop(tasks); // The future's drop may come back here.
        drop(slot);
    }

    /// Polls a task, if it is live and nobody has polled it since it was woken; hands out a panic
    /// that nobody waits for.
    pub(super) fn poll(&self, task: &Arc<TaskRef>) -> Option<Payload> {
        if !task.unmark() {
            return None;
        }
        let mut future = slot(&mut self.tasks.borrow_mut(), task)?.future.take()?;
        let outer = self.running.replace(Some(Arc::clone(task)));
        let polling = Polling { shared: self, task, outer };
        let waker = Waker::from(Arc::clone(task));
        let polled = future.as_mut().poll(&mut PollContext::from_waker(&waker));
        let Poll::Ready(unhandled) = polled else {
            self.put_back(task, future);
            return None;
        };
        drop(polling);
        drop(future);
        unhandled
    }

    /// Keeps a pending future, unless its task was cancelled meanwhile.
    fn put_back(&self, task: &Arc<TaskRef>, future: Spawned) {
        let mut tasks = self.tasks.borrow_mut();
        match slot(&mut tasks, task) {
            Some(slot) if !slot.is_cancelled => slot.future = Some(future),
            _ => {
                drop(tasks); // The future's drop may come back here.
                drop(future);
            }
        }
    }

    /// Requests the job that ends a sleep. It is the owner's in all respects; without an owner it
    /// only wakes somebody, which is not to wait for others.
    pub(super) fn request_timer(self: &Rc<Self>, until: TimePoint, timer: Rc<Timer>) {
        let owner = timer.owner.as_ref();
        let options = owner
            .and_then(|owner| self.options(owner))
            .unwrap_or(SpawnOptions::default().with_priority(Priority::Critical));
        let task = job::fire(self, Rc::clone(&timer)).at(until);
        self.request((options.apply(task), Some(timer)));
        self.wakes.request_attention();
    }

    /// The options of a task that is live.
    fn options(&self, task: &Arc<TaskRef>) -> Option<SpawnOptions> {
        slot(&mut self.tasks.borrow_mut(), task).map(|slot| slot.options)
    }

    pub(super) fn cancel_timer(&self, id: TaskId) {
        if !self.is_closed.get() {
            self.cancels.borrow_mut().push(id);
            self.wakes.request_attention();
        }
    }

    fn request(&self, request: Request) {
        if !self.is_closed.get() {
            self.requests.borrow_mut().push_back(request);
        }
    }

    /// Whether requests wait for room in the scheduler.
    pub(super) fn is_stalled(&self) -> bool {
        !self.requests.borrow().is_empty()
    }

    /// From now on futures are polled, which ends with a [`settle`](Self::settle).
    pub(super) fn attend<'a, H: Host>(self: &'a Rc<Self>, host: &'a mut H) -> Attending<'a, H> {
        self.wakes.attend();
        Attending { shared: self, host }
    }

    /// Hands requests over; tells whether there were any. A job that is refused for another reason
    /// than want of room is dropped, which cancels its task.
    pub(super) fn settle<H: Host>(self: &Rc<Self>, host: &mut H) -> bool {
        self.request_polls();
        let mut any = false;
        while let Some(id) = self.next_cancel() {
            any = true;
            host.cancel(id);
        }
        while let Some((task, timer)) = self.next_request() {
            if timer.as_ref().is_some_and(|timer| !timer.is_waiting()) {
                continue;
            }
            match host.schedule(task) {
                Ok(id) => {
                    any = true;
                    if let Some(timer) = timer {
                        timer.scheduled(id);
                    }
                }
                Err(error) if matches!(error.kind(), ScheduleErrorKind::Full { .. }) => {
                    self.requests.borrow_mut().push_front((error.into_task(), timer));
                    return any;
                }
                Err(error) => drop(error),
            }
        }
        any
    }

    fn next_cancel(&self) -> Option<TaskId> {
        self.cancels.borrow_mut().pop()
    }

    fn next_request(&self) -> Option<Request> {
        self.requests.borrow_mut().pop_front()
    }

    /// Requests a poll of every task that was woken, oldest first.
    fn request_polls(self: &Rc<Self>) {
        let mut woken = self.batch.take();
        self.wakes.take(&mut woken);
        for task in woken.drain(..) {
            if let Some(options) = self.options(&task) {
                self.request((options.apply(job::poll(self, task)), None));
            }
        }
        self.batch.replace(woken);
    }

    /// Drops every task, in order, and refuses new ones.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.wakes.close();
        let tasks = mem::take(&mut *self.tasks.borrow_mut());
        let requests = mem::take(&mut *self.requests.borrow_mut());
        drop(requests);
        drop(tasks);
    }
}

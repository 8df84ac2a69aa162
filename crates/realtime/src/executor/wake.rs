//! Wakers: the one part of the executor that other threads touch.
//!
//! The protocol: a waker marks its task as woken, and whoever marks it first queues it. While the
//! executor attends to a job, it looks into the queue before it goes on; at other times the first
//! to queue rings the scheduler's bell. Which it is, is decided under the queue's lock, so that no
//! task lies in the queue unnoticed.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use nanosecond_scheduler::Remote;

/// The key of a future that the executor polls itself, without a job. Its wakes are not queued.
pub(super) const ROOT: usize = usize::MAX;

/// A task as its wakers know it. A pointer to it is its identity; `key` is where to look for it.
pub(super) struct TaskRef {
    pub(super) key: usize,
    is_woken: AtomicBool,
    wakes: Arc<Wakes>,
}

/// Woken tasks, oldest first, and the bell.
pub(super) struct Wakes {
    queue: Mutex<Queue>,
    remote: Remote,
}

/// Each task is queued at most once, which bounds the queue by the number of tasks.
struct Queue {
    woken: Vec<Arc<TaskRef>>,
    /// The executor will look into the queue before it waits.
    is_attended: bool,
    is_closed: bool,
    /// Wakes the foreign executor that drives ours.
    host: Option<Waker>,
}

impl TaskRef {
    pub(super) fn new(key: usize, wakes: &Arc<Wakes>) -> Arc<Self> {
        Arc::new(TaskRef { key, is_woken: AtomicBool::new(false), wakes: Arc::clone(wakes) })
    }

    /// Marks the task as woken; tells whether it was not before.
    pub(super) fn mark(&self) -> bool {
        // Also if it was: the poll to come shall see what happened before this call.
        !self.is_woken.swap(true, Ordering::AcqRel)
    }

    /// Takes the mark away; tells whether there was one.
    pub(super) fn unmark(&self) -> bool {
        self.is_woken.swap(false, Ordering::AcqRel)
    }

    pub(super) fn is_woken(&self) -> bool {
        self.is_woken.load(Ordering::Acquire)
    }
}

impl Wake for TaskRef {
    fn wake(self: Arc<Self>) {
        if !self.mark() {
            return;
        }
        let wakes = Arc::clone(&self.wakes);
        match self.key {
            ROOT => wakes.ring(),
            _ => wakes.push(self),
        }
    }
}

impl Wakes {
    pub(super) fn new(remote: Remote) -> Arc<Self> {
        let queue = Queue { woken: Vec::new(), is_attended: false, is_closed: false, host: None };
        Arc::new(Wakes { queue: Mutex::new(queue), remote })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics under the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, task: Arc<TaskRef>) {
        let mut queue = self.lock();
        if queue.is_closed {
            return;
        }
        queue.woken.push(task);
        let is_unnoticed = queue.woken.len() == 1 && !queue.is_attended;
        drop(queue);
        if is_unnoticed {
            self.ring();
        }
    }

    /// Has the executor look for requests, unless it is about to.
    pub(super) fn request_attention(&self) {
        let is_attended = self.lock().is_attended;
        if !is_attended {
            self.ring();
        }
    }

    fn ring(&self) {
        // A stop, since only that makes the scheduler's loop return to ours.
        self.remote.stop();
        let host = self.lock().host.take();
        if let Some(host) = host {
            host.wake();
        }
    }

    /// From now to the next `take` nobody needs to ring.
    pub(super) fn attend(&self) {
        self.lock().is_attended = true;
    }

    /// Swaps what is woken with `batch`, which is empty.
    pub(super) fn take(&self, batch: &mut Vec<Arc<TaskRef>>) {
        let mut queue = self.lock();
        queue.is_attended = false;
        mem::swap(&mut queue.woken, batch);
    }

    /// Wakes `host`, too, when next the bell is rung.
    pub(super) fn set_host(&self, host: &Waker) {
        let before = self.lock().host.replace(host.clone());
        drop(before); // Not under the lock: it is foreign code.
    }

    /// Queued tasks hold the queue that holds them; from now on there are none.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        let left = (mem::take(&mut queue.woken), queue.host.take());
        drop(queue);
        drop(left);
    }
}

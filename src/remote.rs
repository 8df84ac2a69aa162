//! The door for other threads: [`Remote`] sends requests through a bounded queue, and rings a bell.
//!
//! The protocol: a sender first pushes its request, then rings: it sets `rung` and unparks the
//! owner. The owner first clears `rung`, then pops until the queue is empty. A request is therefore
//! never left in the queue with the bell silent, and an owner that parks after it found the bell
//! silent is woken by the unparker's token, which remembers a call that came in between.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use crate::clock::Clock;
use crate::error::ScheduleErrorKind;
use crate::scheduler::Scheduler;
use crate::send_task::SendTask;
use crate::sync::{
    fence, Arc, ArrayQueue, AtomicBool, AtomicU64, AtomicUsize, CachePadded, Ordering, Parker,
    Unparker,
};

/// The number of a task that was sent through a [`Remote`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteId(u64);

/// Schedules, cancels, wakes and stops a scheduler from any thread. Nothing here blocks.
///
/// Requests take effect, in order, at the scheduler's next tick; a waiting `run*` is woken for it.
/// While a `Remote` is alive [`Scheduler::run`] does not end for want of tasks.
pub struct Remote {
    door: Arc<Door>,
}

/// What remotes and scheduler share.
#[derive(Debug)]
pub(crate) struct Door {
    requests: ArrayQueue<Request>,
    capacity: usize,
    /// In a line of its own, since only senders use it.
    next_number: CachePadded<AtomicU64>,
    signal: Arc<Signal>,
}

#[derive(Debug)]
pub(crate) enum Request {
    Schedule(u64, SendTask),
    Cancel(u64),
}

#[derive(Debug)]
struct Signal {
    /// In a line of its own: it changes hands with every request, and the others hardly ever.
    rung: CachePadded<AtomicBool>,
    stop: AtomicBool,
    closed: AtomicBool,
    remotes: AtomicUsize,
    unparker: Unparker,
}

impl Signal {
    fn ring(&self) {
        // A swap, and so part of the release sequence of rings that nobody answered yet.
        self.rung.swap(true, Ordering::AcqRel);
        self.unparker.unpark();
    }
}

/// Keeps the bell from being silent over requests that a panic has left behind: carrying out a
/// cancel drops a closure, and with it what the user's code captured.
struct RingIfPanicking<'a>(&'a Signal);

impl Drop for RingIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ring();
        }
    }
}

/// The owner's ear: hears the bell, sleeps until it rings.
#[derive(Debug)]
pub(crate) struct Bell {
    signal: Arc<Signal>,
    parker: Parker,
}

impl Bell {
    pub(crate) fn new() -> Self {
        let parker = Parker::new();
        let signal = Signal {
            rung: CachePadded::new(AtomicBool::new(false)),
            stop: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            remotes: AtomicUsize::new(0),
            unparker: parker.unparker().clone(),
        };
        Bell { signal: Arc::new(signal), parker }
    }

    #[inline]
    pub(crate) fn has_rung(&self) -> bool {
        self.signal.rung.load(Ordering::Acquire)
    }

    pub(crate) fn ring(&self) {
        self.signal.ring();
    }

    /// Silences the bell. A swap, since it must also acquire what was pushed before the ring.
    fn answer(&self) {
        self.signal.rung.swap(false, Ordering::AcqRel);
    }

    /// Whether a stop was asked for since the last time.
    pub(crate) fn take_stop(&self) -> bool {
        self.signal.stop.load(Ordering::Relaxed) && self.signal.stop.swap(false, Ordering::AcqRel)
    }

    /// Returns after `time`, or when the bell rings; also early for no reason.
    pub(crate) fn sleep(&self, time: Duration) {
        self.parker.park_timeout(time);
    }

    /// Waits for the bell; `false` at once if it is silent and no remote is left to ring it.
    pub(crate) fn park(&self) -> bool {
        if self.has_rung() {
            return true;
        }
        // Read before parking: the last remote rings after it has signed off.
        let alive = self.has_remotes();
        if alive {
            self.parker.park();
        }
        alive || self.has_rung()
    }

    /// As [`park`](Self::park), but without giving up the processor. Nor does it hint at spinning: on
    /// a virtual machine that took 0.7 µs from a call to its answer.
    pub(crate) fn spin(&self) -> bool {
        while !self.has_rung() {
            if !self.has_remotes() {
                return self.has_rung();
            }
        }
        true
    }

    fn has_remotes(&self) -> bool {
        self.signal.remotes.load(Ordering::Acquire) > 0
    }
}

/// The owner's end of the queue, made when the first remote is.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    door: Option<Arc<Door>>,
    /// Tasks that found the scheduler at its capacity and wait for room; at most as many as the
    /// queue holds.
    stalled: VecDeque<Request>,
}

impl Inbox {
    pub(crate) fn is_stalled(&self) -> bool {
        !self.stalled.is_empty()
    }
}

impl Door {
    /// Drops what is queued after `closed` was set. Sender and owner both do, after a push or the
    /// close and a fence: whichever comes second sees the other's write, so nothing stays behind,
    /// even in a cycle with its own remote.
    fn drop_requests_if_closed(&self) {
        fence(Ordering::SeqCst);
        if self.signal.closed.load(Ordering::SeqCst) {
            while self.requests.pop().is_some() {}
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if let Some(door) = &self.door {
            door.signal.closed.store(true, Ordering::SeqCst);
            door.drop_requests_if_closed();
        }
    }
}

impl<C: Clock> Scheduler<C> {
    /// A handle for other threads.
    pub fn remote(&mut self) -> Remote {
        let signal = &self.waiter.bell.signal;
        let capacity = self.remote_capacity;
        let door = self.inbox.door.get_or_insert_with(|| {
            Arc::new(Door {
                requests: ArrayQueue::new(capacity),
                capacity,
                next_number: CachePadded::new(AtomicU64::new(0)),
                signal: Arc::clone(signal),
            })
        });
        signal.remotes.fetch_add(1, Ordering::AcqRel);
        Remote { door: Arc::clone(door) }
    }

    /// Carries out the requests of remotes, oldest first; tasks for which there is no room wait.
    #[inline]
    pub(crate) fn accept_requests(&mut self) {
        if self.waiter.bell.has_rung() {
            self.waiter.bell.answer();
            self.drain_requests();
        } else {
            self.accept_stalled();
        }
    }

    /// Makes use of room that this tick's jobs have left.
    #[inline]
    pub(crate) fn accept_stalled(&mut self) {
        if self.inbox.is_stalled() {
            self.drain_requests();
        }
    }

    fn drain_requests(&mut self) {
        let Some(door) = self.inbox.door.clone() else { return };
        let _alarm = RingIfPanicking(&door.signal);
        while !self.engine.store.is_full() {
            let Some(request) = self.inbox.stalled.pop_front() else { break };
            self.carry_out(request);
        }
        // At most what the queue held: senders that never pause cannot hold the tick.
        for _ in 0..=door.capacity {
            if self.inbox.stalled.len() == door.capacity {
                return;
            }
            let Some(request) = door.requests.pop() else { return };
            match request {
                Request::Schedule(..) if self.engine.store.is_full() => {
                    self.inbox.stalled.push_back(request);
                }
                // Not behind the tasks that wait: it may be what makes room for them.
                request => self.carry_out(request),
            }
        }
        self.waiter.bell.ring(); // There may be more.
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::Schedule(number, task) => match self.engine.schedule(task.into()) {
                Ok(id) => {
                    self.engine.store.details_of_any(id).progress.remote = Some(number);
                    self.engine.remote_ids.insert(number, id);
                }
                Err(_) => self.engine.recorder.refused_remote(),
            },
            Request::Cancel(number) => {
                if let Some(&id) = self.engine.remote_ids.get(&number) {
                    // The map names live tasks only.
                    let _ = self.engine.cancel(id);
                } else {
                    self.inbox.stalled.retain(
                        |request| !matches!(request, Request::Schedule(n, _) if *n == number),
                    );
                }
            }
        }
    }
}

impl Remote {
    /// Sends a task. Its delay counts from the tick that accepts it; use [`SendTask::at`] for an
    /// instant of the scheduler's clock.
    ///
    /// If the scheduler is at its capacity by then, the task waits for room, and tasks sent after
    /// it too; cancels do not wait. A task that is refused for another
    /// [reason](crate::ScheduleErrorKind) by then is dropped, and counted in
    /// [`Metrics::remote_refused`](crate::Metrics::remote_refused).
    ///
    /// # Errors
    ///
    /// [`RemoteError`], which gives the task back, if the queue is full, the scheduler was dropped,
    /// or the period is zero.
    pub fn schedule(&self, task: SendTask) -> Result<RemoteId, RemoteError> {
        if task.has_zero_period() {
            let kind = RemoteErrorKind::Refused(ScheduleErrorKind::ZeroPeriod);
            return Err(RemoteError { kind, task: Some(Box::new(task)) });
        }
        let number = self.door.next_number.fetch_add(1, Ordering::Relaxed);
        self.send(Request::Schedule(number, task))?;
        Ok(RemoteId(number))
    }

    /// Cancels a task sent before by this remote or a clone, if it is still pending by then.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] if the queue is full or the scheduler was dropped.
    pub fn cancel(&self, id: RemoteId) -> Result<(), RemoteError> {
        self.send(Request::Cancel(id.0))
    }

    /// Makes the scheduler's `run*` method return after its next tick; if none is active, the next.
    pub fn stop(&self) {
        self.door.signal.stop.store(true, Ordering::Release);
        self.door.signal.ring();
    }

    /// Makes a waiting `run*` method tick at once.
    pub fn wake(&self) {
        self.door.signal.ring();
    }

    fn send(&self, request: Request) -> Result<(), RemoteError> {
        let refuse = |kind, request| {
            let task = match request {
                Request::Schedule(_, task) => Some(Box::new(task)),
                Request::Cancel(_) => None,
            };
            Err(RemoteError { kind, task })
        };
        if self.door.signal.closed.load(Ordering::SeqCst) {
            return refuse(RemoteErrorKind::Closed, request);
        }
        match self.door.requests.push(request) {
            Ok(()) => {
                self.door.signal.ring();
                self.door.drop_requests_if_closed();
                Ok(())
            }
            Err(request) => refuse(RemoteErrorKind::Full { capacity: self.door.capacity }, request),
        }
    }
}

impl Clone for Remote {
    fn clone(&self) -> Self {
        self.door.signal.remotes.fetch_add(1, Ordering::AcqRel);
        Remote { door: Arc::clone(&self.door) }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.door.signal.remotes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.door.signal.ring();
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("capacity", &self.door.capacity).finish_non_exhaustive()
    }
}

/// Why a request was not sent. It holds the task, if there was one.
#[derive(Debug)]
pub struct RemoteError {
    kind: RemoteErrorKind,
    task: Option<Box<SendTask>>,
}

/// The reason inside a [`RemoteError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteErrorKind {
    /// As many requests wait as [`Config::remote_capacity`](crate::Config::remote_capacity) allows.
    Full {
        /// The configured capacity.
        capacity: usize,
    },
    /// The scheduler was dropped.
    Closed,
    /// The scheduler would refuse the task.
    Refused(ScheduleErrorKind),
}

impl RemoteError {
    /// The reason.
    #[must_use]
    pub fn kind(&self) -> RemoteErrorKind {
        self.kind
    }

    /// The task, unchanged; `None` if the request was a cancel.
    #[must_use]
    pub fn into_task(self) -> Option<SendTask> {
        self.task.map(|task| *task)
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl core::error::Error for RemoteError {}

impl fmt::Display for RemoteErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteErrorKind::Full { capacity } => write!(
                f,
                "{capacity} requests wait for the scheduler's next tick, which is \
                 Config::remote_capacity"
            ),
            RemoteErrorKind::Closed => f.write_str("the scheduler was dropped"),
            RemoteErrorKind::Refused(kind) => kind.fmt(f),
        }
    }
}

impl core::error::Error for RemoteErrorKind {}

#[cfg(all(test, loom))]
#[path = "remote_loom.rs"]
mod loom_tests;

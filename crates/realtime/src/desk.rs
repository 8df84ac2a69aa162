//! A worker's desk: what others have put there for it, and the one-shots that it has not started, which
//! others may take away again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nanosecond_scheduler::{Remote, Scheduler, SendTask, TaskId};
use parking_lot::{Mutex, MutexGuard};

use crate::error::Error;
use crate::inner::Inner;
use crate::job::Body;
use crate::outcome::Why;
use crate::stats::Recorder;

/// A one-shot's place in the order of its desk: by release, then by acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) release: u64,
    /// Unique in the runtime.
    pub(crate) ticket: u64,
}

/// What a worker is to do as soon as it looks at its desk.
pub(crate) enum Request {
    /// Schedule the token of a one-shot. `moves` tells it from tokens of an earlier stay.
    Once { key: Key, moves: u32, token: SendTask },
    /// Schedule a repeating task.
    Repeating { ticket: u64, token: SendTask },
    /// Cancel the token of a one-shot that is no longer here.
    Forget(TaskId),
    /// Cancel a repeating task.
    Cancel(u64),
    /// Trigger a sporadic task.
    Trigger(u64),
    /// Let somebody have a look at the scheduler.
    Inspect(Box<dyn FnOnce(&mut Scheduler) + Send>),
}

/// A one-shot that has not started.
pub(crate) struct Waiting {
    pub(crate) body: Box<dyn Body>,
    pub(crate) outline: SendTask,
    /// Its token, once the worker has scheduled that.
    pub(crate) token: Option<TaskId>,
    /// How often it has moved.
    pub(crate) moves: u32,
    /// Last, since it is to be dropped last.
    pub(crate) stay: Stay,
}

impl Waiting {
    /// It never starts.
    pub(crate) fn end(self, why: Why) {
        let Waiting { body, mut stay, .. } = self;
        stay.ends();
        body.end(why);
    }
}

/// A repeating task that has not ended.
#[derive(Default)]
pub(crate) struct Resident {
    pub(crate) token: Option<TaskId>,
    /// Why it is about to end, once that is certain.
    pub(crate) ends: Option<Why>,
}

/// Counts a task among those of its worker until it ends, and among the outstanding ones until this is
/// dropped: whoever is told of its end finds its place free, and whoever waits for all finds them told.
pub(crate) struct Stay {
    pub(crate) inner: Arc<Inner>,
    pub(crate) worker: usize,
    pub(crate) ticket: u64,
    /// What a one-shot is counted in. A repeating task is in the book, under exact admission both are.
    pub(crate) phase: Option<usize>,
    has_place: bool,
}

impl Stay {
    /// Takes a place at a worker's desk.
    pub(crate) fn new(inner: Arc<Inner>, worker: usize, ticket: u64, phase: Option<usize>) -> Self {
        inner.desks[worker].tasks.fetch_add(1, Ordering::Relaxed);
        Stay { inner, worker, ticket, phase, has_place: true }
    }

    /// The task has ended, and nobody was told yet.
    pub(crate) fn ends(&mut self) {
        if std::mem::take(&mut self.has_place) {
            self.inner.desks[self.worker].tasks.fetch_sub(1, Ordering::Relaxed);
            if self.phase.is_none() || self.inner.admits_exactly() {
                self.inner.book.lock().remove(self.ticket);
            }
        }
    }

    /// With the desks of both workers locked.
    pub(crate) fn moves(&mut self, to: usize) {
        self.inner.desks[self.worker].tasks.fetch_sub(1, Ordering::Relaxed);
        self.inner.desks[to].tasks.fetch_add(1, Ordering::Relaxed);
        self.worker = to;
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.ends();
        if let Some(phase) = self.phase {
            self.inner.outstanding.leave(phase);
        }
    }
}

/// Who may put something on a desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    #[default]
    Open,
    /// The runtime only, to move what was accepted.
    Draining,
    /// Nobody: the worker has left.
    Gone,
}

#[derive(Default)]
pub(crate) struct Papers {
    /// New ones come while there are fewer than twice the capacity; beyond that each task may add one to
    /// end it, or to move it.
    pub(crate) requests: VecDeque<Request>,
    /// Boxed, or each node of the tree would take kilobytes.
    pub(crate) waiting: BTreeMap<Key, Box<Waiting>>,
    pub(crate) residents: BTreeMap<u64, Resident>,
    pub(crate) door: Door,
}

#[derive(Default)]
pub(crate) struct Desk {
    papers: Mutex<Papers>,
    bell: OnceLock<Remote>,
    /// Tasks that have not ended, the running one included.
    pub(crate) tasks: AtomicUsize,
    /// One-shots that have not started: as many as the papers' `waiting`.
    waiting: AtomicUsize,
    /// When the running job started, in ns; 0 if none runs.
    running_since: AtomicU64,
    pub(crate) recorder: Recorder,
}

impl Desk {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock()
    }

    /// The papers, if there is room for another task.
    pub(crate) fn with_room(&self, capacity: usize) -> Result<MutexGuard<'_, Papers>, Error> {
        let papers = self.lock();
        let tasks = self.tasks.load(Ordering::Relaxed);
        if papers.door != Door::Open {
            Err(Error::Shutdown)
        } else if tasks >= capacity || papers.requests.len() >= 2 * capacity {
            Err(Error::Full { capacity })
        } else {
            Ok(papers)
        }
    }

    pub(crate) fn set_bell(&self, remote: Remote) {
        // A worker has one scheduler.
        let _ = self.bell.set(remote);
    }

    /// Has the worker look at its desk, between two jobs.
    pub(crate) fn ring(&self) {
        if let Some(remote) = self.bell.get() {
            remote.stop();
        }
    }

    pub(crate) fn put(&self, papers: &mut Papers, key: Key, waiting: Box<Waiting>) {
        papers.waiting.insert(key, waiting);
        self.waiting.store(papers.waiting.len(), Ordering::SeqCst);
    }

    /// Takes a one-shot away, whichever token it has.
    pub(crate) fn take(&self, papers: &mut Papers, key: Key) -> Option<Box<Waiting>> {
        let waiting = papers.waiting.remove(&key)?;
        self.waiting.store(papers.waiting.len(), Ordering::SeqCst);
        Some(waiting)
    }

    /// Takes the one-shot whose token is the one of this stay.
    pub(crate) fn take_for_token(&self, key: Key, moves: u32) -> Option<Box<Waiting>> {
        let mut papers = self.lock();
        if papers.waiting.get(&key)?.moves != moves {
            return None;
        }
        self.take(&mut papers, key)
    }

    /// Takes all one-shots away.
    pub(crate) fn take_all(&self) -> BTreeMap<Key, Box<Waiting>> {
        let mut papers = self.lock();
        self.waiting.store(0, Ordering::SeqCst);
        std::mem::take(&mut papers.waiting)
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn starts(&self, at: u64) {
        self.running_since.store(at.max(1), Ordering::SeqCst);
    }

    pub(crate) fn pauses(&self) {
        self.running_since.store(0, Ordering::SeqCst);
    }

    /// When the running job started, in ns.
    pub(crate) fn running_since(&self) -> Option<u64> {
        Some(self.running_since.load(Ordering::SeqCst)).filter(|since| *since > 0)
    }
}

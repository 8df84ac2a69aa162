//! Tasks that are with a worker, as those see them who may end or move them: from any thread, and without
//! keeping the worker waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use nanosecond_scheduler::{ScheduleErrorKind, SendTask, TaskId};
use parking_lot::Mutex;

use crate::inner::Inner;
use crate::job::Body;
use crate::outcome::Why;
use crate::placement::BookNote;

/// A one-shot's place in the order of its desk: by release, then by acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) release: u64,
    /// Unique in the runtime.
    pub(crate) ticket: u64,
}

/// A task's token in its worker's scheduler, once the worker has scheduled it.
#[derive(Default)]
struct Token(AtomicU64);

impl Token {
    fn set(&self, id: TaskId) {
        self.0.store(id.to_bits(), Ordering::SeqCst);
    }

    fn get(&self) -> Option<TaskId> {
        // No task's id is 0: generations start from 1.
        Some(self.0.load(Ordering::SeqCst)).filter(|bits| *bits != 0).map(TaskId::from_bits)
    }
}

/// A one-shot that has not started.
pub(crate) struct Waiting {
    pub(crate) body: Box<dyn Body>,
    pub(crate) outline: SendTask,
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

/// A one-shot's place at a worker. Whoever takes it out first decides what becomes of it: its token,
/// which runs it, or who cancels or moves it. To move it is to give it a new place.
pub(crate) struct Slot {
    pub(crate) key: Key,
    is_taken: AtomicBool,
    /// Only who has set `is_taken` locks it, so nobody ever waits.
    waiting: Mutex<Option<Box<Waiting>>>,
    token: Token,
}

impl Slot {
    pub(crate) fn new(key: Key, waiting: Box<Waiting>) -> Arc<Self> {
        Arc::new(Slot {
            key,
            is_taken: AtomicBool::new(false),
            waiting: Mutex::new(Some(waiting)),
            token: Token::default(),
        })
    }

    /// Takes the one-shot out, unless somebody else has.
    pub(crate) fn take(&self) -> Option<Box<Waiting>> {
        if self.is_taken.swap(true, Ordering::SeqCst) {
            return None;
        }
        self.waiting.lock().take()
    }

    /// The worker has scheduled the token. Tells whether it is of no use any more: either that is seen
    /// here, or the token by whoever took the one-shot out.
    pub(crate) fn has_token(&self, id: TaskId) -> bool {
        self.token.set(id);
        self.is_taken.load(Ordering::SeqCst)
    }

    /// The token, if it is with the scheduler.
    pub(crate) fn token(&self) -> Option<TaskId> {
        self.token.get()
    }
}

/// A repeating task that has not ended.
#[derive(Default)]
pub(crate) struct Resident {
    token: Token,
    /// Why it is about to end. Set with the papers locked.
    ends: OnceLock<Why>,
    /// Why its token could not be scheduled. Set by the worker.
    refused: OnceLock<ScheduleErrorKind>,
}

impl Resident {
    /// It is about to end; tells whether that is news. With the papers locked.
    pub(crate) fn ends(&self, why: Why) -> bool {
        self.ends.set(why).is_ok()
    }

    /// Whether it is about to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.ends.get().is_some()
    }

    /// The worker has scheduled the token, or failed to.
    pub(crate) fn scheduled(&self, outcome: Result<TaskId, ScheduleErrorKind>) {
        match outcome {
            Ok(id) => self.token.set(id),
            Err(kind) => drop(self.refused.set(kind)), // There is one token.
        }
    }

    /// The token, if it is with the scheduler.
    pub(crate) fn token(&self) -> Option<TaskId> {
        self.token.get()
    }

    /// Why it has ended, if not by itself.
    pub(crate) fn why(&self) -> Option<Why> {
        self.refused.get().copied().map(Why::Rejected).or(self.ends.get().copied())
    }
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
                self.inner.book.note(BookNote::Ended(self.ticket));
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

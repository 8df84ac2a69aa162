//! How a task's end reaches its handle: a place shared by both, and the sender who fills it once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use nanosecond_scheduler::{ScheduleErrorKind, TimePoint};
use parking_lot::Mutex;

use crate::deadline::DeadlineError;
use crate::error::Error;

/// Why a task ends without a value.
#[derive(Clone, Copy, Debug)]
pub enum Why {
    Skipped { late_by: Duration },
    Rejected(ScheduleErrorKind),
    Cancelled,
    Panicked,
    Shutdown,
}

/// What came of a task.
#[derive(Debug)]
pub(crate) enum Ending<T> {
    Done(T),
    Late(T, Duration),
    Without(Why),
}

impl<T> Ending<T> {
    pub(crate) fn into_result(self) -> Result<T, DeadlineError<T>> {
        Err(match self {
            Ending::Done(value) => return Ok(value),
            Ending::Late(value, late_by) => DeadlineError::Missed { late_by, value: Some(value) },
            Ending::Without(Why::Skipped { late_by }) => {
                DeadlineError::Missed { late_by, value: None }
            }
            Ending::Without(Why::Rejected(kind)) => DeadlineError::Rejected(kind),
            Ending::Without(Why::Cancelled | Why::Panicked) => DeadlineError::Cancelled,
            Ending::Without(Why::Shutdown) => DeadlineError::Shutdown,
        })
    }

    /// The value, be it late.
    pub(crate) fn into_value(self) -> Result<T, Error> {
        Err(match self {
            Ending::Done(value) | Ending::Late(value, _) => return Ok(value),
            Ending::Without(Why::Skipped { late_by }) => Error::Skipped { late_by },
            Ending::Without(Why::Rejected(kind)) => Error::Rejected(kind),
            Ending::Without(Why::Cancelled) => Error::Cancelled,
            Ending::Without(Why::Panicked) => Error::Panicked,
            Ending::Without(Why::Shutdown) => Error::Shutdown,
        })
    }
}

/// What handle and sender share.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    /// Filled before `is_ready` is set, and not looked at before that: so who tells never waits.
    ending: Mutex<Option<Ending<T>>>,
    is_ready: AtomicBool,
    waker: AtomicWaker,
    /// The worker at which the task is; changed with its desk locked.
    pub(crate) home: AtomicUsize,
}

impl<T> Shared<T> {
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Ending<T>> {
        if !self.is_ready() {
            self.waker.register(cx.waker());
            // It may have been told in between, to the waker before.
            if !self.is_ready() {
                return Poll::Pending;
            }
        }
        let ending = self.ending.lock().take();
        Poll::Ready(ending.expect("a TaskHandle was polled after it was ready"))
    }
}

/// The task's end of it. Dropped, it tells why there is no value.
#[derive(Debug)]
pub struct Sender<T> {
    /// None once it has told.
    shared: Option<Arc<Shared<T>>>,
    /// Whether a job of the task is running.
    is_running: bool,
    /// What to tell if there is no value.
    why: Why,
}

impl<T> Sender<T> {
    /// A sender for a task at the worker `home`, and what its handle needs.
    pub(crate) fn new(home: usize) -> (Self, Arc<Shared<T>>) {
        let shared = Arc::new(Shared {
            ending: Mutex::new(None),
            is_ready: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            home: AtomicUsize::new(home),
        });
        (
            Sender { shared: Some(Arc::clone(&shared)), is_running: false, why: Why::Cancelled },
            shared,
        )
    }

    pub(crate) fn starts(&mut self) {
        self.is_running = true;
    }

    /// A job has returned, but it was not the last.
    pub(crate) fn pauses(&mut self) {
        self.is_running = false;
    }

    /// The last job has returned.
    pub(crate) fn finishes(&mut self, value: T, finish: TimePoint, deadline: Option<TimePoint>) {
        let late = deadline.filter(|deadline| finish > *deadline);
        self.tell(match late {
            Some(deadline) => Ending::Late(value, finish.duration_since(deadline)),
            None => Ending::Done(value),
        });
    }

    /// Says what to tell when this is dropped.
    pub(crate) fn expects(&mut self, why: Why) {
        self.why = why;
    }

    pub(crate) fn moves(&self, home: usize) {
        if let Some(shared) = &self.shared {
            shared.home.store(home, Ordering::Release);
        }
    }

    fn tell(&mut self, ending: Ending<T>) {
        let Some(shared) = self.shared.take() else { return };
        *shared.ending.lock() = Some(ending);
        shared.is_ready.store(true, Ordering::Release);
        shared.waker.wake();
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // If a job is running, it is its panic that leads here.
        let why = if self.is_running { Why::Panicked } else { self.why };
        self.tell(Ending::Without(why));
    }
}

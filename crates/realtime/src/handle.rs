//! [`TaskHandle`]: what comes of a task, for whoever waits for it, on any executor or none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use nanosecond_scheduler::TaskId;

use crate::deadline::DeadlineError;
use crate::error::Error;
use crate::inner::Inner;
use crate::outcome::{Ending, Shared};
use crate::stay::Key;

/// A task's end: a future that works on every executor, since it needs nothing but a waker.
///
/// It gives what the task returned, or a [`DeadlineError`]; a repeating task gives `()` when it ends,
/// by itself, and else [`DeadlineError::Cancelled`]. It never hangs: whatever becomes of the task,
/// the handle is told, if only when the runtime is shut down.
///
/// Dropping a handle leaves the task alone, unless it was told to
/// [`cancel_on_drop`](Self::cancel_on_drop).
pub struct TaskHandle<T> {
    shared: Arc<Shared<T>>,
    inner: Arc<Inner>,
    key: Key,
    repeats: bool,
    cancels_on_drop: bool,
}

impl<T> TaskHandle<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, inner: Arc<Inner>, key: Key, repeats: bool) -> Self {
        TaskHandle { shared, inner, key, repeats, cancels_on_drop: false }
    }

    /// The task's number in the runtime, by which a
    /// [`Rejection`](nanosecond_scheduler::Rejection) names it.
    #[must_use]
    pub fn id(&self) -> TaskId {
        TaskId::from_bits(self.key.ticket)
    }

    /// Cancels the task. A one-shot that has not started never does, and its closure is dropped before
    /// this returns; a repeating one ends when its worker looks up from what it is running. A one-shot
    /// that runs or has ended, is left alone: jobs are never broken off.
    pub fn abort(&self) {
        // To be too late is no error here.
        let _ = self.cancel();
    }

    pub(crate) fn cancel(&self) -> Result<(), Error> {
        let cancelled = if self.repeats {
            self.inner.cancel_repeating(self.key.ticket, &self.shared.home)
        } else {
            self.inner.cancel_once(self.key, &self.shared.home)
        };
        if cancelled {
            Ok(())
        } else {
            Err(Error::NotPending)
        }
    }

    /// Releases the next job of a sporadic task, as soon as its gap since the one before allows;
    /// triggers until then count as one.
    ///
    /// # Errors
    ///
    /// [`Error::NotPending`] if the task does not repeat or has ended, [`Error::Full`] if its worker
    /// has not yet seen as many requests before. On a periodic task it has no effect.
    pub fn trigger(&self) -> Result<(), Error> {
        if !self.repeats {
            return Err(Error::NotPending);
        }
        self.inner.trigger(self.key.ticket, &self.shared.home)
    }

    /// Has the task cancelled when this handle is dropped before it was ready.
    pub fn cancel_on_drop(mut self) -> Self {
        self.cancels_on_drop = true;
        self
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shared.is_ready()
    }

    pub(crate) fn belongs_to(&self, inner: &Arc<Inner>) -> bool {
        Arc::ptr_eq(&self.inner, inner)
    }

    pub(crate) fn poll_ending(&self, cx: &mut Context<'_>) -> Poll<Ending<T>> {
        self.shared.poll(cx)
    }
}

/// # Panics
///
/// If polled again after it was ready.
impl<T> Future for TaskHandle<T> {
    type Output = Result<T, DeadlineError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_ending(cx).map(Ending::into_result)
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        if self.cancels_on_drop {
            self.abort();
        }
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("ticket", &self.key.ticket)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

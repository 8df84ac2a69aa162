//! A spawned future and the handle to its result.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use pin_project_lite::pin_project;

use super::shared::Shared;
use super::wake::TaskRef;

/// What a panic was raised with.
pub(super) type Payload = Box<dyn Any + Send>;

/// A task of a [`LocalExecutor`](super::LocalExecutor): a future of its result.
///
/// Dropping it cancels the task; [`detach`](Self::detach) lets it run on.
#[must_use = "dropping it cancels the task; `detach` lets it run on"]
pub struct LocalTask<T> {
    result: oneshot::Receiver<Result<T, Payload>>,
    /// `None` once detached.
    task: Option<(Rc<Shared>, Arc<TaskRef>)>,
}

/// Why a [`LocalTask`] gave no value.
pub enum JoinError {
    /// It was cancelled, its executor was dropped, or its result was taken before.
    Cancelled,
    /// It panicked, with this. As for a thread, [`resume_unwind`](std::panic::resume_unwind) passes
    /// the panic on.
    Panicked(Box<dyn Any + Send>),
}

impl<T> LocalTask<T> {
    /// Cancels the task, if it has not ended. Its future is dropped before this returns, or, if the
    /// task cancels itself, when its poll returns. O(1).
    pub fn cancel(&self) {
        if let Some((shared, task)) = &self.task {
            shared.cancel(task);
        }
    }

    /// Lets the task run on without a handle. A panic is then the scheduler's to report: see
    /// [`Scheduler::on_panic`](nanosecond_scheduler::Scheduler::on_panic).
    pub fn detach(mut self) {
        self.task = None;
    }

    /// The result, if the task has ended.
    ///
    /// # Errors
    ///
    /// As for awaiting it: a [`JoinError`].
    pub fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        match self.result.try_recv() {
            Ok(result) => result.map(|result| result.map_err(JoinError::Panicked)),
            Err(oneshot::Canceled) => Some(Err(JoinError::Cancelled)),
        }
    }
}

impl<T> Future for LocalTask<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(cx).map(|result| match result {
            Ok(result) => result.map_err(JoinError::Panicked),
            Err(oneshot::Canceled) => Err(JoinError::Cancelled),
        })
    }
}

impl<T> Drop for LocalTask<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T> fmt::Debug for LocalTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTask").finish_non_exhaustive()
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("Cancelled"),
            JoinError::Panicked(_) => f.write_str("Panicked(..)"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Cancelled => f.write_str("the task was cancelled"),
            JoinError::Panicked(_) => f.write_str("the task panicked"),
        }
    }
}

impl std::error::Error for JoinError {}

pin_project! {
    /// Runs a future, and sends its result to the handle. Gives back a panic that has no handle
    /// to go to.
    struct Joined<F: Future> {
        // Before the sender, and so dropped first: who awaits the handle finds all released.
        #[pin]
        future: Option<F>,
        sender: Option<oneshot::Sender<Result<F::Output, Payload>>>,
    }
}

impl<F: Future> Future for Joined<F> {
    type Output = Option<Payload>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Unwind safe: the future is not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let polled = this.future.as_mut().as_pin_mut().map(|future| future.poll(cx));
            if let Some(Poll::Ready(_)) = polled {
                this.future.set(None);
            }
            polled
        }));
        let result = match polled {
            Ok(Some(Poll::Ready(value))) => Ok(value),
            Ok(Some(Poll::Pending) | None) => return Poll::Pending,
            Err(payload) => Err(payload),
        };
        let unsent = this.sender.take().and_then(|sender| sender.send(result).err());
        Poll::Ready(unsent.and_then(Result::err))
    }
}

/// A future as the executor keeps it.
pub(super) type Spawned = Pin<Box<dyn Future<Output = Option<Payload>>>>;

/// Spawns `future` by handing it to `insert`.
pub(super) fn spawn<F: Future + 'static>(
    shared: &Rc<Shared>,
    future: F,
    insert: impl FnOnce(Spawned) -> Arc<TaskRef>,
) -> LocalTask<F::Output> {
    let (sender, result) = oneshot::channel();
    let task = insert(Box::pin(Joined { future: Some(future), sender: Some(sender) }));
    LocalTask { result, task: Some((Rc::clone(shared), task)) }
}

//! Results of tasks: [`JoinHandle`].

use alloc::rc::Rc;
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as PollContext, Poll, Waker};
use core::time::Duration;

use crate::error::WaitError;
use crate::task::{Task, TaskId};

/// The result of a task, once there is one: a future, or [`try_take`](Self::try_take).
///
/// Dropping it neither cancels the task nor waits for it.
#[derive(Debug)]
pub struct JoinHandle<T> {
    outcome: Rc<RefCell<Outcome<T>>>,
    pub(crate) id: TaskId,
}

#[derive(Debug)]
enum Outcome<T> {
    Pending(Option<Waker>),
    Ready(Result<T, WaitError>),
    Taken,
}

/// The task's end of a handle. Dropped without a result, it tells why.
struct Sender<T> {
    outcome: Rc<RefCell<Outcome<T>>>,
    started: bool,
}

impl<T> Sender<T> {
    fn send(&mut self, result: Result<T, WaitError>) {
        // The borrow ends before the waker runs, since it may poll the handle at once.
        let before = self.outcome.replace(Outcome::Ready(result));
        if let Outcome::Pending(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if matches!(*self.outcome.borrow(), Outcome::Pending(_)) {
            let reason = if self.started { WaitError::Panicked } else { WaitError::Cancelled };
            self.send(Err(reason));
        }
    }
}

/// A task that stores what `body` returns, and its handle, whose `id` the caller fills in.
pub(crate) fn task_with_result<T: 'static>(
    body: impl FnOnce() -> T + 'static,
    delay: Duration,
) -> (Task, JoinHandle<T>) {
    let outcome = Rc::new(RefCell::new(Outcome::Pending(None)));
    let mut sender = Sender { outcome: Rc::clone(&outcome), started: false };
    let run = move || {
        sender.started = true;
        let value = body();
        sender.send(Ok(value));
    };
    (Task::new(run, delay), JoinHandle { outcome, id: TaskId::NONE })
}

impl<T> JoinHandle<T> {
    /// The task, for [`cancel`](crate::Scheduler::cancel).
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Whether [`try_take`](Self::try_take) would answer.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(*self.outcome.borrow(), Outcome::Pending(_))
    }

    /// The result, if there is one.
    ///
    /// # Errors
    ///
    /// [`WaitError::Cancelled`] or [`WaitError::Panicked`] if there will be none, and
    /// [`WaitError::Taken`] if it was given out before.
    pub fn try_take(&mut self) -> Option<Result<T, WaitError>> {
        let mut outcome = self.outcome.borrow_mut();
        if let Outcome::Pending(_) = *outcome {
            return None;
        }
        match core::mem::replace(&mut *outcome, Outcome::Taken) {
            Outcome::Ready(result) => Some(result),
            Outcome::Taken | Outcome::Pending(_) => Some(Err(WaitError::Taken)),
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Self::Output> {
        if let Outcome::Pending(waker) = &mut *self.outcome.borrow_mut() {
            *waker = Some(cx.waker().clone());
        }
        self.try_take().map_or(Poll::Pending, Poll::Ready)
    }
}

//! Sleeping: a timer is a task of the core scheduler.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use nanosecond_scheduler::{TaskId, TimePoint};

use super::shared::Shared;
use super::wake::TaskRef;

/// A future that is ready at an instant of the executor's clock, never before.
///
/// Made by [`LocalHandle::sleep_until`](super::LocalHandle::sleep_until) and
/// [`LocalHandle::sleep`](super::LocalHandle::sleep). Nothing is scheduled before it is polled;
/// dropping it cancels its timer.
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    shared: Rc<Shared>,
    /// `None` for an instant that never comes.
    until: Option<TimePoint>,
    timer: Option<Rc<Timer>>,
}

/// What a sleep shares with the job that ends it.
pub(super) struct Timer {
    /// The task that polled the sleep. The timer has its priority and deadline.
    pub(super) owner: Option<Arc<TaskRef>>,
    waker: RefCell<Waker>,
    state: Cell<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The scheduler does not have it yet.
    Requested,
    Scheduled(TaskId),
    Fired,
    Dropped,
}

impl Sleep {
    pub(super) fn new(shared: Rc<Shared>, until: Option<TimePoint>) -> Self {
        Sleep { shared, until, timer: None }
    }

    /// When it is ready; `None` for an instant beyond [`TimePoint::MAX`], which never comes.
    #[must_use]
    pub fn until(&self) -> Option<TimePoint> {
        self.until
    }

    fn cancel_timer(&mut self) {
        let Some(timer) = self.timer.take() else { return };
        match timer.state.replace(State::Dropped) {
            State::Scheduled(id) => self.shared.cancel_timer(id),
            State::Requested | State::Fired | State::Dropped => {}
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(until) = this.until else { return Poll::Pending };
        if let Some(timer) = &this.timer {
            if timer.state.get() == State::Fired {
                return Poll::Ready(());
            }
            if timer.is_owned_by(this.shared.running().as_ref()) {
                timer.waker.borrow_mut().clone_from(cx.waker());
                return Poll::Pending;
            }
            this.cancel_timer();
        }
        if until <= this.shared.now() {
            return Poll::Ready(());
        }
        let timer = Rc::new(Timer {
            owner: this.shared.running(),
            waker: RefCell::new(cx.waker().clone()),
            state: Cell::new(State::Requested),
        });
        this.timer = Some(Rc::clone(&timer));
        this.shared.request_timer(until, timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel_timer();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Timer {
    fn is_owned_by(&self, task: Option<&Arc<TaskRef>>) -> bool {
        match (&self.owner, task) {
            (Some(owner), Some(task)) => Arc::ptr_eq(owner, task),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether a job is still to end the sleep.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state.get(), State::Requested | State::Scheduled(_))
    }

    pub(super) fn scheduled(&self, id: TaskId) {
        self.state.set(State::Scheduled(id));
    }

    /// Ends the sleep; hands out whom to wake.
    pub(super) fn fire(&self) -> Waker {
        self.state.set(State::Fired);
        self.waker.replace(Waker::noop().clone())
    }
}

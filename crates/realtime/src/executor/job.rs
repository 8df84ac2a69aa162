//! The executor's jobs: tasks of the core scheduler that poll a woken task, or end a sleep.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use nanosecond_scheduler::{Context, Task};

use super::shared::Shared;
use super::sleep::Timer;
use super::task::Payload;
use super::wake::TaskRef;

/// A job that polls a task that was woken.
pub(super) fn poll(shared: &Rc<Shared>, task: Arc<TaskRef>) -> Task {
    let mut job = PollJob { shared: Rc::clone(shared), task: Some(task) };
    let body = move |cx: &mut Context<'_>| {
        if let Some(task) = job.task.take() {
            attend(&job.shared, cx, |shared| shared.poll(&task));
        }
    };
    Task::with_context(body, Duration::ZERO)
}

/// A job that ends a sleep.
pub(super) fn fire(shared: &Rc<Shared>, timer: Rc<Timer>) -> Task {
    let job = FireJob { shared: Rc::clone(shared), timer };
    Task::with_context(move |cx| attend(&job.shared, cx, |shared| job.run(shared)), Duration::ZERO)
}

/// Runs `body`, then hands over what it has requested.
fn attend(
    shared: &Rc<Shared>,
    cx: &mut Context<'_>,
    body: impl FnOnce(&Shared) -> Option<Payload>,
) {
    shared.reached(cx.now());
    let attending = shared.attend(cx);
    let unhandled = body(shared);
    drop(attending);
    if let Some(payload) = unhandled {
        resume_unwind(payload);
    }
}

/// Dropped before it has run, because the scheduler was cleared or skipped it, it cancels its task,
/// which nobody would wake again.
struct PollJob {
    shared: Rc<Shared>,
    task: Option<Arc<TaskRef>>,
}

impl Drop for PollJob {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            self.shared.cancel(task);
        }
    }
}

/// As [`PollJob`], unless its sleep was dropped before.
struct FireJob {
    shared: Rc<Shared>,
    timer: Rc<Timer>,
}

impl FireJob {
    fn run(&self, shared: &Shared) -> Option<Payload> {
        let waker = self.timer.fire();
        match &self.timer.owner {
            // The usual case, and the job has the owner's priority: poll it here.
            Some(owner) if waker.will_wake(&Waker::from(Arc::clone(owner))) && owner.mark() => {
                shared.poll(owner)
            }
            _ => {
                waker.wake();
                None
            }
        }
    }
}

impl Drop for FireJob {
    fn drop(&mut self) {
        if let (true, Some(owner)) = (self.timer.is_waiting(), &self.timer.owner) {
            self.shared.cancel(owner);
        }
    }
}

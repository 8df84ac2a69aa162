//! What the user wants to be told, from whichever worker.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use nanosecond_scheduler::DeadlineViolation;
use parking_lot::RwLock;

/// A panic that was contained, as told to
/// [`on_panic`](crate::NanosecondScheduler::on_panic).
#[derive(Debug)]
pub struct WorkerPanic {
    /// The worker that ran the task.
    pub worker: usize,
    /// The task's name, if it has one.
    pub name: Option<&'static str>,
    /// What it panicked with.
    pub payload: Box<dyn Any + Send>,
}

type Hook<A> = RwLock<Option<Arc<dyn Fn(A) + Send + Sync>>>;

#[derive(Default)]
pub(crate) struct Hooks {
    on_panic: Hook<WorkerPanic>,
    on_deadline_miss: Hook<(usize, DeadlineViolation)>,
}

impl Hooks {
    pub(crate) fn set_on_panic(&self, hook: Arc<dyn Fn(WorkerPanic) + Send + Sync>) {
        *self.on_panic.write() = Some(hook);
    }

    pub(crate) fn set_on_deadline_miss(
        &self,
        hook: Arc<dyn Fn((usize, DeadlineViolation)) + Send + Sync>,
    ) {
        *self.on_deadline_miss.write() = Some(hook);
    }

    pub(crate) fn panicked(&self, panic: WorkerPanic) {
        call(&self.on_panic, panic);
    }

    pub(crate) fn missed(&self, worker: usize, violation: DeadlineViolation) {
        call(&self.on_deadline_miss, (worker, violation));
    }
}

/// Calls a hook without holding its lock, so that it may set another.
fn call<A>(hook: &Hook<A>, argument: A) {
    let hook = hook.read().clone();
    if let Some(hook) = hook {
        hook(argument);
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks { .. }")
    }
}

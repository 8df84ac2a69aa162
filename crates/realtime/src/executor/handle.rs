//! What tasks use to spawn and to sleep.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{Priority, Task, TimePoint};

use super::shared::Shared;
use super::sleep::Sleep;
use super::task::{self, LocalTask};

/// A way to a [`LocalExecutor`](super::LocalExecutor) for its own tasks: cheap to clone, and bound to
/// its thread.
#[derive(Clone)]
pub struct LocalHandle {
    pub(super) shared: Rc<Shared>,
}

/// How a task is run: as core tasks of this priority, deadline and name, one for each poll.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpawnOptions {
    priority: Priority,
    deadline: Option<Duration>,
    name: Option<&'static str>,
}

impl SpawnOptions {
    /// Sets the priority; the default is [`Priority::Normal`].
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Gives every poll the soft deadline release + `relative`, as
    /// [`Task::with_deadline`](nanosecond_scheduler::Task::with_deadline) does. The release is the
    /// instant that a sleep was for, or else when the scheduler learned of the wake.
    #[must_use]
    pub fn with_deadline(mut self, relative: Duration) -> Self {
        self.deadline = Some(relative);
        self
    }

    /// Names the task in the scheduler's reports and traces.
    #[must_use]
    pub fn with_name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    pub(super) fn apply(self, task: Task) -> Task {
        let mut task = task.with_priority(self.priority);
        if let Some(deadline) = self.deadline {
            task = task.with_deadline(deadline);
        }
        if let Some(name) = self.name {
            task = task.with_name(name);
        }
        task
    }
}

impl LocalHandle {
    /// Spawns a task of normal priority. It is first polled by the scheduler, not here.
    ///
    /// As many tasks can live as memory holds; those that are released, or sleep, take one place each
    /// of [`Config::capacity`](nanosecond_scheduler::Config::capacity), and wait where there is none.
    /// After the executor is gone the future is dropped, and the task is cancelled.
    pub fn spawn<F: Future + 'static>(&self, future: F) -> LocalTask<F::Output> {
        self.spawn_with(SpawnOptions::default(), future)
    }

    /// As [`spawn`](Self::spawn), with a priority, a deadline or a name.
    pub fn spawn_with<F: Future + 'static>(
        &self,
        options: SpawnOptions,
        future: F,
    ) -> LocalTask<F::Output> {
        task::spawn(&self.shared, future, |future| self.shared.insert(future, options))
    }

    /// The clock's reading, never earlier than one seen before.
    #[must_use]
    pub fn now(&self) -> TimePoint {
        self.shared.now()
    }

    /// Sleeps until `instant`; ready at once if that has passed. It can be awaited anywhere on this
    /// thread, but it is the executor that ends it, with the priority and deadline of the task that
    /// awaits it.
    pub fn sleep_until(&self, instant: TimePoint) -> Sleep {
        Sleep::new(Rc::clone(&self.shared), Some(instant))
    }

    /// Sleeps for `duration` from this call. One that ends beyond [`TimePoint::MAX`] is never ready.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(Rc::clone(&self.shared), self.now().checked_add(duration))
    }
}

impl fmt::Debug for LocalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHandle").field("tasks", &self.shared.len()).finish_non_exhaustive()
    }
}

//! Tasks that record their names, by their dependencies.

use nanosecond_scheduler::{Config, ManualClock, Scheduler, Task, TaskId};

use super::{at, manual, ns, Log};

/// Schedules tasks that record their names.
pub(crate) struct Graph {
    pub(crate) scheduler: Scheduler<ManualClock>,
    pub(crate) clock: ManualClock,
    pub(crate) log: Log<String>,
}

impl Graph {
    pub(crate) fn new(config: Config) -> Self {
        let (scheduler, clock) = manual(config);
        Graph { scheduler, clock, log: Log::default() }
    }

    pub(crate) fn add(&mut self, name: impl ToString, after: &[TaskId]) -> TaskId {
        self.add_as(name, after, |task| task)
    }

    pub(crate) fn add_as(
        &mut self,
        name: impl ToString,
        after: &[TaskId],
        with: impl FnOnce(Task) -> Task,
    ) -> TaskId {
        let task = self.log.task(name.to_string(), ns(0)).after(after);
        self.scheduler.schedule(with(task)).unwrap()
    }

    pub(crate) fn add_periodic(
        &mut self,
        name: impl ToString,
        period: u64,
        after: &[TaskId],
    ) -> TaskId {
        let (log, name) = (self.log.clone(), name.to_string());
        let task = Task::periodic(move |_| log.push(name.clone()), ns(period)).after(after);
        self.scheduler.schedule(task).unwrap()
    }

    /// What a tick runs.
    pub(crate) fn tick(&mut self) -> Vec<String> {
        self.scheduler.tick();
        self.log.take()
    }

    pub(crate) fn tick_at(&mut self, nanos: u64) -> Vec<String> {
        self.clock.set(at(nanos));
        self.tick()
    }

    pub(crate) fn is_pending(&self, id: TaskId) -> bool {
        self.scheduler.is_pending(id)
    }
}

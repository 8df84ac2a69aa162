//! Tasks that wait for others: when those finish, and when they fail.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::attributes::{OnFailure, Progress};
use crate::closure::Closure;
use crate::engine::Engine;
use crate::task::TaskId;
use crate::timing::Dependencies;

/// Who waits for whom, and what came of it.
#[derive(Default)]
pub(crate) struct Succession {
    dependencies: Dependencies,
    /// Tasks that wait for the running job.
    running: Vec<TaskId>,
    /// Tasks that waited for one that failed, and were not dealt with yet.
    failed: VecDeque<TaskId>,
}

impl Succession {
    /// A task has ended that may have waited for others, and others for it.
    pub(crate) fn ended(
        &mut self,
        id: TaskId,
        progress: &Progress,
        is_live: impl Fn(TaskId) -> bool,
    ) {
        if progress.waits_for > 0 {
            self.dependencies.cancelled(progress.waits_for, is_live);
        }
        if progress.has_dependents {
            self.dependencies.take(id, &mut self.failed);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.dependencies.clear();
        self.failed.clear();
    }
}

impl Engine {
    /// Has a new task wait for the next job of each predecessor that is live; tells for how many.
    pub(crate) fn wait_for(&mut self, predecessors: &[TaskId], id: TaskId) -> u32 {
        let mut waits_for = 0;
        for &predecessor in predecessors {
            if !self.store.is_live(predecessor) {
                continue;
            }
            if let Some(succession) = self.succession.get_or_make(Succession::default) {
                succession.dependencies.add(predecessor, id);
                self.store.details_of_any(predecessor).progress.has_dependents = true;
                waits_for += 1;
            }
        }
        waits_for
    }

    /// Notes that a job is about to run, whose dependents are those that wait by now.
    pub(crate) fn take_dependents(&mut self, id: TaskId) {
        if let Some(succession) = self.succession.get_mut() {
            succession.dependencies.take(id, &mut succession.running);
        }
        if self.store.is_live(id) {
            self.store.details_mut(id).progress.has_dependents = false;
        }
    }

    /// Whether tasks wait for the running job.
    #[inline]
    pub(crate) fn has_running_dependents(&self) -> bool {
        self.succession.get().is_some_and(|succession| !succession.running.is_empty())
    }

    /// Releases the tasks that waited for the running job, at `at`.
    #[inline]
    pub(crate) fn release_dependents(&mut self, at: u64) {
        let Some(succession) = self.succession.get_mut() else { return };
        if !succession.running.is_empty() {
            let mut dependents = core::mem::take(&mut succession.running);
            dependents.drain(..).for_each(|id| self.one_less(id, at));
            if let Some(succession) = self.succession.get_mut() {
                succession.running = dependents;
            }
        }
        drop(self.settle_failures()); // Those that would have waited for a job that never comes.
    }

    /// The running job has panicked: so much for the tasks that waited for it.
    pub(crate) fn fail_dependents(&mut self) {
        if let Some(succession) = self.succession.get_mut() {
            succession.failed.extend(succession.running.drain(..));
        }
        drop(self.settle_failures());
    }

    /// A task has one predecessor less to wait for. After the last it is released at `at`, or at its
    /// own release if that is later.
    fn one_less(&mut self, id: TaskId, at: u64) {
        if !self.store.is_live(id) {
            return; // It was cancelled meanwhile.
        }
        let progress = &mut self.store.details_mut(id).progress;
        progress.waits_for -= 1;
        if progress.waits_for > 0 {
            return;
        }
        if let Some(release) = progress.last_release {
            let release = release.max(at);
            progress.last_release = Some(release);
            self.enqueue(id, release);
        }
    }

    /// Cancels a task, if it is live, and hands out its closure, unless it runs; its dependents have
    /// failed.
    pub(crate) fn cancel_one(&mut self, id: TaskId) -> Option<Closure> {
        let (place, closure) = self.store.remove(id)?;
        self.cancelled(id, place);
        closure
    }

    /// Cancels the tasks that waited for one that failed, and those that wait for them, or lets them
    /// run, as they have it. Hands out their closures, which are to be dropped last.
    pub(crate) fn settle_failures(&mut self) -> Vec<Closure> {
        let mut closures = Vec::new();
        while let Some(id) = self.next_failed() {
            if !self.store.is_live(id) {
                continue;
            }
            match self.store.details(id).attributes.on_failure {
                OnFailure::Run => self.one_less(id, self.now),
                OnFailure::Cancel => closures.extend(self.cancel_one(id)),
            }
        }
        closures
    }

    #[inline]
    fn next_failed(&mut self) -> Option<TaskId> {
        self.succession.get_mut()?.failed.pop_front()
    }
}

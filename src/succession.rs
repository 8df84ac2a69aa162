//! Tasks that wait for others: when those finish, and when they fail.

use alloc::vec::Vec;

use crate::attributes::OnFailure;
use crate::closure::Closure;
use crate::engine::Engine;
use crate::task::TaskId;
use crate::timing::Dependencies;

impl Engine {
    /// Has a new task wait for the next job of each predecessor that is live; tells for how many.
    pub(crate) fn wait_for(&mut self, predecessors: &[TaskId], id: TaskId) -> u32 {
        let mut waits_for = 0;
        for &predecessor in predecessors {
            if !self.store.is_live(predecessor) {
                continue;
            }
            if let Some(dependencies) = self.dependencies.get_or_make(Dependencies::default) {
                dependencies.add(predecessor, id);
                self.store.details_of_any(predecessor).progress.has_dependents = true;
                waits_for += 1;
            }
        }
        waits_for
    }

    /// Notes that a job is about to run, whose dependents are those that wait by now.
    pub(crate) fn take_dependents(&mut self, id: TaskId) {
        if let Some(dependencies) = self.dependencies.get_mut() {
            dependencies.take(id, &mut self.running_dependents);
        }
        if self.store.is_live(id) {
            self.store.details_mut(id).progress.has_dependents = false;
        }
    }

    /// Releases the tasks that waited for the running job, at `at`.
    #[inline]
    pub(crate) fn release_dependents(&mut self, at: u64) {
        if !self.running_dependents.is_empty() {
            let mut dependents = core::mem::take(&mut self.running_dependents);
            dependents.drain(..).for_each(|id| self.one_less(id, at));
            self.running_dependents = dependents;
        }
        if !self.failed.is_empty() {
            self.settle_failures(None); // Those that would have waited for a job that never comes.
        }
    }

    /// The running job has panicked: so much for the tasks that waited for it.
    pub(crate) fn fail_dependents(&mut self) {
        self.failed.extend(self.running_dependents.drain(..));
        self.settle_failures(None);
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

    /// Cancels a task, if it is live, and hands out its closure, unless it runs; its dependents become
    /// [`failed`](Self::failed).
    pub(crate) fn cancel_one(&mut self, id: TaskId) -> Option<Closure> {
        let (place, closure) = self.store.remove(id)?;
        self.cancelled(id, place);
        closure
    }

    /// Cancels the tasks that waited for one that failed, and those that wait for them, or lets them
    /// run, as they have it. Then drops their closures, and those of the tasks that failed.
    pub(crate) fn settle_failures(&mut self, failed: impl IntoIterator<Item = Closure>) {
        if self.failed.is_empty() {
            return drop(failed);
        }
        let mut closures: Vec<Closure> = failed.into_iter().collect();
        while let Some(id) = self.failed.pop_front() {
            if !self.store.is_live(id) {
                continue;
            }
            match self.store.details(id).attributes.on_failure {
                OnFailure::Run => self.one_less(id, self.now),
                OnFailure::Cancel => closures.extend(self.cancel_one(id)),
            }
        }
        // Dropped last and together: if one panics, the others are still dropped.
        drop(closures);
    }
}

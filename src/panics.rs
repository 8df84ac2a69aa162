//! What the user's code panics with: whom it is blamed on, who is told, and what the tick raises again.

#[cfg(feature = "std")]
use std::panic::{catch_unwind, AssertUnwindSafe};

#[cfg(feature = "std")]
use alloc::boxed::Box;

use crate::engine::{Engine, Job};
use crate::metrics::TickCounts;
#[cfg(feature = "std")]
use crate::task::TaskId;

/// A panic that was caught, as told to [`Scheduler::on_panic`](crate::Scheduler::on_panic).
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct TaskPanic {
    /// The task, which is no longer pending: also a repeating task ends with its panic.
    pub id: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// What it panicked with.
    pub payload: Box<dyn core::any::Any + Send>,
}

impl Engine {
    /// The job that runs or ran last; afterwards it has no name any more.
    #[cfg(feature = "std")]
    pub(crate) fn running_job(&mut self) -> Job {
        Job { id: self.running, name: self.running_name.take() }
    }

    /// Counts a job's panic and tells the handler. Without one it is left
    /// [`unhandled`](Self::unhandled), and so is a panic of the handler.
    #[cfg(feature = "std")]
    pub(crate) fn report_panic(
        &mut self,
        job: Job,
        payload: Box<dyn core::any::Any + Send>,
        counts: &mut TickCounts,
    ) {
        counts.panicked += 1;
        let told = match &mut self.on_panic {
            None => Err(payload),
            Some(handle) => {
                let panic = TaskPanic { id: job.id, name: job.name, payload };
                // Unwind safe: the handler owns what it may leave broken, and nothing of ours is borrowed.
                catch_unwind(AssertUnwindSafe(|| handle(panic)))
            }
        };
        if let Err(payload) = told {
            self.unhandled.get_or_insert(payload);
        }
    }

    /// Whether the tick has a panic to raise.
    pub(crate) fn has_unhandled(&self) -> bool {
        #[cfg(feature = "std")]
        return self.unhandled.is_some();
        #[cfg(not(feature = "std"))]
        false
    }

    /// Runs the user's code between the phases of a job. What it panics with is reported like a panic of
    /// the job, which goes on.
    pub(crate) fn contain(
        &mut self,
        job: Job,
        counts: &mut TickCounts,
        run: impl FnOnce(&mut Self),
    ) {
        #[cfg(feature = "std")]
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| run(self))) {
            self.report_panic(job, payload, counts);
        }
        #[cfg(not(feature = "std"))]
        {
            let _ = (job, counts);
            run(self);
        }
    }

    /// Runs the user's code where there is no job to blame. What it panics with is raised by the tick
    /// when all else is done, or by the next one; `None` then.
    pub(crate) fn defer_panic<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> Option<T> {
        #[cfg(feature = "std")]
        match catch_unwind(AssertUnwindSafe(|| run(self))) {
            Ok(value) => Some(value),
            Err(payload) => {
                self.unhandled.get_or_insert(payload);
                None
            }
        }
        #[cfg(not(feature = "std"))]
        Some(run(self))
    }
}

//! Jobs of a tick that may run on other threads: kept aside, then run together on rayon's pool.

use std::panic::{catch_unwind, AssertUnwindSafe};

use rayon::prelude::*;

use crate::closure::{Closure, SendClosure};
use crate::engine::Job;

/// The jobs that the current tick has kept aside.
#[derive(Default)]
pub(crate) struct Batch {
    enabled: bool,
    jobs: Vec<(Job, SendClosure)>,
}

/// A job that panicked, and with what.
pub(crate) type Failure = (Job, Box<dyn core::any::Any + Send>);

impl Batch {
    pub(crate) fn new(enabled: bool) -> Self {
        Batch { enabled, jobs: Vec::new() }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Takes a closure that may run elsewhere, to keep it aside; leaves others to be run here.
    pub(crate) fn offer(&mut self, job: Job, closure: &mut Option<Closure>) {
        if self.enabled && closure.as_ref().is_some_and(Closure::is_send) {
            self.jobs.extend(closure.take().and_then(Closure::into_send).map(|send| (job, send)));
        }
    }

    /// Runs what was kept aside and returns when all of it has ended.
    pub(crate) fn run(&mut self) -> Vec<Failure> {
        let run = |(job, closure): (Job, SendClosure)| {
            // Unwind safe: the closure is gone either way, and nothing of ours is borrowed.
            catch_unwind(AssertUnwindSafe(|| closure.run())).err().map(|payload| (job, payload))
        };
        self.jobs.par_drain(..).filter_map(run).collect()
    }
}

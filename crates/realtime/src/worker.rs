//! A worker: a thread with a scheduler of its own, which it runs until somebody rings.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use nanosecond_scheduler::{Scheduler, SendTask, TimePoint, Wait};

use crate::config::SchedulerConfig;
use crate::desk::{Door, Request};
use crate::error::Error;
use crate::hooks::WorkerPanic;
use crate::inner::Inner;
use crate::os::{self, Outcome};
use crate::outcome::Why;
use crate::stay::{Resident, Slot};

thread_local! {
    /// The runtime, by address, and the number of the worker that this thread is.
    static CURRENT: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// The worker of this runtime that the caller runs on.
pub(crate) fn current_of(inner: &Arc<Inner>) -> Option<usize> {
    let (runtime, worker) = CURRENT.get()?;
    (runtime == Arc::as_ptr(inner) as usize).then_some(worker)
}

/// The worker that the caller runs on, of whichever runtime.
pub(crate) fn current() -> Option<usize> {
    CURRENT.get().map(|(_, worker)| worker)
}

/// What was asked of the operating system for a worker, and its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsOutcomes {
    /// The worker's number.
    pub worker: usize,
    /// The core that it was to be kept on.
    pub core: Option<usize>,
    /// Each request that was made, by the field that asked for it.
    pub answers: Vec<(&'static str, Outcome)>,
}

impl OsOutcomes {
    /// Makes the calling thread what the configuration says, as far as it may be.
    fn request(config: &SchedulerConfig, worker: usize) -> Self {
        let mut answers = Vec::new();
        let mut core = None;
        if config.enable_cpu_pinning {
            let cores = os::available_cores();
            let own = cores[worker % cores.len()];
            core = Some(own);
            answers.push(("enable_cpu_pinning", os::pin_to_core(own)));
        }
        if let Some(ns) = config.timer_slack_ns {
            answers.push(("timer_slack_ns", os::set_timer_slack(ns)));
        }
        if config.enable_rt_scheduling {
            answers.push(("enable_rt_scheduling", os::set_class(config.worker_class())));
        }
        if config.prefault_stack_bytes > 0 {
            let outcome = os::prefault_stack(config.prefault_stack_bytes);
            answers.push(("prefault_stack_bytes", outcome));
        }
        OsOutcomes { worker, core, answers }
    }

    /// The first that is not in force, as an error.
    pub(crate) fn require(&self) -> Result<(), Error> {
        let worker = Some(self.worker);
        let require = |(_, outcome): &(_, Outcome)| outcome.clone().require();
        self.answers.iter().try_for_each(require).map_err(|error| Error::Os { worker, error })
    }
}

/// A line per request; that nothing was asked, if so.
impl fmt::Display for OsOutcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.answers.is_empty() {
            return write!(f, "worker {}: nothing was asked of the system", self.worker);
        }
        for (n, (field, outcome)) in self.answers.iter().enumerate() {
            let end_of_last = if n == 0 { "" } else { "\n" };
            write!(f, "{end_of_last}worker {}: {field}: {outcome}", self.worker)?;
        }
        Ok(())
    }
}

/// The thread of a worker, until the runtime stops. `ready` is told once it would run tasks.
pub(crate) fn run(inner: Arc<Inner>, worker: usize, ready: impl FnOnce(Result<OsOutcomes, Error>)) {
    CURRENT.set(Some((Arc::as_ptr(&inner) as usize, worker)));
    // Dropped last, so that its desk is cleared whatever happens.
    let leaving = Leaving { inner: &inner, worker };
    let outcomes = OsOutcomes::request(&inner.config, worker);
    let mut scheduler = match Scheduler::try_new(inner.config.core()) {
        Ok(scheduler) => scheduler,
        Err(error) => return ready(Err(error.into())),
    };
    inner.desks[worker].set_bell(scheduler.remote());
    tell_hooks(&inner, worker, &mut scheduler);
    ready(Ok(outcomes));
    let mut worker = Worker { inner: &inner, worker, scheduler, requests: VecDeque::new() };
    while !inner.is_stopped() {
        // Unwind safe: the scheduler is consistent after a panic, and the requests are taken one by one.
        let served = catch_unwind(AssertUnwindSafe(|| worker.serve()));
        if let Err(payload) = served {
            // Not from a job, but from dropping what one had captured, or from a hook.
            let panic = WorkerPanic { worker: worker.worker, name: None, payload };
            drop(catch_unwind(AssertUnwindSafe(|| inner.hooks.panicked(panic))));
        }
    }
    // Panics of what is dropped end here.
    drop(catch_unwind(AssertUnwindSafe(|| drop(worker))));
    drop(leaving);
}

fn tell_hooks(inner: &Arc<Inner>, worker: usize, scheduler: &mut Scheduler) {
    let runtime = Arc::clone(inner);
    scheduler.on_panic(move |panic| {
        let nanosecond_scheduler::TaskPanic { name, payload, .. } = panic;
        runtime.hooks.panicked(WorkerPanic { worker, name, payload });
    });
    let runtime = Arc::clone(inner);
    scheduler.on_deadline_miss(move |violation| runtime.hooks.missed(worker, violation));
}

struct Worker<'a> {
    inner: &'a Arc<Inner>,
    worker: usize,
    scheduler: Scheduler,
    /// Taken from the desk, and not carried out yet.
    requests: VecDeque<Request>,
}

impl Worker<'_> {
    /// Does what lies on the desk, then runs tasks until somebody rings. A ring is not missed: one
    /// that comes in between ends the run after its first tick. If somebody has the desk's papers just
    /// now the worker does not wait: what is on them comes later, and by another ring.
    fn serve(&mut self) {
        loop {
            if self.requests.is_empty() {
                if let Some(mut papers) = self.inner.desks[self.worker].lock_or_be_rung() {
                    std::mem::swap(&mut self.requests, &mut papers.requests);
                }
            }
            let Some(request) = self.requests.pop_front() else { break };
            self.carry_out(request);
        }
        if self.inner.admits_exactly() {
            self.run_to_idle();
        } else {
            self.run();
        }
    }

    fn run(&mut self) {
        match self.inner.config.wait {
            // Also while nothing is pending: a call is heard sooner.
            Wait::Spin => self.scheduler.run_until(TimePoint::MAX),
            Wait::Hybrid | Wait::Sleep => self.scheduler.run(),
        }
    }

    /// As `run`, but comes back to tell the book when it is idle.
    fn run_to_idle(&mut self) {
        let report = self.scheduler.tick();
        if report.executed + report.skipped > 0 || report.more_due {
            return;
        }
        self.inner.note_idle(self.worker);
        match report.next_release {
            Some(next) => self.scheduler.run_until(next),
            None => self.run(),
        }
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::Once(slot, token) => self.schedule_once(&slot, token),
            Request::Repeating(resident, token) => self.schedule_repeating(&resident, token),
            // It may have run, or been skipped, meanwhile.
            Request::Forget(id) => drop(self.scheduler.cancel(id)),
            Request::Cancel(resident) => {
                if let Some(id) = resident.token() {
                    // It may have ended itself.
                    let _ = self.scheduler.cancel(id);
                }
            }
            Request::Trigger(resident) => {
                if let Some(id) = resident.token() {
                    // That it is not sporadic was said to have no effect.
                    let _ = self.scheduler.trigger(id);
                }
            }
            Request::Inspect(look) => look(&mut self.scheduler),
        }
    }

    fn schedule_once(&mut self, slot: &Slot, token: SendTask) {
        match self.scheduler.schedule(token) {
            Ok(id) => {
                if slot.has_token(id) {
                    // It was cancelled or moved.
                    let _ = self.scheduler.cancel(id);
                }
            }
            Err(error) => {
                if let Some(waiting) = self.inner.desks[self.worker].take_for_token(slot) {
                    waiting.end(Why::Rejected(error.kind()));
                }
            }
        }
    }

    fn schedule_repeating(&mut self, resident: &Resident, token: SendTask) {
        let scheduled = self.scheduler.schedule(token);
        // Before the error, and with it the token, is dropped, which ends the task.
        resident.scheduled(scheduled.as_ref().copied().map_err(|error| error.kind()));
    }
}

/// Ends what is left on a desk when its worker leaves, so that every handle is told.
struct Leaving<'a> {
    inner: &'a Arc<Inner>,
    worker: usize,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let desk = &self.inner.desks[self.worker];
        let mut papers = desk.lock();
        papers.door = Door::Gone;
        let requests = std::mem::take(&mut papers.requests);
        drop(papers);
        let end = || {
            drop(requests);
            for waiting in desk.take_all() {
                waiting.end(Why::Shutdown);
            }
        };
        drop(catch_unwind(AssertUnwindSafe(end)));
    }
}

//! [`NanosecondScheduler`]: the public face.

use std::fmt;
use std::sync::{mpsc, Arc};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nanosecond_scheduler::{DeadlineViolation, Priority, Scheduler, SendTask, TimePoint};
use parking_lot::Mutex;

use crate::balance;
use crate::config::SchedulerConfig;
use crate::desk::{Desk, Request};
use crate::error::{Error, Refused};
use crate::handle::TaskHandle;
use crate::hooks::WorkerPanic;
use crate::inner::Inner;
use crate::job::{IntoJob, IntoPeriodic};
use crate::os::{self, Outcome};
use crate::outcome::{Sender, Why};
use crate::outstanding::waker_of_thread;
use crate::stats::{GuaranteeReport, LatencyStats, Totals, WorkerStats};
use crate::stay::Key;
use crate::worker::{self, OsOutcomes};

/// What becomes of accepted tasks when the runtime is shut down. Jobs that run are never broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Every one-shot runs, also those released later, which are waited for. Repeating tasks end at
    /// once, as with `Cancel`.
    Drain,
    /// What has not started never does: its handles give
    /// [`DeadlineError::Shutdown`](crate::DeadlineError::Shutdown).
    #[default]
    Cancel,
}

/// Worker threads, each with a core [`Scheduler`] of its own, and tasks shared out among them.
///
/// Partitioned: a repeating task is placed at the worker with the least utilization that
/// [admits](SchedulerConfig::admission) it, and stays there. A one-shot goes to the one of two random
/// workers with less to do; under [`Admission::Exact`](nanosecond_scheduler::Admission::Exact) it
/// is placed like a repeating task.
///
/// Balanced, cooperatively: jobs are not preempted. A one-shot that has waited longer than the
/// [latency budget](SchedulerConfig::latency_budget_ns) behind a running job goes to another worker, if
/// that is not stuck itself; a looking interval of 50 µs is the least. A periodic task whose job
/// started later than the budget allows goes on, after that job, at a worker with less utilization, if
/// the two become more equal by it. So a repeating task that waits behind a long job stays late until
/// that job ends. Under exact admission nothing moves whose release lies in the past: it would disturb
/// a worker that keeps its promises. What a job schedules by itself, through its `Context`, is the
/// worker's own: it is not admitted, measured, moved, or waited for.
///
/// Dropping it is [`Shutdown::Cancel`]; like [`shutdown`](Self::shutdown) it waits for the jobs that
/// run, except when a job of its own drops it.
pub struct NanosecondScheduler {
    pub(crate) inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    outcomes: Vec<OsOutcomes>,
    memory: Option<Outcome>,
    started_at: TimePoint,
    /// The totals of the last report.
    reported: Mutex<Totals>,
}

impl NanosecondScheduler {
    /// Starts the workers. What the operating system denies is no error, unless
    /// [`require`](SchedulerConfig::require) is set; see [`os_outcomes`](Self::os_outcomes).
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] and [`Error::Config`] for a value out of its bounds, [`Error::Spawn`] if
    /// there is no thread to be had, [`Error::Os`] if something required was denied.
    pub fn new(config: SchedulerConfig) -> Result<Self, Error> {
        config.validate()?;
        let memory = config.lock_memory.then(os::lock_memory);
        if let Some(outcome) = memory.clone().filter(|_| config.require) {
            outcome.require().map_err(|error| Error::Os { worker: None, error })?;
        }
        let inner = Arc::new(Inner::new(config));
        let mut runtime = NanosecondScheduler {
            started_at: inner.now(),
            inner,
            threads: Mutex::default(),
            outcomes: Vec::new(),
            memory,
            reported: Mutex::default(),
        };
        // If it fails, what was started is stopped when `runtime` is dropped.
        runtime.start()?;
        if runtime.inner.config.require {
            runtime.outcomes.iter().try_for_each(OsOutcomes::require)?;
        }
        Ok(runtime)
    }

    fn start(&mut self) -> Result<(), Error> {
        let workers = self.inner.config.num_workers;
        let (sender, ready) = mpsc::channel();
        for worker in 0..workers {
            let (inner, sender) = (Arc::clone(&self.inner), sender.clone());
            // The receiver leaves early only after an error.
            let ready = move |outcomes| drop(sender.send(outcomes));
            self.spawn(worker, worker.to_string(), move || worker::run(inner, worker, ready))?;
        }
        drop(sender);
        self.outcomes = ready.iter().take(workers).collect::<Result<_, _>>()?;
        self.outcomes.sort_by_key(|outcomes| outcomes.worker);
        if workers > 1 {
            let inner = Arc::clone(&self.inner);
            self.spawn(workers, "balance".to_owned(), move || balance::run(&inner))?;
        }
        Ok(())
    }

    fn spawn(
        &self,
        worker: usize,
        suffix: String,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        let name = format!("{}-{suffix}", self.inner.config.name);
        let spawned = thread::Builder::new().name(name).spawn(body);
        let thread = spawned.map_err(|error| Error::Spawn { worker, kind: error.kind() })?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// Runs a task: a closure as soon as possible, a [`Job`](crate::Job) or a [`SendTask`] when and as
    /// often as it says. Delays count from now.
    ///
    /// Never blocks, but for short locks. O(log pending tasks), or that of the admission test.
    ///
    /// # Errors
    ///
    /// [`Refused`], which gives the task back, with [`Error::Full`], [`Error::Shutdown`],
    /// [`Error::Rejected`] or [`Error::Predecessors`].
    pub fn schedule<J: IntoJob>(&self, job: J) -> Result<TaskHandle<J::Output>, Refused<J>> {
        self.inner.accept(job.outline(), job)
    }

    /// Runs a task that is to be finished `deadline` after its release. The deadline is soft: a late
    /// value is given with [`DeadlineError::Missed`](crate::DeadlineError::Missed). For another kind
    /// see [`Job`](crate::Job).
    ///
    /// # Errors
    ///
    /// As [`schedule`](Self::schedule).
    ///
    /// ```
    /// use std::time::Duration;
    /// use nanosecond_realtime::{DeadlineError, NanosecondScheduler, SchedulerConfig};
    /// use nanosecond_scheduler::Priority;
    ///
    /// # async fn decide(runtime: &NanosecondScheduler) -> Result<(), nanosecond_realtime::Error> {
    /// let deadline = Duration::from_millis(1);
    /// match runtime.schedule_with_deadline(|| 6 * 7, deadline, Priority::High)?.await {
    ///     Ok(answer) => println!("{answer}, in time"),
    ///     Err(DeadlineError::Missed { late_by, value }) => println!("{value:?}, {late_by:?} late"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn schedule_with_deadline<J: IntoJob>(
        &self,
        job: J,
        deadline: Duration,
        priority: Priority,
    ) -> Result<TaskHandle<J::Output>, Refused<J>> {
        let outline = job.outline().with_deadline(deadline).with_priority(priority);
        self.inner.accept(outline, job)
    }

    /// As [`schedule_with_deadline`](Self::schedule_with_deadline) for a task whose execution takes at
    /// most `wcet`: what admission counts with, and [`Policy::LeastLaxity`](nanosecond_scheduler::Policy).
    ///
    /// # Errors
    ///
    /// As [`schedule`](Self::schedule).
    pub fn schedule_with_wcet<J: IntoJob>(
        &self,
        job: J,
        wcet: Duration,
        deadline: Duration,
        priority: Priority,
    ) -> Result<TaskHandle<J::Output>, Refused<J>> {
        let outline = job.outline().with_deadline(deadline).with_wcet(wcet);
        self.inner.accept(outline.with_priority(priority), job)
    }

    /// Runs a task every `period`, first one period from now: a closure, or a
    /// [`SendTask`] that repeats, whose period is replaced. [`Admission::Exact`](nanosecond_scheduler::Admission::Exact)
    /// needs a `SendTask` that declares its WCET.
    ///
    /// # Errors
    ///
    /// As [`schedule`](Self::schedule), and [`Error::NotPeriodic`] for a one-shot `SendTask`.
    pub fn schedule_periodic(
        &self,
        task: impl IntoPeriodic,
        period: Duration,
        priority: Priority,
    ) -> Result<TaskHandle<()>, Refused<SendTask>> {
        let task = task.into_periodic(period).with_priority(priority);
        if task.period().is_none() {
            return Err(Refused::new(Error::NotPeriodic, task));
        }
        self.schedule(task)
    }

    /// Cancels a task, see [`TaskHandle::abort`].
    ///
    /// # Errors
    ///
    /// [`Error::NotPending`] if it has ended, was cancelled before, or is a one-shot that has started.
    pub fn cancel<T>(&self, handle: &TaskHandle<T>) -> Result<(), Error> {
        handle.cancel()
    }

    /// Waits until the task has ended and gives its value, be it late. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// [`Error::OnWorker`] if called from a worker of the task's runtime, which would wait for itself;
    /// else why there is no value: [`Error::Cancelled`], [`Error::Panicked`], [`Error::Skipped`],
    /// [`Error::Rejected`] or [`Error::Shutdown`].
    pub fn wait_for_completion<T>(&self, handle: TaskHandle<T>) -> Result<T, Error> {
        if handle.belongs_to(&self.inner) {
            self.refuse_on_worker()?;
        }
        let waker = waker_of_thread();
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(ending) = handle.poll_ending(&mut cx) {
                return ending.into_value();
            }
            thread::park();
        }
    }

    /// Waits until every one-shot accepted before has ended, those released later included, and
    /// tells how well deadlines and budget were kept by all tasks since the last report, or the start.
    ///
    /// # Errors
    ///
    /// [`Error::OnWorker`] if called from a worker, which would wait for itself.
    pub fn run_until_idle_with_guarantee(&self) -> Result<GuaranteeReport, Error> {
        self.refuse_on_worker()?;
        self.inner.outstanding.wait();
        let mut reported = self.reported.lock();
        let recorders = || self.inner.desks.iter().map(|desk| &desk.recorder);
        let totals = recorders().fold(Totals::default(), |sum, one| sum.plus(one.totals()));
        let before = std::mem::replace(&mut *reported, totals);
        Ok(GuaranteeReport {
            totals: totals.since(before),
            worst_latency_ns: recorders().map(|one| one.take_recent_max()).max().unwrap_or(0),
            latency_budget_ns: self.inner.config.latency_budget_ns,
        })
    }

    /// Dispatch latencies of all workers' jobs since the start. No worker waits for it.
    #[must_use]
    pub fn get_latency_stats(&self) -> LatencyStats {
        LatencyStats::of(self.inner.desks.iter().map(|desk| &desk.recorder))
    }

    /// Each worker's figures since the start. No worker waits for it.
    #[must_use]
    pub fn worker_stats(&self) -> Vec<WorkerStats> {
        let elapsed_ns = self.now().duration_since(self.started_at).as_nanos().max(1) as f64;
        let of = |(worker, desk): (usize, &Desk)| {
            let totals = desk.recorder.totals();
            WorkerStats {
                worker,
                pending: desk.tasks.load(std::sync::atomic::Ordering::Relaxed),
                is_running: desk.running_since().is_some(),
                utilization: totals.busy_ns as f64 / elapsed_ns,
                placed_utilization: self.inner.book.lock().utilization(worker),
                totals,
                latency: LatencyStats::of(std::iter::once(&desk.recorder)),
            }
        };
        self.inner.desks.iter().enumerate().map(of).collect()
    }

    /// Lets `look` have a worker's scheduler between two jobs, and hands out what it returns: its
    /// monitor's report, its trace, its metrics. It should be short, since it delays the worker's tasks.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchWorker`], [`Error::Shutdown`], or [`Error::Full`] if the worker has not seen as
    /// many requests before.
    pub fn inspect<T: Send + 'static>(
        &self,
        worker: usize,
        look: impl FnOnce(&mut Scheduler) -> T + Send + 'static,
    ) -> Result<TaskHandle<T>, Error> {
        let workers = self.inner.desks.len();
        let desk = self.inner.desks.get(worker).ok_or(Error::NoSuchWorker { worker, workers })?;
        let (mut sender, shared) = Sender::new(worker);
        sender.expects(Why::Shutdown);
        let look = move |scheduler: &mut Scheduler| {
            sender.starts();
            let value = look(scheduler);
            sender.finishes(value, scheduler.now(), None);
        };
        self.inner.request(worker, desk.lock(), Request::Inspect(Box::new(look)))?;
        // No task has it: there is nothing to cancel.
        let key = Key { release: 0, ticket: 0 };
        Ok(TaskHandle::new(shared, Arc::clone(&self.inner), key, false))
    }

    /// What was asked of the operating system for each worker, and its answers.
    #[must_use]
    pub fn os_outcomes(&self) -> &[OsOutcomes] {
        &self.outcomes
    }

    /// The answer to [`lock_memory`](SchedulerConfig::lock_memory), if it was asked for.
    #[must_use]
    pub fn memory_outcome(&self) -> Option<&Outcome> {
        self.memory.as_ref()
    }

    /// The number of workers.
    #[must_use]
    pub fn num_workers(&self) -> usize {
        self.inner.desks.len()
    }

    /// The reading of the clock that all workers share.
    #[must_use]
    pub fn now(&self) -> TimePoint {
        self.inner.now()
    }

    /// The number of the worker that runs the caller, if one does.
    #[must_use]
    pub fn current_worker() -> Option<usize> {
        worker::current()
    }

    /// Tells `hook` of every panic of a task, on the worker's thread. The task has ended, and its handle
    /// knows; the worker goes on. What the hook itself panics with is contained, too.
    pub fn on_panic(&self, hook: impl Fn(WorkerPanic) + Send + Sync + 'static) {
        self.inner.hooks.set_on_panic(Arc::new(hook));
    }

    /// Tells `hook` of every missed deadline, with the worker's number, on that worker's thread. The id
    /// in it is one of the worker's own.
    pub fn on_deadline_miss(
        &self,
        hook: impl Fn(usize, DeadlineViolation) + Send + Sync + 'static,
    ) {
        self.inner.hooks.set_on_deadline_miss(Arc::new(move |(worker, miss)| hook(worker, miss)));
    }

    /// Accepts no more tasks, deals with those accepted as `mode` says, and waits until all threads have
    /// ended. A second call waits for the first.
    ///
    /// # Errors
    ///
    /// [`Error::OnWorker`] if called from a worker, which would wait for itself.
    pub fn shutdown(&self, mode: Shutdown) -> Result<(), Error> {
        self.refuse_on_worker()?;
        if mode == Shutdown::Drain {
            self.inner.drain();
            self.inner.outstanding.wait();
        }
        self.inner.stop();
        let mut threads = self.threads.lock();
        for thread in threads.drain(..) {
            // It contains its own panics.
            let _ = thread.join();
        }
        Ok(())
    }

    fn refuse_on_worker(&self) -> Result<(), Error> {
        match worker::current_of(&self.inner) {
            Some(worker) => Err(Error::OnWorker { worker }),
            None => Ok(()),
        }
    }
}

impl Drop for NanosecondScheduler {
    fn drop(&mut self) {
        // On a worker, which cannot wait for itself, the threads end on their own.
        if self.shutdown(Shutdown::Cancel).is_err() {
            self.inner.stop();
        }
    }
}

impl fmt::Debug for NanosecondScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NanosecondScheduler")
            .field("name", &self.inner.config.name)
            .field("num_workers", &self.num_workers())
            .field("is_stopped", &self.inner.is_stopped())
            .finish_non_exhaustive()
    }
}

//! [`SchedulerConfig`]: every knob of the runtime, its default and its bounds.

use nanosecond_scheduler::{
    Admission, Config, Emergency, MetricsLevel, MissedTick, MonitorConfig, Policy, Priority,
    UnknownVerdict, Wait,
};

use crate::error::Error;
use crate::os::{self, PriorityClasses, SchedClass};

/// The most workers that a runtime may have.
const MAX_WORKERS: usize = 1024;
/// The most tasks that a worker may hold: the core's bound, less room for what has been cancelled.
const MAX_CAPACITY: usize = 1 << 26;

/// How a [`NanosecondScheduler`](crate::NanosecondScheduler) is set up. A plain struct: write
/// `SchedulerConfig { num_workers: 2, ..Default::default() }`.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    /// Keeps each worker on a core of its own, the first worker on the first core that the process may
    /// use, and so on; with more workers than cores some share one. Default `false`.
    pub enable_cpu_pinning: bool,
    /// Gives workers the scheduling class of [`worker_priority`](Self::worker_priority), and the thread
    /// that balances them a priority one above, up to 99, so that it sees them when they spin; above
    /// [`SchedClass::Deadline`] there is none. Default `false`.
    ///
    /// Who schedules or cancels keeps no worker waiting: not even if it is preempted in the midst of it.
    /// Left are locks that are not ours: the allocator's, which a one-shot's end meets, and the one that
    /// threads park on, held for an instruction. A worker that spins may keep such a thread from going on:
    /// leave it a core that no worker spins on, or a class of real time.
    pub enable_rt_scheduling: bool,
    /// Threads that run tasks, 1 to 1,024. Default: one per core that the process may use.
    pub num_workers: usize,
    /// Dispatch latency in ns that is to be kept, at least 1. A worker that exceeds it gives work
    /// away, see [`NanosecondScheduler`](crate::NanosecondScheduler). Default 100,000.
    pub latency_budget_ns: u64,
    /// Which priority its threads have with the operating system. A worker has one, which is not
    /// switched per task. Default [`Priority::High`].
    pub worker_priority: Priority,
    /// What that priority means to the operating system.
    pub priority_classes: PriorityClasses,
    /// Keeps the process' memory out of swap. Default `false`.
    pub lock_memory: bool,
    /// The workers' timer slack in ns; `None`, the default, leaves the system's.
    pub timer_slack_ns: Option<u64>,
    /// Bytes of each worker's stack that are touched in advance. Default 0.
    pub prefault_stack_bytes: usize,
    /// Whether `new` fails if the operating system denies one of the above. Default `false`: what was
    /// denied can be read from [`os_outcomes`](crate::NanosecondScheduler::os_outcomes).
    pub require: bool,
    /// Threads are called this, with the worker's number. Default `"nanosecond"`.
    pub name: String,
    /// Tasks that a worker may hold which have not ended, 1 to 2²⁶. Default 65,536.
    pub capacity: usize,
    /// How workers wait. Default [`Wait::Hybrid`].
    pub wait: Wait,
    /// Which released task of a worker runs first. Default [`Policy::Priority`].
    pub policy: Policy,
    /// Whether periodic and sporadic tasks are refused for which no worker has room. Default
    /// [`Admission::Off`].
    pub admission: Admission,
    /// What admission does when its test comes to no verdict. Default [`UnknownVerdict::Refuse`].
    pub on_unknown: UnknownVerdict,
    /// What periodic tasks do about periods that passed before they could run, unless they say
    /// otherwise. Default [`MissedTick::Burst`].
    pub missed_tick: MissedTick,
    /// What a worker does after the miss of a hard deadline. [`Emergency::Stop`] ends the current tick
    /// only: workers go on until the runtime is shut down. Default [`Emergency::Callback`].
    pub emergency: Emergency,
    /// Latency, lateness and utilization per task, to be read with
    /// [`inspect`](crate::NanosecondScheduler::inspect). Default off.
    pub monitor: Option<MonitorConfig>,
    /// Events that each worker's trace keeps, to be read with
    /// [`inspect`](crate::NanosecondScheduler::inspect). Default 0, off.
    pub trace_capacity: usize,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        SchedulerConfig {
            enable_cpu_pinning: false,
            enable_rt_scheduling: false,
            num_workers: os::available_cores().len().min(MAX_WORKERS),
            latency_budget_ns: 100_000,
            worker_priority: Priority::High,
            priority_classes: PriorityClasses::default(),
            lock_memory: false,
            timer_slack_ns: None,
            prefault_stack_bytes: 0,
            require: false,
            name: "nanosecond".to_owned(),
            capacity: 1 << 16,
            wait: Wait::default(),
            policy: Policy::default(),
            admission: Admission::default(),
            on_unknown: UnknownVerdict::default(),
            missed_tick: MissedTick::default(),
            emergency: Emergency::default(),
            monitor: None,
            trace_capacity: 0,
        }
    }
}

impl SchedulerConfig {
    /// Says which field is out of its bounds, if any; each worker's scheduler checks the others.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let in_range = |field, value: u64, most: u64| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                Err(Error::OutOfRange { field, value, least: 1, most })
            }
        };
        in_range("num_workers", self.num_workers as u64, MAX_WORKERS as u64)?;
        in_range("latency_budget_ns", self.latency_budget_ns, u64::MAX)?;
        in_range("capacity", self.capacity as u64, MAX_CAPACITY as u64)
    }

    /// The class that workers are to have.
    pub(crate) fn worker_class(&self) -> SchedClass {
        self.priority_classes.of(self.worker_priority)
    }

    /// The class of the balancer: one that preempts workers, unless they share time anyway.
    pub(crate) fn balancer_class(&self) -> SchedClass {
        match self.worker_class() {
            SchedClass::Fifo(priority) | SchedClass::RoundRobin(priority) => {
                SchedClass::Fifo(priority.saturating_add(1).min(99))
            }
            SchedClass::Normal | SchedClass::Deadline { .. } => SchedClass::Normal,
        }
    }

    /// What a worker's own scheduler is set up with.
    pub(crate) fn core(&self) -> Config {
        Config {
            // Between any two jobs a worker sees what it was asked for.
            max_tasks_per_tick: 1,
            // Tasks that have moved or were aborted lie there until the worker looks at its desk.
            capacity: 2 * self.capacity + 1,
            wait: self.wait,
            missed_tick: self.missed_tick,
            policy: self.policy,
            // It is the runtime that admits, before it chooses a worker.
            admission: Admission::Off,
            emergency: self.emergency,
            metrics: MetricsLevel::Counters,
            monitor: self.monitor,
            trace_capacity: self.trace_capacity,
            // Only the bell is used.
            remote_capacity: 1,
            ..Config::default()
        }
    }
}

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs, unsafe_code)]

extern crate alloc;

#[cfg(feature = "parallel")]
mod batch;
mod clock;
#[allow(unsafe_code)]
mod closure;
mod config;
mod context;
mod engine;
mod error;
mod execute;
mod join;
mod metrics;
#[allow(unsafe_code)]
mod paged;
mod policy;
mod queue;
#[cfg(feature = "std")]
mod remote;
mod run;
mod scheduler;
mod store;
#[cfg(feature = "std")]
mod sync;
#[allow(unsafe_code)]
mod task;
mod tick;
mod time;
mod timing;
mod wait;

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use clock::MonotonicClock;
#[cfg(all(feature = "std", target_arch = "wasm32", target_os = "unknown"))]
pub use clock::PerformanceClock;
pub use clock::{Clock, ManualClock};
#[cfg(feature = "std")]
pub use clock::{ClockError, DefaultClock, TscClock};
pub use config::{Config, ConfigError, MetricsLevel, MissedTick, Wait};
pub use context::Context;
pub use engine::DeadlineMiss;
#[cfg(feature = "std")]
pub use engine::TaskPanic;
pub use error::{CancelError, ScheduleError, ScheduleErrorKind, TriggerError, WaitError};
pub use join::JoinHandle;
pub use metrics::{LatencyStats, Metrics};
pub use policy::Policy;
#[cfg(feature = "std")]
pub use remote::{Remote, RemoteError, RemoteErrorKind, RemoteId};
pub use scheduler::Scheduler;
pub use task::{DeadlineKind, Priority, SendTask, Task, TaskId};
pub use tick::TickReport;
pub use time::TimePoint;
pub use timing::analysis;
#[cfg(feature = "std")]
pub use timing::monitor::{
    Alert, AlertMetric, JobRecord, JobStats, LatencyMonitor, MonitorConfig, MonitoringReport,
    Quantiles, TaskStats,
};
pub use timing::trace::{Trace, TraceEvent, TraceKind};
pub use wait::Waiter;

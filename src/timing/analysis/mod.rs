//! Schedulability tests: does a set of tasks keep all its deadlines, whenever its jobs come?
//!
//! All tests are for one processor and for *sporadic* tasks: a task's jobs come at least a period
//! apart, and no phase is assumed. Time is counted in whole ticks, in admission control of 1 ns; a job
//! needs its WCET at most. Jobs of this crate's scheduler do not preempt each other, so what holds for
//! it are the tests of [`nonpreemptive`]. Those of [`preemptive`] are for comparison, and for systems
//! that are: admitting tasks to this scheduler by them is unsound.
//!
//! Where priorities matter, the order of the list is the order of priority, most urgent first.
//!
//! Everything is decided in integers. What would overflow, or exceeds the number of steps that the
//! caller allows (a *step* looks at one task once), ends as [`Verdict::Unknown`] or
//! [`Response::Unknown`].
//!
//! ```
//! use nanosecond_scheduler::analysis::{nonpreemptive, Response, TaskModel, Verdict};
//!
//! let tasks = [TaskModel::new(2, 5, 5)?, TaskModel::new(4, 7, 7)?];
//! let responses = nonpreemptive::response_times(&tasks, 1_000);
//! assert_eq!(responses, [Response::Bounded(5), Response::Bounded(6)]);
//! assert_eq!(nonpreemptive::edf(&tasks, 1_000), Verdict::Schedulable);
//! # Ok::<(), nanosecond_scheduler::analysis::ModelError>(())
//! ```

mod demand;
mod model;
pub mod nonpreemptive;
pub mod preemptive;
mod simulate;
mod utilization;
mod work;

pub(crate) use demand::Excess;
pub use model::{ModelError, Response, TaskModel, Verdict};
pub use simulate::{simulate, Miss, Order, Simulation};
pub(crate) use utilization::Utilization;
pub use utilization::{compare_utilization, hyperperiod};
pub(crate) use work::{Exhausted, Work};

//! Why a task is not admitted.

use core::fmt;

use crate::task::TaskId;

/// Why admission control refuses a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// [`Admission::Exact`](crate::Admission::Exact) needs [`Task::with_wcet`](crate::Task::with_wcet).
    MissingWcet,
    /// The utilization ΣC/T would exceed 1.
    Utilization {
        /// By so many millionths, rounded up.
        excess_ppm: u64,
    },
    /// A deadline would be missed if the jobs came as badly as they may.
    Deadline {
        /// Whose; `None` is the new task itself.
        task: Option<TaskId>,
        /// By so many ns, or more; `u64::MAX` if there is no bound.
        late_by_ns: u64,
    },
    /// There is no verdict, and [`Config::on_unknown`](crate::Config::on_unknown) says to refuse.
    Unknown(UnknownCause),
}

/// Why a test has come to no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownCause {
    /// No exact test is known for the policy.
    Policy,
    /// The test would take longer than [`AdmissionControl::WORK`](crate::AdmissionControl::WORK) steps,
    /// or a number does not fit.
    Work,
    /// It is not known how long after its release the deadline is: the release lies in the past, or the
    /// deadline is absolute and the task waits for others.
    Release,
}

impl fmt::Display for UnknownCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnknownCause::Policy => "no exact test is known for the policy",
            UnknownCause::Work => "the test exceeds the work it may do",
            UnknownCause::Release => {
                "the task's release lies in the past, or depends on others though its deadline is \
                 absolute"
            }
        })
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::MissingWcet => {
                f.write_str("the task declares no WCET, which Admission::Exact needs")
            }
            Rejection::Utilization { excess_ppm } => {
                write!(f, "the utilization would exceed 1 by {excess_ppm} millionths")
            }
            Rejection::Deadline { task, late_by_ns } => {
                match task {
                    None => f.write_str("the task itself might miss its deadline")?,
                    Some(id) => write!(f, "{id:?} might miss its deadline")?,
                }
                match *late_by_ns {
                    u64::MAX => f.write_str(" by any time"),
                    late_by_ns => write!(f, " by {late_by_ns} ns"),
                }
            }
            Rejection::Unknown(cause) => {
                write!(f, "it is not known if all deadlines hold: {cause}")
            }
        }
    }
}

impl core::error::Error for Rejection {}

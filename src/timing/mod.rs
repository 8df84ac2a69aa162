//! What real-time analysis needs, as pure logic: no clock, no queue.

pub mod analysis;

mod admission;
mod audit;
mod deadline;
mod dependencies;
#[cfg(feature = "std")]
pub(crate) mod monitor;
mod observers;
mod ring;
pub(crate) mod trace;
mod wcet;

pub use admission::{Admission, AdmissionControl, Rejection, Share, UnknownCause, UnknownVerdict};
pub use deadline::{DeadlineViolation, Emergency};
pub(crate) use dependencies::Dependencies;
#[cfg(feature = "std")]
pub(crate) use monitor::MonitorConfig;
pub(crate) use observers::{Observers, Times};
pub(crate) use wcet::Estimators;
#[cfg(feature = "std")]
pub use wcet::QuantileEstimator;
pub use wcet::{MaxEstimator, WcetEstimator};

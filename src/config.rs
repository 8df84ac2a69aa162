//! [`Config`]: every knob, its default and its bounds.

use core::fmt;

use crate::policy::Policy;
use crate::store::MAX_SLOTS;
#[cfg(feature = "std")]
use crate::timing::MonitorConfig;
use crate::timing::{Admission, Emergency, UnknownVerdict};
use crate::window::{WindowError, WindowSpec};

/// How a scheduler is set up. A plain struct: write `Config { capacity: 64, ..Config::default() }`.
///
/// Values out of bounds are refused by [`Scheduler::try_new`](crate::Scheduler::try_new) with a
/// [`ConfigError`] that names the field and its bound.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Config {
    /// Cadence of the `run*` methods in ns: for a release they wake at its multiples only, and
    /// sleep through those at which nothing is due. 0, the default, wakes exactly for the next release.
    /// Admission counts with it.
    pub tick_rate_ns: u64,
    /// Jobs that one tick runs at most; the rest stay due. Default 1,024; at least 1.
    pub max_tasks_per_tick: usize,
    /// Lets [`SendTask`](crate::SendTask)s of a tick's due batch run on rayon's pool. Their times are in
    /// no metrics, monitor or trace. If several panic and there is no
    /// [`on_panic`](crate::Scheduler::on_panic), one panic is raised. Default `false`; needs the
    /// feature `parallel`.
    pub parallel: bool,
    /// Whether the scheduler observes itself, see [`strange_loop`](crate::strange_loop). It needs ticks
    /// that are timed, so that it stands still at [`MetricsLevel::Off`]. Default `true`.
    pub strange_loop: bool,
    /// Contraction constant k of the strange loop, 0 <= k < 1: the greater, the steadier and the
    /// slower its estimates are. Default 0.9.
    pub lipschitz_constant: f64,
    /// Intervals in which jobs and recorded values are counted and summed up. Default off.
    pub windows: Option<WindowSpec>,
    /// Temporal windows to keep, and how many may be open at a time, 1 to 2²⁰. Default 64.
    pub window_size: usize,
    /// Tasks that may be pending, 1 to 2²⁸. Default 2²⁰. Memory grows as they come.
    pub capacity: usize,
    /// How the `run*` methods wait. Default [`Wait::Hybrid`].
    pub wait: Wait,
    /// What periodic tasks do about periods slept through, unless they say otherwise. Default
    /// [`MissedTick::Burst`].
    pub missed_tick: MissedTick,
    /// Which released task runs first. Default [`Policy::Priority`].
    pub policy: Policy,
    /// Whether periodic and sporadic tasks are refused that would miss deadlines, theirs or others'.
    /// Default [`Admission::Off`].
    pub admission: Admission,
    /// What admission does when its test comes to no verdict. Default [`UnknownVerdict::Refuse`].
    pub on_unknown: UnknownVerdict,
    /// What follows the miss of a hard deadline. Default [`Emergency::Callback`].
    pub emergency: Emergency,
    /// What is measured. Default [`MetricsLevel::Counters`].
    pub metrics: MetricsLevel,
    /// Latency, response time, lateness and utilization per task, by a
    /// [`LatencyMonitor`](crate::LatencyMonitor). Default off. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub monitor: Option<MonitorConfig>,
    /// Events that the [`Trace`](crate::Trace) keeps; 0, the default, is off. At most
    /// [`Trace::MAX_CAPACITY`](crate::Trace::MAX_CAPACITY).
    pub trace_capacity: usize,
    /// Checks at each start that no released task is waiting that the policy prefers; see
    /// [`Scheduler::inversions`](crate::Scheduler::inversions). O(pending tasks) per job: for tests.
    /// Default `false`.
    pub audit: bool,
    /// Requests of [`Remote`](crate::Remote)s that may wait for the next tick, 1 to 2²⁰. Default
    /// 1,024.
    pub remote_capacity: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tick_rate_ns: 0,
            max_tasks_per_tick: 1024,
            parallel: false,
            strange_loop: true,
            lipschitz_constant: 0.9,
            windows: None,
            window_size: 64,
            capacity: 1 << 20,
            wait: Wait::default(),
            missed_tick: MissedTick::default(),
            policy: Policy::default(),
            admission: Admission::default(),
            on_unknown: UnknownVerdict::default(),
            emergency: Emergency::default(),
            metrics: MetricsLevel::default(),
            #[cfg(feature = "std")]
            monitor: None,
            trace_capacity: 0,
            audit: false,
            remote_capacity: 1024,
        }
    }
}

/// How the `run*` methods pass the time until the next release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Wait {
    /// Reads the clock until it is time. Most exact; takes a whole core, also while nothing is
    /// pending and `run` waits for a [`Remote`](crate::Remote).
    Spin,
    /// Sleeps until shortly before, then spins. How shortly is learned from how late sleeps end: so
    /// that about 1 in 1,025 ends late, and from 2 to 200 µs. It spins through waits of up to 50 µs,
    /// and through at most half of a longer one.
    #[default]
    Hybrid,
    /// Sleeps until it is time. Cheapest; late by what the operating system makes it.
    Sleep,
}

/// What a periodic task does about periods that passed before it could run; tokio's meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MissedTick {
    /// Runs every missed job at once, one after the other, until it has caught up.
    #[default]
    Burst,
    /// Counts the next period from the instant at which the late job ran: the phase shifts.
    Delay,
    /// Leaves the missed jobs out and goes on at the next multiple of the period.
    Skip,
}

/// What the scheduler measures about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MetricsLevel {
    /// Nothing.
    Off,
    /// Counts, and the average, least and greatest tick time. No percentiles.
    #[default]
    Counters,
    /// Also histograms of tick time and of each job's dispatch latency, for which the clock is read
    /// at the start of each job. Needs the feature `std`.
    Histograms,
}

/// Why a [`Config`] was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// `field` must be an integer from `least` to `most`.
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// The value given.
        value: usize,
        /// Its lower bound.
        least: usize,
        /// Its upper bound.
        most: usize,
    },
    /// `lipschitz_constant` must be at least 0 and below 1.
    Lipschitz(f64),
    /// `windows` cannot be used, for this reason.
    Windows(WindowError),
    /// The value asked for needs a feature of the crate that is off.
    MissingFeature {
        /// The field's name.
        field: &'static str,
        /// The feature's name.
        feature: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::OutOfRange { field, value, least, most } => {
                write!(f, "Config::{field} is {value}; it must be from {least} to {most}")
            }
            ConfigError::Lipschitz(k) => write!(
                f,
                "Config::lipschitz_constant is {k}; it must be at least 0 and below 1, \
                 or the loop does not converge"
            ),
            ConfigError::Windows(reason) => write!(f, "Config::windows: {reason}"),
            ConfigError::MissingFeature { field, feature } => write!(
                f,
                "Config::{field} asks for something that needs the crate's feature `{feature}`"
            ),
        }
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let in_range = |field, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                Err(ConfigError::OutOfRange { field, value, least: 1, most })
            }
        };
        in_range("max_tasks_per_tick", self.max_tasks_per_tick, usize::MAX)?;
        in_range("window_size", self.window_size, 1 << 20)?;
        in_range("capacity", self.capacity, MAX_SLOTS / 2)?;
        in_range("remote_capacity", self.remote_capacity, 1 << 20)?;
        if !(0.0..1.0).contains(&self.lipschitz_constant) {
            return Err(ConfigError::Lipschitz(self.lipschitz_constant));
        }
        if self.parallel && cfg!(not(feature = "parallel")) {
            return Err(ConfigError::MissingFeature { field: "parallel", feature: "parallel" });
        }
        let of_realtime = [
            ("policy", self.policy != Policy::Priority),
            ("admission", self.admission != Admission::Off),
            ("audit", self.audit),
            ("emergency", self.emergency != Emergency::Callback),
            ("trace_capacity", self.trace_capacity > 0),
        ];
        if let Some((field, _)) = of_realtime.iter().find(|(_, is_wanted)| *is_wanted) {
            if cfg!(not(feature = "realtime")) {
                return Err(ConfigError::MissingFeature { field, feature: "realtime" });
            }
        }
        if self.metrics == MetricsLevel::Histograms && cfg!(not(feature = "std")) {
            return Err(ConfigError::MissingFeature { field: "metrics", feature: "std" });
        }
        Ok(())
    }
}

//! Worst-case execution times from measurement: [`WcetEstimator`] and estimators to choose from.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Predicts the execution time of a task's next job from those of its jobs so far.
///
/// Measured times are no proof of a worst case: [`Admission`](crate::Admission) relies on declared
/// ones only. A panic of [`record`](Self::record) is treated as one of the job, except that its task
/// goes on. One of [`estimate_ns`](Self::estimate_ns), which is asked while tasks are queued, counts as no
/// estimate; the tick, or the next one, raises it again.
pub trait WcetEstimator {
    /// A job took `execution_ns`.
    fn record(&mut self, execution_ns: u64);

    /// What to expect of the next job, in ns; `None` as long as that cannot be said.
    fn estimate_ns(&self) -> Option<u64>;
}

/// Expects the longest job so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxEstimator {
    max_ns: Option<u64>,
}

impl WcetEstimator for MaxEstimator {
    fn record(&mut self, execution_ns: u64) {
        self.max_ns = self.max_ns.max(Some(execution_ns));
    }

    fn estimate_ns(&self) -> Option<u64> {
        self.max_ns
    }
}

/// Expects a quantile of the jobs so far, and a margin on top.
#[cfg(feature = "std")]
#[derive(Clone, Debug)]
pub struct QuantileEstimator {
    quantile: f64,
    margin: f64,
    times: crate::metrics::Histogram,
}

#[cfg(feature = "std")]
impl QuantileEstimator {
    /// `quantile` from 0 to 1; `margin` as a share, 0.2 for a fifth on top. What lies out of bounds
    /// is taken as the nearest bound, not-a-number as the greatest. The quantile is within 1 %, and
    /// above 0 never below the truth; times above one hour count as one hour.
    #[must_use]
    pub fn new(quantile: f64, margin: f64) -> Self {
        let at_most =
            |value: f64, most: f64| if value.is_nan() { most } else { value.clamp(0.0, most) };
        QuantileEstimator {
            quantile: at_most(quantile, 1.0),
            margin: at_most(margin, 1e6),
            times: crate::metrics::Histogram::default(),
        }
    }
}

#[cfg(feature = "std")]
impl WcetEstimator for QuantileEstimator {
    fn record(&mut self, execution_ns: u64) {
        self.times.record(execution_ns);
    }

    fn estimate_ns(&self) -> Option<u64> {
        if self.times.len() == 0 {
            return None;
        }
        let quantile_ns = self.times.at_quantile(self.quantile);
        Some((quantile_ns as f64 * (1.0 + self.margin)) as u64) // Saturates.
    }
}

/// Makes an estimator for a name.
type Factory = Box<dyn FnMut(&'static str) -> Box<dyn WcetEstimator>>;

/// One estimator per name: tasks of the same name are jobs of the same code.
///
/// Not bounded: names are `'static`, and so are those that a program has.
#[derive(Default)]
pub(crate) struct Estimators {
    /// Without one, names get no estimator.
    make: Option<Factory>,
    by_name: Vec<(&'static str, Box<dyn WcetEstimator>)>,
}

impl Estimators {
    /// Makes the estimators of new names from now on.
    #[cfg(feature = "realtime")]
    pub(crate) fn set_factory(&mut self, make: Factory) {
        self.make = Some(make);
    }

    /// The index of the estimator for a name, which is made if there is none. O(names).
    pub(crate) fn index(&mut self, name: &'static str) -> Option<u32> {
        let mut at = self.by_name.iter().position(|(known, _)| *known == name);
        if at.is_none() {
            self.by_name.push((name, self.make.as_mut()?(name)));
            at = Some(self.by_name.len() - 1);
        }
        at.map(|at| at as u32)
    }

    pub(crate) fn record(&mut self, index: u32, execution_ns: u64) {
        self.by_name[index as usize].1.record(execution_ns);
    }

    pub(crate) fn estimate_ns(&self, index: u32) -> Option<u64> {
        self.by_name[index as usize].1.estimate_ns()
    }

    #[cfg(feature = "realtime")]
    pub(crate) fn estimate_of(&self, name: &str) -> Option<u64> {
        self.by_name.iter().find(|(known, _)| *known == name)?.1.estimate_ns()
    }
}

impl fmt::Debug for Estimators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_name.iter().map(|(name, _)| name)).finish()
    }
}

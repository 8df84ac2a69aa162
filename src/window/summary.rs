//! What is told of a window: [`WindowSummary`].

use super::spec::Window;

/// What happened in a window, told when it has closed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WindowSummary {
    /// Which window.
    pub window: Window,
    /// Dispatch latency in ns of the jobs started in it, and so how many those were. Under the default policy without deadlines it is measured to
    /// the tick's decision instant.
    pub latency_ns: Statistics,
    /// Values that were recorded in it.
    pub values: Statistics,
    /// What the handler returned for the window before.
    pub carried: f64,
}

/// Count, extremes and sum of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Statistics {
    /// How many there were.
    pub count: u64,
    /// The least; infinite if there were none.
    pub min: f64,
    /// The greatest; negatively infinite if there were none.
    pub max: f64,
    /// Their sum.
    pub sum: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0 }
    }
}

impl Statistics {
    /// The mean; `None` if there were no values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    #[inline]
    fn count(&mut self, value: f64) {
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
    }

    fn add(&mut self, other: &Statistics) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
    }
}

/// What windows count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A job started, so many ns after its release.
    Job(u64),
    /// A value was recorded.
    Value(f64),
}

/// What happened in a pane, or in several.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Dispatch latency of the jobs started, in ns.
    pub(super) latency_ns: Statistics,
    pub(super) values: Statistics,
}

impl Tally {
    #[inline]
    pub(super) fn count(&mut self, event: Event) {
        match event {
            Event::Job(latency_ns) => self.latency_ns.count(latency_ns as f64),
            Event::Value(value) => self.values.count(value),
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.latency_ns.add(&other.latency_ns);
        self.values.add(&other.values);
    }

    pub(super) fn events(&self) -> u64 {
        self.latency_ns.count + self.values.count
    }
}

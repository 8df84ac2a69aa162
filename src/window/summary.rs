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

/// Count, extremes and sum of some values. One that is not a number is counted, makes the sum none, and
/// is no extreme.
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
}

/// What windows count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A job started, so many ns after its release.
    Job(u64),
    /// A value was recorded.
    Value(f64),
}

/// What happened in a pane, or in several: jobs started, with their dispatch latency in ns, and values
/// recorded. So laid out that two are added by few instructions.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Tally {
    counts: [u64; 2],
    sums: [f64; 2],
    /// Of each the least, negated, and the greatest.
    extremes: [[f64; 2]; 2],
}

impl Default for Tally {
    fn default() -> Self {
        Tally { counts: [0; 2], sums: [0.0; 2], extremes: [[f64::NEG_INFINITY; 2]; 2] }
    }
}

impl Tally {
    #[inline(always)]
    pub(super) fn count(&mut self, event: Event) {
        let (kind, value) = match event {
            Event::Job(latency_ns) => (0, latency_ns as f64),
            Event::Value(value) => (1, value),
        };
        self.counts[kind] += 1;
        self.sums[kind] += value;
        let [least, greatest] = &mut self.extremes[kind];
        (*least, *greatest) = (greater(*least, -value), greater(*greatest, value));
    }

    #[inline(always)]
    pub(super) fn add(&mut self, other: &Tally) {
        for kind in 0..2 {
            self.counts[kind] += other.counts[kind];
            self.sums[kind] += other.sums[kind];
            for end in 0..2 {
                self.extremes[kind][end] =
                    greater(self.extremes[kind][end], other.extremes[kind][end]);
            }
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.counts == [0; 2]
    }

    #[inline(always)]
    pub(super) fn latency_ns(&self) -> Statistics {
        self.statistics(0)
    }

    #[inline(always)]
    pub(super) fn values(&self) -> Statistics {
        self.statistics(1)
    }

    #[inline(always)]
    fn statistics(&self, kind: usize) -> Statistics {
        let [least, greatest] = self.extremes[kind];
        let (count, sum) = (self.counts[kind], self.sums[kind]);
        Statistics { count, min: -least, max: greatest, sum }
    }
}

/// The greater of two; the first if the other is not a number. One instruction, unlike `f64::max`.
#[inline(always)]
fn greater(one: f64, other: f64) -> f64 {
    if other > one {
        other
    } else {
        one
    }
}

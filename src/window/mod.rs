//! Temporal windows: what happened in overlapping intervals of time.

mod blend;
mod panes;
mod spec;
mod summary;

use alloc::collections::{vec_deque, VecDeque};

pub use blend::{Blend, BlendError, Shape};
use panes::Panes;
pub use spec::{Window, WindowError, WindowSpec};
pub(crate) use summary::Event;
use summary::Tally;
pub use summary::{Statistics, WindowSummary};

/// The windows of one scheduler. Its clock is the watermark: a window closes when a tick finds that
/// its end has passed. A window in which nothing happened is passed over.
#[derive(Debug)]
pub(crate) struct Windows {
    spec: WindowSpec,
    panes: Panes,
    /// The last ones closed, the oldest first; at most as many as `most`.
    kept: VecDeque<WindowSummary>,
    most: usize,
    carried: f64,
    /// Events whose windows had all closed.
    late: u64,
}

impl Windows {
    pub(crate) fn new(spec: WindowSpec, most: usize, now: u64) -> Result<Self, WindowError> {
        spec.validate(most)?;
        // Reserved at once, so that no tick allocates.
        let (panes, kept) = (Panes::new(spec, now), VecDeque::with_capacity(most));
        Ok(Windows { spec, panes, kept, most, carried: 0.0, late: 0 })
    }

    /// The instant at which the next window closes; `u64::MAX` also beyond the end of time.
    #[inline]
    pub(crate) fn closes_at(&self) -> u64 {
        self.panes.closes_at()
    }

    /// Whether nothing happened in the windows that are open.
    pub(crate) fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// Counts what happens now: [`close`](Self::close) has been called until nothing was left to close.
    #[inline]
    pub(crate) fn record(&mut self, now: u64, event: Event) {
        self.panes.add(now, event);
    }

    /// Counts what happened at `at`, which has passed. It is late, which is counted, if the windows that
    /// it lies in have all closed; `false` then.
    pub(crate) fn record_past(&mut self, at: u64, event: Event) -> bool {
        let is_in_gap = || self.spec.windows_at(i128::from(at)).next().is_none();
        let is_on_time = is_in_gap() || self.panes.add(at, event);
        self.late += u64::from(!is_on_time);
        is_on_time
    }

    /// Closes the earliest open window in which something happened, if it has ended by `now`.
    pub(crate) fn close(&mut self, now: u64) -> Option<WindowSummary> {
        while self.panes.has_ended(now) {
            if self.panes.is_empty() {
                self.panes.pass_over(now);
                return None;
            }
            let window = self.panes.open();
            let tally = self.panes.close();
            if tally.events() > 0 {
                let Tally { latency_ns, values } = tally;
                return Some(WindowSummary { window, latency_ns, values, carried: self.carried });
            }
        }
        None
    }

    /// Keeps a closed window, with the value that goes on to the next.
    pub(crate) fn keep(&mut self, summary: WindowSummary, carry: f64) {
        if self.kept.len() == self.most {
            self.kept.pop_front();
        }
        self.kept.push_back(summary);
        self.carried = carry;
    }

    pub(crate) fn kept(&self) -> vec_deque::Iter<'_, WindowSummary> {
        self.kept.iter()
    }

    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    /// The mean share of a kept window that the one after it covers, too; 0 for fewer than two.
    pub(crate) fn overlap(&self) -> f64 {
        let pairs = self.kept.iter().zip(self.kept.iter().skip(1));
        let shared = |(one, next): (&WindowSummary, &WindowSummary)| {
            // It is at most the length.
            (one.window.end_ns - next.window.start_ns).max(0) as u64 as f64
        };
        // From 0, since the sum of nothing is −0.
        let total = pairs.map(shared).fold(0.0, |sum, shared| sum + shared);
        let pairs = self.kept.len().saturating_sub(1).max(1);
        total / pairs as f64 / self.spec.length as f64
    }
}

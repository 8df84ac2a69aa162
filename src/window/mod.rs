//! Temporal windows: what happened in overlapping intervals of time.

mod blend;
mod kept;
mod panes;
mod spec;
mod summary;

pub use blend::{Blend, BlendError, Shape};
use kept::Kept;
use panes::Panes;
pub use spec::{Window, WindowError, WindowSpec};
pub(crate) use summary::Event;
pub use summary::{Statistics, WindowSummary};

/// The windows of one scheduler. Its clock is the watermark: a window closes when a tick finds that
/// its end has passed. A window in which nothing happened is passed over.
#[derive(Debug)]
pub(crate) struct Windows {
    spec: WindowSpec,
    panes: Panes,
    kept: Kept,
    carried: f64,
    /// Events whose windows had all closed.
    late: u64,
}

impl Windows {
    pub(crate) fn new(spec: WindowSpec, most: usize, now: u64) -> Result<Self, WindowError> {
        spec.validate(most)?;
        // Reserved at once, so that no tick allocates.
        let (panes, kept) = (Panes::new(spec, now), Kept::new(most));
        Ok(Windows { spec, panes, kept, carried: 0.0, late: 0 })
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
        let is_on_time = is_in_gap() || self.panes.add_past(at, event);
        self.late += u64::from(!is_on_time);
        is_on_time
    }

    /// Closes the earliest open window in which something happened, if it has ended by `now`. Its summary
    /// is [`closing`](Self::closing) until it is [kept](Self::keep), or lost when the next one closes.
    #[inline(always)]
    pub(crate) fn close(&mut self, now: u64) -> bool {
        while self.panes.has_ended(now) {
            if self.panes.is_empty() {
                self.panes.pass_over(now);
                return false;
            }
            let window = self.panes.open();
            let tally = self.panes.sum();
            let is_empty = tally.is_empty();
            if !is_empty {
                let (latency_ns, values) = (tally.latency_ns(), tally.values());
                let carried = self.carried;
                *self.kept.next() = WindowSummary { window, latency_ns, values, carried };
            }
            self.panes.advance();
            if !is_empty {
                return true;
            }
        }
        false
    }

    /// The window that was closed.
    pub(crate) fn closing(&mut self) -> &WindowSummary {
        self.kept.next()
    }

    /// Keeps that window, with the value that goes on to the next.
    #[inline]
    pub(crate) fn keep(&mut self, carry: f64) {
        self.kept.advance();
        self.carried = carry;
    }

    pub(crate) fn kept(
        &self,
    ) -> impl DoubleEndedIterator<Item = &WindowSummary> + ExactSizeIterator {
        self.kept.iter()
    }

    pub(crate) fn late(&self) -> u64 {
        self.late
    }

    /// The mean share of a kept window that the one after it covers, too; 0 for fewer than two.
    pub(crate) fn overlap(&self) -> f64 {
        let pairs = self.kept().zip(self.kept().skip(1));
        let shared = |(one, next): (&WindowSummary, &WindowSummary)| {
            (one.window.end_ns - next.window.start_ns).max(0) as f64
        };
        // From 0, since the sum of nothing is −0.
        let total = pairs.map(shared).fold(0.0, |sum, shared| sum + shared);
        let pairs = self.kept().len().saturating_sub(1).max(1);
        total / pairs as f64 / self.spec.length as f64
    }
}

//! What happened in the pieces that windows consist of, and their sums.
//!
//! The edges of all windows cut time into panes: one per hop, or two where the hop does not divide
//! the length (Krishnamurthy, Wu, Franklin 2006, "On-the-fly sharing for streamed aggregation"). An
//! event is counted in one pane, however many windows it lies in. A window is the sum of a fixed
//! number of successive panes, kept by two stacks (a "sliding-window aggregation queue"): for those
//! before the *seam* the sum of each and all after it up to the seam, for those from there on one
//! sum. So that also a window costs O(1) amortised, whatever the overlap.

use alloc::vec::Vec;

use super::spec::{Window, WindowSpec};
use super::summary::{Event, Tally};

#[derive(Debug)]
pub(super) struct Panes {
    spec: WindowSpec,
    /// The length of a hop's first pane: up to where a window ends.
    head: u64,
    /// Panes per hop, and per window.
    step: usize,
    span: usize,
    /// A ring of those of the earliest open window: from the seam on what happened in each, before it
    /// the sums. Its length is a power of two.
    panes: Vec<Tally>,
    /// Where in the ring the first pane of the earliest open window is.
    first: usize,
    /// From that pane on: how many lie before the seam, and how many are in a sum.
    seam: usize,
    filled: usize,
    after_seam: Tally,
    /// End of the earliest open window.
    closes_at: i128,
    /// From the first pane on: how many up to the last in which something happened.
    used: usize,
}

impl Panes {
    /// The earliest open window is the first that ends after `now`.
    pub(super) fn new(spec: WindowSpec, now: u64) -> Self {
        let (whole, rest) = ((spec.length / spec.hop) as usize, spec.length % spec.hop);
        let (head, step) = if rest == 0 { (spec.hop, 1) } else { (rest, 2) };
        let span = whole * step + usize::from(rest > 0);
        // No more: what has ended is closed before anything is counted.
        let ring = span.next_power_of_two();
        let mut panes = Panes {
            spec,
            head,
            step,
            span,
            panes: alloc::vec![Tally::default(); ring],
            first: 0,
            seam: 0,
            filled: 0,
            after_seam: Tally::default(),
            closes_at: 0,
            used: 0,
        };
        panes.pass_over(now);
        panes
    }

    /// The earliest open window.
    pub(super) fn open(&self) -> Window {
        let end_ns = self.closes_at;
        Window { start_ns: end_ns - i128::from(self.spec.length), end_ns }
    }

    /// When that window ends; `u64::MAX` also beyond the end of time.
    #[inline]
    pub(super) fn closes_at(&self) -> u64 {
        u64::try_from(self.closes_at).unwrap_or(u64::MAX)
    }

    /// Whether it has ended by `now`.
    #[inline]
    pub(super) fn has_ended(&self, now: u64) -> bool {
        self.closes_at <= i128::from(now)
    }

    /// Counts what happens at `now`. What has ended by then was closed, and so the earliest open window
    /// ends within the next hop: `now` lies in its last pane, in the one before, or in a gap.
    #[inline(always)]
    pub(super) fn add(&mut self, now: u64, event: Event) {
        let left = (self.closes_at as u64).wrapping_sub(now);
        debug_assert!((1..=self.spec.hop).contains(&left), "a window has ended and was not closed");
        if let Some(pane) = self.last_pane(left) {
            let index = self.index(pane);
            self.panes[index].count(event);
            self.used = pane + 1; // Nothing is later than now.
        }
    }

    /// Counts what happened at `at`, before now. `false` if all its windows are closed, or if it is in
    /// none. O(overlap).
    pub(super) fn add_past(&mut self, at: u64, event: Event) -> bool {
        let Some(pane) = self.pane_at(at) else { return false };
        self.used = self.used.max(pane + 1);
        // Each sum from the first pane's up to its own includes it.
        let first = if pane < self.seam { 0 } else { pane };
        for pane in first..=pane {
            let index = self.index(pane);
            self.panes[index].count(event);
        }
        if (self.seam..self.filled).contains(&pane) {
            self.after_seam.count(event);
        }
        true
    }

    /// Sums up the earliest open window. O(1) amortised.
    // Inlined, because a sum that is returned by way of memory is waited for.
    #[inline(always)]
    pub(super) fn sum(&mut self) -> Tally {
        for pane in self.filled..self.span {
            let index = self.index(pane);
            self.after_seam.add(&self.panes[index]);
        }
        self.filled = self.span;
        let mut total = self.after_seam;
        if self.seam > 0 {
            total.add(&self.panes[self.first]);
        }
        total
    }

    /// Goes on to the next window, after that one was summed up. O(1) amortised.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        for _ in 0..self.step {
            if self.seam == 0 {
                self.move_seam();
            }
            self.panes[self.first] = Tally::default();
            self.first = self.index(1);
            // In a gap between windows no pane is summed up.
            self.filled = self.filled.saturating_sub(1);
            self.seam = self.seam.saturating_sub(1);
            self.used = self.used.saturating_sub(1);
        }
        self.closes_at += i128::from(self.spec.hop);
    }

    /// Turns the sum from the seam on into sums of each pane there and all after it.
    #[inline(never)]
    fn move_seam(&mut self) {
        let mut sum = Tally::default();
        for pane in (0..self.filled).rev() {
            let index = self.index(pane);
            sum.add(&self.panes[index]);
            self.panes[index] = sum;
        }
        self.seam = self.filled;
        self.after_seam = Tally::default();
    }

    /// Whether nothing is in any pane, so that every window up to now is empty.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Goes on to the first window that ends after `now`. The panes are empty.
    pub(super) fn pass_over(&mut self, now: u64) {
        debug_assert!(self.is_empty());
        let first = self.spec.first_not_ended(i128::from(now));
        self.closes_at = self.spec.window(first).end_ns;
        (self.seam, self.filled) = (0, 0);
        self.after_seam = Tally::default();
    }

    /// The pane of open windows that an instant lies in, counted from the first: none before that, and
    /// none in a gap between windows that are shorter than hops.
    fn pane_at(&self, at: u64) -> Option<usize> {
        let left = self.closes_at - i128::from(at);
        debug_assert!(left > 0, "a window has ended and was not closed");
        if left <= i128::from(self.spec.hop) {
            return self.last_pane(left as u64);
        }
        let since = u128::try_from(i128::from(self.spec.length) - left).ok()?;
        let hop = u128::from(self.spec.hop);
        let is_second = since % hop >= u128::from(self.head);
        let is_in_gap = is_second && self.span < self.step;
        (!is_in_gap).then_some((since / hop) as usize * self.step + usize::from(is_second))
    }

    /// The same for an instant that is so far from the end of the earliest open window, at most a hop.
    #[inline]
    fn last_pane(&self, left: u64) -> Option<usize> {
        self.span.checked_sub(if left <= self.head { 1 } else { 2 })
    }

    /// Where a pane is in the ring, so many after the first.
    #[inline]
    fn index(&self, pane: usize) -> usize {
        (self.first + pane) & (self.panes.len() - 1)
    }
}

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
    /// The offset within a hop, and the length of a hop's first pane: up to where a window ends.
    offset: u64,
    head: u64,
    /// Whether there are two panes per hop, not one; and panes per window.
    is_split: bool,
    span: i128,
    /// A ring of the panes that open windows may need, and of their sums up to the seam. Its length is
    /// a power of two.
    tallies: Vec<Tally>,
    sums: Vec<Tally>,
    /// The first pane of the earliest open window; that pane from which on there is one sum; and the
    /// first pane that is not in it yet.
    first: i128,
    seam: i128,
    filled: i128,
    after_seam: Tally,
    /// End of the earliest open window.
    closes_at: i128,
    /// Events in all panes of the ring.
    events: u64,
    /// The pane that was counted in last: its number and its bounds.
    recent: (i128, u64, u64),
}

impl Panes {
    /// The earliest open window is the first that ends after `now`.
    pub(super) fn new(spec: WindowSpec, now: u64) -> Self {
        let (whole, rest) = (spec.length / spec.hop, spec.length % spec.hop);
        let is_split = rest > 0;
        let (head, step) = if is_split { (rest, 2) } else { (spec.hop, 1) };
        let span = whole * step + u64::from(is_split);
        // A hop more than a window: the next one's panes fill while it is not closed yet.
        let ring = (span + 2 * step).next_power_of_two() as usize;
        let mut panes = Panes {
            spec,
            offset: spec.offset % spec.hop,
            head,
            is_split,
            span: i128::from(span),
            tallies: alloc::vec![Tally::default(); ring],
            sums: alloc::vec![Tally::default(); ring],
            first: 0,
            seam: 0,
            filled: 0,
            after_seam: Tally::default(),
            closes_at: 0,
            events: 0,
            recent: (0, 0, 0),
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
    pub(super) fn has_ended(&self, now: u64) -> bool {
        self.closes_at <= i128::from(now)
    }

    /// Counts what happened at `at`, at most a hop after the earliest open window's end. `false` if
    /// all its windows are closed, or if it is in none.
    #[inline]
    pub(super) fn add(&mut self, at: u64, event: Event) -> bool {
        let (_, start, end) = self.recent;
        if at < start || at >= end {
            self.recent = self.pane_at(at);
        }
        let pane = self.recent.0;
        if pane < self.first || self.is_in_gap(pane) {
            return false;
        }
        let index = self.index(pane);
        self.tallies[index].count(event);
        self.events += 1;
        if pane < self.filled {
            self.add_to_sums(pane, event);
        }
        true
    }

    /// A late event. O(overlap): each sum from the first pane's up to its own includes it.
    fn add_to_sums(&mut self, pane: i128, event: Event) {
        if pane >= self.seam {
            return self.after_seam.count(event);
        }
        for earlier in self.first..=pane {
            let index = self.index(earlier);
            self.sums[index].count(event);
        }
    }

    /// Sums up the earliest open window and goes on to the next. O(1) amortised.
    pub(super) fn close(&mut self) -> Tally {
        let end = self.first + self.span;
        while self.filled < end {
            let index = self.index(self.filled);
            self.after_seam.add(&self.tallies[index]);
            self.filled += 1;
        }
        let mut total = self.after_seam;
        if self.first < self.seam {
            total.add(&self.sums[self.index(self.first)]);
        }
        self.drop_first();
        if self.is_split {
            self.drop_first();
        }
        self.closes_at += i128::from(self.spec.hop);
        total
    }

    fn drop_first(&mut self) {
        if self.first == self.seam {
            self.move_seam();
        }
        let index = self.index(self.first);
        self.events -= self.tallies[index].events();
        self.tallies[index] = Tally::default();
        self.first += 1;
        // In a gap between windows no pane is summed up.
        self.filled = self.filled.max(self.first);
        self.seam = self.seam.max(self.first);
    }

    /// Turns the sum from the seam on into sums of each pane there and all after it.
    fn move_seam(&mut self) {
        let mut sum = Tally::default();
        for pane in (self.seam..self.filled).rev() {
            let index = self.index(pane);
            sum.add(&self.tallies[index]);
            self.sums[index] = sum;
        }
        self.seam = self.filled;
        self.after_seam = Tally::default();
    }

    /// Whether nothing is in any pane, so that every window up to now is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Goes on to the first window that ends after `now`. The panes are empty.
    pub(super) fn pass_over(&mut self, now: u64) {
        debug_assert!(self.is_empty());
        let (pane, within) = self.locate(now);
        // A window ends with each hop's first pane, if there are two, else with its only one.
        let (panes, end) = match within.checked_sub(self.head) {
            None => (1, i128::from(self.head - within)),
            Some(_) => (2, i128::from(self.spec.hop - within) + i128::from(self.head)),
        };
        self.closes_at = i128::from(now) + end;
        self.first = pane + panes - self.span;
        (self.seam, self.filled) = (self.first, self.first);
        self.after_seam = Tally::default();
    }

    /// The pane that an instant lies in, and its bounds. A hop's first pane starts where a window does.
    fn pane_at(&self, at: u64) -> (i128, u64, u64) {
        let (pane, within) = self.locate(at);
        let (start, end) =
            if within < self.head { (0, self.head) } else { (self.head, self.spec.hop) };
        (pane, at.saturating_sub(within - start), at.saturating_add(end - within))
    }

    /// The pane that an instant lies in, and how far it is from the start of its hop.
    fn locate(&self, at: u64) -> (i128, u64) {
        let (hops, past) = (at / self.spec.hop, at % self.spec.hop);
        let (before, within) = match past.checked_sub(self.offset) {
            Some(within) => (0, within),
            None => (1, past + (self.spec.hop - self.offset)),
        };
        let hop = i128::from(hops) - before;
        (hop << u32::from(self.is_split) | i128::from(within >= self.head), within)
    }

    /// Whether no window has this pane: it is a hop's second, and windows are shorter than hops.
    fn is_in_gap(&self, pane: i128) -> bool {
        self.is_split && self.span == 1 && pane & 1 == 1
    }

    fn index(&self, pane: i128) -> usize {
        pane as usize & (self.tallies.len() - 1)
    }
}

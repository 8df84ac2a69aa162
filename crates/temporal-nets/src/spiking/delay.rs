//! Spikes on their way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Spikes by their next arrival, and among equal ones in the order of firing. Each is in the queue
/// once, for the nearest of the synapses that it has yet to reach. Bounded; what does not fit is
/// refused.
///
/// Spikes that were sent in order, or nearly, are in a sorted run, the others in a heap.
#[derive(Clone, Debug)]
pub(crate) struct DelayQueue {
    run: VecDeque<Flight>,
    heap: BinaryHeap<Reverse<Flight>>,
    fired: u64,
    capacity: usize,
}

/// How many places from its end a spike may be put into the run.
const NEAR: usize = 16;

/// A spike on its way, ordered by its first two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flight {
    /// When it arrives next, in ns.
    pub(crate) arrival: u64,
    sequence: u64,
    pub(crate) fired_at: u64,
    pub(crate) neuron: u32,
    /// How many of the neuron's synapses it has reached.
    pub(crate) reached: u32,
}

impl DelayQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        DelayQueue { run: VecDeque::new(), heap: BinaryHeap::new(), fired: 0, capacity }
    }

    /// Sends a spike; tells whether there was room.
    #[inline]
    pub(crate) fn send(&mut self, neuron: u32, fired_at: u64, arrival: u64) -> bool {
        let has_room = self.len() < self.capacity;
        if has_room {
            let sequence = self.fired;
            self.fired += 1;
            self.send_on(Flight { arrival, sequence, fired_at, neuron, reached: 0 });
        }
        has_room
    }

    /// The spike that arrives first, if it does so by `end`.
    #[inline]
    pub(crate) fn pop_until(&mut self, end: u64) -> Option<Flight> {
        let in_run = self.run.front().filter(|flight| flight.arrival <= end);
        match self.heap.peek() {
            Some(Reverse(late)) if late.arrival <= end && in_run.is_none_or(|run| late < run) => {
                self.heap.pop().map(|Reverse(flight)| flight)
            }
            _ if in_run.is_some() => self.run.pop_front(),
            _ => None,
        }
    }

    /// Sends a popped spike further.
    #[inline]
    pub(crate) fn send_on(&mut self, flight: Flight) {
        let later =
            self.run.iter().rev().take(NEAR + 1).take_while(|other| **other > flight).count();
        if later <= NEAR {
            self.run.insert(self.run.len() - later, flight);
        } else {
            self.heap.push(Reverse(flight));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.run.len() + self.heap.len()
    }

    pub(crate) fn clear(&mut self) {
        self.run.clear();
        self.heap.clear();
    }
}

//! Spikes on their way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Spikes by their next arrival, and among equal ones in the order of firing. Each is in the queue
/// once, for the nearest of the synapses that it has yet to reach. Bounded; what does not fit is
/// refused.
#[derive(Clone, Debug)]
pub(crate) struct DelayQueue {
    heap: BinaryHeap<Reverse<Flight>>,
    fired: u64,
    capacity: usize,
}

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
        DelayQueue { heap: BinaryHeap::new(), fired: 0, capacity }
    }

    /// Sends a spike; tells whether there was room.
    #[inline]
    pub(crate) fn send(&mut self, neuron: u32, fired_at: u64, arrival: u64) -> bool {
        let has_room = self.heap.len() < self.capacity;
        if has_room {
            let sequence = self.fired;
            self.fired += 1;
            self.heap.push(Reverse(Flight { arrival, sequence, fired_at, neuron, reached: 0 }));
        }
        has_room
    }

    /// The spike that arrives first, if it does so by `end`.
    #[inline]
    pub(crate) fn pop_until(&mut self, end: u64) -> Option<Flight> {
        let Reverse(flight) = self.heap.peek()?;
        if flight.arrival > end {
            return None;
        }
        self.heap.pop().map(|Reverse(flight)| flight)
    }

    /// Sends a popped spike further.
    #[inline]
    pub(crate) fn send_on(&mut self, flight: Flight) {
        self.heap.push(Reverse(flight));
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays from alike to wild, so that both run and heap are used.
    #[test]
    fn spikes_come_in_the_order_of_arrival_then_of_firing() {
        for spread in [1, 100, 100_000] {
            let (mut queue, mut model) = (DelayQueue::new(400), Vec::new());
            let (mut now, mut refused, mut state) = (0, 0, 1u64);
            for neuron in 0..5_000u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                now += (state >> 33) % 50;
                let arrival = now + 1_000 + (state >> 40) % spread;
                if queue.send(neuron, now, arrival) {
                    model.push((arrival, neuron));
                } else {
                    refused += 1;
                }
                if neuron % 7 == 0 {
                    model.sort_unstable();
                    while let Some(flight) = queue.pop_until(now) {
                        assert_eq!((flight.arrival, flight.neuron), model.remove(0));
                    }
                    assert!(model.iter().all(|(arrival, _)| *arrival > now));
                }
                assert_eq!(queue.len(), model.len());
            }
            assert_eq!(refused > 0, spread == 100_000, "{refused} of spread {spread}");
        }
    }
}

//! Spikes on their way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Spikes by arrival, and among equal ones in the order of sending. Bounded; what does not fit is
/// refused.
#[derive(Clone, Debug)]
pub(crate) struct DelayQueue {
    /// Arrival in ns, sequence number, synapse.
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    sent: u64,
    capacity: usize,
}

impl DelayQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        DelayQueue { heap: BinaryHeap::new(), sent: 0, capacity }
    }

    /// Whether there was room.
    #[inline]
    pub(crate) fn push(&mut self, arrival: u64, synapse: u32) -> bool {
        let has_room = self.heap.len() < self.capacity;
        if has_room {
            self.heap.push(Reverse((arrival, self.sent, synapse)));
            self.sent += 1;
        }
        has_room
    }

    /// The earliest, if it arrives by `end`: when, and at which synapse.
    #[inline]
    pub(crate) fn pop_until(&mut self, end: u64) -> Option<(u64, u32)> {
        let Reverse((arrival, _, synapse)) = *self.heap.peek()?;
        if arrival > end {
            return None;
        }
        self.heap.pop();
        Some((arrival, synapse))
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }
}

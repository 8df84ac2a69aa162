//! A heap with lazy cancel, as most people write it: closures in a slab, the heap names slots.
//! Cancelling drops the closure and frees the slot; its entry stays until it gets to the top.

use super::heap::{HeapKind, MinHeap, Timed};

pub type Closure = Box<dyn FnOnce()>;

/// Names a timer; dead once its slot has moved on to another generation.
#[derive(Clone, Copy)]
pub struct Key {
    slot: u32,
    generation: u32,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    closure: Option<Closure>,
}

pub struct LazyHeap<K: HeapKind> {
    heap: K::Heap<Timed<Key>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sequence: u64,
}

impl<K: HeapKind> LazyHeap<K> {
    pub fn new() -> Self {
        LazyHeap { heap: Default::default(), slots: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    #[inline]
    pub fn schedule(&mut self, at_ns: u64, closure: Closure) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let generation = self.slots[slot as usize].generation;
        self.slots[slot as usize].closure = Some(closure);
        let key = Key { slot, generation };
        self.heap.push(Timed { at_ns, sequence: self.sequence, value: key });
        self.sequence += 1;
        key
    }

    #[inline]
    pub fn cancel(&mut self, key: Key) {
        assert!(self.take(key).is_some(), "cancelled a timer that had fired");
    }

    #[inline]
    pub fn run_until(&mut self, now_ns: u64) {
        while self.heap.peek().is_some_and(|first| first.at_ns <= now_ns) {
            let Some(first) = self.heap.pop() else { return };
            if let Some(closure) = self.take(first.value) {
                closure();
            }
        }
    }

    /// Ends a timer and hands out its closure; `None` if it has ended before.
    #[inline]
    fn take(&mut self, key: Key) -> Option<Closure> {
        let slot = &mut self.slots[key.slot as usize];
        if slot.generation != key.generation {
            return None;
        }
        slot.generation += 1;
        self.free.push(key.slot);
        slot.closure.take()
    }
}

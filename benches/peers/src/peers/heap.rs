//! `std::collections::BinaryHeap` and `dary_heap` behind one trait, least first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use dary_heap::QuaternaryHeap;

pub trait HeapKind: 'static {
    const NAME: &'static str;
    type Heap<T: Ord>: MinHeap<T>;
}

pub trait MinHeap<T: Ord>: Default {
    fn push(&mut self, item: T);
    fn peek(&self) -> Option<&T>;
    fn pop(&mut self) -> Option<T>;
    fn len(&self) -> usize;
}

macro_rules! heap_kind {
    ($kind:ident, $name:literal, $heap:ident) => {
        pub struct $kind;

        impl HeapKind for $kind {
            const NAME: &'static str = $name;
            type Heap<T: Ord> = $heap<Reverse<T>>;
        }

        impl<T: Ord> MinHeap<T> for $heap<Reverse<T>> {
            #[inline]
            fn push(&mut self, item: T) {
                self.push(Reverse(item));
            }

            #[inline]
            fn peek(&self) -> Option<&T> {
                self.peek().map(|Reverse(item)| item)
            }

            #[inline]
            fn pop(&mut self) -> Option<T> {
                self.pop().map(|Reverse(item)| item)
            }

            fn len(&self) -> usize {
                self.len()
            }
        }
    };
}

heap_kind!(Std, "std BinaryHeap", BinaryHeap);
heap_kind!(FourAry, "dary_heap, 4-ary", QuaternaryHeap);

/// Something to be ordered by instant, then submission.
pub struct Timed<T> {
    pub at_ns: u64,
    pub sequence: u64,
    pub value: T,
}

impl<T> Timed<T> {
    #[inline]
    fn key(&self) -> (u64, u64) {
        (self.at_ns, self.sequence)
    }
}

impl<T> PartialEq for Timed<T> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Timed<T> {}

impl<T> PartialOrd for Timed<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Timed<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

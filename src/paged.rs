//! Growable storage in pages: an element never moves, growth copies nothing and wastes at most a page.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// A vector of pages of `PAGE` elements, indexed by `u32`.
#[derive(Debug)]
pub(crate) struct Paged<T, const PAGE: usize> {
    pages: Vec<Box<[T; PAGE]>>,
    len: usize,
}

impl<T: Default, const PAGE: usize> Paged<T, PAGE> {
    pub(crate) const fn new() -> Self {
        Paged { pages: Vec::new(), len: 0 }
    }

    /// Adds a default element and returns its index.
    pub(crate) fn grow(&mut self) -> u32 {
        let index = self.len;
        if index == self.pages.len() * PAGE {
            // Collected, since an array made by value would pass through the stack.
            let page: Box<[T]> = (0..PAGE).map(|_| T::default()).collect();
            match page.try_into() {
                Ok(page) => self.pages.push(page),
                Err(_) => unreachable!("a page has PAGE elements"),
            }
        }
        self.len += 1;
        index as u32
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Asks the processor to load an element that will be needed soon.
    #[inline]
    pub(crate) fn prefetch(&self, index: u32) {
        // Elsewhere it is not even looked up.
        if cfg!(all(target_arch = "x86_64", not(miri))) {
            prefetch(&self[index]);
        }
    }

    /// Bytes held from the allocator.
    pub(crate) fn bytes(&self) -> usize {
        self.pages.len() * size_of::<[T; PAGE]>()
            + self.pages.capacity() * size_of::<Box<[T; PAGE]>>()
    }
}

/// Asks the processor to load all lines of something that will be needed soon.
#[inline]
pub(crate) fn prefetch<T>(element: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for offset in (0..size_of::<T>()).step_by(64) {
        use core::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        let line = core::ptr::from_ref(element).cast::<i8>().wrapping_add(offset);
        // SAFETY: a prefetch has no effect on memory or registers, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line) }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = element;
}

impl<T, const PAGE: usize> Index<u32> for Paged<T, PAGE> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.pages[index as usize / PAGE][index as usize % PAGE]
    }
}

impl<T, const PAGE: usize> IndexMut<u32> for Paged<T, PAGE> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.pages[index as usize / PAGE][index as usize % PAGE]
    }
}

/// [`Paged`] elements that are recycled, last freed first.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    items: Paged<T, 32>,
    free: Vec<u32>,
}

impl<T: Default> Slab<T> {
    pub(crate) const fn new() -> Self {
        Slab { items: Paged::new(), free: Vec::new() }
    }

    /// An element that is not in use, with whatever its last user left in it.
    #[inline]
    pub(crate) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| self.grow())
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let index = self.items.grow();
        // Room for every element, so that giving one back never allocates.
        self.free.reserve(self.items.len());
        index
    }

    /// Gives an element back.
    #[inline]
    pub(crate) fn give_back(&mut self, index: u32) {
        self.free.push(index);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.items.bytes() + self.free.capacity() * size_of::<u32>()
    }

    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        self.items.len() - self.free.len()
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.items[index]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.items[index]
    }
}

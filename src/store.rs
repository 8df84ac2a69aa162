//! Where pending tasks live: slots of one cache line, found by index, guarded by a generation.
//!
//! A task is *live* from `insert` to `remove` or `finish`. While it is live its slot's generation
//! is odd and equals the one in its [`TaskId`]; giving the slot back makes it even, so every
//! older id and every queue entry that still names the slot is dead from then on.

use alloc::vec::Vec;

use crate::attributes::Details;
use crate::closure::Closure;
use crate::paged::{prefetch, Paged};
use crate::task::{Priority, TaskId};

/// Slots per page: a page is 16 KiB.
const PAGE: usize = 256;

/// How many inserts ahead a free slot is prefetched; after a busy time they are cold.
const PREFETCH_AHEAD: usize = 8;

/// The greatest capacity: what [`Place`] leaves of its 32 bits.
pub(crate) const MAX_SLOTS: usize = 1 << 29;

/// Where a live task is: its priority class, whether it has attributes, and its location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    const LOCATION: u32 = MAX_SLOTS as u32 - 1;
    const HAS_ATTRIBUTES: u32 = 1 << 29;

    #[inline]
    fn new(priority: Priority) -> Self {
        Place(Location::RUN.0 | (priority as u32) << 30)
    }

    #[inline]
    pub(crate) fn class(self) -> usize {
        (self.0 >> 30) as usize
    }

    #[inline]
    pub(crate) fn has_attributes(self) -> bool {
        self.0 & Self::HAS_ATTRIBUTES != 0
    }

    #[inline]
    pub(crate) fn location(self) -> Location {
        Location(self.0 & Self::LOCATION)
    }
}

/// The part of the queue that holds a task's entry, or one of the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location(u32);

impl Location {
    /// Not in the queue: being run, or waiting for a trigger.
    pub(crate) const NONE: Location = Location(Place::LOCATION);
    /// In the sorted run.
    pub(crate) const RUN: Location = Location(Place::LOCATION - 1);
    /// In the heap of late arrivals.
    pub(crate) const LATE: Location = Location(Place::LOCATION - 2);

    /// Released, and among the ready ones.
    pub(crate) const READY: Location = Location(Place::LOCATION - 3);

    /// In this leaf of the wheel.
    #[inline]
    pub(crate) fn leaf(index: u32) -> Self {
        debug_assert!(index < Self::READY.0);
        Location(index)
    }

    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.0
    }
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Slot {
    generation: u32,
    place: Place,
    /// `None` in a free slot and while the task runs.
    closure: Option<Closure>,
}

const _: () = assert!(size_of::<Slot>() == 64);

/// All live tasks.
#[derive(Debug)]
pub(crate) struct Store {
    slots: Paged<Slot, PAGE>,
    /// Free slots, last freed first: that one is most likely in the cache.
    free: Vec<u32>,
    live: usize,
    capacity: usize,
    /// A page of details for each page of slots that ever needed one, else empty.
    details: Vec<Vec<Details>>,
    /// Whether a live task may have dead entries in the queue.
    has_withdrawn: bool,
}

impl Store {
    pub(crate) fn new(capacity: usize) -> Self {
        Store {
            slots: Paged::new(),
            free: Vec::new(),
            live: 0,
            capacity,
            details: Vec::new(),
            has_withdrawn: false,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.live >= self.capacity
    }

    /// Stores a task that is about to be queued in the run, or elsewhere. O(1). The caller checks [`is_full`](Self::is_full).
    #[inline(always)]
    pub(crate) fn insert(&mut self, closure: Closure, priority: Priority) -> TaskId {
        debug_assert!(!self.is_full());
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        if let Some(&soon) =
            self.free.len().checked_sub(PREFETCH_AHEAD).and_then(|n| self.free.get(n))
        {
            self.slots.prefetch(soon);
        }
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(1);
        slot.place = Place::new(priority);
        slot.closure = Some(closure);
        self.live += 1;
        TaskId::new(index, slot.generation)
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let index = self.slots.grow();
        // Room for every slot, so that no tick has to allocate to free one.
        self.free.reserve(self.slots.len());
        index
    }

    /// Gives a live task attributes, and what goes with them.
    // Inlined, so that they are written where they stay.
    #[inline(always)]
    pub(crate) fn set_details(&mut self, id: TaskId, details: Details) -> &Details {
        self.slots[id.index()].place.0 |= Place::HAS_ATTRIBUTES;
        let kept = self.details_slot(id.index());
        *kept = details;
        kept
    }

    /// Whether the task of an id that was once given out is live.
    #[inline]
    pub(crate) fn is_live(&self, id: TaskId) -> bool {
        self.slots[id.index()].generation == id.generation()
    }

    /// Whether an id, wherever it comes from, is that of a live task.
    #[inline]
    pub(crate) fn contains(&self, id: TaskId) -> bool {
        // Free slots have even generations, which no id has that was given out.
        id.generation() % 2 == 1 && (id.index() as usize) < self.slots.len() && self.is_live(id)
    }

    /// Whether an id was ever given out, to a task that may have ended since.
    pub(crate) fn was_issued(&self, id: TaskId) -> bool {
        if id.generation() % 2 == 0 || id.index() as usize >= self.slots.len() {
            return false;
        }
        let latest = self.slots[id.index()].generation;
        latest == 0 || id.generation() <= latest
    }

    /// The ids of all live tasks.
    pub(crate) fn live_ids(&self) -> impl Iterator<Item = TaskId> + '_ {
        let ids = (0..self.slots.len() as u32).map(|i| TaskId::new(i, self.slots[i].generation));
        ids.filter(|id| id.generation() % 2 == 1)
    }

    #[inline]
    pub(crate) fn place(&self, id: TaskId) -> Place {
        self.slots[id.index()].place
    }

    /// Notes where the queue keeps the entry of a live task.
    #[inline]
    pub(crate) fn set_location(&mut self, id: TaskId, location: Location) {
        let place = &mut self.slots[id.index()].place;
        place.0 = place.0 & !Place::LOCATION | location.0;
    }

    /// Makes the queue's entry for a live task a dead one; tells where it is.
    pub(crate) fn withdraw(&mut self, id: TaskId) -> Place {
        self.has_withdrawn = true;
        let place = self.place(id);
        self.set_location(id, Location::NONE);
        place
    }

    /// Whether a live task may have dead entries in the queue, because a job was [withdrawn](Self::withdraw).
    #[inline]
    pub(crate) fn has_withdrawn(&self) -> bool {
        cfg!(feature = "realtime") && self.has_withdrawn
    }

    /// Asks the processor to load a task that will run soon.
    #[inline]
    pub(crate) fn prefetch(&self, id: TaskId) {
        self.slots.prefetch(id.index());
    }

    /// The same for what is kept for it, if anything is.
    #[inline]
    pub(crate) fn prefetch_details(&self, id: TaskId) {
        let index = id.index() as usize;
        if let Some(details) = self.details.get(index / PAGE).and_then(|p| p.get(index % PAGE)) {
            prefetch(details);
        }
    }

    /// Takes the closure of a task out, to run it from `into`, where none is; `None` if the task is dead. A
    /// one-shot's slot is free then; a repeating task's is to be refilled with
    /// [`put_back`](Self::put_back).
    // An out-parameter, because a closure that is returned is copied once more.
    #[inline(always)]
    pub(crate) fn take_to_run(&mut self, id: TaskId, into: &mut Option<Closure>) -> Option<Place> {
        let slot = &mut self.slots[id.index()];
        if slot.generation != id.generation() {
            return None;
        }
        let place = slot.place;
        debug_assert!(into.is_none());
        // Nothing to drop: an assignment would look for it, and copy once more for that.
        core::mem::forget(core::mem::replace(into, slot.closure.take()));
        if into.as_ref().is_some_and(Closure::repeats) {
            slot.place.0 |= Location::NONE.0;
        } else {
            self.free_slot(id.index());
        }
        Some(place)
    }

    /// Whether a live task's closure may run on another thread.
    #[cfg(feature = "parallel")]
    pub(crate) fn is_send(&self, id: TaskId) -> bool {
        self.slots[id.index()].closure.as_ref().is_some_and(Closure::is_send)
    }

    /// Returns a repeating closure to its slot after a run; the task must still be live.
    pub(crate) fn put_back(&mut self, id: TaskId, closure: Closure) {
        debug_assert!(self.is_live(id));
        self.slots[id.index()].closure = Some(closure);
    }

    /// Ends a task, if it is live, and hands out its place and its closure; the latter is `None`
    /// while it runs.
    #[inline(always)]
    pub(crate) fn remove(&mut self, id: TaskId) -> Option<(Place, Option<Closure>)> {
        if !self.contains(id) {
            return None;
        }
        let slot = &mut self.slots[id.index()];
        let ended = (slot.place, slot.closure.take());
        self.free_slot(id.index());
        Some(ended)
    }

    /// Ends every live task and hands out their closures.
    pub(crate) fn take_all(&mut self) -> Vec<Closure> {
        let mut closures = Vec::with_capacity(self.live);
        for index in 0..self.slots.len() as u32 {
            if self.slots[index].generation % 2 == 1 {
                closures.extend(self.slots[index].closure.take());
                self.free_slot(index);
            }
        }
        closures
    }

    #[inline(always)]
    fn free_slot(&mut self, index: u32) {
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(1);
        self.live -= 1;
        // After 2^31 uses a slot is retired: its first ids would become live again.
        if slot.generation != 0 {
            self.free.push(index);
        }
    }

    /// What is kept for a task with attributes, until its slot is used again.
    pub(crate) fn details(&self, id: TaskId) -> &Details {
        let index = id.index() as usize;
        &self.details[index / PAGE][index % PAGE]
    }

    pub(crate) fn details_mut(&mut self, id: TaskId) -> &mut Details {
        let index = id.index() as usize;
        &mut self.details[index / PAGE][index % PAGE]
    }

    /// The details of a live task, which gets blank ones if it has none.
    pub(crate) fn details_of_any(&mut self, id: TaskId) -> &mut Details {
        if !self.place(id).has_attributes() {
            self.set_details(id, Details::default());
        }
        self.details_mut(id)
    }

    fn details_slot(&mut self, index: u32) -> &mut Details {
        let page = index as usize / PAGE;
        if self.details.len() <= page {
            self.details.resize_with(page + 1, Vec::new);
        }
        let page = &mut self.details[page];
        if page.is_empty() {
            page.resize_with(PAGE, Details::default);
        }
        &mut page[index as usize % PAGE]
    }

    /// Bytes held from the allocator, boxed closures aside.
    pub(crate) fn bytes(&self) -> usize {
        let details: usize =
            self.details.iter().map(|page| page.capacity() * size_of::<Details>()).sum();
        self.slots.bytes() + self.free.capacity() * size_of::<u32>() + details
    }
}

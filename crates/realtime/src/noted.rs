//! [`Noted`]: a value behind a lock that workers do not wait for.

use crossbeam_queue::SegQueue;
use parking_lot::{Mutex, MutexGuard};

/// What can be told of things that have happened.
pub(crate) trait TakesNotes {
    type Note;
    fn take_note(&mut self, note: Self::Note);
}

/// A lock with a place for notes beside it. Who may be preempted while it holds the lock would keep a
/// worker of real time waiting, for as long as others run instead: a lock inherits no priority. So
/// workers leave notes, or try; and whoever has the lock next reads the notes first, oldest first.
pub(crate) struct Noted<T: TakesNotes> {
    value: Mutex<T>,
    /// Not bounded by itself: what is noted ends something that was, or says so where it is.
    notes: SegQueue<T::Note>,
}

impl<T: TakesNotes + Default> Default for Noted<T> {
    fn default() -> Self {
        Noted::new(T::default())
    }
}

impl<T: TakesNotes> Noted<T> {
    pub(crate) fn new(value: T) -> Self {
        Noted { value: Mutex::new(value), notes: SegQueue::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.up_to_date(self.value.lock())
    }

    /// The value, if nobody has it.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Some(self.up_to_date(self.value.try_lock()?))
    }

    /// Leaves a note, and has it read at once if nobody has the value. Does not wait.
    pub(crate) fn note(&self, note: T::Note) {
        self.notes.push(note);
        drop(self.try_lock());
    }

    /// Notes that nobody has read yet.
    pub(crate) fn unread(&self) -> usize {
        self.notes.len()
    }

    fn up_to_date<'a>(&self, mut value: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        while let Some(note) = self.notes.pop() {
            value.take_note(note);
        }
        value
    }
}

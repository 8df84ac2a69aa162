//! A task's body: a type-erased closure of up to 48 bytes stored inline, larger ones boxed.
//!
//! This file, together with its `SAFETY` comments, is all the unsafe code that stores and runs
//! tasks. A [`Closure`] is 56 bytes, so that a slot of the store is one 64-byte cache line.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use crate::context::Context;

/// Room for captured variables before a closure is boxed.
const INLINE_BYTES: usize = 48;

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Data([MaybeUninit<u8>; INLINE_BYTES]);

/// What a closure type `F` does with the `Data` that holds an `F`.
struct VTable {
    /// Runs the closure; consumes it unless `repeats`.
    ///
    /// Safety: `data` holds a live `F`; if `!repeats` it is dead afterwards.
    run: unsafe fn(data: *mut Data, cx: &mut Context<'_>),
    /// Drops the closure; `None` if there is nothing to do.
    ///
    /// Safety: `data` holds a live `F`, dead afterwards.
    drop: Option<unsafe fn(data: *mut Data)>,
    repeats: bool,
    /// Runs and consumes a closure that needs no context and is `Send`.
    ///
    /// Safety: as `run`; any thread may call it.
    #[cfg(feature = "parallel")]
    run_anywhere: Option<unsafe fn(data: *mut Data)>,
}

/// An owned `FnOnce()`, `FnOnce(&mut Context)` or `FnMut(&mut Context)`, or a spent one.
pub(crate) struct Closure {
    vtable: &'static VTable,
    /// Holds a live value of the type that `vtable` was made for; anything if that is [`SPENT`].
    data: Data,
    /// The captured variables need not be `Send` nor `Sync`.
    _not_send: PhantomData<*mut ()>,
}

impl VTable {
    const fn new<F>(run: unsafe fn(*mut Data, &mut Context<'_>), repeats: bool) -> Self {
        VTable {
            run,
            drop: if core::mem::needs_drop::<F>() { Some(drop_in_place::<F>) } else { None },
            repeats,
            #[cfg(feature = "parallel")]
            run_anywhere: None,
        }
    }
}

/// The table of a one-shot that has run: nothing is left to run or drop.
static SPENT: VTable = VTable {
    run: run_spent,
    drop: None,
    repeats: false,
    #[cfg(feature = "parallel")]
    run_anywhere: None,
};

unsafe fn run_spent(_: *mut Data, _: &mut Context<'_>) {}

/// The tables of a closure type, as associated constants so that they can be `'static`.
struct Tables<F>(F);

impl<F: FnOnce() + 'static> Tables<F> {
    const ONCE: VTable = VTable::new::<F>(run_once::<F>, false);
}

#[cfg(feature = "parallel")]
impl<F: FnOnce() + Send + 'static> Tables<F> {
    const ONCE_SEND: VTable =
        VTable { run_anywhere: Some(run_anywhere::<F>), ..VTable::new::<F>(run_once::<F>, false) };
}

impl<F: FnOnce(&mut Context<'_>) + 'static> Tables<F> {
    const ONCE_WITH_CONTEXT: VTable = VTable::new::<F>(run_once_with_context::<F>, false);
}

impl<F: FnMut(&mut Context<'_>) + 'static> Tables<F> {
    const REPEATING: VTable = VTable::new::<F>(run_again::<F>, true);
}

unsafe fn run_once<F: FnOnce()>(data: *mut Data, _: &mut Context<'_>) {
    // SAFETY: the caller promises a live `F` that it will not use again.
    let body = unsafe { data.cast::<F>().read() };
    body();
}

#[cfg(feature = "parallel")]
unsafe fn run_anywhere<F: FnOnce() + Send>(data: *mut Data) {
    // SAFETY: the caller promises a live `F` that it will not use again.
    let body = unsafe { data.cast::<F>().read() };
    body();
}

unsafe fn run_once_with_context<F: FnOnce(&mut Context<'_>)>(
    data: *mut Data,
    cx: &mut Context<'_>,
) {
    // SAFETY: the caller promises a live `F` that it will not use again.
    let body = unsafe { data.cast::<F>().read() };
    body(cx);
}

unsafe fn run_again<F: FnMut(&mut Context<'_>)>(data: *mut Data, cx: &mut Context<'_>) {
    // SAFETY: the caller promises a live `F`, which stays alive.
    let body = unsafe { &mut *data.cast::<F>() };
    body(cx);
}

unsafe fn drop_in_place<F>(data: *mut Data) {
    // SAFETY: the caller promises a live `F` that it will not use again.
    unsafe { data.cast::<F>().drop_in_place() }
}

impl Closure {
    #[inline(always)]
    pub(crate) fn once<F: FnOnce() + 'static>(body: F) -> Self {
        // SAFETY: each table was made for its type.
        unsafe { Self::pack(body, &Tables::<F>::ONCE, &Tables::<Box<F>>::ONCE) }
    }

    /// Like [`once`](Self::once), and `parallel` may run it on another thread.
    #[inline(always)]
    pub(crate) fn once_send<F: FnOnce() + Send + 'static>(body: F) -> Self {
        #[cfg(feature = "parallel")]
        // SAFETY: each table was made for its type.
        return unsafe { Self::pack(body, &Tables::<F>::ONCE_SEND, &Tables::<Box<F>>::ONCE_SEND) };
        #[cfg(not(feature = "parallel"))]
        Self::once(body)
    }

    #[inline(always)]
    pub(crate) fn once_with_context<F: FnOnce(&mut Context<'_>) + 'static>(body: F) -> Self {
        let inline = &Tables::<F>::ONCE_WITH_CONTEXT;
        // SAFETY: each table was made for its type.
        unsafe { Self::pack(body, inline, &Tables::<Box<F>>::ONCE_WITH_CONTEXT) }
    }

    #[inline]
    pub(crate) fn repeating<F: FnMut(&mut Context<'_>) + 'static>(body: F) -> Self {
        // SAFETY: each table was made for its type.
        unsafe { Self::pack(body, &Tables::<F>::REPEATING, &Tables::<Box<F>>::REPEATING) }
    }

    /// Safety: `inline` was made for `F` and `boxed` for `Box<F>`.
    #[inline(always)]
    unsafe fn pack<F>(body: F, inline: &'static VTable, boxed: &'static VTable) -> Self {
        if const { size_of::<F>() <= INLINE_BYTES && align_of::<F>() <= align_of::<Data>() } {
            // SAFETY: `F` fits, and the caller promises that the table is the one for `F`.
            unsafe { Self::store(body, inline) }
        } else {
            // SAFETY: a box fits, and the caller promises that the table is the one for it.
            unsafe { Self::store(Box::new(body), boxed) }
        }
    }

    /// Safety: an `F` fits into `Data`, and `vtable` was made for `F`.
    #[inline(always)]
    unsafe fn store<F>(body: F, vtable: &'static VTable) -> Self {
        let mut data = Data([MaybeUninit::uninit(); INLINE_BYTES]);
        // SAFETY: the caller promises that `F` fits in size and alignment.
        unsafe { (&raw mut data).cast::<F>().write(body) };
        Closure { vtable, data, _not_send: PhantomData }
    }

    /// Whether the closure may be run more than once.
    #[inline]
    pub(crate) fn repeats(&self) -> bool {
        self.vtable.repeats
    }

    /// Runs the closure. A one-shot is spent then, and running it again does nothing.
    #[inline(always)]
    pub(crate) fn run(&mut self, cx: &mut Context<'_>) {
        let run = self.vtable.run;
        if !self.vtable.repeats {
            // Before the call, so that a panic finds it spent, too.
            self.vtable = &SPENT;
        }
        // SAFETY: `data` is live by the type's invariant. It stays so if the closure repeats, else
        // it is consumed, and `SPENT` says so.
        unsafe { run(&raw mut self.data, cx) }
    }

    /// Whether another thread may run it: whether [`once_send`](Self::once_send) made it.
    #[cfg(feature = "parallel")]
    pub(crate) fn is_send(&self) -> bool {
        self.vtable.run_anywhere.is_some()
    }

    /// The closure as one that another thread may run, if it is.
    #[cfg(feature = "parallel")]
    pub(crate) fn into_send(self) -> Option<SendClosure> {
        self.is_send().then(|| SendClosure(self))
    }
}

/// A closure made by [`Closure::once_send`].
#[cfg(feature = "parallel")]
pub(crate) struct SendClosure(Closure);

// SAFETY: only `into_send` makes one, from a closure whose type `once_send` required to be `Send`.
#[cfg(feature = "parallel")]
unsafe impl Send for SendClosure {}

#[cfg(feature = "parallel")]
impl SendClosure {
    pub(crate) fn run(mut self) {
        if let Some(run) = self.0.vtable.run_anywhere {
            self.0.vtable = &SPENT;
            // SAFETY: `data` was live by the type's invariant; it is consumed, and `SPENT` says so.
            unsafe { run(&raw mut self.0.data) }
        }
    }
}

impl Drop for Closure {
    #[inline]
    fn drop(&mut self) {
        if let Some(drop) = self.vtable.drop {
            // SAFETY: `data` is live by the type's invariant, since `SPENT` drops nothing, and it
            // is not used after a drop.
            unsafe { drop(&raw mut self.data) }
        }
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure { .. }")
    }
}

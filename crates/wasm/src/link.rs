//! What a scheduler, its clock and its tasks share: the host, the time, and the running task's
//! context, which JavaScript that is called by a task needs when it calls back.
//!
//! This file is all the unsafe code of the module.

use alloc::rc::Rc;
use core::cell::Cell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use nanosecond_scheduler::{Clock, Context, TimePoint};

use crate::from_ms;
use crate::host::Host;

pub(crate) struct Link {
    host: Host,
    /// The time that was told, in ns; `None` to ask the host.
    stopped_at: Cell<Option<u64>>,
    /// Lent by [`lend`](Link::lend), and `None` while a [`Loan`] of it is out.
    lent: Cell<Option<NonNull<Context<'static>>>>,
}

impl Link {
    pub(crate) fn new(host: Host) -> Rc<Self> {
        Rc::new(Link { host, stopped_at: Cell::new(None), lent: Cell::new(None) })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn follow_host(&self) {
        self.stopped_at.set(None);
    }

    pub(crate) fn stop_at(&self, ns: u64) {
        self.stopped_at.set(Some(ns));
    }

    /// Has the host run the task of `cx`, and lends `cx` to what it calls meanwhile.
    #[inline]
    pub(crate) fn lend(&self, cx: &mut Context<'_>, run: fn(&Host, u32, u32)) {
        let id = cx.id().to_bits();
        // The host does not throw: this returns before `cx` ends, and takes it back. If it were
        // torn down all the same, by a stack overflow, `js/scheduler.js` calls this link no more.
        self.lent.set(Some(NonNull::from(cx).cast()));
        run(&self.host, id as u32, (id >> 32) as u32);
        self.lent.set(None);
    }

    /// The running task's context, if a task runs.
    #[inline]
    pub(crate) fn context(&self) -> Option<Loan<'_>> {
        let context = self.lent.take()?;
        Some(Loan { link: self, context })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("stopped_at", &self.stopped_at).finish_non_exhaustive()
    }
}

/// Exclusive use of the running task's context. There is one at a time, and it ends before the
/// host's function does: the host cannot hold it.
pub(crate) struct Loan<'a> {
    link: &'a Link,
    context: NonNull<Context<'static>>,
}

impl<'a> Deref for Loan<'a> {
    type Target = Context<'a>;

    fn deref(&self) -> &Context<'a> {
        // SAFETY: the pointer is from a `&mut Context` that `lend` does not use while it is lent, and
        // it is lent until the host returns, which is after this loan. Taking it out of `lent` has
        // made this loan the only one. Nobody gets a `Context` to keep, so 'a may stand for its
        // lifetime.
        unsafe { self.context.cast().as_ref() }
    }
}

impl<'a> DerefMut for Loan<'a> {
    fn deref_mut(&mut self) -> &mut Context<'a> {
        // SAFETY: as in `deref`.
        unsafe { self.context.cast().as_mut() }
    }
}

impl Drop for Loan<'_> {
    #[inline]
    fn drop(&mut self) {
        self.link.lent.set(Some(self.context));
    }
}

/// The host's time, or the one that was told.
#[derive(Debug)]
pub(crate) struct LinkClock(pub(crate) Rc<Link>);

impl Clock for LinkClock {
    #[inline]
    fn now(&self) -> TimePoint {
        let link = &*self.0;
        let ns = link.stopped_at.get().unwrap_or_else(|| from_ms(link.host.now()));
        TimePoint::from_nanos(ns)
    }
}

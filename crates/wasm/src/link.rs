//! What a scheduler, its clock and its tasks share: the host, the time, and the running task's
//! context, which JavaScript that is called by a task needs when it calls back.

use core::cell::{Cell, Ref, RefCell};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use nanosecond_scheduler::{Clock, Context, TimePoint};

use crate::host::Host;
use crate::numbers::from_ms;

#[derive(Default)]
pub(crate) struct Link {
    /// `None` without a scheduler.
    host: RefCell<Option<Host>>,
    /// The time that was told, in ns; `None` to ask the host.
    stopped_at: Cell<Option<u64>>,
    /// Lent by [`lend`](Link::lend), and `None` while a [`Loan`] of it is out.
    lent: Cell<Option<NonNull<Context<'static>>>>,
}

impl Link {
    pub(crate) fn set_host(&self, host: Option<Host>) {
        self.host.replace(host);
        self.follow_host();
    }

    #[inline]
    pub(crate) fn host(&self) -> Ref<'_, Host> {
        Ref::map(self.host.borrow(), |host| host.as_ref().expect("there is a scheduler"))
    }

    #[inline]
    pub(crate) fn follow_host(&self) {
        self.stopped_at.set(None);
    }

    #[inline]
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
        run(&self.host(), id as u32, (id >> 32) as u32);
        self.lent.set(None);
    }

    /// The running task's context, if a task runs.
    #[inline]
    pub(crate) fn context(&self) -> Option<Loan<'_>> {
        let context = self.lent.take()?;
        Some(Loan { link: self, context })
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

    #[inline]
    fn deref(&self) -> &Context<'a> {
        // SAFETY: the pointer is from a `&mut Context` that `lend` does not use while it is lent, and
        // it is lent until the host returns, which is after this loan. Taking it out of `lent` has
        // made this loan the only one. Nobody gets a `Context` to keep, so 'a may stand for its
        // lifetime.
        unsafe { self.context.cast().as_ref() }
    }
}

impl<'a> DerefMut for Loan<'a> {
    #[inline]
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
pub(crate) struct LinkClock(pub(crate) &'static Link);

impl Clock for LinkClock {
    #[inline]
    fn now(&self) -> TimePoint {
        let ns = self.0.stopped_at.get().unwrap_or_else(|| from_ms(self.0.host().now()));
        TimePoint::from_nanos(ns)
    }
}

//! What a scheduler, its clock and its tasks share: the time, and the running task's context, which
//! JavaScript that is called by a task needs when it calls back.

use core::cell::Cell;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use nanosecond_scheduler::{Clock, Context, TimePoint};

use crate::host;
use crate::numbers::from_ms;

/// Where the time comes from, in ns.
#[derive(Clone, Copy)]
enum Time {
    /// The host, which is asked.
    Host,
    /// The host, which has just told.
    Told(u64),
    /// Whoever has told, until he tells another.
    Stopped(u64),
}

pub(crate) struct Link {
    /// The scheduler's.
    number: i32,
    time: Cell<Time>,
    /// Lent by [`lend`](Link::lend), and `None` while a [`Loan`] of it is out.
    lent: Cell<Option<NonNull<Context<'static>>>>,
}

impl Link {
    pub(crate) fn new(number: i32) -> Self {
        Link { number, time: Cell::new(Time::Host), lent: Cell::new(None) }
    }

    #[inline]
    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    #[inline]
    pub(crate) fn follow_host(&self) {
        self.time.set(Time::Host);
    }

    /// Follows the host, whose time that is: it need not be asked once.
    #[inline]
    pub(crate) fn follow_host_from(&self, ns: u64) {
        self.time.set(Time::Told(ns));
    }

    #[inline]
    pub(crate) fn stop_at(&self, ns: u64) {
        self.time.set(Time::Stopped(ns));
    }

    /// Has the host run the task of `cx`, and lends `cx` to what it calls meanwhile.
    #[inline]
    pub(crate) fn lend(&self, cx: &mut Context<'_>, run: fn(i32, i32, i32)) {
        let id = cx.id().to_bits();
        // The host does not throw: this returns before `cx` ends, and takes it back. If it were
        // torn down all the same, by a stack overflow, `js/scheduler.js` calls this link no more.
        self.lent.set(Some(NonNull::from(cx).cast()));
        run(self.number, id as i32, (id >> 32) as i32);
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
        TimePoint::from_nanos(match self.0.time.get() {
            Time::Host => from_ms(host::now()),
            Time::Told(ns) => {
                self.0.time.set(Time::Host);
                ns
            }
            Time::Stopped(ns) => ns,
        })
    }
}

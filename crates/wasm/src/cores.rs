//! The schedulers, by number. A call costs an index, where a class of wasm-bindgen would take a count
//! of references and one of borrows.
//!
//! A core lives for ever, so that its tasks and JavaScript need no count either. Those that are free
//! are used again: there are never more than there were schedulers at a time.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell, RefMut};

use nanosecond_scheduler::{Config, Scheduler};

use crate::host::Host;
use crate::link::{Link, LinkClock};
use crate::numbers::{to_ms, to_number};

/// A place for a scheduler whose tasks are functions of a [`Host`].
#[derive(Default)]
pub(crate) struct Core {
    /// `None` while the place is free.
    scheduler: RefCell<Option<Scheduler<LinkClock>>>,
    pub(crate) link: Link,
    /// Taken when something has been scheduled or a tick has passed.
    unused: Cell<Option<Box<Config>>>,
}

/// What only one thread reaches.
struct OneThread<T>(T);

// SAFETY: without the target's atomics no second thread can share this memory.
#[cfg(not(target_feature = "atomics"))]
unsafe impl<T> Sync for OneThread<T> {}

static CORES: OneThread<RefCell<Vec<&'static Core>>> = OneThread(RefCell::new(Vec::new()));

/// The core of that number, which [`create`] has told.
#[inline]
pub(crate) fn core(number: u32) -> &'static Core {
    CORES.0.borrow()[number as usize]
}

/// Makes a scheduler and tells its number; `None` if its configuration is refused.
pub(crate) fn create(host: Host, config: Config) -> Option<u32> {
    let mut cores = CORES.0.borrow_mut();
    let is_free = |core: &&Core| core.scheduler.try_borrow().is_ok_and(|place| place.is_none());
    let number = cores.iter().position(is_free);
    let number = number.unwrap_or_else(|| {
        cores.push(Box::leak(Box::default()));
        cores.len() - 1
    });
    let core = cores[number];
    core.link.set_host(Some(host));
    core.unused.set(Some(Box::new(config.clone())));
    let is_accepted = core.start(config);
    if !is_accepted {
        core.link.set_host(None);
    }
    is_accepted.then_some(number as u32)
}

/// Drops a scheduler that is not in a tick.
pub(crate) fn free(number: u32) {
    let core = core(number);
    core.scheduler.replace(None);
    core.link.set_host(None);
}

impl Core {
    /// Starts a scheduler, and time with it; tells whether its configuration is accepted.
    fn start(&'static self, config: Config) -> bool {
        let Ok(mut scheduler) = Scheduler::with_clock(config, LinkClock(&self.link)) else {
            return false;
        };
        scheduler.on_deadline_miss(|miss| {
            let [expected_ms, actual_ms] = [miss.expected(), miss.actual()].map(to_ms);
            self.link.host().missed(to_number(miss.task()), expected_ms, actual_ms);
        });
        self.scheduler.replace(Some(scheduler));
        true
    }

    /// The scheduler. While it ticks it cannot be had: its tasks have a
    /// [context](Link::context) instead.
    #[inline]
    pub(crate) fn scheduler(&self) -> RefMut<'_, Scheduler<LinkClock>> {
        RefMut::map(self.scheduler.borrow_mut(), |scheduler| {
            scheduler.as_mut().expect("freed schedulers are not asked")
        })
    }

    /// If nothing has been scheduled and no tick has passed, time starts now.
    #[inline]
    pub(crate) fn start_anew_if_unused(&'static self) {
        if let Some(config) = self.unused.take() {
            self.start_anew(*config);
        }
    }

    #[cold]
    #[inline(never)]
    fn start_anew(&'static self, config: Config) {
        // It was valid once, and still is.
        self.start(config);
    }

    /// Time has started.
    #[inline]
    pub(crate) fn note_use(&self) {
        self.unused.take();
    }

    #[inline]
    pub(crate) fn tick(&self) -> u32 {
        self.scheduler().tick().executed as u32
    }
}

//! The schedulers, by number. A call costs an index, where a class of wasm-bindgen would take a count
//! of references and one of borrows.
//!
//! A core lives for ever, so that its tasks and JavaScript need no count either. Those that are free
//! are used again: there are never more than there were schedulers at a time.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell, RefMut};

use nanosecond_scheduler::{Config, Scheduler};

use crate::host;
use crate::link::{Link, LinkClock};
use crate::numbers::{to_ms, to_number};
use crate::one_thread::OneThread;

/// A place for a scheduler whose tasks are functions of the host.
pub(crate) struct Core {
    /// `None` while the place is free.
    scheduler: RefCell<Option<Scheduler<LinkClock>>>,
    pub(crate) link: Link,
    /// Until something has been scheduled or a tick has passed.
    is_unused: Cell<bool>,
    config: RefCell<Config>,
}

static CORES: OneThread<RefCell<Vec<&'static Core>>> = OneThread(RefCell::new(Vec::new()));

/// The core of that number, which [`create`] has told.
#[inline]
pub(crate) fn core(number: u32) -> &'static Core {
    CORES.0.borrow()[number as usize]
}

/// Makes a scheduler and tells its number; `None` if its configuration is refused.
pub(crate) fn create(config: Config) -> Option<u32> {
    let (number, core) = free_place();
    core.link.follow_host();
    core.is_unused.set(true);
    core.config.replace(config);
    core.start().then_some(number as u32)
}

/// A place without a scheduler. The list is not held while one is made, which asks the host for the time:
/// should that break down, other schedulers can still be made.
fn free_place() -> (usize, &'static Core) {
    let mut cores = CORES.0.borrow_mut();
    let is_free = |core: &&Core| core.scheduler.try_borrow().is_ok_and(|place| place.is_none());
    let number = cores.iter().position(is_free);
    let number = number.unwrap_or_else(|| {
        let number = cores.len();
        cores.push(Box::leak(Box::new(Core::new(number))));
        number
    });
    (number, cores[number])
}

/// Drops a scheduler that is not in a tick.
pub(crate) fn free(number: u32) {
    core(number).scheduler.replace(None);
}

impl Core {
    fn new(number: usize) -> Self {
        Core {
            scheduler: RefCell::new(None),
            link: Link::new(number as i32),
            is_unused: Cell::new(true),
            config: RefCell::default(),
        }
    }

    /// Starts a scheduler, and time with it; tells whether its configuration is accepted.
    #[inline(never)]
    fn start(&'static self) -> bool {
        let config = self.config.borrow().clone();
        let Ok(mut scheduler) = Scheduler::with_clock(config, LinkClock(&self.link)) else {
            return false;
        };
        scheduler.on_deadline_miss(|miss| {
            let [expected_ms, actual_ms] = [miss.expected(), miss.actual()].map(to_ms);
            host::missed(self.link.number(), to_number(miss.task()), expected_ms, actual_ms);
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
        if self.is_unused.replace(false) {
            // The configuration was valid once, and still is.
            self.start();
        }
    }

    /// Time has started.
    #[inline]
    pub(crate) fn note_use(&self) {
        self.is_unused.set(false);
    }

    #[inline]
    pub(crate) fn tick(&self) -> u32 {
        self.scheduler().tick().executed as u32
    }
}

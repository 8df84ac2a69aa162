//! The module behind the npm package `nanosecond-scheduler`: what JavaScript calls, and nothing else.
//!
//! The functions to run stay in JavaScript, in a table that is indexed by the tasks' slots, so only
//! numbers cross. `js/scheduler.js` holds that table, checks arguments and makes errors; nothing
//! here throws.

#![cfg_attr(all(target_arch = "wasm32", not(feature = "std")), no_std)]
#![deny(missing_docs, unsafe_code)]

extern crate alloc;

mod host;
#[allow(unsafe_code)]
mod link;
mod report;
#[cfg(all(target_arch = "wasm32", not(feature = "std")))]
mod standalone;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;

use nanosecond_scheduler::{
    Config, Context, MissedTick, Priority, ScheduleErrorKind, Scheduler, Task, TaskId, TimePoint,
    WindowSpec,
};
use wasm_bindgen::prelude::*;

pub use host::{Host, Settings};
use link::{Link, LinkClock};

/// What [`Core::schedule`] returns for a task beyond the capacity.
const FULL: f64 = -1.0;
/// What it returns for a release beyond the end of time.
const TIME_OVERFLOW: f64 = -2.0;

/// A scheduler whose tasks are functions of the [`Host`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Core {
    scheduler: RefCell<Scheduler<LinkClock>>,
    link: Rc<Link>,
    config: Config,
    /// Nothing has been scheduled, and no tick has passed.
    is_unused: Cell<bool>,
}

/// Evaluates an expression with the running task's context, while one runs, else with the scheduler.
macro_rules! reach {
    ($core:ident, $it:ident => $value:expr) => {
        match $core.link.context() {
            Some(mut loan) => {
                let $it = &mut *loan;
                $value
            }
            None => {
                let $it = &mut *$core.scheduler.borrow_mut();
                $value
            }
        }
    };
}

#[wasm_bindgen]
impl Core {
    /// A scheduler set up as `settings` says; none if they are out of bounds.
    pub fn create(host: Host, settings: &Settings) -> Option<Core> {
        let link = Link::new(host);
        let config = Config {
            max_tasks_per_tick: settings.max_tasks_per_tick() as usize,
            strange_loop: settings.strange_loop(),
            lipschitz_constant: settings.lipschitz_constant(),
            windows: (settings.length_ns() > 0).then(|| WindowSpec {
                length: settings.length_ns(),
                hop: settings.hop_ns(),
                offset: settings.offset_ns(),
            }),
            window_size: settings.window_size() as usize,
            capacity: settings.capacity() as usize,
            missed_tick: missed_tick(settings.missed_tick()),
            ..Config::default()
        };
        let scheduler = RefCell::new(scheduler(&config, &link)?);
        Some(Core { scheduler, link, config, is_unused: Cell::new(true) })
    }

    /// Runs what is due by the host's clock; tells how many jobs were started.
    pub fn tick(&self) -> u32 {
        self.link.follow_host();
        self.is_unused.set(false);
        self.scheduler.borrow_mut().tick().executed as u32
    }

    /// Runs what is due at `now_ms`, which is the time until the next [`tick`](Self::tick). If it is the
    /// first thing asked, time starts with it.
    #[wasm_bindgen(js_name = tickAt)]
    pub fn tick_at(&self, now_ms: f64) -> u32 {
        self.link.stop_at(from_ms(now_ms));
        if self.is_unused.take() {
            // Settings that were valid once still are.
            scheduler(&self.config, &self.link).map(|anew| self.scheduler.replace(anew));
        }
        self.scheduler.borrow_mut().tick().executed as u32
    }

    /// Schedules a one-shot of whole ns up to 2⁵³; returns its number, or [`FULL`] or [`TIME_OVERFLOW`].
    pub fn schedule(&self, delay_ns: f64, priority: u32) -> f64 {
        self.accept(self.one_shot(delay_ns as u64), priority)
    }

    /// Like [`schedule`](Self::schedule), for whole ns up to 2⁶⁴, with a deadline.
    #[wasm_bindgen(js_name = scheduleWith)]
    pub fn schedule_with(&self, delay_ns: u64, priority: u32, deadline_ns: Option<u64>) -> f64 {
        self.accept(with_deadline(self.one_shot(delay_ns), deadline_ns), priority)
    }

    /// Like [`schedule_with`](Self::schedule_with), for a task that repeats. Without a policy for missed
    /// ticks it is the scheduler's.
    #[wasm_bindgen(js_name = schedulePeriodic)]
    pub fn schedule_periodic(
        &self,
        delay_ns: u64,
        period_ns: u64,
        priority: u32,
        deadline_ns: Option<u64>,
        missed: Option<u32>,
    ) -> f64 {
        let link = Rc::clone(&self.link);
        let run = move |cx: &mut Context<'_>| link.lend(cx, Host::run_again);
        let mut task = Task::periodic(run, Duration::from_nanos(period_ns))
            .with_delay(Duration::from_nanos(delay_ns));
        if let Some(missed) = missed {
            task = task.with_missed_tick(missed_tick(missed));
        }
        self.accept(with_deadline(task, deadline_ns), priority)
    }

    /// Cancels a task; tells whether it was pending.
    pub fn cancel(&self, number: f64) -> bool {
        reach!(self, it => it.cancel(to_id(number))).is_ok()
    }

    /// Drops every pending task.
    pub fn clear(&self) {
        reach!(self, it => it.clear());
    }

    /// Number of tasks that have not ended.
    pub fn pending(&self) -> u32 {
        reach!(self, it => it.len()) as u32
    }

    /// The earliest release, as a time at which a tick runs it.
    #[wasm_bindgen(js_name = nextReleaseMs)]
    pub fn next_release_ms(&self) -> Option<f64> {
        reach!(self, it => it.next_release()).map(to_ms)
    }

    /// The figures of [`report::metrics`], in that order.
    pub fn metrics(&self) -> Vec<f64> {
        reach!(self, it => report::metrics(&it.metrics()))
    }

    /// The estimates of the strange loop, in the order of [`report::estimates`].
    pub fn estimates(&self) -> Vec<f64> {
        reach!(self, it => report::estimates(&it.strange_loop()))
    }

    /// The windows kept, in the order of [`report::windows`].
    pub fn windows(&self) -> Vec<f64> {
        reach!(self, it => report::windows(it.windows()))
    }

    /// The mean overlap of the windows kept.
    #[wasm_bindgen(js_name = temporalOverlap)]
    pub fn temporal_overlap(&self) -> f64 {
        reach!(self, it => it.temporal_overlap())
    }
}

impl Core {
    #[inline]
    fn one_shot(&self, delay_ns: u64) -> Task {
        let link = Rc::clone(&self.link);
        let run = move |cx: &mut Context<'_>| link.lend(cx, Host::run_once);
        Task::with_context(run, Duration::from_nanos(delay_ns))
    }

    #[inline]
    fn accept(&self, task: Task, priority: u32) -> f64 {
        self.is_unused.set(false);
        let task = task.with_priority(Priority::ALL[priority as usize % Priority::ALL.len()]);
        match reach!(self, it => it.schedule(task)) {
            Ok(id) => to_number(id),
            Err(error) if error.kind() == ScheduleErrorKind::TimeOverflow => TIME_OVERFLOW,
            Err(_) => FULL,
        }
    }
}

/// A scheduler whose time starts now.
fn scheduler(config: &Config, link: &Rc<Link>) -> Option<Scheduler<LinkClock>> {
    let mut scheduler = Scheduler::with_clock(config.clone(), LinkClock(Rc::clone(link))).ok()?;
    let told = Rc::clone(link);
    scheduler.on_deadline_miss(move |miss| {
        let [expected_ms, actual_ms] = [miss.expected(), miss.actual()].map(to_ms);
        told.host().missed(to_number(miss.task()), expected_ms, actual_ms);
    });
    Some(scheduler)
}

fn with_deadline(task: Task, deadline_ns: Option<u64>) -> Task {
    match deadline_ns {
        Some(deadline_ns) => task.with_deadline(Duration::from_nanos(deadline_ns)),
        None => task,
    }
}

fn missed_tick(number: u32) -> MissedTick {
    match number {
        0 => MissedTick::Burst,
        1 => MissedTick::Delay,
        _ => MissedTick::Skip,
    }
}

/// Bits of a task's number that are its slot: the host allows no greater capacity. With 32 bits of
/// generation that makes 53, which a double holds exactly.
const SLOT_BITS: u32 = 21;

fn to_number(id: TaskId) -> f64 {
    let (generation, slot) = (id.to_bits() >> 32, id.to_bits() as u32);
    (generation << SLOT_BITS | u64::from(slot)) as f64
}

fn to_id(number: f64) -> TaskId {
    let number = number as u64;
    TaskId::from_bits(number >> SLOT_BITS << 32 | number & ((1 << SLOT_BITS) - 1))
}

/// The nearest ns: a double in ms has none to spare, and truncation would be one short half the time.
fn from_ms(ms: f64) -> u64 {
    // The cast saturates at both ends and takes NaN for 0.
    (ms * 1e6 + 0.5) as u64
}

/// An instant in ms, not rounded down: [`from_ms`] of it is not before the instant.
fn to_ms(at: TimePoint) -> f64 {
    let mut ms = at.as_nanos() as f64 / 1e6;
    while from_ms(ms) < at.as_nanos() {
        ms = f64::from_bits(ms.to_bits() + 1);
    }
    ms
}

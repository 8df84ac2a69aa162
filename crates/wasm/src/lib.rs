//! The module behind the npm package `nanosecond-scheduler`: what JavaScript calls, and nothing else.
//!
//! The functions to run stay in JavaScript, in a table that is indexed by the tasks' slots, so only
//! numbers cross. `js/scheduler.js` holds that table, checks arguments and makes errors; nothing
//! here throws. Schedulers are numbers, too: see `cores.rs`.

// It has no use elsewhere, and relies on there being one thread.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs, unsafe_code)]

extern crate alloc;

#[allow(unsafe_code)]
mod cores;
mod host;
#[allow(unsafe_code)]
mod link;
mod numbers;
mod report;
#[cfg(not(feature = "std"))]
mod standalone;

use alloc::vec::Vec;
use core::time::Duration;

use nanosecond_scheduler::{
    Config, Context, MissedTick, Priority, ScheduleErrorKind, Task, WindowSpec,
};
use wasm_bindgen::prelude::*;

use cores::{core, Core};
pub use host::{Host, Settings};
use numbers::{from_ms, to_id, to_ms, to_number};

/// What [`schedule`] returns for a task beyond the capacity.
const FULL: f64 = -1.0;
/// What it returns for a release beyond the end of time.
const TIME_OVERFLOW: f64 = -2.0;

/// Evaluates an expression with the running task's context, while one runs, else with the scheduler.
macro_rules! reach {
    ($core:expr, $it:ident => $value:expr) => {{
        let core = $core;
        match core.link.context() {
            Some(mut loan) => {
                let $it = &mut *loan;
                $value
            }
            None => {
                let $it = &mut *core.scheduler();
                $value
            }
        }
    }};
}

/// A scheduler set up as `settings` says; none if they are out of bounds.
#[wasm_bindgen]
pub fn create(host: Host, settings: &Settings) -> Option<u32> {
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
    cores::create(host, config)
}

/// Drops a scheduler, which is not in a tick. Its number may be another's afterwards.
#[wasm_bindgen]
pub fn free(number: u32) {
    cores::free(number);
}

/// Runs what is due by the host's clock; tells how many jobs were started.
#[wasm_bindgen]
pub fn tick(number: u32) -> u32 {
    let core = core(number);
    core.link.follow_host();
    core.note_use();
    core.tick()
}

/// Runs what is due at `now_ms`, which is the time until the next [`tick`]. If it is the first thing
/// that is asked, time starts with it.
#[wasm_bindgen(js_name = tickAt)]
pub fn tick_at(number: u32, now_ms: f64) -> u32 {
    let core = core(number);
    core.link.stop_at(from_ms(now_ms));
    core.start_anew_if_unused();
    core.tick()
}

/// Schedules a one-shot of whole ns up to 2⁵³; returns its number, or [`FULL`] or [`TIME_OVERFLOW`].
#[wasm_bindgen]
pub fn schedule(number: u32, delay_ns: f64, priority: u32) -> f64 {
    let core = core(number);
    accept(core, one_shot(core, delay_ns as u64), priority)
}

/// Like [`schedule`], for whole ns up to 2⁶⁴, with a deadline.
#[wasm_bindgen(js_name = scheduleWith)]
pub fn schedule_with(number: u32, delay_ns: u64, priority: u32, deadline_ns: Option<u64>) -> f64 {
    let core = core(number);
    accept(core, with_deadline(one_shot(core, delay_ns), deadline_ns), priority)
}

/// Like [`schedule_with`], for a task that repeats. Without a policy for missed ticks it is the
/// scheduler's.
#[wasm_bindgen(js_name = schedulePeriodic)]
pub fn schedule_periodic(
    number: u32,
    delay_ns: u64,
    period_ns: u64,
    priority: u32,
    deadline_ns: Option<u64>,
    missed: Option<u32>,
) -> f64 {
    let core = core(number);
    let run = |cx: &mut Context<'_>| core.link.lend(cx, Host::run_again);
    let mut task = Task::periodic(run, Duration::from_nanos(period_ns))
        .with_delay(Duration::from_nanos(delay_ns));
    if let Some(missed) = missed {
        task = task.with_missed_tick(missed_tick(missed));
    }
    accept(core, with_deadline(task, deadline_ns), priority)
}

/// Cancels a task; tells whether it was pending.
#[wasm_bindgen]
pub fn cancel(number: u32, task: f64) -> bool {
    reach!(core(number), it => it.cancel(to_id(task))).is_ok()
}

/// Drops every pending task.
#[wasm_bindgen]
pub fn clear(number: u32) {
    reach!(core(number), it => it.clear());
}

/// Number of tasks that have not ended.
#[wasm_bindgen]
pub fn pending(number: u32) -> u32 {
    reach!(core(number), it => it.len()) as u32
}

/// The earliest release, as a time at which a tick runs it.
#[wasm_bindgen(js_name = nextReleaseMs)]
pub fn next_release_ms(number: u32) -> Option<f64> {
    reach!(core(number), it => it.next_release()).map(to_ms)
}

/// Counters and times, in the order of `report.rs`.
#[wasm_bindgen]
pub fn metrics(number: u32) -> Vec<f64> {
    reach!(core(number), it => report::metrics(&it.metrics()))
}

/// The estimates of the strange loop, in the order of `report.rs`.
#[wasm_bindgen]
pub fn estimates(number: u32) -> Vec<f64> {
    reach!(core(number), it => report::estimates(&it.strange_loop()))
}

/// The windows kept, in the order of `report.rs`.
#[wasm_bindgen]
pub fn windows(number: u32) -> Vec<f64> {
    reach!(core(number), it => report::windows(it.windows()))
}

/// The mean overlap of the windows kept.
#[wasm_bindgen(js_name = temporalOverlap)]
pub fn temporal_overlap(number: u32) -> f64 {
    reach!(core(number), it => it.temporal_overlap())
}

#[inline]
fn one_shot(core: &'static Core, delay_ns: u64) -> Task {
    let run = |cx: &mut Context<'_>| core.link.lend(cx, Host::run_once);
    Task::with_context(run, Duration::from_nanos(delay_ns))
}

fn with_deadline(task: Task, deadline_ns: Option<u64>) -> Task {
    match deadline_ns {
        Some(deadline_ns) => task.with_deadline(Duration::from_nanos(deadline_ns)),
        None => task,
    }
}

#[inline]
fn accept(core: &Core, task: Task, priority: u32) -> f64 {
    core.note_use();
    let task = task.with_priority(Priority::ALL[priority as usize % Priority::ALL.len()]);
    match reach!(core, it => it.schedule(task)) {
        Ok(id) => to_number(id),
        Err(error) if error.kind() == ScheduleErrorKind::TimeOverflow => TIME_OVERFLOW,
        Err(_) => FULL,
    }
}

fn missed_tick(number: u32) -> MissedTick {
    match number {
        0 => MissedTick::Burst,
        1 => MissedTick::Delay,
        _ => MissedTick::Skip,
    }
}

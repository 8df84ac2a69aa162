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

mod cores;
#[cfg(not(test))]
mod host;
#[allow(unsafe_code)]
mod link;
#[allow(unsafe_code)]
mod memory;
mod numbers;
#[allow(unsafe_code)]
mod one_thread;
mod report;
#[cfg(not(feature = "std"))]
mod standalone;
#[cfg(test)]
mod tests;

use core::time::Duration;

use nanosecond_scheduler::{
    Config, Context, MissedTick, Priority, ScheduleErrorKind, Task, WindowSpec,
};
use wasm_bindgen::prelude::*;

use cores::{core, Core};
use numbers::{from_ms, to_duration, to_id, to_ms, to_number};
#[cfg(test)]
use tests::host;

/// What [`create`] returns for a configuration out of bounds.
const REFUSED: i32 = -1;
/// What [`schedule`] returns for a task beyond the capacity.
const FULL: f64 = -1.0;
/// What it returns for a release beyond the end of time.
const TIME_OVERFLOW: f64 = -2.0;

/// A deadline that none can miss.
const NEVER: u64 = u64::MAX;

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

/// A scheduler of so many tasks, up to 2²¹, of which a tick starts so many, at least 1; with a policy for
/// missed ticks; with a strange loop, if it is to observe itself, and that loop's k; keeping so many
/// windows, of that length, or 0 for none, hop and offset. Returns its number, or [`REFUSED`] if they
/// are out of bounds.
#[allow(clippy::too_many_arguments, reason = "an object would cost more than its numbers")]
#[wasm_bindgen]
pub fn create(
    capacity: u32,
    max_tasks_per_tick: u32,
    missed: u32,
    strange_loop: bool,
    lipschitz_constant: f64,
    window_size: u32,
    length: u64,
    hop: u64,
    offset: u64,
) -> i32 {
    let config = Config {
        max_tasks_per_tick: max_tasks_per_tick as usize,
        strange_loop,
        lipschitz_constant,
        windows: (length > 0).then_some(WindowSpec { length, hop, offset }),
        window_size: window_size as usize,
        capacity: capacity as usize,
        missed_tick: missed_tick(missed),
        ..Config::default()
    };
    cores::create(config).map_or(REFUSED, |number| number as i32)
}

/// Drops a scheduler, which is not in a tick. Its number may be another's afterwards.
#[wasm_bindgen]
pub fn free(number: u32) {
    cores::free(number);
}

/// Runs what is due by the host's clock, which is at `now_ms`; tells how many jobs were started.
#[wasm_bindgen]
pub fn tick(number: u32, now_ms: f64) -> u32 {
    let core = core(number);
    core.link.follow_host_from(from_ms(now_ms));
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

/// Schedules a one-shot of whole ns up to 2⁵³; returns its number, or [`FULL`] or [`TIME_OVERFLOW`]. The
/// host's clock is at `now_ms`, if that is a number.
#[wasm_bindgen]
pub fn schedule(number: u32, delay_ns: f64, priority: u32, now_ms: f64) -> f64 {
    let core = core(number);
    if !now_ms.is_nan() {
        core.link.follow_host_from(from_ms(now_ms));
    }
    accept(core, one_shot(core, delay_ns as i64 as u64), priority)
}

/// Like [`schedule`], for whole ns up to 2⁶⁴, with a deadline or [`NEVER`]; repeating, unless the period
/// is 0, with a policy for missed ticks. It asks the host for the time.
#[wasm_bindgen(js_name = scheduleWith)]
pub fn schedule_with(
    number: u32,
    delay_ns: u64,
    priority: u32,
    deadline_ns: u64,
    period_ns: u64,
    missed: u32,
) -> f64 {
    let core = core(number);
    let mut task = match period_ns {
        0 => one_shot(core, delay_ns),
        _ => repeating(core, delay_ns, period_ns),
    };
    if deadline_ns != NEVER {
        task = task.with_deadline(Duration::from_nanos(deadline_ns));
    }
    // Also to a one-shot, which has no use for it: that it has attributes is known here, then.
    accept(core, task.with_missed_tick(missed_tick(missed)), priority)
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

/// The earliest release, as a time at which a tick runs it; infinite if there is none.
#[wasm_bindgen(js_name = nextReleaseMs)]
pub fn next_release_ms(number: u32) -> f64 {
    reach!(core(number), it => it.next_release()).map_or(f64::INFINITY, to_ms)
}

/// Tells counters and times, in the order of `report.rs`.
#[wasm_bindgen]
pub fn metrics(number: u32) {
    reach!(core(number), it => report::metrics(&it.metrics()));
}

/// Tells the estimates of the strange loop, in the order of `report.rs`.
#[wasm_bindgen]
pub fn estimates(number: u32) {
    reach!(core(number), it => report::estimates(&it.strange_loop()));
}

/// Tells the windows kept, in the order of `report.rs`.
#[wasm_bindgen]
pub fn windows(number: u32) {
    reach!(core(number), it => report::windows(it.windows()));
}

/// The mean overlap of the windows kept.
#[wasm_bindgen(js_name = temporalOverlap)]
pub fn temporal_overlap(number: u32) -> f64 {
    reach!(core(number), it => it.temporal_overlap())
}

#[inline(always)]
fn one_shot(core: &'static Core, delay_ns: u64) -> Task {
    let run = |cx: &mut Context<'_>| core.link.lend(cx, host::run_once);
    Task::with_context(run, to_duration(delay_ns))
}

fn repeating(core: &'static Core, delay_ns: u64, period_ns: u64) -> Task {
    let run = |cx: &mut Context<'_>| core.link.lend(cx, host::run_again);
    Task::periodic(run, Duration::from_nanos(period_ns)).with_delay(Duration::from_nanos(delay_ns))
}

// Inlined, so that a plain task need not exist before it is stored.
#[inline(always)]
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

//! Running one job: the closure leaves its slot, runs, and, if it repeats, is queued again.

use crate::attributes::{Attributes, Details, Repeat};
use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::engine::Engine;
use crate::queue::Entry;
use crate::task::TaskId;

/// Runs a closure that has just left its slot.
///
/// If the closure panics the engine is consistent and the task has ended.
#[inline(always)]
pub(crate) fn run_job(
    engine: &mut Engine,
    entry: Entry,
    closure: &mut Option<Closure>,
    has_attributes: bool,
) {
    if has_attributes {
        run_with_attributes(engine, entry, closure);
    } else {
        run_once(engine, entry, closure);
    }
}

/// Runs a one-shot, or leaves it to the tick's batch.
#[inline(always)]
fn run_once(engine: &mut Engine, entry: Entry, closure: &mut Option<Closure>) {
    #[cfg(feature = "parallel")]
    engine.batch.offer(crate::engine::Job { id: entry.id, name: engine.running_name }, closure);
    run_here(engine, entry, closure);
}

#[inline(always)]
fn run_here(engine: &mut Engine, entry: Entry, closure: &mut Option<Closure>) {
    let Entry { release, id } = entry;
    engine.running = id;
    if let Some(closure) = closure {
        closure.run(&mut Context { engine, id, release });
    }
}

#[inline(never)]
fn run_with_attributes(engine: &mut Engine, entry: Entry, closure: &mut Option<Closure>) {
    let mut details = *engine.store.details(entry.id);
    let Details { attributes, ref mut progress } = details;
    engine.running_name = attributes.name;
    if progress.has_dependents {
        engine.take_dependents(entry.id);
        progress.has_dependents = false;
    }
    if attributes.repeat != Repeat::Never {
        let Some(closure) = closure.take() else { return };
        return run_repeating(engine, entry, closure, &attributes);
    }
    engine.ended(entry.id, details);
    if details.is_timed() || engine.has_running_dependents() {
        run_here(engine, entry, closure); // In a batch its finish could not be told.
    } else {
        run_once(engine, entry, closure);
    }
}

/// Skips a live job that has left the queue: a one-shot ends, a repeating task goes on to its next
/// job, and those that waited for this one are told that it failed.
pub(crate) fn skip_job(engine: &mut Engine, entry: Entry) {
    let attributes = engine.store.details(entry.id).attributes;
    engine.take_dependents(entry.id);
    let goes_on = attributes.repeat != Repeat::Never
        && queue_next_job(engine, entry, &attributes, engine.now);
    let closure = if goes_on { None } else { engine.end(entry.id) };
    engine.fail_dependents();
    drop(closure);
}

/// Ends a repeating task that is not queued again, also because its job panicked.
struct EndTask<'a> {
    engine: &'a mut Engine,
    id: TaskId,
}

impl Drop for EndTask<'_> {
    fn drop(&mut self) {
        // A sporadic task may have triggered its next job. The closure is not in its slot.
        self.engine.end(self.id);
    }
}

fn run_repeating(engine: &mut Engine, entry: Entry, mut closure: Closure, attributes: &Attributes) {
    let Entry { release, id } = entry;
    let decided_at = engine.now;
    engine.running = id;
    let end = EndTask { engine, id };
    closure.run(&mut Context { engine: end.engine, id, release });
    // It is no longer pending if it cancelled itself; the closure is dropped on return.
    if end.engine.is_pending(id) && queue_next_job(end.engine, entry, attributes, decided_at) {
        end.engine.store.put_back(id, closure);
        core::mem::forget(end);
    }
}

/// Queues the job after `entry`; tells whether the task goes on.
fn queue_next_job(
    engine: &mut Engine,
    entry: Entry,
    attributes: &Attributes,
    decided_at: u64,
) -> bool {
    let Repeat::Every(period) = attributes.repeat else {
        return true; // A sporadic task waits for its trigger.
    };
    let missed_tick = attributes.missed_tick.unwrap_or(engine.missed_tick);
    let late_by = decided_at - entry.release;
    let missed = late_by / period;
    let (missed, next) = match missed_tick {
        // The jobs of the other missed periods follow and count their own.
        MissedTick::Burst => (missed.min(1), entry.release.checked_add(period)),
        MissedTick::Delay => (missed, decided_at.checked_add(period)),
        MissedTick::Skip => (missed, (decided_at - late_by % period).checked_add(period)),
    };
    engine.recorder.missed_ticks(missed);
    match next {
        Some(next) => engine.enqueue(entry.id, next),
        None => return false, // Time itself ends before the next job.
    }
    true
}

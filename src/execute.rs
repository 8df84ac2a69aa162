//! Running one job: the closure leaves its slot, runs, and, if it repeats, is queued again.

use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::engine::Engine;
use crate::queue::Entry;
use crate::task::{Attributes, Repeat, TaskId};

/// Runs a closure that has just left its slot. Returns the absolute deadline, if any.
///
/// If the closure panics the engine is consistent and the task has ended.
#[inline(always)]
pub(crate) fn run_job(
    engine: &mut Engine,
    entry: Entry,
    closure: &mut Option<Closure>,
    has_attributes: bool,
) -> Option<u64> {
    if has_attributes {
        return run_with_attributes(engine, entry, closure);
    }
    run_once(engine, entry, closure);
    None
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
fn run_with_attributes(
    engine: &mut Engine,
    entry: Entry,
    closure: &mut Option<Closure>,
) -> Option<u64> {
    let attributes = engine.store.attributes(entry.id).clone();
    let deadline = attributes.deadline.map(|relative| entry.release.saturating_add(relative));
    engine.running_name = attributes.name;
    if attributes.repeat != Repeat::Never {
        run_repeating(engine, entry, closure.take()?, &attributes);
    } else {
        engine.ended(&attributes);
        match deadline {
            None => run_once(engine, entry, closure),
            Some(_) => run_here(engine, entry, closure), // In a batch its finish could not be told.
        }
    }
    if deadline.is_none() {
        engine.running_name = None;
    }
    deadline
}

/// Ends a repeating task that is not queued again, also because its job panicked.
struct EndTask<'a> {
    engine: &'a mut Engine,
    id: TaskId,
    attributes: &'a Attributes,
}

impl Drop for EndTask<'_> {
    fn drop(&mut self) {
        if let Some((place, _)) = self.engine.store.remove(self.id) {
            // A sporadic task may have triggered its next job.
            self.engine.queue.cancelled(self.id, place, &mut self.engine.store);
            self.engine.ended(self.attributes);
        }
    }
}

fn run_repeating(engine: &mut Engine, entry: Entry, mut closure: Closure, attributes: &Attributes) {
    let Entry { release, id } = entry;
    let decided_at = engine.now;
    engine.running = id;
    let end = EndTask { engine, id, attributes };
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

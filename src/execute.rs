//! Running one job: the closure leaves its slot, runs, and, if it repeats, is queued again.

use crate::closure::Closure;
use crate::config::MissedTick;
use crate::context::Context;
use crate::engine::{Engine, Job};
use crate::queue::Entry;
use crate::task::{Attributes, Repeat, TaskId};

/// Runs the job of `entry`, which has just left the queue. Returns the absolute deadline, if any.
///
/// If the closure panics the engine is consistent and the task has ended.
#[inline]
pub(crate) fn run_job(engine: &mut Engine, entry: Entry) -> Option<u64> {
    let Entry { release, id } = entry;
    let (closure, place) = engine.store.take_to_run(id);
    let closure = closure?;
    if place.has_attributes() {
        return run_with_attributes(engine, closure, entry);
    }
    run_once(engine, closure, Job { id, name: None }, release);
    None
}

/// Runs a one-shot here, or leaves it to the tick's batch.
#[inline]
fn run_once(engine: &mut Engine, closure: Closure, job: Job, release: u64) {
    #[cfg(feature = "parallel")]
    let Some(closure) = engine.batch.offer(job, closure) else { return };
    engine.running = job;
    closure.run_once(&mut Context { engine, id: job.id, release });
}

fn run_with_attributes(engine: &mut Engine, closure: Closure, entry: Entry) -> Option<u64> {
    let Entry { release, id } = entry;
    let attributes = engine.store.attributes(id).clone();
    let job = Job { id, name: attributes.name };
    let deadline = attributes.deadline.map(|relative| release.saturating_add(relative));
    if closure.repeats() {
        engine.running = job;
        run_repeating(engine, closure, entry, &attributes);
        return deadline;
    }
    engine.ended(&attributes);
    if deadline.is_none() {
        run_once(engine, closure, job, release);
    } else {
        // Not in a batch, or its finish could not be told.
        engine.running = job;
        closure.run_once(&mut Context { engine, id, release });
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
        if self.engine.is_pending(self.id) {
            let place = self.engine.store.place(self.id);
            self.engine.store.remove(self.id);
            // A sporadic task may have triggered its next job.
            self.engine.queue.cancelled(self.id, place, &mut self.engine.store);
            self.engine.ended(self.attributes);
        }
    }
}

fn run_repeating(engine: &mut Engine, mut closure: Closure, entry: Entry, attributes: &Attributes) {
    let Entry { release, id } = entry;
    let decided_at = engine.now;
    let end = EndTask { engine, id, attributes };
    closure.run_again(&mut Context { engine: end.engine, id, release });
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

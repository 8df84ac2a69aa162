//! Jobs that take time under a manual clock, and what is told about them.

use std::any::Any;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

use nanosecond_scheduler::{Clock, Context, DeadlineViolation, ManualClock, Scheduler};

use super::{ns, Log};

/// A body that takes `time`.
pub(crate) fn takes(clock: &ManualClock, time: u64) -> impl FnOnce() + 'static {
    let clock = clock.clone();
    move || clock.advance(ns(time))
}

/// A body of a repeating task, whose jobs take these times, and the others none.
pub(crate) fn take_in_turn(
    clock: &ManualClock,
    times: impl IntoIterator<Item = u64, IntoIter: 'static>,
) -> impl FnMut(&mut Context<'_>) + 'static {
    let (clock, mut times) = (clock.clone(), times.into_iter());
    move |_| clock.advance(ns(times.next().unwrap_or(0)))
}

/// A body that records `value` and takes `time`.
pub(crate) fn logs<T: 'static>(
    log: &Log<T>,
    value: T,
    clock: &ManualClock,
    time: u64,
) -> impl FnOnce() + 'static {
    let (log, work) = (log.clone(), takes(clock, time));
    move || {
        log.push(value);
        work();
    }
}

/// What the handler of misses is told.
pub(crate) fn log_misses(scheduler: &mut Scheduler<impl Clock>) -> Log<DeadlineViolation> {
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_deadline_miss(move |miss| log2.push(miss));
    log
}

/// Panics without a message on the terminal.
pub(crate) fn fail(reason: &'static str) {
    resume_unwind(Box::new(reason));
}

/// What `work` panics with, if it does.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| reason(&*payload))
}

/// What [`fail`] was given.
pub(crate) fn reason(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().expect("a panic of these tests")
}

#[cfg(feature = "std")]
/// The reasons that the handler of panics is told.
pub(crate) fn log_panics(scheduler: &mut Scheduler<impl Clock>) -> Log<&'static str> {
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_panic(move |panic| log2.push(reason(&*panic.payload)));
    log
}

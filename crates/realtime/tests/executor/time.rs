//! The end of time, and a clock that steps back.

use super::*;

#[test]
fn instants_at_and_beyond_the_end_of_time_never_panic() {
    let mut executor = simple();
    let (handle, log) = (executor.handle(), Log::default());
    for duration in [Duration::MAX, Duration::from_nanos(u64::MAX) + ns(1)] {
        assert_eq!(handle.sleep(duration).until(), None);
        let sleep = handle.sleep(duration);
        executor.spawn(sleep).detach();
    }
    executor.spawn(sleeper(&handle, &log, "end", u64::MAX)).detach();
    executor.run_until_idle();
    assert_eq!(log.take(), [("end", u64::MAX)]);
    executor.spawn(handle.sleep(ns(1))).detach();
    executor.run_until_idle();
    assert_eq!(executor.now(), TimePoint::MAX);
}

#[test]
fn a_clock_that_steps_back_fires_nothing_early() {
    let (mut executor, clock) = executor(Config::default());
    let handle = executor.handle();
    clock.set(at(100));
    assert_eq!(executor.now(), at(100));
    clock.set(at(50));
    let sleep = handle.sleep(ns(10));
    assert_eq!(sleep.until(), Some(at(110)));
    executor.block_on(sleep);
    assert_eq!(clock_reading(&clock), at(110));
}

fn clock_reading(clock: &ManualClock) -> TimePoint {
    nanosecond_scheduler::Clock::now(clock)
}

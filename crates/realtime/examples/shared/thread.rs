//! A thread that is as close to real time as the system allows, and time passed on it.

use std::time::Duration;

use nanosecond_realtime::os::{self, SchedClass};
use nanosecond_scheduler::{Clock, DefaultClock, TimePoint};

/// Runs `body` on a thread of its own, pinned to `core` and of a real-time class as far as the
/// system grants it; says what it granted.
pub(crate) fn on_real_time_thread<T: Send>(core: usize, body: impl FnOnce() -> T + Send) -> T {
    let prepared = || {
        let class = SchedClass::Fifo(90);
        println!("keep to core {core}: {}", os::pin_to_core(core));
        println!("class {class}: {}", os::set_class(class));
        if let Some(throttling) = os::throttling() {
            println!("throttling: {throttling}");
        }
        println!();
        body()
    };
    std::thread::scope(|scope| scope.spawn(prepared).join().expect("the example's own panic"))
}

/// The core that interrupts are least likely to use.
#[allow(dead_code, reason = "not every example chooses")]
pub(crate) fn quiet_core() -> usize {
    os::available_cores().last().copied().unwrap_or(0)
}

/// Keeps the processor busy until `instant`.
pub(crate) fn spin_until(clock: &DefaultClock, instant: TimePoint) {
    while clock.now() < instant {
        std::hint::spin_loop();
    }
}

/// Keeps the processor busy for `time`.
#[allow(dead_code, reason = "not every example pretends work")]
pub(crate) fn spin_for(clock: &DefaultClock, time: Duration) {
    spin_until(clock, clock.now() + time);
}

/// Sleeps until shortly before `instant`, then spins.
#[allow(dead_code, reason = "not every example sleeps")]
pub(crate) fn wait_until(clock: &DefaultClock, instant: TimePoint) {
    const MARGIN: Duration = Duration::from_micros(200);
    let left = instant.duration_since(clock.now());
    if let Some(coarse) = left.checked_sub(MARGIN) {
        std::thread::sleep(coarse);
    }
    spin_until(clock, instant);
}

//! A thread that is as close to real time as the system allows.

use nanosecond_realtime::os::{self, SchedClass};

/// Runs `body` on a thread of its own, of a real-time class as far as the system grants it, and says
/// what it granted. The thread is pinned to `core`, or to the last, which interrupts use least.
pub(crate) fn on_real_time_thread<T: Send>(
    core: Option<usize>,
    body: impl FnOnce() -> T + Send,
) -> T {
    let core = core.or_else(|| os::available_cores().last().copied()).unwrap_or(0);
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
    std::thread::scope(|scope| match scope.spawn(prepared).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

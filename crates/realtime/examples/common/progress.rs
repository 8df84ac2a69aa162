//! Progress of work that runs for a known time.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(500);

/// Does `work`, which takes about `time`, and shows on a terminal how much of that has passed: by a
/// thread of its own, so that the work is not disturbed.
pub(crate) fn during<T>(time: Duration, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let (working, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let start = Instant::now();
            while is_done.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let passed = start.elapsed().as_secs_f64() / time.as_secs_f64();
                eprint!("\r{:3.0} %\r", 100.0 * passed.min(1.0));
            }
        });
        let _working = working; // Dropped when the work is done, or panics.
        work()
    })
}

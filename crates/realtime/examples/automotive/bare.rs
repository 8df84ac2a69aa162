//! The same jobs in the same order, without a scheduler.

use std::time::Duration;

use nanosecond_scheduler::{Clock, DefaultClock, TimePoint};

use crate::load::PeriodicLoad;
use crate::{spin, LEAD};

/// Runs the tasks for `time`, most urgent first, and gives the longest response time of each.
pub(crate) fn run(clock: &DefaultClock, loads: &[PeriodicLoad], time: Duration) -> Vec<Duration> {
    let start = clock.now() + LEAD;
    let mut releases: Vec<_> = loads.iter().map(|load| start - load.phase).collect();
    let mut worst = vec![Duration::ZERO; loads.len()];
    loop {
        let now = clock.now();
        if let Some(due) = releases.iter().position(|release| *release <= now) {
            spin::spin_for(clock, loads[due].work());
            worst[due] = worst[due].max(clock.now().duration_since(releases[due]));
            releases[due] += loads[due].period;
        } else if now > start + time {
            return worst;
        } else if let Some(next) = releases.iter().min() {
            wait_until(clock, *next);
        }
    }
}

/// Sleeps until shortly before `instant`, then spins.
fn wait_until(clock: &DefaultClock, instant: TimePoint) {
    const MARGIN: Duration = Duration::from_micros(200);
    if let Some(left) = instant.duration_since(clock.now()).checked_sub(MARGIN) {
        std::thread::sleep(left);
    }
    spin::spin_until(clock, instant);
}

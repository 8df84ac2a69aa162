//! Sets up a scheduler and its clock, runs a capture through it, and collects what came out.

use std::time::Instant;

use indicatif::ProgressBar;
use nanosecond_scheduler::{
    Clock, Config, ConfigError, DefaultClock, LatencyStats, ManualClock, MetricsLevel,
    ScheduleErrorKind, Scheduler, TimePoint,
};

use crate::capture::{Capture, CaptureError, Truncation};
use crate::options::{Options, Speed};
use crate::pace::Pace;
use crate::packet::Packet;
use crate::player::{Player, Setup};
use crate::tally::{PerTimeout, Tally};

/// Tasks that may be pending: up to two per connection, and the packets read ahead.
const CAPACITY: usize = 1 << 24;

/// What came out of a replay.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// Dispatch latency of all tasks, on the replay's clock.
    pub(crate) latency: Option<LatencyStats>,
    /// Tasks that the scheduler still held at the end.
    pub(crate) pending: u64,
    pub(crate) truncation: Option<Truncation>,
    /// Packets that had no timestamp.
    pub(crate) untimed: u64,
    /// Why reading stopped before the end of the file.
    pub(crate) damage: Option<CaptureError>,
    /// Why the replay stopped before the last packet that was read.
    pub(crate) refused: Option<ScheduleErrorKind>,
}

/// Replays `capture` from its packet `first` on.
pub(crate) fn run(
    capture: Capture,
    first: Packet,
    options: &Options,
    progress: ProgressBar,
) -> Result<Outcome, ConfigError> {
    let config =
        Config { capacity: CAPACITY, metrics: MetricsLevel::Histograms, ..Config::default() };
    let setup = |speed, measure| Setup {
        capture,
        pace: Pace { first_ns: first.time_ns, start: TimePoint::ZERO, speed },
        timeouts: PerTimeout::new(options.idle, options.response),
        progress,
        measure,
        // In real time nobody wants to wait for timeouts once the last packet is through.
        stops_after_last_packet: options.speed != Speed::Max,
    };
    match options.speed {
        Speed::Max => {
            let scheduler = Scheduler::with_clock(config, ManualClock::new())?;
            Ok(drive(scheduler, Player::new(setup(1, Box::new(wall_gaps()))), first))
        }
        Speed::Times(times) => {
            let clock = DefaultClock::new();
            let scheduler = Scheduler::with_clock(config, clock.clone())?;
            let latency =
                move |release| Some(clock.now().duration_since(release).as_nanos() as u64);
            Ok(drive(scheduler, Player::new(setup(times, Box::new(latency))), first))
        }
    }
}

/// Measures the wall time from each call to the next, whatever the release.
fn wall_gaps() -> impl FnMut(TimePoint) -> Option<u64> {
    let mut previous = None;
    move |_release| {
        let now = Instant::now();
        previous.replace(now).map(|before| (now - before).as_nanos() as u64)
    }
}

fn drive<C: Clock>(mut scheduler: Scheduler<C>, player: Player, first: Packet) -> Outcome {
    let started = Instant::now();
    let refused = scheduler.schedule(player.opening(first)).err().map(|error| error.kind());
    scheduler.run();
    let wall = started.elapsed();
    let (latency, pending) = (scheduler.latency_stats(), scheduler.len() as u64);
    let mut outcome = player.finish(latency, pending);
    outcome.tally.wall = wall;
    outcome.refused = outcome.refused.or(refused);
    outcome
}

//! Hazard: of inference every µs, plasticity every 10 µs, phase cycles of 10 ms and windows with half
//! overlap, one is not called as often as it should be, or in another window than it should be.

#[path = "../examples/three_rates/scenario.rs"]
mod scenario;

use std::time::Duration;

use nanosecond_scheduler::{ManualClock, MissedTick, Scheduler, TimePoint};
use temporal_nets::{Figure, Telemetry, TelemetryConfig};

use scenario::{Counts, Scenario, CYCLE, LEARN, STEP, WINDOWS};

fn run(time: Duration) -> (Scheduler<ManualClock>, Counts, Telemetry) {
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let mut scenario = Scenario::new(ManualClock::new(), MissedTick::Burst, &telemetry);
    scenario.scheduler.run_for(time);
    assert_eq!(scenario.net.borrow().now(), scenario.start + time);
    let counts = *scenario.counts.borrow();
    (scenario.scheduler, counts, telemetry)
}

#[test]
fn every_rate_is_kept_exactly() {
    let (scheduler, counts, telemetry) = run(Duration::from_millis(100));
    assert_eq!((STEP, LEARN, CYCLE).0.as_nanos(), 1_000);
    assert_eq!((counts.inferences, counts.updates, counts.cycles), (100_000, 10_000, 10));
    assert!(counts.fired > 20 && counts.learned > 40, "{counts:?}");
    assert_eq!(counts.fired, counts.tagged, "a spike without a cycle");
    let metrics = scheduler.metrics();
    assert_eq!(metrics.executed, 110_010);
    assert_eq!((metrics.missed_deadlines, metrics.missed_ticks), (0, 0));

    // Cycles end at 10, 20 … 100 ms.
    let ends: Vec<_> = telemetry.cycles().rows().map(|row| row[0]).collect();
    let expected: Vec<_> = (1..=10).map(|k| Figure::Integer(k * 10_000_000)).collect();
    assert_eq!(ends, expected);
    assert_eq!(scheduler.now(), TimePoint::from_nanos(100_000_000));
}

#[test]
fn every_job_is_in_its_two_windows() {
    let (scheduler, _, telemetry) = run(Duration::from_millis(100));
    assert_eq!(scheduler.temporal_overlap(), 0.5);
    assert_eq!(WINDOWS.overlap(), 0.5);
    let rows: Vec<_> = telemetry.windows().rows().collect();
    // From [-10, 10) to [80, 100) ms.
    assert_eq!(rows.len(), 10);
    for (k, row) in rows.iter().enumerate() {
        let start = (k as i128 - 1) * 10_000_000;
        assert_eq!(row[..2], [Figure::Integer(start), Figure::Integer(start + 20_000_000)]);
        // 10 ms hold 10,000 inferences, 1,000 updates and a cycle; the first job is after 1 µs, and
        // what is at a window's end is not in it.
        let jobs = match k {
            0 => 9_999 + 999,
            1 => 19_999 + 1_999 + 1,
            _ => 20_000 + 2_000 + 2,
        };
        assert_eq!(row[2], Figure::Integer(jobs), "window {k}");
        assert_eq!((row[3], row[4]), (Figure::Real(0.0), Figure::Real(0.0)), "latencies");
    }
}

#[test]
fn it_repeats() {
    let once = || {
        let (_, counts, telemetry) = run(Duration::from_millis(30));
        (counts, telemetry.windows().to_csv(), telemetry.cycles().to_csv())
    };
    assert_eq!(once(), once());
}

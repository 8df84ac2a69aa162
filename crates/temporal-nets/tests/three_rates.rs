//! Hazard: of inference every µs, plasticity every 10 µs, phase cycles of 10 ms and windows with half
//! overlap, one is not called as often as it should be, or in another window than it should be, or
//! all learn otherwise than in a bare loop.

#[path = "../examples/three_rates/scenario.rs"]
mod scenario;

use std::time::Duration;

use nanosecond_scheduler::{
    DefaultClock, ManualClock, MissedTick, Priority, Scheduler, Task, TimePoint,
};
use temporal_nets::{
    Figure, PhaseOscillator, Plastic, Telemetry, TelemetryConfig, TemporalNetwork, VectorStrength,
};

use scenario::{drive, ring, Counts, Scenario, CYCLE, LEARN, STEP, WINDOWS};

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
fn it_computes_what_a_bare_loop_does() {
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let mut scenario = Scenario::new(ManualClock::new(), MissedTick::Burst, &telemetry);
    scenario.scheduler.run_for(Duration::from_millis(100));

    let (mut bare, synapses) = ring();
    let mut expected = Counts::default();
    let mut cycles = Vec::new();
    let mut input = [0.0; 5];
    let oscillator = PhaseOscillator::new(TimePoint::ZERO, CYCLE);
    for k in 1..=100_000u64 {
        let now = TimePoint::from_nanos(k * 1_000);
        drive(now, &mut input);
        expected.fired += bare.step(&input, STEP).iter().sum::<f32>() as u64;
        expected.inferences += 1;
        if k % 10 == 0 {
            expected.learned += bare.apply_plasticity() as u64;
            expected.updates += 1;
        }
        if k % 10_000 == 0 {
            let mut spikes = Vec::new();
            bare.drain_spikes(now, |spike| spikes.push((spike.at, spike.neuron)));
            spikes.sort_unstable();
            let mut locking = VectorStrength::default();
            spikes.iter().for_each(|&(at, _)| locking.add(oscillator.phase(at)));
            expected.tagged += spikes.len() as u64;
            expected.cycles += 1;
            cycles.push((now, spikes.len(), locking));
        }
    }
    assert_eq!(*scenario.counts.borrow(), expected);
    for (row, (end, spikes, locking)) in telemetry.cycles().rows().zip(&cycles) {
        assert_eq!(
            row[..2],
            [Figure::Integer(end.as_nanos().into()), Figure::Integer(*spikes as i128)]
        );
        if let Some(strength) = locking.strength() {
            assert_eq!(row[2], Figure::Real(strength));
        }
    }
    assert!(cycles[5..].iter().all(|(_, n, l)| *n == 0 || l.strength() > Some(0.3)), "{cycles:?}");
    for synapse in synapses {
        assert_eq!(scenario.net.borrow().weight(synapse), bare.weight(synapse));
        assert_ne!(bare.weight(synapse), 1.0, "nothing was learned");
    }
}

/// In real time nothing can be promised, but everything is accounted for.
#[test]
fn in_real_time_every_period_was_kept_or_is_reported_as_missed() {
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let mut scenario = Scenario::new(DefaultClock::new(), MissedTick::Skip, &telemetry);
    // Not `run_for`, which goes on until all that was released has run: an overload has no such end.
    let stop = Task::with_context(|cx| cx.stop(), Duration::ZERO);
    let stop = stop.at(scenario.start + Duration::from_millis(60));
    scenario.scheduler.schedule(stop.with_priority(Priority::Critical)).unwrap();
    scenario.scheduler.run();

    let counts = *scenario.counts.borrow();
    let metrics = scenario.scheduler.metrics();
    assert_eq!(metrics.executed, counts.inferences + counts.updates + counts.cycles + 1);
    // The network's time is that of its last release: periods run and periods skipped.
    let time = scenario.net.borrow().now().duration_since(scenario.start);
    assert_eq!(time.as_nanos() % STEP.as_nanos(), 0);
    let periods = (time.as_nanos() / STEP.as_nanos()) as u64;
    assert!(counts.inferences <= periods && counts.updates <= periods / 10 + 1);
    let skipped = periods - counts.inferences;
    assert!(skipped <= metrics.missed_ticks, "{skipped} skipped, {metrics}");
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

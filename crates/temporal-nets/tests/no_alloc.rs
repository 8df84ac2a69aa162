//! Hazard: memory allocated in steady state: in a run, a step, an update, or a task that does them.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use nanosecond_scheduler::{Config, ManualClock, Priority, Scheduler, TimePoint, WindowSummary};
use temporal_nets::{
    shared, Activation, CascadeNet, DenseNet, DivergenceLimits, Governor, GovernorConfig, Growth,
    InferenceTask, Lif, Pace, PhaseCodingTask, PhaseCycle, Plastic, PlasticityTask,
    SchedulableTask, SpikingNet, Stdp, Telemetry, TelemetryConfig, TemporalNetwork, Trainer,
    Training, VectorStrength, Watchdog,
};

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: everything is done by the system's allocator; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are the system allocator's demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// `round` must not allocate any more once it was called often enough.
fn assert_steady(mut round: impl FnMut()) {
    (0..50).for_each(|_| round());
    let before = ALLOCATIONS.get();
    (0..50).for_each(|_| round());
    assert_eq!(ALLOCATIONS.get() - before, 0, "allocations in 50 rounds");
}

#[test]
fn the_allocator_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(5)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

fn dense() -> DenseNet {
    let mut net =
        DenseNet::new(&[8, 16, 4], Activation::SigmoidSymmetric, Activation::Sigmoid).unwrap();
    net.randomize(1, 0.5);
    net
}

#[test]
fn running_and_watching_a_dense_network() {
    let mut net = Watchdog::new(dense(), DivergenceLimits::default());
    let mut output = [0.0; 4];
    assert_steady(|| {
        net.network_mut().run_into(&[0.5; 8], &mut output);
        net.step(&std::array::from_fn::<f32, 8, _>(|k| output[k % 4]), Duration::ZERO);
    });
}

#[test]
fn training() {
    let mut net = dense();
    let mut trainer = Trainer::new(&net, Training::default()).unwrap();
    let (input, target) = ([0.25; 8], [0.75; 4]);
    assert_steady(|| {
        trainer.epoch(&mut net, [(&input[..], &target[..])]);
    });
}

#[test]
fn decisions_of_a_governor() {
    let expert = |_: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
        shares[0] = 1.0;
        Ok::<(), &str>(())
    };
    let nets = vec![dense(), dense()];
    let config = GovernorConfig { threshold: 0.0, ..GovernorConfig::default() };
    let mut governor = Governor::new(nets, expert, ManualClock::new(), config).unwrap();
    assert_steady(|| {
        governor.note_residual(0.5);
        assert!(governor.decide(&[0.5; 8], Duration::ZERO).unwrap().is_expensive());
    });
}

/// Fires, sends, receives and learns in the same rhythm for ever.
fn spiking() -> SpikingNet {
    let mut net = SpikingNet::new(20, Lif::default())
        .unwrap()
        .with_stdp(Stdp::default())
        .with_spike_record(1 << 10);
    for n in 0..20 {
        for k in 1..4 {
            net.connect(n, (n + k) % 20, 0.5, Duration::from_micros(u64::from(1_000 + 300 * k)));
        }
    }
    net
}

#[test]
fn steps_of_a_spiking_network() {
    let mut net = spiking();
    let drives: [f32; 20] = std::array::from_fn(|n| 18.0 + n as f32);
    let mut spikes = 0;
    assert_steady(|| {
        for _ in 0..100 {
            net.step(&drives, Duration::from_micros(500));
            net.apply_plasticity();
        }
        let now = net.now();
        net.drain_spikes(now, |_| spikes += 1);
    });
    assert!(spikes > 10_000, "{spikes} spikes");
}

#[test]
fn tasks_on_a_scheduler() {
    let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
    let net = shared(spiking());
    let start = TimePoint::ZERO;
    // Powers of two, so that the scheduler's slots are in the same place in each round.
    let every = |bits: u32| Pace::every(Duration::from_nanos(1 << bits), start);
    let read = |_: TimePoint, input: &mut [f32]| {
        input.iter_mut().enumerate().for_each(|(n, drive)| *drive = 18.0 + n as f32);
    };
    let inference = InferenceTask::new(net.clone(), every(17), read, |_, _| ());
    let plasticity = PlasticityTask::new(net.clone(), every(20), |_, _| ());
    let phases = PhaseCodingTask::new(net, every(23), |_| ());
    scheduler.schedule(inference.into_task().with_priority(Priority::High)).unwrap();
    scheduler.schedule(plasticity.into_task()).unwrap();
    scheduler.schedule(phases.into_task().with_priority(Priority::Low)).unwrap();
    assert_steady(|| scheduler.run_for(Duration::from_nanos(1 << 25)));
    assert!(scheduler.metrics().executed > 25_000);
}

#[test]
fn grown_networks_and_telemetry() {
    let mut net =
        CascadeNet::new(2, 1, Activation::SigmoidSymmetric, Activation::SigmoidSymmetric).unwrap();
    let xor: [(&[f32], &[f32]); 4] = [
        (&[0.0, 0.0], &[-0.5]),
        (&[0.0, 1.0], &[0.5]),
        (&[1.0, 0.0], &[0.5]),
        (&[1.0, 1.0], &[-0.5]),
    ];
    net.grow(&xor, &Growth::default()).unwrap();
    assert!(net.hidden_len() > 0);

    let telemetry = Telemetry::new(TelemetryConfig { rows: 16, ..TelemetryConfig::default() });
    let mut on_window = telemetry.on_window(|window| window.carried);
    let mut on_cycle = telemetry.on_cycle(|_| ());
    let window = WindowSummary::default();
    assert_steady(|| {
        net.run(&[0.5, 0.5]);
        on_window(&window);
        let locking = VectorStrength::default();
        on_cycle(PhaseCycle { end: TimePoint::ZERO, spikes: &[], locking });
    });
    assert_eq!(telemetry.windows().dropped(), 84);
}

//! Hazard: networks that run elsewhere stop, panic or compute something else in JavaScript's engine.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

use std::time::Duration;

use nanosecond_scheduler::{Config, DefaultClock, ManualClock, Priority, Scheduler, TimePoint};
use temporal_nets::{
    shared, Activation, CascadeNet, DenseNet, Growth, InferenceTask, Lif, Pace, PhaseCodingTask,
    PlasticityTask, SchedulableTask, SpikingNet, Stdp, Telemetry, TelemetryConfig, Trainer,
    Training,
};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn three_rates_under_a_manual_clock() {
    let net = SpikingNet::new(2, Lif::default()).unwrap();
    let mut net = net.with_stdp(Stdp::default()).with_spike_record(64);
    let synapse = net.connect(0, 1, 0.5, Duration::from_millis(1));
    let net = shared(net);
    let every = |micros| Pace::every(Duration::from_micros(micros), TimePoint::ZERO);
    let drive = |_: TimePoint, input: &mut [f32]| input.copy_from_slice(&[20.0, 16.0]);
    let telemetry = Telemetry::new(TelemetryConfig::default());
    let inference = InferenceTask::new(net.clone(), every(10), drive, |_, _| ());
    let plasticity = PlasticityTask::new(net.clone(), every(100), |_, _| ());
    let phases = PhaseCodingTask::new(net.clone(), every(10_000), telemetry.on_cycle(|_| ()));

    let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new()).unwrap();
    scheduler.schedule(inference.into_task().with_priority(Priority::High)).unwrap();
    scheduler.schedule(plasticity.into_task()).unwrap();
    scheduler.schedule(phases.into_task().with_priority(Priority::Low)).unwrap();
    // On wasm32 `run*` returns after a tick, so as not to block the event loop.
    while scheduler.now() < TimePoint::from_nanos(100_000_000) {
        let next = scheduler.next_release().unwrap();
        scheduler.clock().set(next);
        scheduler.tick();
    }
    assert_eq!(scheduler.metrics().executed, 10_000 + 1_000 + 10);
    assert_eq!(telemetry.cycles().rows().len(), 10);
    assert_ne!(net.borrow().weight(synapse), 0.5);
}

#[wasm_bindgen_test]
fn a_network_on_the_clock_of_the_engine() {
    let mut scheduler = Scheduler::with_clock(Config::default(), DefaultClock::new()).unwrap();
    let start = scheduler.now();
    let net = shared(DenseNet::new(&[1, 1], Activation::Linear, Activation::Linear).unwrap());
    let pace = Pace::every(Duration::from_millis(1), start);
    let task = InferenceTask::new(net, pace, |_, _| (), |_, output| assert_eq!(output, [0.0]));
    scheduler.schedule(task.into_task()).unwrap();
    loop {
        let ran_until = scheduler.tick().started_at.duration_since(start);
        assert_eq!(u128::from(scheduler.metrics().executed), ran_until.as_millis());
        if ran_until >= Duration::from_millis(5) {
            break;
        }
    }
}

#[wasm_bindgen_test]
fn training_and_growth() {
    let xor: [([f32; 2], [f32; 1]); 4] =
        [([0.0, 0.0], [0.0]), ([0.0, 1.0], [1.0]), ([1.0, 0.0], [1.0]), ([1.0, 1.0], [0.0])];
    let samples: Vec<_> = xor.iter().map(|(x, y)| (&x[..], &y[..])).collect();
    let (hidden, output) = (Activation::SigmoidSymmetric, Activation::Sigmoid);
    let mut net = DenseNet::new(&[2, 3, 1], hidden, output).unwrap();
    net.randomize(3, 0.5);
    let mut trainer = Trainer::new(&net, Training::default()).unwrap();
    (0..200).for_each(|_| drop(trainer.epoch(&mut net, samples.iter().copied())));
    let mut grown = CascadeNet::new(2, 1, hidden, output).unwrap();
    assert!(grown.grow(&samples, &Growth::default()).unwrap().holds);
    for (x, y) in xor {
        assert!((net.run(&x)[0] - y[0]).abs() < 0.1);
        assert!((grown.run(&x)[0] - y[0]).abs() <= 0.1);
    }
}

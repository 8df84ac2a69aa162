//! Hazard: time stamps that miss a phase, or tell another time than the tasks took.
#![cfg(feature = "profiling")]

use std::time::Duration;

use nanosecond_scheduler::{Config, ManualClock, Priority, Scheduler, TimePoint};
use temporal_nets::{
    shared, InferenceTask, Lif, Pace, PhaseCodingTask, PlasticityTask, Profiler, SchedulableTask,
    SpikingNet, Stdp,
};

/// Every callback takes so many ns of its own.
#[test]
fn every_phase_of_every_task_is_stamped() {
    let clock = ManualClock::new();
    let profiler = Profiler::new(clock.clone(), 8);
    let net = SpikingNet::new(2, Lif::default()).unwrap();
    let net = shared(net.with_stdp(Stdp::default()).with_spike_record(16));
    let every = |micros| Pace::every(Duration::from_micros(micros), TimePoint::ZERO);
    let take = |ns| {
        let clock = clock.clone();
        move || clock.advance(Duration::from_nanos(ns))
    };
    let (read, write, learn, cycle) = (take(10), take(20), take(30), take(40));
    let inference =
        InferenceTask::new(net.clone(), every(1), move |_, _| read(), move |_, _| write());
    let plasticity = PlasticityTask::new(net.clone(), every(10), move |_, _| learn());
    let phases = PhaseCodingTask::new(net, every(100), move |_| cycle());

    let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
    let inference = inference.with_profiler(&profiler).into_task();
    scheduler.schedule(inference.with_priority(Priority::High)).unwrap();
    scheduler.schedule(plasticity.with_profiler(&profiler).into_task()).unwrap();
    let phases = phases.with_profiler(&profiler).into_task();
    scheduler.schedule(phases.with_priority(Priority::Low)).unwrap();
    scheduler.run_for(Duration::from_micros(100));

    assert_eq!(
        profiler.totals().to_csv(),
        "phase,count,total_ns,min_ns,max_ns\nread,100,1000,10,10\nstep,100,0,0,0\n\
         write,100,2000,20,20\nlearn,10,0,0,0\ntag,1,0,0,0\nreport,11,340,30,40\n"
    );
    // The last instant's, in their order: 100 µs, and what came before.
    assert_eq!(
        profiler.stamps().to_csv(),
        "phase,start_ns,end_ns\nwrite,99010,99030\nread,100000,100010\nstep,100010,100010\n\
         write,100010,100030\nlearn,100030,100030\nreport,100030,100060\ntag,100060,100060\n\
         report,100060,100100\n"
    );
}

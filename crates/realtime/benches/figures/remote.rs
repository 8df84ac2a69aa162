//! From a remote's `schedule` on one core to the job on another.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, DefaultClock, Remote, Scheduler, SendTask, TimePoint, Wait,
};

use crate::harness::{interleave, Contender, Plan, Series, Times};
use crate::machine::{cores, prepare_thread};
use crate::table::{time, Table};

/// How long the other thread is left alone, so that it has parked again.
const PAUSE: Duration = Duration::from_micros(200);

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    let (_, Some(core)) = cores() else {
        return table.tell("remote schedule to run", "needs two cores".into(), String::new());
    };
    let (rounds, count) = (plan.size(9, 1), plan.size(2_000, 100));
    let awake =
        |wait| with_worker(core, wait, |remote| run_remotely(remote, Duration::ZERO, count));
    let asleep = |wait| with_worker(core, wait, |remote| run_remotely(remote, PAUSE, count));
    // One pair of threads at a time: the machine may have no more than two cores.
    let contenders: [Contender<'_, Times>; 4] = [
        Box::new(|| bare_flag(core, count)),
        Box::new(|| awake(Wait::Spin)),
        Box::new(|| bare_unpark(core, count)),
        Box::new(|| asleep(Wait::Sleep)),
    ];
    let [flag, spinning, unpark, parked] = interleave(rounds, contenders);
    let p50 = |series: &Series<Times>| series.median(|slice| slice.at(0.5));
    let quantiles = |series: &Series<Times>| {
        format!("p50 {}, p99 {}", time(p50(series)), time(series.median(|slice| slice.at(0.99))))
    };
    let beside = format!("bare flag: {}", quantiles(&flag));
    let (figure, target) = ("remote schedule to run, spinning worker", "p50 ≤ 1 µs");
    table.judge(figure, quantiles(&spinning), beside, target, p50(&spinning) <= 1_000.0);
    let beside = format!("bare unpark: {}", quantiles(&unpark));
    let (figure, target) = ("remote schedule to run, parked worker", "p50 ≤ 10 µs");
    table.judge(figure, quantiles(&parked), beside, target, p50(&parked) <= 10_000.0);
}

/// Runs `work` beside a scheduler's thread on `core`, which ends with its remote.
fn with_worker<T>(core: usize, wait: Wait, work: impl FnOnce(&Remote) -> T) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    let worker = thread::spawn(move || {
        prepare_thread(core).into_iter().for_each(drop);
        let mut scheduler = Scheduler::new(Config { wait, ..Config::default() });
        sender.send(scheduler.remote()).expect("somebody waits for it");
        scheduler.run();
        scheduler.metrics().executed
    });
    let remote = receiver.recv().expect("the worker sends it");
    let done = work(&remote);
    drop(remote);
    assert!(worker.join().expect("the worker is well") > 0);
    done
}

/// Where the other side notes when it was reached; 0 while it was not.
#[derive(Default)]
struct Arrival(AtomicU64);

impl Arrival {
    fn note(&self, clock: &DefaultClock) {
        self.0.store(clock.now().as_nanos().max(1), Ordering::Release);
    }

    /// Waits for the other side, and tells how long after `sent` it was reached. The counters of two
    /// cores may differ by some ns, so that an arrival may seem to come before.
    fn wait(&self, sent: TimePoint) -> u64 {
        loop {
            match self.0.swap(0, Ordering::Acquire) {
                0 => spin_loop(),
                at => return at.saturating_sub(sent.as_nanos()),
            }
        }
    }
}

/// Leaves the core to itself for a while, without leaving this one.
fn pause(clock: &DefaultClock, time: Duration) {
    let until = clock.now() + time;
    while clock.now() < until {
        spin_loop();
    }
}

fn run_remotely(remote: &Remote, between: Duration, count: usize) -> Times {
    let clock = DefaultClock::new();
    let arrival = Arc::new(Arrival::default());
    let mut times = Times::new();
    for _ in 0..count {
        pause(&clock, between);
        let (there, job) = (clock.clone(), Arc::clone(&arrival));
        let task = SendTask::new(move || job.note(&there), Duration::ZERO);
        let sent = clock.now();
        remote.schedule(task).expect("there is room");
        times.record(arrival.wait(sent));
    }
    times
}

/// The least that two cores need: one writes a flag, the other spins on it.
fn bare_flag(core: usize, count: usize) -> Times {
    let calls = |flag: &AtomicBool, _: &thread::Thread| flag.store(true, Ordering::Release);
    bare(core, Duration::ZERO, count, calls, spin_loop)
}

/// The least that two threads need if one is parked.
fn bare_unpark(core: usize, count: usize) -> Times {
    let calls = |flag: &AtomicBool, thread: &thread::Thread| {
        flag.store(true, Ordering::Release);
        thread.unpark();
    };
    bare(core, PAUSE, count, calls, thread::park)
}

/// Calls a thread on `core` that waits by `idle`, until it has answered `count` times.
fn bare(
    core: usize,
    between: Duration,
    count: usize,
    call: impl Fn(&AtomicBool, &thread::Thread),
    idle: impl Fn() + Sync,
) -> Times {
    let clock = DefaultClock::new();
    let (flag, arrival) = (AtomicBool::new(false), Arrival::default());
    // A real-time thread that spins would keep the other from leaving its core.
    let moved = Barrier::new(2);
    let mut times = Times::new();
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            prepare_thread(core).into_iter().for_each(drop);
            moved.wait();
            let clock = DefaultClock::new();
            for _ in 0..count {
                while !flag.swap(false, Ordering::Acquire) {
                    idle();
                }
                arrival.note(&clock);
            }
        });
        moved.wait();
        for _ in 0..count {
            pause(&clock, between);
            let sent = clock.now();
            call(&flag, worker.thread());
            times.record(arrival.wait(sent));
        }
    });
    times
}

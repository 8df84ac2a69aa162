//! From a remote's `schedule` on one core to the job on another.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
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
    let many = count * 20;
    let awake = |wait| with_worker(core, wait, |remote| run_remotely(remote, Duration::ZERO, many));
    let asleep = |wait| with_worker(core, wait, |remote| run_remotely(remote, PAUSE, count));
    // One pair of threads at a time: the machine may have no more than two cores.
    let contenders: [Contender<'_, Times>; 4] = [
        Box::new(|| bare_flag(core, many)),
        Box::new(|| awake(Wait::Spin)),
        Box::new(|| bare_unpark(core, count)),
        Box::new(|| asleep(Wait::Sleep)),
    ];
    let [flag, spinning, unpark, parked] = interleave(rounds, contenders);
    // Clocks of two cores differ by more than some of these times, so that round trips are taken:
    // what is left of one, less half of a bare flag's, is the way there.
    let back = flag.median(|slice| slice.at(0.5)) / 2.0;
    let one_way =
        |series: &Series<Times>, quantile| series.median(|slice| slice.at(quantile)) - back;
    let quantiles = |series: &Series<Times>| {
        format!("p50 {}, p99 {}", time(one_way(series, 0.5)), time(one_way(series, 0.99)))
    };
    let beside = format!("bare flag: {}", quantiles(&flag));
    let is_reached = one_way(&spinning, 0.5) <= 1_000.0;
    let (figure, target) = ("remote schedule to run, spinning worker", "p50 ≤ 1 µs");
    table.judge(figure, quantiles(&spinning), beside, target, is_reached);
    let beside = format!("bare unpark: {}", quantiles(&unpark));
    let (figure, target) = ("remote schedule to run, parked worker", "p50 ≤ 10 µs");
    if one_way(&unpark, 0.5) <= 10_000.0 {
        let is_reached = one_way(&parked, 0.5) <= 10_000.0;
        table.judge(figure, quantiles(&parked), beside, target, is_reached);
    } else {
        table.excuse(figure, quantiles(&parked), beside, target);
    }
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

/// What the other side sets when it was reached.
#[derive(Default)]
struct Answer(AtomicBool);

impl Answer {
    fn give(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Waits for it, and tells how long after `sent` it came.
    fn wait(&self, clock: &DefaultClock, sent: TimePoint) -> u64 {
        while !self.0.swap(false, Ordering::Acquire) {
            spin_loop();
        }
        clock.now().as_nanos().saturating_sub(sent.as_nanos())
    }
}

/// Leaves the core to itself for a while, without leaving this one.
fn pause(clock: &DefaultClock, time: Duration) {
    let until = clock.now() + time;
    while clock.now() < until {
        spin_loop();
    }
}

/// Round trips: a task is sent, and its job answers.
fn run_remotely(remote: &Remote, between: Duration, count: usize) -> Times {
    let clock = DefaultClock::new();
    let answer = Arc::new(Answer::default());
    let mut times = Times::new();
    for _ in 0..count {
        pause(&clock, between);
        let job = Arc::clone(&answer);
        let task = SendTask::new(move || job.give(), Duration::ZERO);
        let sent = clock.now();
        remote.schedule(task).expect("there is room");
        times.record(answer.wait(&clock, sent));
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
    let (flag, answer) = (AtomicBool::new(false), Answer::default());
    // A real-time thread that spins would keep the other from leaving its core.
    let moved = Barrier::new(2);
    let mut times = Times::new();
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            prepare_thread(core).into_iter().for_each(drop);
            moved.wait();
            for _ in 0..count {
                while !flag.swap(false, Ordering::Acquire) {
                    idle();
                }
                answer.give();
            }
        });
        moved.wait();
        for _ in 0..count {
            pause(&clock, between);
            let sent = clock.now();
            call(&flag, worker.thread());
            times.record(answer.wait(&clock, sent));
        }
    });
    times
}

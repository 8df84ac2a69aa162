//! 1,000 networks at 1 kHz each on one core: on the scheduler, and in a bare loop by turns with it.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, DefaultClock, MissedTick, Priority, Scheduler, Task, TimePoint, Wait,
};
use temporal_nets::{shared, Activation, DenseNet, InferenceTask, Pace, SchedulableTask, Shared};

const NETS: usize = 1_000;
const PERIOD: Duration = Duration::from_millis(1);

/// What became of the periods.
#[derive(Clone, Copy, Default)]
struct Tally {
    run: u64,
    /// Started a period or more after their release, or not at all.
    missed: u64,
    /// The latest start, in ns after its release.
    latest_ns: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.run += other.run;
        self.missed += other.missed;
        self.latest_ns = self.latest_ns.max(other.latest_ns);
    }
}

pub(crate) fn bench(rounds: usize) {
    let nets: Vec<Shared<DenseNet>> = (0..NETS as u64)
        .map(|seed| {
            let (hidden, output) = (Activation::SigmoidSymmetric, Activation::Sigmoid);
            let mut net = DenseNet::new(&[8, 16, 4], hidden, output).expect("a valid shape");
            net.randomize(seed, 0.5);
            shared(net)
        })
        .collect();
    let span = Duration::from_millis(100);
    let (mut scheduled, mut bare) = (Tally::default(), Tally::default());
    for _ in 0..rounds {
        scheduled.add(on_scheduler(&nets, span));
        bare.add(in_loop(&nets, span));
    }
    println!("{NETS} networks at 1 kHz, {rounds} times {span:?} each by turns");
    for (name, Tally { run, missed, latest_ns }) in [("scheduler", scheduled), ("bare loop", bare)]
    {
        println!("  {name:16} {run:8} run, {missed} missed, latest start {latest_ns} ns");
    }
}

/// Network k's first release: evenly over the period.
fn first(start: TimePoint, k: usize) -> TimePoint {
    start + PERIOD + PERIOD * k as u32 / NETS as u32
}

fn on_scheduler(nets: &[Shared<DenseNet>], span: Duration) -> Tally {
    let config = Config { wait: Wait::Spin, missed_tick: MissedTick::Skip, ..Config::default() };
    let mut scheduler = Scheduler::new(config);
    let start = scheduler.now();
    let (run, latest) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for (k, net) in nets.iter().enumerate() {
        let (run, latest) = (run.clone(), latest.clone());
        let clock = DefaultClock::new();
        let read = move |release: TimePoint, input: &mut [f32]| {
            let late = clock.now().duration_since(release).as_nanos() as u64;
            latest.set(late.max(latest.get()));
            input[0] = 0.5;
        };
        let write = move |_: TimePoint, output: &[f32]| {
            black_box(output);
            run.set(run.get() + 1);
        };
        let pace = Pace { first: first(start, k), period: PERIOD };
        let task = InferenceTask::new(net.clone(), pace, read, write).into_task();
        scheduler.schedule(task).expect("there is room");
    }
    let stop = Task::with_context(|cx| cx.stop(), Duration::ZERO).at(start + PERIOD + span);
    scheduler.schedule(stop.with_priority(Priority::Critical)).expect("there is room");
    scheduler.run();
    let missed = scheduler.metrics().missed_ticks;
    Tally { run: run.get(), missed, latest_ns: latest.get() }
}

fn in_loop(nets: &[Shared<DenseNet>], span: Duration) -> Tally {
    let clock = DefaultClock::new();
    let start = clock.now();
    let mut tally = Tally::default();
    let mut input = [0.0; 8];
    for cycle in 0..(span.as_nanos() / PERIOD.as_nanos()) as u32 {
        for (k, net) in nets.iter().enumerate() {
            let release = first(start, k) + PERIOD * cycle;
            let mut now = clock.now();
            while now < release {
                std::hint::spin_loop();
                now = clock.now();
            }
            let late = now.duration_since(release);
            tally.latest_ns = tally.latest_ns.max(late.as_nanos() as u64);
            if late >= PERIOD {
                tally.missed += 1;
                continue;
            }
            input[0] = 0.5;
            black_box(net.borrow_mut().run(&input));
            tally.run += 1;
        }
    }
    tally
}

//! What do the strange loop and temporal windows cost a tick, and what does the loop's iteration?

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use nanosecond_scheduler::strange_loop::{Affine, FixedPoint, Method, Status};
use nanosecond_scheduler::{Config, ManualClock, Scheduler, Task, WindowSpec};

use crate::rng::Rng;
use crate::timed;

/// Virtual time between ticks. Windows close at every tick or so.
const TICK_NS: u64 = 1_000;
const WINDOW_SIZES: [usize; 3] = [2, 64, 4_096];
/// Busy ticks to each window that closes.
const PER_CLOSE: [u64; 3] = [100, 10, 1];
/// Rounds of the comparison, and ticks in each.
const ROUNDS: usize = 101;
const TICKS: u64 = 2_000;

/// A scheduler with one periodic task that is due at every second advance.
struct Lane {
    clock: ManualClock,
    scheduler: Scheduler<ManualClock>,
}

impl Lane {
    fn new(config: Config) -> Self {
        let clock = ManualClock::new();
        let mut scheduler = Scheduler::with_clock(config, clock.clone()).expect("a valid config");
        let period = Duration::from_nanos(2 * TICK_NS);
        scheduler.schedule(Task::periodic(|_| (), period)).expect("room for it");
        Lane { clock, scheduler }
    }

    fn off() -> Self {
        Lane::new(Config { strange_loop: false, ..Config::default() })
    }

    /// Both on; as many windows open as may be kept, of which one closes every `per_close` busy ticks.
    fn on(window_size: usize, per_close: u64) -> Self {
        let hop = 2 * TICK_NS * per_close;
        let spec = WindowSpec { length: hop * window_size as u64, hop, offset: 500 };
        Lane::new(Config { windows: Some(spec), window_size, ..Config::default() })
    }

    fn tick(&mut self, executed: usize) {
        self.clock.advance(Duration::from_nanos(TICK_NS));
        assert_eq!(black_box(self.scheduler.tick()).executed, executed);
    }

    /// Times ticks that find nothing, and ticks that run a job, in ns each.
    fn round(&mut self) -> [f64; 2] {
        let mut spent = [Duration::ZERO; 2];
        // The clock of the bench is read around several ticks, since it costs as much as one.
        for _ in 0..TICKS / 100 {
            spent[0] += timed(|| {
                for _ in 0..100 {
                    assert_eq!(black_box(self.scheduler.tick()).executed, 0);
                }
            });
            spent[1] += timed(|| {
                for _ in 0..100 {
                    self.clock.advance(Duration::from_nanos(TICK_NS));
                    self.tick(1);
                }
            });
        }
        spent.map(|spent| spent.as_nanos() as f64 / TICKS as f64)
    }
}

pub(crate) fn group(criterion: &mut Criterion) {
    ticks(criterion, "strange_loop", || Lane::new(Config::default()));
    let mut group = criterion.benchmark_group("strange_loop");
    for method in [Method::Picard, Method::Anderson(5)] {
        let id = BenchmarkId::new("solve_affine_32", format!("{method:?}"));
        let operator = affine(32);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let solver = FixedPoint::new(operator.clone(), &[0.0; 32]).expect("it contracts");
                let mut solver = solver.with_method(method).expect("a sound method");
                assert_eq!(solver.solve(), Status::Converged);
                solver.evaluations()
            });
        });
    }
    group.finish();
    for window_size in WINDOW_SIZES {
        ticks(criterion, &format!("temporal_windows/{window_size}"), || Lane::on(window_size, 1));
    }
    compare();
}

fn ticks(criterion: &mut Criterion, name: &str, make: impl Fn() -> Lane) {
    let mut group = criterion.benchmark_group(name);
    let mut lane = make();
    group.bench_function("idle_tick", |bencher| bencher.iter(|| black_box(lane.scheduler.tick())));
    let mut lane = make();
    lane.tick(0);
    group.bench_function("busy_and_idle_tick", |bencher| {
        bencher.iter(|| {
            lane.tick(1);
            lane.tick(0);
        });
    });
    group.finish();
}

fn compare() {
    println!("\nboth on, against both off; medians of {ROUNDS} rounds by turns, ns per tick");
    for window_size in WINDOW_SIZES {
        for per_close in PER_CLOSE {
            let [idle, busy] = more(window_size, per_close);
            println!(
                "window_size {window_size:>5}, a window closes every {per_close:>3} busy ticks: \
                 idle {idle:+.1} (<= 5), busy {busy:+.1} (<= 15)"
            );
        }
    }
}

/// By how much idle and busy ticks cost more with both on. By turns, so that the machine's moods meet
/// both.
fn more(window_size: usize, per_close: u64) -> [f64; 2] {
    let (mut off, mut on) = (Lane::off(), Lane::on(window_size, per_close));
    let mut more = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let (off, on) = (off.round(), on.round());
        more.iter_mut().zip(off.iter().zip(on)).for_each(|(more, (off, on))| more.push(on - off));
    }
    assert_eq!(on.scheduler.strange_loop().observations, TICKS * ROUNDS as u64);
    more.map(|mut values| {
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    })
}

/// A random affine contraction with k = 0.9.
fn affine(n: usize) -> Affine {
    let mut rng = Rng(7);
    let mut number = || rng.below(2_001) as f64 / 1_000.0 - 1.0;
    let weights = (0..n * n).map(|_| number()).collect();
    let mut operator = Affine::new(weights, (0..n).map(|_| number()).collect());
    operator.enforce_lipschitz(0.9).expect("finite weights");
    operator
}

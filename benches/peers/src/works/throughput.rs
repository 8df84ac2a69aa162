//! Schedule a batch, wait until all of it is due, tick until all of it ran. The wait is not timed.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Config, Scheduler, Task};

use crate::harness::{interleave, short, Contender, Plan, Table};
use crate::peers::past::{wait_for_room, Epoch};
use crate::rng::Rng;

/// A sample of 0.1.1 that its wrapping clock has spoilt is repeated this often.
const ATTEMPTS: usize = 10;

pub fn run(plan: Plan, table: &mut Table) {
    compare(plan, table, Batch { tasks: 1_000, over_us: 0 }, plan.size(200, 5), 0.25);
    compare(plan, table, Batch { tasks: 1_000, over_us: 1_000 }, plan.size(50, 5), 0.36);
    let tasks = plan.size(100_000, 10_000);
    let over_us = tasks as u64 / 2;
    compare(plan, table, Batch { tasks, over_us }, plan.size(4, 2), 0.28);
}

/// This many tasks, due at random within this time from when they were scheduled.
#[derive(Clone, Copy)]
struct Batch {
    tasks: usize,
    over_us: u64,
}

impl Batch {
    fn name(self) -> String {
        let tasks = short(self.tasks);
        match self.over_us {
            0 => format!("schedule + tick, {tasks} due now"),
            over_us => format!("schedule + tick, {tasks} over {} ms", over_us / 1_000),
        }
    }

    fn delays_ns(self) -> Vec<u64> {
        let mut rng = Rng(self.tasks as u64);
        (0..self.tasks).map(|_| rng.below((self.over_us * 1_000).max(1))).collect()
    }
}

fn compare(plan: Plan, table: &mut Table, batch: Batch, batches: usize, target: f64) {
    let delays = batch.delays_ns();
    assert_release_order(&delays);
    let mut ours = Ours(Scheduler::new(Config::default()));
    let ours = || {
        let (sample, inversions) = sample(&mut ours, &delays, batches).expect("64-bit time");
        assert!(
            batch.over_us > 0 || inversions == 0,
            "due at once, but not in order of submission"
        );
        sample
    };
    let past = || {
        let attempt = |_| {
            wait_for_room();
            let mut past = Past {
                scheduler: old::Scheduler::new(old::Config::default()),
                epoch: Epoch::current(),
            };
            sample(&mut past, &delays, 1)?;
            sample(&mut past, &delays, batches)
        };
        (0..ATTEMPTS).find_map(attempt).expect("0.1.1 finishes within an epoch of its clock").0
    };
    let contenders = vec![Contender::new("ours", ours), Contender::new("0.1.1", past)];
    let series = interleave(plan.repeats(), contenders);
    table.versus(&batch.name(), &series[0], &series[1], Some(target));
}

/// What the jobs leave behind. Plain adds: one thread, but 0.1.1 wants `Sync`.
struct Tally {
    ran: AtomicU64,
    sum: AtomicU64,
    last: AtomicU64,
    inversions: AtomicU64,
}

static TALLY: Tally = Tally {
    ran: AtomicU64::new(0),
    sum: AtomicU64::new(0),
    last: AtomicU64::new(0),
    inversions: AtomicU64::new(0),
};

impl Tally {
    /// The job of either side; it captures 16 bytes.
    #[inline]
    fn job(&'static self, index: u64) -> impl Fn() + Send + Sync + 'static {
        move || {
            self.ran.store(self.ran.load(Relaxed) + 1, Relaxed);
            self.sum.store(self.sum.load(Relaxed) + index, Relaxed);
            let inverted = u64::from(index < self.last.load(Relaxed));
            self.inversions.store(self.inversions.load(Relaxed) + inverted, Relaxed);
            self.last.store(index, Relaxed);
        }
    }

    fn reset(&self) {
        for cell in [&self.ran, &self.sum, &self.last, &self.inversions] {
            cell.store(0, Relaxed);
        }
    }
}

trait Batches {
    fn schedule(&mut self, delay: Duration, job: impl Fn() + Send + Sync + 'static);
    /// Waits until everything scheduled with up to this delay is due.
    fn wait_until_due(&self, delay_ns: u64);
    fn tick(&mut self);
    /// Whether what is pending will never become due.
    fn is_stuck(&self) -> bool;
}

struct Ours(Scheduler);

impl Batches for Ours {
    #[inline]
    fn schedule(&mut self, delay: Duration, job: impl Fn() + Send + Sync + 'static) {
        self.0.schedule(Task::new(job, delay)).expect("room for it");
    }

    fn wait_until_due(&self, delay_ns: u64) {
        let until = self.0.now() + Duration::from_nanos(delay_ns);
        while self.0.now() < until {
            spin_loop();
        }
    }

    #[inline]
    fn tick(&mut self) {
        black_box(self.0.tick());
    }

    #[inline]
    fn is_stuck(&self) -> bool {
        false
    }
}

struct Past {
    scheduler: old::Scheduler,
    epoch: Epoch,
}

impl Batches for Past {
    #[inline]
    fn schedule(&mut self, delay: Duration, job: impl Fn() + Send + Sync + 'static) {
        self.scheduler.schedule(old::Task::new(job, delay));
    }

    fn wait_until_due(&self, delay_ns: u64) {
        Epoch::current().wait(delay_ns);
    }

    #[inline]
    fn tick(&mut self) {
        self.scheduler.tick();
    }

    #[inline]
    fn is_stuck(&self) -> bool {
        self.epoch.is_over()
    }
}

/// ns per task, and how often a job ran after one with a greater index; `None` if stuck.
fn sample(side: &mut impl Batches, delays: &[u64], batches: usize) -> Option<(f64, u64)> {
    let tasks = delays.len() as u64;
    let horizon_ns = delays.iter().copied().max().unwrap_or(0);
    let (mut spent, mut inversions) = (Duration::ZERO, 0);
    for _ in 0..batches {
        TALLY.reset();
        let start = Instant::now();
        for (index, delay_ns) in delays.iter().enumerate() {
            side.schedule(Duration::from_nanos(*delay_ns), TALLY.job(index as u64));
        }
        spent += start.elapsed();
        side.wait_until_due(horizon_ns);
        let start = Instant::now();
        while TALLY.ran.load(Relaxed) < tasks {
            side.tick();
            if side.is_stuck() {
                return None;
            }
        }
        spent += start.elapsed();
        assert_eq!(TALLY.ran.load(Relaxed), tasks);
        assert_eq!(TALLY.sum.load(Relaxed), tasks * (tasks - 1) / 2, "each job exactly once");
        inversions += TALLY.inversions.load(Relaxed);
    }
    Some((spent.as_nanos() as f64 / (tasks * batches as u64) as f64, inversions))
}

/// Under the same clock and delays, our side runs in order of release; not timed.
fn assert_release_order(delays: &[u64]) {
    use std::{cell::Cell, rc::Rc};
    let mut scheduler = Scheduler::new(Config::default());
    let last = Rc::new(Cell::new((nanosecond_scheduler::TimePoint::ZERO, 0)));
    for delay_ns in delays {
        let last = Rc::clone(&last);
        let job = move |cx: &mut nanosecond_scheduler::Context<'_>| {
            assert!(last.get().0 <= cx.release(), "out of order of release");
            last.set((cx.release(), last.get().1 + 1));
        };
        let delay = Duration::from_nanos(*delay_ns);
        scheduler.schedule(Task::with_context(job, delay)).expect("room for it");
    }
    while !scheduler.is_empty() {
        scheduler.tick();
    }
    assert_eq!(last.get().1, delays.len());
}

//! How many deadlines are missed at half load, beside a bare loop with the same load.

use std::cell::Cell;
use std::rc::Rc;
use std::thread::sleep;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, Context, DefaultClock, Scheduler, Task, TimePoint, Wait,
};

use crate::harness::{interleave, Contender, Plan, Series};
use crate::table::Table;

/// Also the relative deadline.
const PERIOD: Duration = Duration::from_micros(200);
const WORK: Duration = Duration::from_micros(100);
/// How much of a wait the bare loop spins.
const MARGIN: Duration = Duration::from_micros(50);
/// 0.001 %.
const TARGET: f64 = 1e-5;

struct Missed {
    jobs: usize,
    misses: usize,
}

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    let (rounds, jobs) = (plan.size(50, 1), plan.size(2_000, 200));
    let contenders: [Contender<'_, Missed>; 2] =
        [Box::new(|| bare_loop(jobs)), Box::new(|| ours(jobs))];
    let [bare, ours] = interleave(rounds, contenders);
    let tell = |series: &Series<Missed>| {
        let (jobs, misses) = totals(series);
        format!("{misses} of {jobs} ({:.4} %)", rate(series) * 100.0)
    };
    let (figure, target) = ("deadline misses at 50 % utilization", "< 0.001 % where bare has it");
    let difference = (rate(&ours) - rate(&bare)) * 100.0;
    let value = format!("{}, difference {difference:+.4} %", tell(&ours));
    let beside = format!("bare loop: {}", tell(&bare));
    if rate(&bare) < TARGET {
        table.judge(figure, value, beside, target, rate(&ours) < TARGET);
    } else {
        table.excuse(figure, value, beside, target);
    }
}

fn totals(series: &Series<Missed>) -> (usize, usize) {
    series
        .slices()
        .iter()
        .fold((0, 0), |(jobs, misses), slice| (jobs + slice.jobs, misses + slice.misses))
}

fn rate(series: &Series<Missed>) -> f64 {
    let (jobs, misses) = totals(series);
    misses as f64 / jobs as f64
}

/// Takes [`WORK`], by the clock.
fn work(clock: &DefaultClock) -> TimePoint {
    let end = clock.now() + WORK;
    loop {
        let now = clock.now();
        if now >= end {
            return now;
        }
    }
}

fn bare_loop(jobs: usize) -> Missed {
    let clock = DefaultClock::new();
    let (mut release, mut misses) = (clock.now(), 0);
    for _ in 0..jobs {
        release += PERIOD;
        // Asleep in between, as ours is: who never sleeps is throttled.
        let left = release.duration_since(clock.now());
        sleep(left.saturating_sub(MARGIN));
        while clock.now() < release {}
        misses += usize::from(work(&clock) > release + PERIOD);
    }
    Missed { jobs, misses }
}

fn ours(jobs: usize) -> Missed {
    let clock = DefaultClock::new();
    let config = Config { wait: Wait::Hybrid, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone()).expect("it is valid");
    let reported = Rc::new(Cell::new(0));
    let told = Rc::clone(&reported);
    scheduler.on_deadline_miss(move |_| told.set(told.get() + 1));
    let mut left = jobs;
    let body = move |cx: &mut Context<'_>| {
        work(&clock);
        left -= 1;
        if left == 0 {
            cx.cancel(cx.id()).expect("it repeats");
        }
    };
    let task = Task::periodic(body, PERIOD).with_deadline(PERIOD);
    scheduler.schedule(task).expect("there is room");
    scheduler.run();
    let metrics = scheduler.metrics();
    assert_eq!(metrics.executed, jobs as u64, "every job ran");
    assert_eq!(metrics.missed_deadlines, reported.get(), "every miss was told");
    Missed { jobs, misses: reported.get() as usize }
}

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

/// Jobs, and those that finished after their deadlines.
#[derive(Clone, Copy, Default)]
struct Missed {
    jobs: usize,
    misses: usize,
    /// Misses that did not follow another at once: what stopped the loop for milliseconds makes it miss
    /// many deadlines, until it has caught up.
    stalls: usize,
    /// The deadline that was missed last.
    latest: TimePoint,
}

impl Missed {
    fn miss(&mut self, deadline: TimePoint) {
        self.misses += 1;
        self.stalls += usize::from(deadline != self.latest + PERIOD);
        self.latest = deadline;
    }
}

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    // Short slices: both are to meet the same stalls of the machine.
    let (rounds, jobs) = (plan.size(200, 1), plan.size(500, 200));
    let contenders: [Contender<'_, Missed>; 2] = [Box::new(|| bare_loop(jobs)), ours(jobs)];
    let [bare, ours] = interleave(rounds, contenders).map(|series| total(&series));
    let (figure, target) = ("deadline misses at 50 % utilization", "< 0.001 % where bare has it");
    let difference = (rate(ours) - rate(bare)) * 100.0;
    let value = format!("{}, difference {difference:+.4} %", tell(ours));
    let beside = format!("bare loop: {}", tell(bare));
    if rate(bare) < TARGET {
        table.judge(figure, value, beside, target, rate(ours) < TARGET);
    } else {
        table.excuse(figure, value, beside, target);
    }
}

fn total(series: &Series<Missed>) -> Missed {
    let mut total = Missed::default();
    for slice in series.slices() {
        total.jobs += slice.jobs;
        total.misses += slice.misses;
        total.stalls += slice.stalls;
    }
    total
}

fn rate(missed: Missed) -> f64 {
    missed.misses as f64 / missed.jobs as f64
}

fn tell(missed: Missed) -> String {
    let Missed { jobs, misses, stalls, .. } = missed;
    format!("{misses} of {jobs} in {stalls} stalls ({:.4} %)", rate(missed) * 100.0)
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
    let mut missed = Missed { jobs, ..Missed::default() };
    let mut release = clock.now();
    for _ in 0..jobs {
        release += PERIOD;
        // Asleep in between, as ours is: who never sleeps is throttled.
        let left = release.duration_since(clock.now());
        sleep(left.saturating_sub(MARGIN));
        while clock.now() < release {}
        if work(&clock) > release + PERIOD {
            missed.miss(release + PERIOD);
        }
    }
    missed
}

/// A scheduler that keeps what it learns from slice to slice.
fn ours<'a>(jobs: usize) -> Contender<'a, Missed> {
    let clock = DefaultClock::new();
    let config = Config { wait: Wait::Hybrid, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone()).expect("it is valid");
    let reported = Rc::new(Cell::new(Missed::default()));
    let told = Rc::clone(&reported);
    scheduler.on_deadline_miss(move |miss| {
        let mut missed = told.get();
        missed.miss(miss.expected());
        told.set(missed);
    });
    Box::new(move || {
        let before = scheduler.metrics();
        reported.set(Missed { jobs, ..Missed::default() });
        let (clock, mut left) = (clock.clone(), jobs);
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
        let (metrics, missed) = (scheduler.metrics(), reported.get());
        assert_eq!(metrics.executed - before.executed, jobs as u64, "every job ran");
        let misses = metrics.missed_deadlines - before.missed_deadlines;
        assert_eq!(misses, missed.misses as u64, "every miss was told");
        missed
    })
}

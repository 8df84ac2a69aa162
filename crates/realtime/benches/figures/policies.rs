//! What each policy costs over the default one, with 10,000 tasks ready at once.

use std::time::{Duration, Instant};

use nanosecond_scheduler::{
    Clock, Config, ManualClock, Policy, Scheduler, Task, TaskId, TimePoint,
};

use crate::book::Book;
use crate::harness::{interleave, Contender, Plan, Rng};
use crate::table::{time, Table};

const READY: usize = 10_000;
/// More per task than with the default policy, in ns.
const TARGET_NS: f64 = 15.0;

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    one_shots(plan, table);
    sporadic(plan, table);
}

fn scheduler(policy: Policy, clock: &ManualClock) -> Scheduler<ManualClock> {
    let config = Config { policy, max_tasks_per_tick: READY, ..Config::default() };
    Scheduler::with_clock(config, clock.clone()).expect("the configuration is valid")
}

/// The name of each policy's row, and by how much it exceeds the first.
fn judge(table: &mut Table, what: &str, default_ns: f64, rows: &[(&str, f64)]) {
    for &(policy, more) in rows {
        let figure = format!("{policy} over the default policy, {what}");
        let beside = format!("default: {} per task", time(default_ns));
        table.judge(&figure, time(more), beside, "≤ 15 ns per task", more <= TARGET_NS);
    }
}

/// One-shots with deadlines and WCETs, all new for each tick.
fn one_shots(plan: Plan, table: &mut Table) {
    let count = plan.size(10, 1);
    let with = |policy| OneShots::new(policy).contender(count);
    let [default, edf, dm, llf] = interleave(
        plan.size(31, 1),
        [
            with(Policy::Priority),
            with(Policy::EarliestDeadlineFirst),
            with(Policy::DeadlineMonotonic),
            with(Policy::LeastLaxity),
        ],
    );
    let over = |series: &crate::harness::Series<f64>| series.paired(&default, |a, b| a - b);
    let rows = [("EDF", over(&edf)), ("DM", over(&dm)), ("LLF", over(&llf))];
    judge(table, "one-shots", default.median(|ns| *ns), &rows);
}

struct OneShots {
    policy: Policy,
    clock: ManualClock,
    scheduler: Scheduler<ManualClock>,
    book: &'static Book,
    rng: Rng,
}

impl OneShots {
    fn new(policy: Policy) -> Self {
        let clock = ManualClock::new();
        let scheduler = scheduler(policy, &clock);
        OneShots { policy, clock, scheduler, book: Book::leaked(), rng: Rng(7) }
    }

    fn contender<'a>(mut self, count: usize) -> Contender<'a, f64> {
        Box::new(move || (0..count).map(|_| self.round()).sum::<f64>() / count as f64)
    }

    /// ns per task to schedule and run all.
    fn round(&mut self) -> f64 {
        let start = Instant::now();
        let now = self.clock.now().as_nanos();
        for _ in 0..READY {
            let delay = self.rng.below(1_000_000);
            let deadline = 2_000_000 + self.rng.below(10_000_000);
            let wcet = self.rng.below(100_000);
            // What the policy sorts by, of whichever the task can tell.
            let key = match self.policy {
                Policy::EarliestDeadlineFirst => now + delay + deadline,
                Policy::DeadlineMonotonic => deadline,
                Policy::LeastLaxity => now + delay + deadline - wcet,
                _ => now + delay,
            };
            let book = self.book;
            let task = Task::new(move || book.sign(key), Duration::from_nanos(delay))
                .with_deadline(Duration::from_nanos(deadline))
                .with_wcet(Duration::from_nanos(wcet));
            self.scheduler.schedule(task).expect("there is room");
        }
        self.clock.advance(Duration::from_millis(1));
        let report = self.scheduler.tick();
        let ns = start.elapsed().as_nanos() as f64;
        assert_eq!((report.executed, report.missed_deadlines), (READY, 0));
        assert_eq!(self.book.close(), READY as u64, "all ran, in the policy's order");
        ns / READY as f64
    }
}

/// Sporadic tasks with a gap each, all triggered for each tick: what the rate-monotonic policy sorts.
fn sporadic(plan: Plan, table: &mut Table) {
    let count = plan.size(10, 1);
    let with = |policy| Sporadic::new(policy).contender(count);
    let contenders = [with(Policy::Priority), with(Policy::RateMonotonic)];
    let [default, rm] = interleave(plan.size(31, 1), contenders);
    let rows = [("RM", rm.paired(&default, |a, b| a - b))];
    judge(table, "sporadic tasks", default.median(|ns| *ns), &rows);
}

struct Sporadic {
    clock: ManualClock,
    scheduler: Scheduler<ManualClock>,
    book: &'static Book,
    ids: Vec<TaskId>,
}

impl Sporadic {
    const LONGEST: Duration = Duration::from_millis(2);

    fn new(policy: Policy) -> Self {
        let clock = ManualClock::new();
        let mut scheduler = scheduler(policy, &clock);
        let (book, mut rng) = (Book::leaked(), Rng(7));
        let task = |_| {
            let gap = 1 + rng.below(Self::LONGEST.as_nanos() as u64);
            // Under the default policy they run in the order of their triggers, which are alike.
            let key = if policy == Policy::RateMonotonic { gap } else { 0 };
            let task = Task::sporadic(move |_| book.sign(key), Duration::from_nanos(gap));
            scheduler.schedule(task.with_deadline(Self::LONGEST)).expect("there is room")
        };
        let ids = (0..READY).map(task).collect();
        Sporadic { clock, scheduler, book, ids }
    }

    fn contender<'a>(mut self, count: usize) -> Contender<'a, f64> {
        Box::new(move || (0..count).map(|_| self.round()).sum::<f64>() / count as f64)
    }

    /// ns per task to trigger and run all.
    fn round(&mut self) -> f64 {
        self.clock.advance(Self::LONGEST);
        let now: TimePoint = self.clock.now();
        let start = Instant::now();
        for &id in &self.ids {
            assert_eq!(self.scheduler.trigger(id), Ok(now));
        }
        let report = self.scheduler.tick();
        let ns = start.elapsed().as_nanos() as f64;
        assert_eq!((report.executed, report.missed_deadlines), (READY, 0));
        assert_eq!(self.book.close(), READY as u64, "all ran, in the policy's order");
        ns / READY as f64
    }
}

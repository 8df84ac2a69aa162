//! What scheduling a task costs its caller, and what lies between two jobs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, DefaultClock, MetricsLevel, MonitorConfig, Policy, Scheduler, Task, TaskId,
    TimePoint,
};

use crate::book::Book;
use crate::harness::{interleave, Contender, Plan, Rng, Series, Times};
use crate::table::{time, Table};

const PENDING: usize = 10_000;
/// Jobs that are due together.
const DUE: usize = 1_000;

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    schedule(plan, table);
    between_jobs(plan, table);
}

/// The process's clock, and a hand that turns it forward: what is pending for seconds runs at once.
#[derive(Clone)]
struct TurnedClock {
    clock: DefaultClock,
    turned: Rc<Cell<Duration>>,
}

impl Clock for TurnedClock {
    #[inline]
    fn now(&self) -> TimePoint {
        self.clock.now() + self.turned.get()
    }
}

/// A scheduler that always has [`PENDING`] tasks.
struct Crowd {
    scheduler: Scheduler<TurnedClock>,
    clock: TurnedClock,
    ids: Vec<TaskId>,
    book: &'static Book,
    rng: Rng,
}

impl Crowd {
    fn new() -> Self {
        let clock = TurnedClock { clock: DefaultClock::new(), turned: Rc::default() };
        let scheduler = Scheduler::with_clock(Config::default(), clock.clone()).expect("valid");
        let mut crowd =
            Crowd { scheduler, clock, ids: Vec::new(), book: Book::leaked(), rng: Rng(1) };
        for _ in 0..PENDING {
            let task = crowd.task();
            crowd.ids.push(crowd.scheduler.schedule(task).expect("there is room"));
        }
        crowd
    }

    /// Due after 10 to 11 s.
    #[inline]
    fn task(&mut self) -> Task {
        let delay = Duration::from_nanos(10_000_000_000 + self.rng.below(1_000_000_000));
        let book = self.book;
        Task::with_context(move |cx| book.sign_release(cx.release()), delay)
    }

    /// Times `count` calls of `schedule`, and as many times nothing; a task that is cancelled before
    /// makes room for each.
    fn schedule(&mut self, count: usize) -> Scheduled {
        let mut slice = Scheduled { calls: Times::new(), nothing: Times::new() };
        let clock = self.clock.clock.clone();
        for _ in 0..count {
            let place = self.rng.below(PENDING as u64) as usize;
            self.scheduler.cancel(self.ids[place]).expect("it is pending");
            let task = self.task();
            let before = clock.now();
            let id = self.scheduler.schedule(task);
            let after = clock.now();
            self.ids[place] = id.expect("there is room");
            slice.calls.record(nanos(before, after));
            let before = clock.now();
            let after = clock.now();
            slice.nothing.record(nanos(before, after));
        }
        slice
    }

    /// Every task that was not cancelled runs, in order.
    fn run_all(mut self) {
        self.clock.turned.set(Duration::from_secs(100));
        while self.scheduler.tick().more_due {}
        assert_eq!((self.book.close(), self.scheduler.len()), (PENDING as u64, 0));
    }
}

fn nanos(from: TimePoint, to: TimePoint) -> u64 {
    to.as_nanos().saturating_sub(from.as_nanos())
}

struct Scheduled {
    calls: Times,
    nothing: Times,
}

impl Scheduled {
    /// A quantile of the calls without what reading the clock costs in the median.
    fn net(&self, quantile: f64) -> f64 {
        self.calls.at(quantile) - self.nothing.at(0.5)
    }
}

fn schedule(plan: Plan, table: &mut Table) {
    let mut crowd = Crowd::new();
    let count = plan.size(50_000, 2_000);
    let contender: Contender<'_, _> = Box::new(|| crowd.schedule(count));
    let [calls] = interleave(plan.size(21, 1), [contender]);
    crowd.run_all();
    let nothing = |quantile| time(calls.median(|slice| slice.nothing.at(quantile)));
    let beside = format!("clock read: p50 {}, p99 {}", nothing(0.5), nothing(0.99));
    let p50 = calls.median(|slice| slice.net(0.5));
    let p99 = calls.median(|slice| slice.net(0.99));
    let value = format!("p50 {}, p99 {}", time(p50), time(p99));
    table.judge("schedule() at 10k pending", value, beside, "p99 < 100 ns", p99 < 100.0);
}

/// What jobs see of the time between them.
struct Gaps {
    clock: DefaultClock,
    last_end: Cell<Option<TimePoint>>,
    times: RefCell<Times>,
}

impl Gaps {
    fn job(&self) {
        let start = self.clock.now();
        if let Some(end) = self.last_end.get() {
            self.times.borrow_mut().record(nanos(end, start));
        }
        self.last_end.set(Some(self.clock.now()));
    }
}

/// Has [`DUE`] jobs at a time run back to back.
fn back_to_back(config: Config, relative_deadline: Option<Duration>, count: usize) -> Times {
    let clock = DefaultClock::new();
    let gaps = Gaps { clock, last_end: Cell::new(None), times: RefCell::new(Times::new()) };
    let gaps = Rc::new(gaps);
    let mut scheduler = Scheduler::new(config);
    for _ in 0..count {
        for _ in 0..DUE {
            let job = Rc::clone(&gaps);
            let task = Task::new(move || job.job(), Duration::ZERO);
            let task = match relative_deadline {
                Some(deadline) => task.with_deadline(deadline),
                None => task,
            };
            scheduler.schedule(task).expect("there is room");
        }
        gaps.last_end.set(None);
        assert_eq!(scheduler.tick().executed, DUE);
    }
    let times = gaps.times.borrow().clone();
    assert_eq!(times.count(), (count * (DUE - 1)) as u64);
    times
}

fn between_jobs(plan: Plan, table: &mut Table) {
    let count = plan.size(20, 2);
    let edf = Config { policy: Policy::EarliestDeadlineFirst, ..Config::default() };
    let deadline = Some(Duration::from_secs(1));
    let [plain, timed, watched] = interleave(
        plan.size(21, 1),
        [
            Box::new(|| back_to_back(Config::default(), None, count)) as Contender<'_, _>,
            Box::new(|| back_to_back(edf.clone(), deadline, count)),
            Box::new(|| back_to_back(all_monitoring(), deadline, count)),
        ],
    );
    let quantiles =
        |series: &Series<Times>| [0.5, 0.99].map(|q| series.median(|slice| slice.at(q)));
    for (figure, series, target) in [
        ("end of a job to start of the next", &plain, true),
        ("same, EDF with deadlines", &timed, true),
        ("same, all monitoring and deadlines", &watched, false),
    ] {
        let [p50, p99] = quantiles(series);
        let value = format!("p50 {}, p99 {}", time(p50), time(p99));
        let beside = "includes one clock read".to_string();
        match target {
            true => table.judge(figure, value, beside, "p99 < 100 ns", p99 < 100.0),
            false => table.tell(figure, value, beside),
        }
    }
}

/// Everything that may be switched on in production: not the audit, which is for tests.
pub(crate) fn all_monitoring() -> Config {
    Config {
        metrics: MetricsLevel::Histograms,
        monitor: Some(MonitorConfig::default()),
        trace_capacity: 1 << 16,
        ..Config::default()
    }
}

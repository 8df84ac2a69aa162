//! Execution times: overruns of declared ones, estimates of the others, and whose they are.

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use common::timed::{take_in_turn, takes};
use common::{at, manual, ns, CountingClock, Log};
use nanosecond_scheduler::{
    CancelError, Config, ManualClock, MaxEstimator, MetricsLevel, Policy, Scheduler, Task,
    WcetEstimator,
};

fn with_max() -> (Scheduler<ManualClock>, ManualClock) {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    (scheduler, clock)
}

/// Runs a one-shot of this name that takes `time`.
fn run(scheduler: &mut Scheduler<ManualClock>, clock: &ManualClock, name: &'static str, time: u64) {
    scheduler.schedule(Task::new(takes(clock, time), ns(0)).with_name(name)).unwrap();
    assert_eq!(scheduler.tick().executed, 1);
}

#[test]
fn a_job_that_takes_longer_than_declared_is_an_overrun_and_one_that_takes_as_long_is_not() {
    for (time, overruns) in [(0, 0), (10, 0), (11, 1)] {
        let (mut scheduler, clock) = manual(Config::default());
        scheduler.schedule(Task::new(takes(&clock, time), ns(5)).with_wcet(ns(10))).unwrap();
        clock.set(at(100)); // How late it starts does not matter.
        scheduler.tick();
        assert_eq!(scheduler.metrics().overruns, overruns, "a job of {time} ns");
    }
}

#[test]
fn overruns_are_counted_per_task_and_in_all() {
    let (mut scheduler, clock) = manual(Config::default());
    let often = Task::periodic(take_in_turn(&clock, [4, 3, 5, 0, 9]), ns(100)).with_wcet(ns(3));
    let often = scheduler.schedule(often).unwrap();
    let never = Task::periodic(take_in_turn(&clock, [7; 5]), ns(100)).with_wcet(ns(7));
    let never = scheduler.schedule(never).unwrap();
    let undeclared = Task::periodic(take_in_turn(&clock, [7; 5]), ns(100));
    let undeclared = scheduler.schedule(undeclared).unwrap();
    let plain = scheduler.schedule(Task::new(|| (), ns(10_000))).unwrap();
    for (until, overruns) in [(100, 1), (200, 1), (300, 2), (400, 2), (500, 3)] {
        scheduler.run_until(at(until));
        assert_eq!(scheduler.overruns(often), Some(overruns));
    }
    assert_eq!(scheduler.overruns(never), Some(0));
    assert_eq!(scheduler.overruns(undeclared), Some(0));
    assert_eq!(scheduler.overruns(plain), Some(0));
    assert_eq!(scheduler.metrics().overruns, 3);
    scheduler.cancel(often).unwrap();
    assert_eq!(scheduler.overruns(often), None);
}

#[test]
fn a_slots_next_task_does_not_inherit_overruns() {
    let (mut scheduler, clock) = manual(Config::default());
    let first = Task::periodic(take_in_turn(&clock, [9]), ns(10)).with_wcet(ns(1));
    let first = scheduler.schedule(first).unwrap();
    scheduler.run_until(at(10));
    assert_eq!(scheduler.overruns(first), Some(1));
    scheduler.cancel(first).unwrap();
    let second = scheduler.schedule(Task::periodic(|_| (), ns(10)).with_wcet(ns(1))).unwrap();
    assert_eq!(first.to_bits() as u32, second.to_bits() as u32, "the same slot");
    assert_eq!((scheduler.overruns(first), scheduler.overruns(second)), (None, Some(0)));
}

#[test]
fn a_task_that_cancels_itself_may_overrun_once_more() {
    let (mut scheduler, clock) = manual(Config::default());
    let clock2 = clock.clone();
    let body = move |cx: &mut nanosecond_scheduler::Context<'_>| {
        cx.cancel(cx.id()).unwrap();
        // Its slot is taken by another one, which did not overrun.
        cx.schedule(Task::periodic(|_| (), ns(50)).with_wcet(ns(1))).unwrap();
        clock2.advance(ns(9));
    };
    scheduler.schedule(Task::periodic(body, ns(10)).with_wcet(ns(1))).unwrap();
    clock.set(at(10));
    scheduler.tick();
    assert_eq!(scheduler.metrics().overruns, 1);
}

#[test]
fn metrics_off_still_counts_overruns_per_task() {
    let (mut scheduler, clock) = manual(Config { metrics: MetricsLevel::Off, ..Config::default() });
    let task = Task::periodic(take_in_turn(&clock, [9]), ns(10)).with_wcet(ns(1));
    let id = scheduler.schedule(task).unwrap();
    scheduler.run_until(at(10));
    assert_eq!((scheduler.overruns(id), scheduler.metrics().overruns), (Some(1), 0));
}

#[test]
fn there_is_no_estimate_without_an_estimator_a_name_or_a_job() {
    let (mut scheduler, clock) = manual(Config::default());
    run(&mut scheduler, &clock, "work", 5);
    assert_eq!(scheduler.wcet_estimate("work"), None, "nobody asked for estimates");

    let (mut scheduler, clock) = with_max();
    assert_eq!(scheduler.wcet_estimate("work"), None);
    scheduler.schedule(Task::new(takes(&clock, 5), ns(0))).unwrap();
    scheduler.schedule(Task::new(takes(&clock, 5), ns(100)).with_name("work")).unwrap();
    scheduler.tick();
    assert_eq!(scheduler.wcet_estimate("work"), None, "it has not run yet");
    clock.set(at(200));
    scheduler.tick();
    assert_eq!(scheduler.wcet_estimate("work"), Some(ns(5)));
    assert_eq!(scheduler.wcet_estimate("other"), None);
}

#[test]
fn tasks_of_a_name_share_the_estimate_which_outlives_them() {
    let (mut scheduler, clock) = with_max();
    for (time, estimate) in [(3, 3), (8, 8), (5, 8)] {
        run(&mut scheduler, &clock, "a", time);
        run(&mut scheduler, &clock, "b", time * 100);
        assert!(scheduler.is_empty());
        assert_eq!(scheduler.wcet_estimate("a"), Some(ns(estimate)));
        assert_eq!(scheduler.wcet_estimate("b"), Some(ns(estimate * 100)));
    }
    let periodic = Task::periodic(take_in_turn(&clock, [2, 9, 4]), ns(10_000)).with_name("a");
    scheduler.schedule(periodic).unwrap();
    scheduler.run_for(ns(30_000));
    assert_eq!(scheduler.wcet_estimate("a"), Some(ns(9)));
}

#[test]
fn one_estimator_is_made_per_name_and_only_for_tasks_that_declare_nothing() {
    let (mut scheduler, clock) = manual(Config::default());
    let made = Log::default();
    let made2 = made.clone();
    scheduler.estimate_wcet(move |name| {
        made2.push(name);
        Box::new(MaxEstimator::default())
    });
    for name in ["a", "b", "a"] {
        run(&mut scheduler, &clock, name, 1);
    }
    let declared = Task::new(takes(&clock, 9), ns(0)).with_name("declared").with_wcet(ns(10));
    scheduler.schedule(declared).unwrap();
    scheduler.tick();
    assert_eq!(made.take(), ["a", "b"]);
    assert_eq!(scheduler.wcet_estimate("declared"), None);
}

#[test]
fn a_task_that_was_pending_before_is_not_measured() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.schedule(Task::new(takes(&clock, 5), ns(0)).with_name("work")).unwrap();
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    scheduler.tick();
    assert_eq!(scheduler.wcet_estimate("work"), None);
}

/// The mean so far, as a user might have it.
struct Mean(Log<u64>, Rc<Cell<u64>>);

impl WcetEstimator for Mean {
    fn record(&mut self, execution_ns: u64) {
        self.0.push(execution_ns);
        self.1.set(self.1.get() + execution_ns);
    }

    fn estimate_ns(&self) -> Option<u64> {
        Some(1_000 + self.1.get())
    }
}

#[test]
fn a_users_estimator_is_told_each_execution_time_and_asked_for_the_estimate() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    scheduler.estimate_wcet(move |_| Box::new(Mean(log2.clone(), Rc::default())));
    let task = Task::periodic(take_in_turn(&clock, [4, 2, 7]), ns(10)).with_name("work");
    scheduler.schedule(task).unwrap();
    assert_eq!(scheduler.wcet_estimate("work"), Some(ns(1_000)), "it has an idea from the start");
    scheduler.run_until(at(30));
    assert_eq!(log.take(), [4, 2, 7]);
    assert_eq!(scheduler.wcet_estimate("work"), Some(ns(1_013)));
}

#[test]
fn rename_measures_anew_and_leaves_the_old_estimate() {
    let (mut scheduler, clock) = with_max();
    let task = Task::periodic(take_in_turn(&clock, [9, 2, 3]), ns(10)).with_name("startup");
    let id = scheduler.schedule(task).unwrap();
    scheduler.run_until(at(10));
    scheduler.rename(id, "steady").unwrap();
    assert_eq!(scheduler.wcet_estimate("steady"), None, "it starts afresh");
    scheduler.run_until(at(20));
    assert_eq!(scheduler.wcet_estimate("steady"), Some(ns(2)));
    assert_eq!(scheduler.wcet_estimate("startup"), Some(ns(9)));
    scheduler.rename(id, "steady").unwrap();
    assert_eq!(scheduler.wcet_estimate("steady"), Some(ns(2)), "the same name is no change");
    scheduler.run_until(at(30));
    assert_eq!(scheduler.wcet_estimate("steady"), Some(ns(3)));
}

#[test]
fn rename_begins_to_measure_an_unnamed_task_but_not_one_that_declares_its_wcet() {
    let (mut scheduler, clock) = with_max();
    let plain = scheduler.schedule(Task::new(takes(&clock, 7), ns(0))).unwrap();
    let declared = Task::new(takes(&clock, 6), ns(0)).with_wcet(ns(1)).with_name("old");
    let declared = scheduler.schedule(declared).unwrap();
    scheduler.rename(plain, "plain").unwrap();
    scheduler.rename(declared, "declared").unwrap();
    scheduler.tick();
    assert_eq!(scheduler.wcet_estimate("plain"), Some(ns(7)));
    assert_eq!(scheduler.wcet_estimate("declared"), None);
    assert_eq!(scheduler.metrics().overruns, 1, "a new name does not undo a declaration");
    assert_eq!(scheduler.rename(plain, "again"), Err(CancelError));
}

#[cfg(feature = "std")]
#[test]
fn a_renamed_task_panics_and_is_traced_under_its_new_name() {
    let (mut scheduler, clock) = manual(Config { trace_capacity: 8, ..Config::default() });
    let log = Log::default();
    let log2 = log.clone();
    scheduler.on_panic(move |panic| log2.push(panic.name));
    let bad = Task::new(|| common::timed::fail("boom"), ns(5)).with_name("old");
    let bad = scheduler.schedule(bad).unwrap();
    scheduler.rename(bad, "new").unwrap();
    clock.set(at(5));
    scheduler.tick();
    assert_eq!(log.take(), [Some("new")]);
    assert!(scheduler.trace().unwrap().events().all(|event| event.name == Some("new")));
}

/// While something is measured the clock is read between jobs. Afterwards it is not.
#[test]
fn tasks_that_come_go_and_are_renamed_leave_no_clock_reads_behind() {
    let clock = CountingClock::default();
    let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone()).unwrap();
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    let plain = scheduler.schedule(Task::new(|| (), ns(1_000))).unwrap();
    let named = scheduler.schedule(Task::new(|| (), ns(1_000)).with_name("a")).unwrap();
    let declared = scheduler.schedule(Task::periodic(|_| (), ns(10)).with_wcet(ns(1))).unwrap();
    let in_time = scheduler.schedule(Task::new(|| (), ns(1_000)).with_deadline(ns(1))).unwrap();
    for name in ["b", "c", "b"] {
        scheduler.rename(plain, name).unwrap();
        scheduler.rename(named, name).unwrap();
        scheduler.rename(declared, name).unwrap();
    }
    clock.time.set(at(10));
    scheduler.tick();
    for id in [plain, named, declared, in_time] {
        scheduler.cancel(id).unwrap();
    }
    for _ in 0..10 {
        scheduler.schedule(Task::new(|| (), ns(0)).at(at(0))).unwrap();
    }
    clock.reads();
    assert_eq!(scheduler.tick().executed, 10);
    assert!(clock.reads() <= 2, "one to decide, one for the tick's duration");
}

#[test]
fn least_laxity_goes_by_the_estimate_and_by_a_declaration_before_that() {
    let config = Config { policy: Policy::LeastLaxity, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    let order = Log::default();
    let job = |name, time, deadline| {
        let body = common::timed::logs(&order, name, &clock, time);
        Task::new(body, ns(0)).with_name(name).with_deadline(ns(deadline))
    };
    // Nothing is known yet: by deadline alone.
    scheduler.schedule(job("long", 500, 2_000)).unwrap();
    scheduler.schedule(job("short", 10, 1_900)).unwrap();
    scheduler.tick();
    assert_eq!(order.take(), ["short", "long"]);
    // 2000 - 500 < 1900 - 10.
    scheduler.schedule(job("short", 10, 1_900)).unwrap();
    scheduler.schedule(job("long", 500, 2_000)).unwrap();
    scheduler.tick();
    assert_eq!(order.take(), ["long", "short"]);
    // 1900 - 401 < 2000 - 500 = 2200 - 700.
    scheduler.schedule(job("long", 500, 2_000)).unwrap();
    scheduler.schedule(job("declared", 1, 1_900).with_wcet(ns(401))).unwrap();
    scheduler.tick();
    assert_eq!(order.take(), ["declared", "long"]);
}

#[test]
fn a_max_estimator_expects_the_longest() {
    let mut max = MaxEstimator::default();
    assert_eq!(max.estimate_ns(), None);
    for (time, estimate) in [(0, 0), (5, 5), (3, 5), (u64::MAX, u64::MAX), (1, u64::MAX)] {
        max.record(time);
        assert_eq!(max.estimate_ns(), Some(estimate));
    }
}

#[cfg(feature = "std")]
mod quantile {
    use super::*;
    use common::scatter;
    use nanosecond_scheduler::QuantileEstimator;

    /// The least time that has its share of all at or below it, by sorting.
    fn exact(times: &[u64], permille: u64) -> u64 {
        let mut times = times.to_vec();
        times.sort_unstable();
        times[(times.len() as u64 * permille).div_ceil(1000).max(1) as usize - 1]
    }

    fn estimate(times: &[u64], quantile: f64, margin: f64) -> u64 {
        let mut estimator = QuantileEstimator::new(quantile, margin);
        assert_eq!(estimator.estimate_ns(), None);
        times.iter().for_each(|time| estimator.record(*time));
        estimator.estimate_ns().unwrap()
    }

    #[test]
    fn it_is_within_a_percent_of_sorting_from_nanoseconds_to_minutes() {
        for magnitude in [100, 10_000, 1_000_000, 1_000_000_000, 600_000_000_000] {
            let times: Vec<u64> = (0..1_000).map(|n| 1 + scatter(n, magnitude)).collect();
            for permille in [0, 500, 900, 990, 999, 1000] {
                let (exact, got) =
                    (exact(&times, permille), estimate(&times, permille as f64 / 1e3, 0.0));
                let below = if permille == 0 { exact / 100 } else { 0 };
                let within = exact - below..=exact + exact / 100 + 1;
                assert!(within.contains(&got), "{permille} ‰ of {magnitude}: {got} not {exact}");
            }
        }
    }

    #[test]
    fn the_margin_is_a_share_on_top() {
        let times = [1_000; 10];
        let without = estimate(&times, 0.99, 0.0);
        assert_eq!(estimate(&times, 0.99, 0.5), without + without / 2);
        assert_eq!(estimate(&times, 0.99, 1.0), 2 * without);
        let huge = estimate(&[u64::MAX], 1.0, f64::INFINITY);
        assert!(huge > 3_600_000_000_000, "{huge}");
    }

    #[test]
    fn arguments_out_of_bounds_are_taken_as_the_nearest() {
        let times: Vec<u64> = (1..=100).collect();
        let [least, most] = [0.0, 1.0].map(|quantile| estimate(&times, quantile, 0.0));
        assert_eq!(estimate(&times, -3.0, -1.0), least);
        assert_eq!(estimate(&times, f64::INFINITY, 0.0), most);
        assert_eq!(estimate(&times, f64::NAN, 0.0), most);
    }

    #[test]
    fn it_serves_a_scheduler() {
        let (mut scheduler, clock) = manual(Config::default());
        scheduler.estimate_wcet(|_| Box::new(QuantileEstimator::new(0.9, 0.25)));
        let times = (0..100).map(|n| if n % 20 == 0 { 90_000 } else { 20_000 });
        let task = Task::periodic(take_in_turn(&clock, times), Duration::from_micros(100));
        scheduler.schedule(task.with_name("work")).unwrap();
        scheduler.run_until(at(10_000_000));
        let estimate = scheduler.wcet_estimate("work").unwrap();
        assert!((ns(25_000)..ns(25_300)).contains(&estimate), "{estimate:?}");
    }
}

#[cfg(feature = "std")]
mod panics {
    use super::*;
    use common::timed::{caught, fail, log_panics};

    #[test]
    fn a_panic_while_an_estimator_is_made_leaves_no_half_scheduled_task() {
        let (mut scheduler, clock) = manual(Config::default());
        scheduler.estimate_wcet(|name| match name {
            "bad" => {
                fail("of make");
                unreachable!()
            }
            _ => Box::new(MaxEstimator::default()),
        });
        let bad = Task::new(|| (), ns(0)).with_name("bad");
        assert!(matches!(caught(|| scheduler.schedule(bad)), Err("of make")));
        assert_eq!((scheduler.len(), scheduler.next_release()), (0, None));
        run(&mut scheduler, &clock, "good", 3);
        assert_eq!(scheduler.wcet_estimate("good"), Some(ns(3)));
    }

    struct Fails;

    impl WcetEstimator for Fails {
        fn record(&mut self, _: u64) {
            fail("of record");
        }

        fn estimate_ns(&self) -> Option<u64> {
            None
        }
    }

    #[test]
    fn a_panic_of_an_estimator_is_reported_and_harms_nobody_else() {
        let (mut scheduler, clock) = manual(Config::default());
        scheduler.estimate_wcet(|_| Box::new(Fails));
        let panics = log_panics(&mut scheduler);
        let log = Log::default();
        let id = scheduler.schedule(Task::periodic(|_| (), ns(10)).with_name("bad")).unwrap();
        scheduler.schedule(log.task("after", ns(0)).after(&[id])).unwrap();
        scheduler.schedule(log.task("next", ns(10))).unwrap();
        clock.set(at(10));
        scheduler.tick();
        assert_eq!(log.take(), ["next", "after"], "the job has finished");
        assert_eq!(panics.take(), ["of record"]);
        assert!(scheduler.is_pending(id));
    }
}

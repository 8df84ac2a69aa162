//! The `run*` methods: a discrete-event simulation under a manual clock, and never early on others.

mod common;

use std::cell::Cell;

use common::{at, manual, ns, scatter, Log};
use nanosecond_scheduler::{
    Clock, Config, Context, Priority, Scheduler, Task, TimePoint, Wait, Waiter,
};

/// A body that records its decision instant.
fn note_now(log: &Log<u64>) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = log.clone();
    move |cx| log.push(cx.now().as_nanos())
}

#[test]
fn run_jumps_from_release_to_release_and_ends_when_nothing_is_left() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let mut releases: Vec<u64> = (0..500).map(|n| scatter(n, 1 << (n % 50))).collect();
    for &release in &releases {
        scheduler.schedule(Task::with_context(note_now(&log), ns(release))).unwrap();
    }
    scheduler.run();
    releases.sort_unstable();
    assert_eq!(log.take(), releases, "each decided exactly at its release");
    assert_eq!(Some(&clock.now().as_nanos()), releases.last());
    assert!(scheduler.is_empty());
    scheduler.run(); // There is nothing to wait for.
}

#[test]
fn run_follows_what_tasks_schedule() {
    fn generation(n: u64, log: Log<(u64, u64)>, cx: &mut Context<'_>) {
        log.push((n, cx.now().as_nanos()));
        if n < 10_000 {
            let next = move |cx: &mut Context<'_>| generation(n + 1, log, cx);
            cx.schedule(Task::with_context(next, ns(7))).unwrap();
        }
    }

    let (mut scheduler, _clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    scheduler.schedule(Task::with_context(move |cx| generation(0, log2, cx), ns(0))).unwrap();
    scheduler.run();
    assert!(log.take().into_iter().eq((0..=10_000).map(|n| (n, n * 7))));
}

#[test]
fn run_goes_on_at_once_while_more_is_due() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 2, ..Config::default() });
    let log = Log::default();
    for n in 0..9 {
        scheduler.schedule(log.task(n, ns(50))).unwrap();
    }
    scheduler.run();
    assert!(log.take().into_iter().eq(0..9));
    assert_eq!((clock.now(), scheduler.metrics().ticks), (at(50), 5));
}

#[test]
fn run_for_passes_the_time_also_when_nothing_is_pending() {
    let (mut scheduler, clock) = manual(Config::default());
    clock.set(at(100));
    scheduler.run_for(ns(5_000));
    assert_eq!(clock.now(), at(5_100));

    let log = Log::default();
    scheduler.schedule(Task::periodic(note_now(&log), ns(1_000))).unwrap();
    scheduler.run_for(ns(3_500));
    assert_eq!(log.take(), [6_100, 7_100, 8_100]);
    assert_eq!(clock.now(), at(8_600));
}

#[test]
fn run_until_includes_its_end_and_leaves_the_rest() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 1, ..Config::default() });
    let log = Log::default();
    for release in [200, 100, 99, 101, 100] {
        scheduler.schedule(log.task(release, ns(release))).unwrap();
    }
    scheduler.run_until(at(100));
    assert_eq!(log.take(), [99, 100, 100]);
    assert_eq!((clock.now(), scheduler.len()), (at(100), 2));

    // An end in the past still runs what is due, and does not wait.
    clock.set(at(150));
    scheduler.run_until(at(20));
    assert_eq!((clock.now(), log.take()), (at(150), vec![101]));
}

#[test]
fn run_until_does_not_pass_its_end_for_the_sake_of_the_cadence() {
    let config = Config { tick_rate_ns: 10, max_tasks_per_tick: 1, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    let log = Log::default();
    for _ in 0..3 {
        scheduler.schedule(Task::with_context(note_now(&log), ns(12))).unwrap();
    }
    scheduler.schedule(Task::with_context(note_now(&log), ns(16))).unwrap();
    scheduler.run_until(at(15));
    assert_eq!(log.take(), [15, 15, 15]);
    assert_eq!(clock.now(), at(15));
    scheduler.run();
    assert_eq!(log.take(), [20]);
}

#[test]
fn run_until_idle_ends_when_nothing_is_queued() {
    let (mut scheduler, clock) = manual(Config::default());
    #[cfg(feature = "std")]
    let _alive = scheduler.remote();
    let log = Log::default();
    let sporadic = Task::sporadic(note_now(&log), ns(5));
    scheduler.schedule(sporadic).unwrap();
    scheduler.schedule(Task::with_context(note_now(&log), ns(70))).unwrap();
    scheduler.run_until_idle();
    assert_eq!(log.take(), [70]);
    assert_eq!((clock.now(), scheduler.len()), (at(70), 1));
}

#[test]
fn a_tick_rate_makes_run_wake_at_its_multiples_only() {
    let (mut scheduler, clock) = manual(Config { tick_rate_ns: 100, ..Config::default() });
    let log = Log::default();
    for release in [1, 100, 101, 150, 200, 201, 1_000_050] {
        let log = log.clone();
        let body = move |cx: &mut Context<'_>| log.push((release, cx.now().as_nanos()));
        scheduler.schedule(Task::with_context(body, ns(release))).unwrap();
    }
    scheduler.run();
    let expected = [
        (1, 100),
        (100, 100),
        (101, 200),
        (150, 200),
        (200, 200),
        (201, 300),
        (1_000_050, 1_000_100),
    ];
    assert_eq!(log.take(), expected);
    assert_eq!(clock.now(), at(1_000_100));
    let metrics = scheduler.metrics();
    assert_eq!((metrics.ticks, metrics.idle_ticks), (4, 1), "it sleeps through empty multiples");
}

#[test]
fn the_last_instant_is_reached_on_any_cadence() {
    let (mut scheduler, clock) = manual(Config { tick_rate_ns: 1_000, ..Config::default() });
    let log = Log::default();
    clock.set(at(u64::MAX - 50));
    scheduler.schedule(log.task("last", ns(50))).unwrap();
    scheduler.run();
    assert_eq!(log.take(), ["last"]);
}

#[test]
fn stop_ends_the_run_after_its_tick_and_run_resumes() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let log2 = log.clone();
    let stop = move |cx: &mut Context<'_>| {
        log2.push("stop");
        cx.stop();
    };
    scheduler.schedule(Task::with_context(stop, ns(10)).with_priority(Priority::High)).unwrap();
    scheduler.schedule(log.task("same tick", ns(10))).unwrap();
    scheduler.schedule(log.task("next tick", ns(11))).unwrap();
    scheduler.run();
    assert_eq!(log.take(), ["stop", "same tick"]);
    assert_eq!(clock.now(), at(10));
    scheduler.run();
    assert_eq!(log.take(), ["next tick"], "a stop counts once");
}

#[test]
fn stop_ends_every_way_to_run() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.schedule(Task::periodic(|cx| cx.stop(), ns(10))).unwrap();
    scheduler.run_for(ns(1_000));
    assert_eq!(clock.now(), at(10));
    scheduler.run_until(at(1_000));
    assert_eq!(clock.now(), at(20));
    scheduler.run_until_idle();
    assert_eq!(clock.now(), at(30));
    scheduler.run();
    assert_eq!(clock.now(), at(40));
}

#[test]
fn priorities_decide_among_what_was_released_while_a_job_took_its_time() {
    let (mut scheduler, clock) = manual(Config::default());
    let log = Log::default();
    let (log2, clock2) = (log.clone(), clock.clone());
    let long = move || {
        log2.push("long");
        clock2.advance(ns(100));
    };
    scheduler.schedule(Task::new(long, ns(10))).unwrap();
    scheduler.schedule(log.task("normal", ns(20))).unwrap();
    scheduler.schedule(log.task("high", ns(30)).with_priority(Priority::High)).unwrap();
    scheduler.run();
    assert_eq!(log.take(), ["long", "high", "normal"]);
}

#[cfg(feature = "std")]
#[test]
fn behaviour_01_no_way_to_wait_runs_a_task_early() {
    use std::time::Duration;

    use nanosecond_scheduler::{DefaultClock, MonotonicClock, Scheduler, Wait};

    fn check(clock: impl Clock + Clone + 'static, config: Config) {
        let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
        let log = Log::default();
        for n in 0..20 {
            let (log, clock) = (log.clone(), clock.clone());
            let body = move |cx: &mut Context<'_>| log.push((cx.release(), clock.now()));
            scheduler.schedule(Task::with_context(body, ns(n * 150_000))).unwrap();
        }
        let start = clock.now();
        scheduler.run_for(Duration::from_millis(4));
        assert!(clock.now().duration_since(start) >= Duration::from_millis(4));
        let starts = log.take();
        assert_eq!(starts.len(), 20);
        assert!(starts.iter().all(|(release, start)| start >= release), "{starts:?}");
    }

    for wait in [Wait::Spin, Wait::Hybrid, Wait::Sleep] {
        for tick_rate_ns in [0, 333_333] {
            let config = Config { wait, tick_rate_ns, ..Config::default() };
            check(MonotonicClock::new(), config.clone());
            check(DefaultClock::new(), config);
        }
    }
}

/// More work than time, and a task that never gets its turn.
#[test]
fn a_run_with_an_end_ends_under_overload() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 4, ..Config::default() });
    let moving = clock.clone();
    let body = move |_: &mut Context<'_>| moving.advance(ns(20));
    let busy = Task::periodic(body, ns(10)).with_priority(Priority::High);
    scheduler.schedule(busy).unwrap();
    let starved = scheduler.schedule(Task::periodic(|_| (), ns(10))).unwrap();
    scheduler.run_for(ns(1_000));
    let late_by = scheduler.now().duration_since(at(1_000));
    assert!(late_by <= ns(3 * 4 * 20), "{late_by:?}"); // Three ticks.
    assert!(scheduler.is_pending(starved));
}

/// What was late, but finite, is still run.
#[test]
fn jobs_that_are_due_at_the_end_run_although_the_clock_has_passed_it() {
    let (mut scheduler, clock) = manual(Config { max_tasks_per_tick: 4, ..Config::default() });
    let log = Log::default();
    for n in 0..50 {
        let (clock, log) = (clock.clone(), log.clone());
        let body = move || {
            clock.advance(ns(30));
            log.push(n);
        };
        scheduler.schedule(Task::new(body, ns(100))).unwrap();
    }
    scheduler.run_until(at(100));
    assert_eq!(log.take(), (0..50).collect::<Vec<_>>());
}

/// A clock that steps on by 1 at each reading.
struct Steps(Cell<u64>);

impl Clock for Steps {
    fn now(&self) -> TimePoint {
        TimePoint::from_nanos(self.0.replace(self.0.get() + 1))
    }
}

/// Ten times as fast as the steps by which it waits: as its own body, or by another clock's.
struct Tenfold {
    steps: Steps,
    delegates: bool,
}

impl Clock for Tenfold {
    fn now(&self) -> TimePoint {
        TimePoint::from_nanos(10 * self.steps.now().as_nanos())
    }

    fn wait_until(&self, until: TimePoint, waiter: &mut Waiter) {
        let until = TimePoint::from_nanos(until.as_nanos() / 10);
        match self.delegates {
            true => self.steps.wait_until(until, waiter),
            false => waiter.wait(|| self.steps.now(), until),
        }
    }
}

#[test]
fn a_clock_may_wait_by_another() {
    for delegates in [false, true] {
        let clock = Tenfold { steps: Steps(Cell::new(1_000)), delegates };
        let config = Config { wait: Wait::Spin, ..Config::default() };
        let mut scheduler = Scheduler::with_clock(config, clock).unwrap();
        let log = Log::default();
        let task = Task::with_context(note_now(&log), ns(0)).at(at(15_000));
        scheduler.schedule(task).unwrap();
        scheduler.run_until_idle();
        // A few readings after the release, by this clock.
        let [ran] = log.take()[..] else { panic!("it runs once") };
        assert!((15_000..15_100).contains(&ran), "at {ran}, delegates: {delegates}");
        assert!(scheduler.now() < at(15_200), "{}", scheduler.now());
    }
}

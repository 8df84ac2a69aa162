//! How exactly, and at what cost, each way to wait meets a release every 100 µs.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{
    Clock, Config, Context, DefaultClock, Scheduler, Task, TimePoint, Wait,
};
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{clock_gettime, ClockId, Timespec};

use crate::harness::{interleave, Contender, Plan, Series, Times};
use crate::machine::thread_cpu_time;
use crate::table::{percent, time, Table};

const PERIOD: Duration = Duration::from_micros(100);
const HALF: Duration = Duration::from_micros(50);

/// How late waits ended, how late the jobs started after them, and the share of a core that it took.
struct Waited {
    lateness: Times,
    starts: Times,
    cpu_share: f64,
}

/// Lateness of waits and of starts.
struct Lateness {
    waits: Times,
    starts: Times,
}

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    let count = plan.size(2_000, 200);
    let contenders: [Contender<'_, Waited>; 6] = [
        Box::new(|| slice(count, bare_spin)),
        ours(Wait::Spin, count),
        Box::new(|| slice(count, |count| bare_sleep(count, HALF))),
        ours(Wait::Hybrid, count),
        Box::new(|| slice(count, |count| bare_sleep(count, Duration::ZERO))),
        ours(Wait::Sleep, count),
    ];
    let [bare_spin, spin, bare_hybrid, hybrid, bare_sleep, sleep] =
        interleave(plan.size(25, 1), contenders);
    let p99 = |series: &Series<Waited>| series.median(|slice| slice.lateness.at(0.99));
    let ratio = |ours: &Series<Waited>, bare| {
        ours.paired(bare, |ours, bare| ours.lateness.at(0.99) / bare.lateness.at(0.99))
    };

    let spin_ratio = ratio(&spin, &bare_spin);
    let value = format!("{}, ratio {spin_ratio:.2}", lateness(&spin));
    let beside = format!("bare spin: {}", lateness(&bare_spin));
    let target = "p99 ≤ 1.2 × bare";
    table.judge("wait 100 µs, spin: lateness", value, beside, target, spin_ratio <= 1.2);

    let value = lateness(&hybrid);
    let beside = format!("bare sleep, then 50 µs of spin: {}", lateness(&bare_hybrid));
    let (figure, target) = ("wait 100 µs, hybrid: lateness", "p99 ≤ 1 µs where spin has it");
    if p99(&bare_spin) <= 1_000.0 {
        table.judge(figure, value, beside, target, p99(&hybrid) <= 1_000.0);
    } else {
        table.excuse(figure, value, beside, target);
    }
    let cpu = |series: &Series<Waited>| series.median(|slice| slice.cpu_share);
    let beside = format!("spin {}, sleep {}", percent(cpu(&spin)), percent(cpu(&sleep)));
    let is_reached = cpu(&hybrid) <= 0.55;
    table.judge("wait 100 µs, hybrid: CPU", percent(cpu(&hybrid)), beside, "≤ 55 %", is_reached);

    let sleep_ratio = ratio(&sleep, &bare_sleep);
    let value = format!("{}, ratio {sleep_ratio:.2}", lateness(&sleep));
    let beside = format!("bare sleep: {}", lateness(&bare_sleep));
    let target = "p99 ≤ 1.1 × bare";
    table.judge("wait 100 µs, sleep: lateness", value, beside, target, sleep_ratio <= 1.1);
    starts(table, "spin", &spin, &bare_spin);
    starts(table, "hybrid", &hybrid, &bare_hybrid);
    starts(table, "sleep", &sleep, &bare_sleep);
    worst(table, [("bare spin", &bare_spin), ("spin", &spin), ("hybrid", &hybrid)]);
}

/// Quantiles, as medians over the slices.
fn lateness(series: &Series<Waited>) -> String {
    let at = |quantile| time(series.median(|slice| slice.lateness.at(quantile)));
    format!("p50 {}, p99 {}", at(0.5), at(0.99))
}

/// The same for the first instruction of the job.
fn starts(table: &mut Table, name: &str, ours: &Series<Waited>, bare: &Series<Waited>) {
    let starts = |series: &Series<Waited>| {
        let at = |quantile| time(series.median(|slice| slice.starts.at(quantile)));
        format!("p50 {}, p99 {}", at(0.5), at(0.99))
    };
    let figure = format!("  job's first instruction, {name}");
    table.tell(&figure, starts(ours), format!("bare: {}", starts(bare)));
}

/// What the tails are in all slices together, which is where stalls of the machine show.
fn worst(table: &mut Table, all: [(&str, &Series<Waited>); 3]) {
    for (name, series) in all {
        let pooled = Times::pooled(series.slices().iter().map(|slice| &slice.lateness));
        let value = format!("p99.9 {}, max {}", time(pooled.at(0.999)), time(pooled.at(1.0)));
        table.tell(&format!("  stalls included, {name}"), value, String::new());
    }
}

/// Measures what `run` takes for `count` jobs.
fn slice(count: usize, run: impl FnOnce(usize) -> Lateness) -> Waited {
    let (cpu, wall) = (thread_cpu_time(), Instant::now());
    let Lateness { waits, starts } = run(count);
    let cpu_time = thread_cpu_time().saturating_sub(cpu);
    let cpu_share = cpu_time.as_secs_f64() / wall.elapsed().as_secs_f64();
    assert_eq!(starts.count(), count as u64, "every job ran");
    Waited { lateness: waits, starts, cpu_share }
}

/// The tightest loop there is: the reading of the clock that finds it is time ends the wait, and the
/// job is another.
fn bare_spin(count: usize) -> Lateness {
    let clock = DefaultClock::new();
    let mut release = clock.now() + PERIOD;
    let mut seen = Lateness { waits: Times::new(), starts: Times::new() };
    for _ in 0..count {
        let mut at = clock.now();
        while at < release {
            at = clock.now();
        }
        let started = clock.now();
        seen.waits.record(late_by(at, release));
        seen.starts.record(late_by(started, release));
        release += PERIOD;
    }
    seen
}

/// The same, asleep, but for a `margin` at the end.
fn bare_sleep(count: usize, margin: Duration) -> Lateness {
    let now = || Duration::try_from(clock_gettime(ClockId::Monotonic)).expect("time is positive");
    let late_by = |at: Duration, release| at.saturating_sub(release).as_nanos() as u64;
    let mut release = now() + PERIOD;
    let mut seen = Lateness { waits: Times::new(), starts: Times::new() };
    for _ in 0..count {
        let until = Timespec::try_from(release - margin).expect("the instant is near");
        while clock_nanosleep_absolute(ClockId::Monotonic, &until).is_err() {}
        let mut at = now();
        while at < release {
            at = now();
        }
        let started = now();
        seen.waits.record(late_by(at, release));
        seen.starts.record(late_by(started, release));
        release += PERIOD;
    }
    seen
}

fn late_by(now: TimePoint, release: TimePoint) -> u64 {
    now.as_nanos().saturating_sub(release.as_nanos())
}

/// A scheduler that keeps what it learns from slice to slice. A wait ends with the instant at which
/// the tick decides what is due.
fn ours<'a>(wait: Wait, count: usize) -> Contender<'a, Waited> {
    let clock = DefaultClock::new();
    let mut scheduler = Scheduler::with_clock(Config { wait, ..Config::default() }, clock.clone())
        .expect("the configuration is valid");
    let mut run = move |count| {
        let seen = Rc::new(RefCell::new(Lateness { waits: Times::new(), starts: Times::new() }));
        let (clock, job) = (clock.clone(), Rc::clone(&seen));
        let first = clock.now() + PERIOD;
        let (mut expected, mut left) = (first, count);
        let body = move |cx: &mut Context<'_>| {
            let started = clock.now();
            let mut seen = job.borrow_mut();
            seen.waits.record(late_by(cx.now(), cx.release()));
            seen.starts.record(late_by(started, cx.release()));
            assert_eq!(cx.release(), expected, "releases do not drift");
            expected += PERIOD;
            left -= 1;
            if left == 0 {
                cx.cancel(cx.id()).expect("it repeats");
            }
        };
        scheduler.schedule(Task::periodic(body, PERIOD).at(first)).expect("there is room");
        scheduler.run();
        Rc::into_inner(seen).expect("the job has ended").into_inner()
    };
    Box::new(move || slice(count, &mut run))
}

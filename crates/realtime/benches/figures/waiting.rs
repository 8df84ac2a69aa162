//! How exactly, and at what cost, each way to wait meets a release every 100 µs.

use std::cell::RefCell;
use std::hint::spin_loop;
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

/// Lateness of jobs, and the share of a core that their thread took.
struct Waited {
    lateness: Times,
    cpu_share: f64,
}

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    let count = plan.size(2_000, 200);
    let contenders: [Contender<'_, Waited>; 5] = [
        Box::new(|| slice(count, bare_spin)),
        ours(Wait::Spin, count),
        ours(Wait::Hybrid, count),
        Box::new(|| slice(count, bare_sleep)),
        ours(Wait::Sleep, count),
    ];
    let [bare_spin, spin, hybrid, bare_sleep, sleep] = interleave(plan.size(25, 1), contenders);
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
    let beside = format!("bare spin: {}", lateness(&bare_spin));
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
    worst(table, [("bare spin", &bare_spin), ("spin", &spin), ("hybrid", &hybrid)]);
}

/// Quantiles, as medians over the slices.
fn lateness(series: &Series<Waited>) -> String {
    let at = |quantile| time(series.median(|slice| slice.lateness.at(quantile)));
    format!("p50 {}, p99 {}", at(0.5), at(0.99))
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
fn slice(count: usize, run: impl FnOnce(usize, &mut Times)) -> Waited {
    let mut lateness = Times::new();
    let (cpu, wall) = (thread_cpu_time(), Instant::now());
    run(count, &mut lateness);
    let cpu_time = thread_cpu_time().saturating_sub(cpu);
    let cpu_share = cpu_time.as_secs_f64() / wall.elapsed().as_secs_f64();
    assert_eq!(lateness.count(), count as u64, "every job ran");
    Waited { lateness, cpu_share }
}

/// The tightest loop there is: one job per period, whose first act is to read the clock.
fn bare_spin(count: usize, lateness: &mut Times) {
    let clock = DefaultClock::new();
    let mut release = clock.now() + PERIOD;
    for _ in 0..count {
        while clock.now() < release {
            spin_loop();
        }
        lateness.record(late_by(&clock, release));
        release += PERIOD;
    }
}

/// The same, asleep.
fn bare_sleep(count: usize, lateness: &mut Times) {
    let now = || Duration::try_from(clock_gettime(ClockId::Monotonic)).expect("time is positive");
    let mut release = now() + PERIOD;
    for _ in 0..count {
        let until = Timespec::try_from(release).expect("the instant is near");
        while clock_nanosleep_absolute(ClockId::Monotonic, &until).is_err() {}
        lateness.record(now().saturating_sub(release).as_nanos() as u64);
        release += PERIOD;
    }
}

fn late_by(clock: &DefaultClock, release: TimePoint) -> u64 {
    clock.now().as_nanos().saturating_sub(release.as_nanos())
}

/// A scheduler that keeps what it learns from slice to slice.
fn ours<'a>(wait: Wait, count: usize) -> Contender<'a, Waited> {
    let clock = DefaultClock::new();
    let mut scheduler = Scheduler::with_clock(Config { wait, ..Config::default() }, clock.clone())
        .expect("the configuration is valid");
    Box::new(move || {
        slice(count, |count, lateness| {
            let seen = Rc::new(RefCell::new(std::mem::replace(lateness, Times::new())));
            let (clock, job) = (clock.clone(), Rc::clone(&seen));
            let first = clock.now() + PERIOD;
            let (mut expected, mut left) = (first, count);
            let body = move |cx: &mut Context<'_>| {
                job.borrow_mut().record(late_by(&clock, cx.release()));
                assert_eq!(cx.release(), expected, "releases do not drift");
                expected += PERIOD;
                left -= 1;
                if left == 0 {
                    cx.cancel(cx.id()).expect("it repeats");
                }
            };
            scheduler.schedule(Task::periodic(body, PERIOD).at(first)).expect("there is room");
            scheduler.run();
            *lateness = seen.replace(Times::new());
        })
    })
}

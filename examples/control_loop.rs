//! A controller at 100 kHz for a second of real time, beside a bare loop that spins on the clock.
//!
//! ```text
//! cargo run --release --example control_loop
//! ```
//!
//! Both miss periods when the operating system or a hypervisor takes the processor away: what the
//! bare loop shows is the machine's share, what comes on top of it is the scheduler's. The jobs are
//! checked, their times only printed.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use hdrhistogram::Histogram;
use nanosecond_scheduler::{
    Clock, Config, Context, DefaultClock, MetricsLevel, MissedTick, Scheduler, Task, TimePoint,
    Wait,
};

const PERIOD: Duration = Duration::from_micros(10);
const RUN: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let (scheduler, level) = run_scheduler()?;
    let bare = run_bare_loop()?;

    println!("100 kHz for {RUN:?}, spinning; all times are wall time in ns\n");
    println!("{:<28}{:>12}{:>12}", "", "scheduler", "bare loop");
    for (row, (name, figure)) in scheduler.rows().into_iter().enumerate() {
        println!("{name:<28}{figure:>12}{:>12}", bare.rows()[row].1);
    }
    println!("\nThe controller brought its plant to {level:.6} of 1.");
    Ok(())
}

/// How well a loop has kept its period.
struct Kept {
    jobs: u64,
    missed: u64,
    p50_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
    jitter_ns: u64,
}

impl Kept {
    fn rows(&self) -> [(&'static str, u64); 7] {
        [
            ("jobs", self.jobs),
            ("periods missed", self.missed),
            ("start after release, p50", self.p50_ns),
            ("p99", self.p99_ns),
            ("p99.9", self.p999_ns),
            ("max", self.max_ns),
            ("jitter (mean change)", self.jitter_ns),
        ]
    }
}

/// A proportional-integral controller and the plant it controls, which follows with a lag of 1 ms.
#[derive(Clone, Copy, Default)]
struct Loop {
    level: f64,
    integral: f64,
}

impl Loop {
    fn step(mut self, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        let error = 1.0 - self.level;
        self.integral += error * seconds;
        let drive = 2.0 * error + 500.0 * self.integral;
        self.level += (drive - self.level) * (seconds / 1e-3).min(1.0);
        self
    }
}

/// Runs the controller as a periodic task that skips missed periods.
fn run_scheduler() -> Result<(Kept, f64), Box<dyn Error>> {
    let mut scheduler = Scheduler::new(Config {
        wait: Wait::Spin,
        missed_tick: MissedTick::Skip,
        metrics: MetricsLevel::Histograms,
        ..Config::default()
    });
    let first = scheduler.now() + Duration::from_millis(1);
    let plant = Rc::new(Cell::new(Loop::default()));
    let mut latest = first - PERIOD;
    let control = {
        let plant = Rc::clone(&plant);
        move |cx: &mut Context<'_>| {
            let elapsed = cx.release().duration_since(latest);
            assert!(elapsed >= PERIOD && elapsed.as_nanos() % PERIOD.as_nanos() == 0);
            assert!(cx.now() >= cx.release(), "a job before its release");
            latest = cx.release();
            plant.set(plant.get().step(elapsed));
        }
    };
    scheduler.schedule(Task::periodic(control, PERIOD).at(first))?;
    scheduler.run_until(first + RUN);

    let metrics = scheduler.metrics();
    let latency = scheduler.latency_stats().ok_or("histograms are on")?;
    let kept = Kept {
        jobs: metrics.executed,
        missed: metrics.missed_ticks,
        p50_ns: latency.p50_ns,
        p99_ns: latency.p99_ns,
        p999_ns: latency.p999_ns,
        max_ns: latency.max_ns,
        jitter_ns: latency.jitter_ns.unwrap_or(0),
    };
    let next = scheduler.next_release().ok_or("the task goes on")?;
    assert_eq!(next, nth_release(first, kept.jobs + kept.missed), "each period ran or was missed");
    Ok((kept, plant.get().level))
}

fn nth_release(first: TimePoint, n: u64) -> TimePoint {
    first + Duration::from_nanos(PERIOD.as_nanos() as u64 * n)
}

/// The least that one can do: spin until it is time, and note how late it is.
fn run_bare_loop() -> Result<Kept, Box<dyn Error>> {
    let clock = DefaultClock::new();
    let mut lateness = Histogram::<u64>::new(2)?;
    let first = clock.now() + Duration::from_millis(1);
    let (mut jobs, mut missed) = (0, 0);
    let (mut latest, mut changes_ns) = (None, 0);
    loop {
        let release = nth_release(first, jobs + missed);
        if release > first + RUN {
            break;
        }
        let late_ns = loop {
            let now = clock.now();
            if now >= release {
                break now.duration_since(release).as_nanos() as u64;
            }
            std::hint::spin_loop();
        };
        lateness.record(late_ns)?;
        changes_ns += latest.replace(late_ns).map_or(0, |latest: u64| latest.abs_diff(late_ns));
        jobs += 1;
        missed += late_ns / PERIOD.as_nanos() as u64;
    }
    Ok(Kept {
        jobs,
        missed,
        p50_ns: lateness.value_at_quantile(0.50),
        p99_ns: lateness.value_at_quantile(0.99),
        p999_ns: lateness.value_at_quantile(0.999),
        max_ns: lateness.max(),
        jitter_ns: changes_ns / (jobs - 1),
    })
}

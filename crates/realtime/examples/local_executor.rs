//! A sensor, a filter and a supervisor as `async` tasks on one scheduler: a second of it simulated,
//! twice, and a tenth of a second for real.
//!
//! ```text
//! cargo run --release -p nanosecond-realtime --example local_executor
//! ```
//!
//! The simulation shall repeat byte for byte. The real run's times are printed, not checked: they are
//! the machine's.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use nanosecond_realtime::{
    DeadlineError, LatencyStreamExt, LocalExecutor, LocalHandle, SpawnOptions,
};
use nanosecond_scheduler::{Clock, Config, DefaultClock, ManualClock, Priority, Scheduler};
use smol::channel::{bounded, Receiver, Sender};

const PERIOD: Duration = Duration::from_micros(100);
const DEADLINE: Duration = Duration::from_micros(50);

fn main() -> Result<(), Box<dyn Error>> {
    let second = Duration::from_secs(1);
    let first = run(ManualClock::new(), second)?;
    let again = run(ManualClock::new(), second)?;
    assert!(first.trace == again.trace, "the simulation did not repeat");
    println!("simulated for {second:?}, twice the same: {}", first.summary());

    let tenth = Duration::from_millis(100);
    println!("ran for {tenth:?} of real time: {}", run(DefaultClock::new(), tenth)?.summary());
    Ok(())
}

/// What a run has shown.
struct Outcome {
    trace: String,
    samples: usize,
    /// The longest from a sample's instant to when it was taken.
    worst: Duration,
    /// Turns of the sensor that ended later than [`DEADLINE`] after their instants.
    late: u64,
    /// Samples that took longer than that to be smoothed.
    slow: u64,
}

impl Outcome {
    fn summary(&self) -> String {
        let Outcome { samples, worst, late, slow, .. } = self;
        format!(
            "{samples} samples, the latest taken {worst:?} after its instant; {late} turns of the \
             sensor were later than {DEADLINE:?}, and {slow} samples took longer to smooth"
        )
    }
}

fn run<C: Clock + Clone + 'static>(clock: C, time: Duration) -> Result<Outcome, Box<dyn Error>> {
    let scheduler = Scheduler::with_clock(Config::default(), clock.clone())?;
    let mut executor = LocalExecutor::with_scheduler(scheduler);
    let handle = executor.handle();
    let (to_filter, samples) = bounded(16);
    let worst = Rc::new(Cell::new(Duration::ZERO));
    let trace = Rc::new(RefCell::new(String::new()));

    let urgent = SpawnOptions::default().with_priority(Priority::High).with_deadline(DEADLINE);
    let sensor = executor.spawn_with(
        urgent.with_name("sensor"),
        sense(handle.clone(), Rc::clone(&worst), to_filter),
    );
    let filter = executor.spawn(filter(samples, clock, Rc::clone(&trace)));
    let slow = executor.block_on(async {
        handle.sleep(time).await;
        drop(sensor); // Cancelled in its sleep; the filter's stream ends with it.
        filter.await
    })?;
    let (trace, late) = (trace.take(), executor.scheduler().metrics().missed_deadlines);
    Ok(Outcome { samples: trace.lines().count(), trace, worst: worst.get(), late, slow })
}

/// Samples a signal every [`PERIOD`], without drift.
async fn sense(handle: LocalHandle, worst: Rc<Cell<Duration>>, to_filter: Sender<f64>) {
    let start = handle.now();
    for n in 1u32.. {
        let instant = start + PERIOD * n;
        handle.sleep_until(instant).await;
        worst.set(worst.get().max(handle.now().duration_since(instant)));
        let signal = f64::from(n % 100) / 100.0;
        if to_filter.send(signal).await.is_err() {
            return;
        }
    }
}

/// Smooths the samples in their order, and tells how many took longer than [`DEADLINE`].
async fn filter<C: Clock + Clone>(
    samples: Receiver<f64>,
    clock: C,
    trace: Rc<RefCell<String>>,
) -> u64 {
    let mut level = 0.0;
    let work = samples.map(|sample| async move { sample });
    let mut results = pin!(work.with_latency_guarantee_on(clock, DEADLINE));
    while let Some(result) = results.next().await {
        let (Ok(sample) | Err(DeadlineError::Missed { value: Some(sample), .. })) = result else {
            continue;
        };
        level += (sample - level) / 8.0;
        trace.borrow_mut().push_str(&format!("{level:.6}\n"));
    }
    results.misses()
}

//! A tick that finds nothing due, against what it must at least do: read the clock.

use std::hint::black_box;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Clock, Config, DefaultClock, Scheduler, Task, TscClock};

use crate::harness::{interleave, Contender, Plan, Table};

const HOUR: Duration = Duration::from_secs(3600);

pub fn run(plan: Plan, table: &mut Table) {
    idle_ticks(plan, table, "idle tick, nothing pending", false);
    idle_ticks(plan, table, "idle tick, one far task", true);
}

fn idle_ticks(plan: Plan, table: &mut Table, work: &str, pending: bool) {
    let count = plan.size(1_000_000, 10_000);
    let mut ours = Scheduler::new(Config::default());
    let past = old::Scheduler::new(old::Config::default());
    if pending {
        ours.schedule(Task::new(|| unreachable!("an hour has not passed"), HOUR)).unwrap();
        past.schedule(old::Task::new(|| unreachable!("an hour has not passed"), HOUR));
    }
    let (default_clock, tsc_clock) = (DefaultClock::new(), TscClock::new().ok());
    let mut contenders = vec![
        Contender::new("ours", || {
            let sample = time(count, || {
                black_box(ours.tick());
            });
            assert_eq!(ours.len(), usize::from(pending));
            sample
        }),
        Contender::new("DefaultClock::now", || {
            time(count, || {
                black_box(default_clock.now());
            })
        }),
        Contender::new("0.1.1", || time(count, || past.tick())),
    ];
    if let Some(clock) = tsc_clock {
        contenders.push(Contender::new("TscClock::now", move || {
            time(count, || {
                black_box(clock.now());
            })
        }));
    }
    let series = interleave(plan.repeats(), contenders);
    assert_eq!(past.metrics().total_tasks, 0);
    assert_eq!(past.metrics().total_ticks, (count * (plan.repeats() + 1)) as u64);
    for (peer, target) in series[1..].iter().zip([1.3, 0.3, 1.3]) {
        table.versus(work, &series[0], peer, Some(target));
    }
}

/// ns per call.
fn time(count: usize, mut operation: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        operation();
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

//! Hazard: everything at once, from several threads, on workers that get stuck: a lock taken in the
//! wrong order, a task lost, or one that is told two ends.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{block_on, until, with_config};
use nanosecond_realtime::{
    DeadlineError, Error, Job, NanosecondScheduler, SchedulerConfig, Shutdown, TaskHandle,
};
use nanosecond_scheduler::{Admission, Policy, SendTask};

/// A multiplicative congruential generator (L'Ecuyer 1999), for choices that repeat.
struct Lots(u64);

impl Lots {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[derive(Default)]
struct Ends {
    accepted: AtomicU64,
    done: AtomicU64,
    cancelled: AtomicU64,
    refused: AtomicU64,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Ends {
    fn count<T: std::fmt::Debug>(&self, handle: TaskHandle<T>) {
        add(match block_on(handle) {
            Ok(_) | Err(DeadlineError::Missed { value: Some(_), .. }) => &self.done,
            Err(DeadlineError::Cancelled | DeadlineError::Missed { value: None, .. }) => {
                &self.cancelled
            }
            other => panic!("{other:?}"),
        });
    }
}

/// Schedules, cancels, triggers and inspects, as chance has it.
fn rage(runtime: &NanosecondScheduler, seed: u64, steps: u64, ends: &Ends) {
    let mut lots = Lots(seed);
    let mut once = Vec::new();
    let mut repeating: Vec<TaskHandle<()>> = Vec::new();
    for step in 0..steps {
        let busy = Duration::from_micros(if lots.below(16) == 0 { 300 } else { lots.below(5) });
        let delay = Duration::from_micros(lots.below(200));
        let period = Duration::from_micros(200 + lots.below(2_000));
        let wcet = Duration::from_micros(1 + lots.below(100));
        match lots.below(10) {
            0..=5 => {
                let job = Job::new(move || spin(busy)).with_delay(delay).with_wcet(wcet);
                let job = match lots.below(3) {
                    0 => job.with_deadline(period),
                    1 => job.with_firm_deadline(period),
                    _ => job,
                };
                match runtime.schedule(job) {
                    Ok(handle) => once.push(handle),
                    Err(refused) => {
                        assert!(matches!(
                            refused.reason(),
                            Error::Rejected(_) | Error::Full { .. }
                        ));
                        add(&ends.refused);
                    }
                }
            }
            6 => {
                let body = move |_: &mut nanosecond_scheduler::Context<'_>| spin(busy);
                let task = match lots.below(2) {
                    0 => SendTask::periodic(body, period).with_delay(delay),
                    _ => SendTask::sporadic(body, period),
                };
                repeating.extend(runtime.schedule(task.with_wcet(wcet)));
            }
            7 if !once.is_empty() => {
                let handle: TaskHandle<()> =
                    once.swap_remove(lots.below(once.len() as u64) as usize);
                handle.abort();
                add(&ends.accepted);
                ends.count(handle);
            }
            8 if !repeating.is_empty() => {
                let at = lots.below(repeating.len() as u64) as usize;
                // It may have been told to end.
                let _ = repeating[at].trigger();
                if repeating.len() > 3 {
                    let handle = repeating.swap_remove(at);
                    handle.abort();
                    add(&ends.accepted);
                    ends.count(handle);
                }
            }
            _ => {
                let worker = step as usize % runtime.num_workers();
                let look = runtime.inspect(worker, |scheduler| scheduler.len());
                if let Err(error) = look {
                    assert_eq!(error, Error::Full { capacity: 64 });
                }
            }
        }
    }
    repeating.iter().for_each(TaskHandle::abort);
    for handle in once.into_iter().chain(repeating) {
        add(&ends.accepted);
        ends.count(handle);
    }
}

#[test]
fn every_task_is_told_one_end() {
    let steps = std::env::var("STORM_STEPS").map_or(150, |steps| steps.parse().unwrap());
    for (admission, policy) in [
        (Admission::Off, Policy::Priority),
        (Admission::Utilization, Policy::RateMonotonic),
        (Admission::Exact, Policy::EarliestDeadlineFirst),
    ] {
        let runtime = with_config(SchedulerConfig {
            num_workers: 3,
            latency_budget_ns: 20_000,
            capacity: 64,
            admission,
            policy,
            ..SchedulerConfig::default()
        });
        let ends = Ends::default();
        std::thread::scope(|scope| {
            for seed in 1..=3 {
                let (runtime, ends) = (&runtime, &ends);
                scope.spawn(move || rage(runtime, seed, steps, ends));
            }
            // Whoever waits meanwhile comes back.
            runtime.run_until_idle_with_guarantee().unwrap();
        });
        let [accepted, done, cancelled] =
            [&ends.accepted, &ends.done, &ends.cancelled].map(|n| n.load(Ordering::Relaxed));
        assert_eq!(accepted, done + cancelled, "{admission:?}");
        assert!(done > 0);
        runtime.run_until_idle_with_guarantee().unwrap();
        until(|| runtime.worker_stats().iter().all(|worker| worker.pending == 0));
        assert!(runtime.worker_stats().iter().all(|worker| worker.placed_utilization == 0.0));
        for worker in 0..3 {
            let tokens = runtime.inspect(worker, |scheduler| scheduler.len()).unwrap();
            assert_eq!(block_on(tokens), Ok(0), "{admission:?}");
        }
        runtime.shutdown(Shutdown::Drain).unwrap();
    }
}

//! How long is a tick whose due tasks run on rayon's pool, beside one that runs them itself?

use criterion::Criterion;

#[cfg(not(feature = "parallel"))]
pub(crate) fn group(_: &mut Criterion) {
    eprintln!("parallel_execution: needs `cargo bench --bench scheduler --features parallel`");
}

#[cfg(feature = "parallel")]
pub(crate) fn group(criterion: &mut Criterion) {
    with_rayon::group(criterion);
}

#[cfg(feature = "parallel")]
mod with_rayon {
    use std::hint::black_box;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use criterion::{Bencher, BenchmarkId, Criterion};
    use nanosecond_scheduler::{Config, ManualClock, Scheduler, SendTask};

    use crate::rng::Rng;
    use crate::{expect_elements, timed};

    pub(crate) fn group(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("parallel_execution");
        // One step takes about a nanosecond: 10 µs, 1 µs and 0.1 µs of work per task.
        for (name, tasks, steps) in [
            ("1k_of_10000_steps", 1_000, 10_000),
            ("100k_of_1000_steps", 100_000, 1_000),
            ("1M_of_100_steps", 1_000_000, 100),
        ] {
            expect_elements(&mut group, tasks as u64);
            for (mode, parallel) in [("sequential", false), ("parallel", true)] {
                let id = BenchmarkId::new(mode, name);
                group.bench_function(id, |bencher| tick(bencher, tasks, steps, parallel));
            }
        }
    }

    /// Times ticks that run `tasks` tasks; scheduling them is not timed.
    fn tick(bencher: &mut Bencher<'_>, tasks: usize, steps: u32, parallel: bool) {
        let config = Config { parallel, max_tasks_per_tick: tasks, ..Config::default() };
        let mut scheduler =
            Scheduler::with_clock(config, ManualClock::new()).expect("a valid config");
        let results: &'static [AtomicU64] =
            (0..tasks).map(|_| AtomicU64::new(0)).collect::<Vec<_>>().leak();
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                for (seed, result) in results.iter().enumerate() {
                    let job = move || {
                        let before = result.swap(work(seed, steps), Ordering::Relaxed);
                        assert_eq!(before, 0, "task {seed} ran twice");
                    };
                    scheduler.schedule(SendTask::new(job, Duration::ZERO)).expect("room for it");
                }
                let mut executed = 0;
                spent += timed(|| executed = black_box(scheduler.tick()).executed);
                assert_eq!(executed, tasks);
                assert!(scheduler.is_empty());
                for (seed, result) in results.iter().enumerate() {
                    assert_eq!(result.swap(0, Ordering::Relaxed), work(seed, steps));
                }
            }
            spent
        });
    }

    /// Some arithmetic; never 0.
    fn work(seed: usize, steps: u32) -> u64 {
        let mut rng = Rng(seed as u64);
        (0..steps).fold(1, |digest, _| digest ^ rng.next()) | 1
    }
}

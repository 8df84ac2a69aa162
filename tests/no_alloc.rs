//! Hazard: memory. Nothing is allocated in steady state, little per task, and all of it returned.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{manual, ns, scatter};
use nanosecond_scheduler::{
    Admission, Config, Context, ManualClock, MetricsLevel, Policy, Scheduler, Task, TaskId,
};

/// The system's allocator, which counts for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

fn count(allocations: usize, bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: everything is done by the system's allocator; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller's promises are the system allocator's demands.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        // SAFETY: as above; every pointer handed out is the system allocator's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// `round` must not allocate any more once it was called often enough. It does the same each time,
/// and takes a power of two in ns, so that also the queue's slots are in the same place each time:
/// other loads may reach a new high in memory at any time.
fn assert_steady(mut round: impl FnMut()) {
    (0..50).for_each(|_| round());
    let made = allocations(|| (0..50).for_each(|_| round()));
    assert_eq!(made, 0, "allocations in 50 rounds");
}

fn roomy(metrics: MetricsLevel) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { max_tasks_per_tick: 10_000, metrics, ..Config::default() })
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(5)))), 1);
}

#[test]
fn one_shots_of_every_distance_allocate_nothing_in_steady_state() {
    let (mut scheduler, clock) = roomy(MetricsLevel::Counters);
    assert_steady(|| {
        for n in 0..2_000 {
            let captured = [n; 6]; // 48 bytes
            let body = move || assert_eq!(captured[0], captured[5]);
            let delay = scatter(n, 1 << (n % 45));
            scheduler.schedule(Task::new(body, ns(delay))).unwrap();
        }
        clock.advance(ns(1 << 45));
        assert_eq!(scheduler.tick().executed, 2_000);
    });
}

#[test]
fn scheduling_and_cancelling_allocates_nothing_in_steady_state() {
    let (mut scheduler, clock) = roomy(MetricsLevel::Counters);
    let mut ids: Vec<TaskId> = Vec::with_capacity(2_000);
    assert_steady(|| {
        for n in 0..2_000 {
            let delay = ns(scatter(n, 1 << (n % 45)));
            ids.push(scheduler.schedule(Task::new(|| (), delay)).unwrap());
        }
        for n in (0..2_000).step_by(3) {
            ids.swap(n, scatter(n as u64, 2_000) as usize);
        }
        ids.drain(..).for_each(|id| scheduler.cancel(id).unwrap());
        clock.advance(ns(1 << 16));
        assert_eq!(scheduler.tick().executed, 0);
    });
}

#[test]
fn admission_allocates_nothing_in_steady_state() {
    for policy in [Policy::Priority, Policy::EarliestDeadlineFirst] {
        let config = Config { admission: Admission::Exact, policy, ..Config::default() };
        let (mut scheduler, clock) = manual(config);
        assert_steady(|| {
            for n in 1..100 {
                let task = Task::new(|| (), ns(n)).with_wcet(ns(2)).with_deadline(ns(400));
                scheduler.schedule(task).unwrap();
            }
            clock.advance(ns(100));
            assert_eq!(scheduler.tick().executed, 99);
        });
    }
}

/// Only `after` does: its list, and an edge for each predecessor.
#[cfg(feature = "std")]
#[test]
fn deadlines_execution_times_and_their_records_allocate_nothing_in_steady_state() {
    use nanosecond_scheduler::{MonitorConfig, QuantileEstimator};
    for policy in [Policy::Priority, Policy::EarliestDeadlineFirst, Policy::LeastLaxity] {
        let monitor = MonitorConfig { dispatch_latency_alert_ns: Some(1), ..Default::default() };
        let (mut scheduler, clock) = manual(Config {
            policy,
            max_tasks_per_tick: 10_000,
            metrics: MetricsLevel::Histograms,
            monitor: Some(monitor),
            trace_capacity: 1_000,
            ..Config::default()
        });
        scheduler.estimate_wcet(|_| Box::new(QuantileEstimator::new(0.99, 0.2)));
        scheduler.on_deadline_miss(|miss| assert!(miss.actual() > miss.expected()));
        scheduler.on_alert(|alert| assert!(alert.value > alert.threshold));
        assert_steady(|| {
            for n in 0..1_000 {
                let task = Task::new(|| (), ns(scatter(n, 1 << 14)));
                let deadline = ns(scatter(n, 1 << 17));
                let task = match n % 5 {
                    0 => task.with_deadline(deadline).with_name("soft"),
                    1 => task.with_firm_deadline(deadline).with_wcet(ns(n)),
                    2 => task.with_hard_deadline(deadline).with_name("hard"),
                    3 => task.with_wcet(ns(n)),
                    _ => task,
                };
                let id = scheduler.schedule(task).unwrap();
                if n % 9 == 0 {
                    scheduler.rename(id, "renamed").unwrap();
                    scheduler.cancel(id).unwrap();
                }
            }
            clock.advance(ns(1 << 16));
            let report = scheduler.tick();
            assert!(report.skipped > 0 && report.missed_deadlines > report.skipped);
        });
    }
}

/// The classic load: many timeouts, each put off again and again, few of which expire.
#[test]
fn timeouts_that_are_put_off_allocate_nothing_in_steady_state() {
    let (mut scheduler, clock) = roomy(MetricsLevel::Counters);
    let mut timeouts: Vec<Option<TaskId>> = vec![None; 3_000];
    assert_steady(|| {
        for n in 0..4_096 {
            let at = scatter(n, 3_000) as usize;
            if let Some(id) = timeouts[at].take() {
                let _ = scheduler.cancel(id); // Unless it has expired.
            }
            let delay = ns(90_000 + scatter(n, 60_000));
            timeouts[at] = Some(scheduler.schedule(Task::new(|| (), delay)).unwrap());
            clock.advance(ns(32));
            if n % 10 == 0 {
                scheduler.tick();
            }
        }
    });
    let metrics = scheduler.metrics();
    assert!(metrics.executed > 0 && metrics.cancelled > metrics.executed, "{metrics}");
}

#[test]
fn repeating_tasks_and_their_children_allocate_nothing_in_steady_state() {
    for level in [MetricsLevel::Off, MetricsLevel::Counters, MetricsLevel::Histograms] {
        if level == MetricsLevel::Histograms && cfg!(not(feature = "std")) {
            continue;
        }
        let (mut scheduler, clock) = roomy(level);
        let mut sporadic = Vec::new();
        for n in 0..50 {
            let body = move |cx: &mut Context<'_>| {
                cx.schedule(Task::new(|| (), ns(n * n))).unwrap();
                let child = Task::new(|| (), ns(n)).with_name("child").with_deadline(ns(9_000));
                cx.schedule(child).unwrap();
            };
            scheduler.schedule(Task::periodic(body, ns(128)).with_delay(ns(n))).unwrap();
            sporadic.push(scheduler.schedule(Task::sporadic(|_| (), ns(n))).unwrap());
        }
        assert_steady(|| {
            for _ in 0..16 {
                clock.advance(ns(128));
                for &id in &sporadic {
                    scheduler.trigger(id).unwrap();
                }
                assert!(scheduler.tick().executed > 50);
            }
        });
    }
}

#[test]
fn a_run_of_the_simulation_allocates_nothing_in_steady_state() {
    let (mut scheduler, _clock) = roomy(MetricsLevel::Counters);
    for n in 0..20 {
        let task = Task::periodic(|_| (), ns(1 << (n / 2 + 5))).with_delay(ns(n));
        scheduler.schedule(task).unwrap();
    }
    assert_steady(|| scheduler.run_for(ns(1 << 17)));
}

#[cfg(feature = "std")]
#[test]
fn remotes_allocate_nothing_in_steady_state() {
    use nanosecond_scheduler::SendTask;

    let (mut scheduler, clock) = roomy(MetricsLevel::Counters);
    let remote = scheduler.remote();
    assert_steady(|| {
        for n in 0..300u64 {
            let captured = [n; 5];
            let task = SendTask::new(move || assert_eq!(captured, [n; 5]), ns(n * 10));
            let id = remote.schedule(task).unwrap();
            if n % 3 == 0 {
                remote.cancel(id).unwrap();
            }
        }
        scheduler.tick();
        clock.advance(ns(1 << 12));
        scheduler.tick();
        assert!(scheduler.is_empty());
    });
}

#[test]
fn growing_to_100_000_tasks_takes_few_allocations_and_112_bytes_each() {
    const TASKS: u64 = 100_000;
    for spread in [1, 50_000, 1 << 30, 1 << 45] {
        let (mut scheduler, _clock) = roomy(MetricsLevel::Counters);
        let before = BYTES.get();
        let made = allocations(|| {
            for n in 0..TASKS {
                let captured = [n; 4]; // 32 bytes
                let body = move || assert_eq!(captured[0], n);
                let delay = ns(1_000_000 + scatter(n, spread));
                scheduler.schedule(Task::new(body, delay)).unwrap();
            }
        });
        let bytes = (BYTES.get() - before) as usize;
        assert!(made as u64 <= TASKS / 100, "{made} allocations, spread {spread}");
        assert!(bytes as u64 <= TASKS * 112, "{bytes} bytes, spread {spread}");
        let told = scheduler.metrics().memory_bytes;
        assert!(told.abs_diff(bytes) * 50 <= bytes, "{told} told, {bytes} taken");
    }
}

#[test]
fn a_dropped_scheduler_returns_all_its_memory() {
    let before = BYTES.get();
    {
        let (mut scheduler, clock) = roomy(MetricsLevel::Counters);
        for n in 0..5_000 {
            let large = [n; 20];
            let body = move |_: &mut Context<'_>| assert_eq!(large[7], n);
            let task = Task::with_context(body, ns(scatter(n, 1 << 40))).with_name("large");
            let id = scheduler.schedule(task).unwrap();
            if n % 5 == 0 {
                scheduler.cancel(id).unwrap();
            }
        }
        clock.advance(ns(1 << 39));
        scheduler.tick();
        #[cfg(feature = "std")]
        drop(scheduler.remote());
    }
    assert_eq!(BYTES.get(), before);
}

/// Windows that overlap, close and are carried over, and the strange loop.
#[test]
fn windows_and_the_strange_loop_allocate_nothing_in_steady_state() {
    use nanosecond_scheduler::WindowSpec;

    let windows = Some(WindowSpec { length: 100, hop: 7, offset: 3 });
    let config = Config { windows, window_size: 32, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    let mut told = 0;
    scheduler.on_window(move |summary| {
        told += summary.values.count;
        told as f64
    });
    let body = |cx: &mut Context<'_>| cx.record(cx.now().as_nanos() as f64);
    scheduler.schedule(Task::periodic(body, ns(4))).unwrap();
    assert_steady(|| {
        for _ in 0..256 {
            clock.advance(ns(8));
            scheduler.tick();
        }
        let past = scheduler.now().as_nanos() - 50;
        scheduler.record(nanosecond_scheduler::TimePoint::from_nanos(past), 1.0).unwrap();
    });
    assert_eq!(scheduler.windows().count(), 32);
}

//! Figures: what is counted and timed at each level, and how it is printed.
#![cfg(feature = "std")]

mod common;

use common::{at, manual, ns, CountingClock};
use nanosecond_scheduler::{Config, Context, ManualClock, Metrics, MetricsLevel, Scheduler, Task};

fn at_level(metrics: MetricsLevel) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { metrics, ..Config::default() })
}

/// A body that takes `time`.
fn takes(clock: &ManualClock, time: u64) -> impl FnOnce() + 'static {
    let clock = clock.clone();
    move || clock.advance(ns(time))
}

/// Three busy ticks of 100, 40 and 4 µs, two idle ones, and one of each other event.
fn eventful(level: MetricsLevel) -> Metrics {
    let (mut scheduler, clock) = at_level(level);
    scheduler.on_panic(drop);
    let remote = scheduler.remote();
    scheduler.tick();
    for time in [60_000, 40_000] {
        scheduler.schedule(Task::new(takes(&clock, time), ns(0))).unwrap();
    }
    scheduler.tick();
    scheduler.tick();
    let task = Task::new(takes(&clock, 40_000), ns(0)).with_deadline(ns(39_999));
    scheduler.schedule(task).unwrap();
    scheduler.schedule(Task::new(|| std::panic::resume_unwind(Box::new("boom")), ns(0))).unwrap();
    scheduler.tick();
    let periodic = scheduler.schedule(Task::periodic(|_| (), ns(100))).unwrap();
    let clock2 = clock.clone();
    let last = move |_: &mut Context<'_>| clock2.advance(ns(4_000));
    scheduler.schedule(Task::with_context(last, ns(350))).unwrap();
    clock.advance(ns(350));
    scheduler.tick();
    scheduler.cancel(periodic).unwrap();
    assert_eq!(scheduler.next_release(), None);
    scheduler.schedule(Task::sporadic(|_| (), ns(1))).unwrap();
    remote.schedule(nanosecond_scheduler::SendTask::new(|| (), std::time::Duration::MAX)).unwrap();
    scheduler.schedule(Task::new(|| (), ns(650_000))).unwrap();
    scheduler.tick();
    clock.set(at(500_000));
    scheduler.metrics()
}

#[test]
fn counters_are_exact() {
    let metrics = eventful(MetricsLevel::Counters);
    assert_eq!(metrics.level, MetricsLevel::Counters);
    assert_eq!(metrics.elapsed_ns, 500_000);
    assert_eq!((metrics.ticks, metrics.idle_ticks), (3, 3));
    assert_eq!(metrics.executed, 2 + 2 + 4, "the periodic task ran three times");
    assert_eq!((metrics.cancelled, metrics.panicked), (1, 1));
    assert_eq!((metrics.missed_deadlines, metrics.missed_ticks), (1, 2));
    assert_eq!(metrics.remote_refused, 1);
    assert_eq!(metrics.pending, 2);
    assert_eq!(metrics.tasks_per_second, 8.0 / 500e-6);
    assert_eq!(metrics.avg_tick_time_ns, 144_000 / 3);
    assert_eq!((metrics.min_tick_time_ns, metrics.max_tick_time_ns), (4_000, 100_000));
    assert!(metrics.memory_bytes > 0);
}

#[test]
fn percentiles_need_histograms() {
    let metrics = eventful(MetricsLevel::Counters);
    assert_eq!(metrics.p50_tick_time_ns, None);
    assert_eq!((metrics.p95_tick_time_ns, metrics.p99_tick_time_ns), (None, None));
    assert_eq!(metrics.latency, None);

    let close = |figure: Option<u64>, to: u64| {
        let figure = figure.expect("histograms are on");
        assert!(figure.abs_diff(to) * 100 <= to, "{figure} is not within 1 % of {to}");
    };
    let metrics = eventful(MetricsLevel::Histograms);
    close(metrics.p50_tick_time_ns, 40_000);
    close(metrics.p95_tick_time_ns, 100_000);
    close(metrics.p99_tick_time_ns, 100_000);
    assert_eq!(metrics.max_tick_time_ns, 100_000);
    assert_eq!(metrics.latency.map(|latency| latency.count), Some(8));
}

#[test]
fn off_counts_nothing_but_what_is_free() {
    let metrics = eventful(MetricsLevel::Off);
    let counted = [
        metrics.ticks,
        metrics.idle_ticks,
        metrics.executed,
        metrics.cancelled,
        metrics.panicked,
        metrics.missed_deadlines,
        metrics.missed_ticks,
        metrics.remote_refused,
        metrics.avg_tick_time_ns,
        metrics.min_tick_time_ns,
        metrics.max_tick_time_ns,
    ];
    assert_eq!(counted, [0; 11]);
    assert_eq!(
        (metrics.tasks_per_second, metrics.p50_tick_time_ns, metrics.latency),
        (0.0, None, None)
    );
    assert_eq!((metrics.pending, metrics.elapsed_ns), (2, 500_000));
    assert!(metrics.memory_bytes > 0);
}

#[test]
fn a_new_scheduler_has_nothing_to_tell() {
    for level in [MetricsLevel::Counters, MetricsLevel::Histograms] {
        let (scheduler, _clock) = at_level(level);
        let metrics = scheduler.metrics();
        assert_eq!((metrics.ticks, metrics.idle_ticks, metrics.executed), (0, 0, 0));
        assert_eq!((metrics.min_tick_time_ns, metrics.max_tick_time_ns), (0, 0));
        assert_eq!((metrics.avg_tick_time_ns, metrics.tasks_per_second), (0, 0.0));
        assert_eq!(metrics.p50_tick_time_ns, None, "there was no tick to time");
        assert_eq!(metrics.memory_bytes, 0);
    }
}

/// A tick that only finds that the earliest task was cancelled has found nothing due.
#[test]
fn a_tick_after_a_cancel_is_idle() {
    let (mut scheduler, _clock) = at_level(MetricsLevel::Counters);
    let id = scheduler.schedule(Task::new(|| (), ns(50))).unwrap();
    scheduler.cancel(id).unwrap();
    assert_eq!(scheduler.tick().executed, 0);
    let metrics = scheduler.metrics();
    assert_eq!((metrics.ticks, metrics.idle_ticks), (0, 1));
}

#[test]
fn a_tick_at_the_end_of_time_with_nothing_due_is_idle() {
    let (mut scheduler, clock) = at_level(MetricsLevel::Counters);
    clock.set(at(u64::MAX));
    scheduler.tick();
    let metrics = scheduler.metrics();
    assert_eq!((metrics.ticks, metrics.idle_ticks), (0, 1));
}

#[test]
fn idle_ticks_are_counted_not_timed() {
    let clock = CountingClock::default();
    let config = Config { metrics: MetricsLevel::Histograms, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
    clock.reads();
    for _ in 0..10 {
        assert_eq!(scheduler.tick().duration, ns(0));
    }
    assert_eq!(clock.reads(), 10);
    let metrics = scheduler.metrics();
    assert_eq!((metrics.idle_ticks, metrics.ticks), (10, 0));
    assert_eq!(metrics.p99_tick_time_ns, None);
}

/// A job's own start is read, so waiting behind siblings shows.
#[test]
fn latency_includes_the_wait_behind_siblings() {
    let (mut scheduler, clock) = at_level(MetricsLevel::Histograms);
    for _ in 0..4 {
        scheduler.schedule(Task::new(takes(&clock, 100), ns(10))).unwrap();
    }
    clock.set(at(15));
    scheduler.tick();
    let stats = scheduler.latency_stats().expect("histograms are on");
    // Latencies of 5, 105, 205 and 305.
    assert_eq!(stats.count, 4);
    assert_eq!(stats.p50_ns, 105);
    for high in [stats.p99_ns, stats.p999_ns, stats.max_ns] {
        assert!((303..=308).contains(&high), "{high}");
    }
    assert_eq!(stats.jitter_ns, None, "no task ran twice");
    assert_eq!(scheduler.metrics().latency, Some(stats));
}

#[test]
fn without_histograms_latency_is_not_measured() {
    for level in [MetricsLevel::Off, MetricsLevel::Counters] {
        let (mut scheduler, _clock) = at_level(level);
        scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
        scheduler.tick();
        assert_eq!(scheduler.latency_stats(), None);
    }
}

#[test]
fn jitter_is_the_mean_change_of_a_tasks_latency() {
    let (mut scheduler, clock) = at_level(MetricsLevel::Histograms);
    scheduler.schedule(Task::periodic(|_| (), ns(1_000))).unwrap();
    scheduler.schedule(Task::periodic(|_| (), ns(1_000)).with_delay(ns(1_500))).unwrap();
    // Latencies 10, 40, 20 of the first task, and 0, 7 of the second, between them.
    for now in [1_010, 1_500, 2_040, 2_507, 3_020] {
        clock.set(at(now));
        assert_eq!(scheduler.tick().executed, 1);
    }
    let stats = scheduler.latency_stats().expect("histograms are on");
    assert_eq!((stats.count, stats.max_ns), (5, 40));
    assert_eq!(stats.jitter_ns, Some((30 + 20 + 7) / 3));
}

#[test]
fn a_tasks_latency_does_not_stick_to_the_slots_next_task() {
    let (mut scheduler, clock) = at_level(MetricsLevel::Histograms);
    for round in 1..4 {
        let id = scheduler.schedule(Task::periodic(|_| (), ns(10))).unwrap();
        clock.advance(ns(10 + round));
        assert_eq!(scheduler.tick().executed, 1);
        scheduler.cancel(id).unwrap();
    }
    assert_eq!(scheduler.latency_stats().and_then(|stats| stats.jitter_ns), None);
}

#[test]
fn the_table_has_a_row_per_figure() {
    let metrics = eventful(MetricsLevel::Counters);
    let memory = metrics.memory_bytes;
    let expected = format!(
        "\
ticks                                 3
idle_ticks                            3
executed                              8
cancelled                             1
panicked                              1
missed_deadlines                      1
skipped                               0
overruns                              0
missed_ticks                          2
remote_refused                        1
pending                               2
memory_bytes           {memory:>16}
tasks_per_second                  16000
avg_tick_time_ns                  48000
min_tick_time_ns                   4000
max_tick_time_ns                 100000
"
    );
    assert_eq!(metrics.to_string(), expected);
}

#[test]
fn the_table_goes_on_with_percentiles_where_there_are_any() {
    let metrics = eventful(MetricsLevel::Histograms);
    let latency = metrics.latency.expect("histograms are on");
    let table = metrics.to_string();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    let names: Vec<&str> = rows[16..].iter().map(|row| row[row.len() - 2]).collect();
    let expected = [
        "p50_tick_time_ns",
        "p95_tick_time_ns",
        "p99_tick_time_ns",
        "count",
        "p50_ns",
        "p90_ns",
        "p99_ns",
        "p999_ns",
        "max_ns",
        "jitter_ns",
    ];
    assert_eq!(names, expected);
    assert_eq!(rows[23][2], latency.p999_ns.to_string());
    assert!(table.ends_with(&latency.to_string()));
    assert!(rows.iter().zip(table.lines()).all(|(_, line)| line.len() == 39), "{table}");
}

#[test]
fn prometheus_text_is_exact() {
    let metrics = eventful(MetricsLevel::Counters);
    let mut expected = String::new();
    let mut family = |name: &str, kind: &str, help: &str, value: &str| {
        expected += &format!("# HELP nanosecond_scheduler_{name} {help}.\n");
        expected += &format!("# TYPE nanosecond_scheduler_{name} {kind}\n");
        expected += &format!("nanosecond_scheduler_{name} {value}\n");
    };
    for (name, help, value) in [
        ("ticks", "Ticks that found something due", "3"),
        ("idle_ticks", "Ticks that found nothing due", "3"),
        ("executed", "Jobs started", "8"),
        ("cancelled", "Tasks cancelled", "1"),
        ("panicked", "Jobs that panicked", "1"),
        ("missed_deadlines", "Jobs that missed their deadline", "1"),
        ("skipped", "Jobs that were late and not run", "0"),
        ("overruns", "Jobs that ran longer than their declared WCET", "0"),
        ("missed_ticks", "Periods slept through", "2"),
        ("remote_refused", "Tasks of remotes that were refused", "1"),
    ] {
        family(&format!("{name}_total"), "counter", help, value);
    }
    let memory = metrics.memory_bytes.to_string();
    family("pending_tasks", "gauge", "Tasks pending", "2");
    family("memory_bytes", "gauge", "Memory of store and queue", &memory);
    family("tick_time_mean_seconds", "gauge", "Mean duration of a busy tick", "0.000048");
    family("tick_time_max_seconds", "gauge", "Longest busy tick", "0.0001");
    assert_eq!(metrics.to_prometheus(), expected);
}

#[test]
fn prometheus_text_has_latency_quantiles_where_there_are_any() {
    let (mut scheduler, clock) = at_level(MetricsLevel::Histograms);
    scheduler.schedule(Task::new(takes(&clock, 1), ns(0))).unwrap();
    clock.set(at(100));
    scheduler.tick();
    let text = scheduler.metrics().to_prometheus();
    let expected = "\
# HELP nanosecond_scheduler_dispatch_latency_seconds Start minus release.
# TYPE nanosecond_scheduler_dispatch_latency_seconds gauge
nanosecond_scheduler_dispatch_latency_seconds{quantile=\"0.5\"} 0.0000001
nanosecond_scheduler_dispatch_latency_seconds{quantile=\"0.9\"} 0.0000001
nanosecond_scheduler_dispatch_latency_seconds{quantile=\"0.99\"} 0.0000001
nanosecond_scheduler_dispatch_latency_seconds{quantile=\"0.999\"} 0.0000001
nanosecond_scheduler_dispatch_latency_seconds{quantile=\"1\"} 0.0000001
";
    assert!(text.ends_with(expected), "{text}");
}

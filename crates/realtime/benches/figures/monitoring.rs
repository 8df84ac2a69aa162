//! What it costs to watch: per task, per event, per sample.

use std::hint::black_box;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{
    Config, JobRecord, LatencyMonitor, MonitorConfig, Scheduler, Task, TaskId, TimePoint, Trace,
    TraceEvent, TraceKind, Wait,
};

use crate::book::Book;
use crate::harness::{interleave, Contender, Plan};
use crate::machine::thread_cpu_time;
use crate::overhead::all_monitoring;
use crate::table::{percent, time, Table};

/// Tasks per second.
const RATE: u64 = 10_000;

pub(crate) fn measure(plan: Plan, table: &mut Table) {
    paced(plan, table);
    per_task(plan, table);
    per_record(plan, table);
}

/// Processor time at a rate, with everything on and without.
struct Paced {
    /// Of a core.
    cpu_share: f64,
    rate: f64,
}

fn paced(plan: Plan, table: &mut Table) {
    // Many short slices: what they differ by is a hundredth of what a sleep costs, which varies.
    let jobs = plan.size(100, 50);
    let contenders = [Config::default(), all_monitoring()].map(|config| at_rate(config, jobs));
    let [off, on] = interleave(plan.size(800, 2), contenders);
    let share = |paced: &Paced| paced.cpu_share;
    let overhead = on.paired(&off, |on, off| on.cpu_share / off.cpu_share - 1.0);
    let rate = on.median(|slice| slice.rate);
    let value = format!("{}, at {rate:.0} tasks/s", percent(overhead));
    let beside = format!(
        "CPU of a core: {} without, {} with",
        percent(off.median(share)),
        percent(on.median(share))
    );
    let is_reached = overhead < 0.02 && rate > RATE as f64 * 0.99;
    table.judge("all monitoring at 10k tasks/s: CPU", value, beside, "< 2 % more", is_reached);
}

/// Runs `jobs` periodic jobs, asleep between them.
fn at_rate<'a>(config: Config, jobs: usize) -> Contender<'a, Paced> {
    let mut scheduler = Scheduler::new(Config { wait: Wait::Sleep, ..config });
    let book = Book::leaked();
    Box::new(move || {
        let mut left = jobs;
        let task = Task::periodic(
            move |cx| {
                book.sign_release(cx.release());
                left -= 1;
                if left == 0 {
                    cx.cancel(cx.id()).expect("it repeats");
                }
            },
            Duration::from_nanos(1_000_000_000 / RATE),
        );
        scheduler
            .schedule(task.with_name("paced").with_deadline(Duration::from_secs(1)))
            .expect("room");
        let (cpu, wall) = (thread_cpu_time(), Instant::now());
        scheduler.run();
        let (cpu, wall) = (thread_cpu_time().saturating_sub(cpu), wall.elapsed());
        assert_eq!(book.close(), jobs as u64, "every job ran, in order");
        Paced {
            cpu_share: cpu.as_secs_f64() / wall.as_secs_f64(),
            rate: jobs as f64 / wall.as_secs_f64(),
        }
    })
}

/// The same without waits, where the difference is exact: due tasks, back to back.
fn per_task(plan: Plan, table: &mut Table) {
    let count = plan.size(100, 2);
    let with = |config: Config| move || due_tasks(config.clone(), count);
    let trace = Config { trace_capacity: 1 << 16, ..Config::default() };
    let contenders: [Contender<'_, f64>; 3] = [
        Box::new(with(Config::default())),
        Box::new(with(trace)),
        Box::new(with(all_monitoring())),
    ];
    let [off, trace, on] = interleave(plan.size(31, 1), contenders);
    let more = on.paired(&off, |on, off| on - off);
    let share = more * RATE as f64 / 1e9;
    let value = format!("{} per task, {} of a core at 10k/s", time(more), percent(share));
    let beside = format!("a task without: {}", time(off.median(|ns| *ns)));
    table.judge("all monitoring: cost", value, beside, "< 2 % of a core", share < 0.02);
    let event = trace.paired(&off, |on, off| (on - off) / 3.0);
    let beside = "release, start, finish; two clock reads".to_string();
    table.tell("trace within the scheduler: per event", time(event), beside);
}

/// ns per task of 1,000 that are due at once and have names and deadlines.
fn due_tasks(config: Config, count: usize) -> f64 {
    const DUE: usize = 1_000;
    let mut scheduler = Scheduler::new(config);
    let book = Book::leaked();
    let start = Instant::now();
    for _ in 0..count {
        for _ in 0..DUE {
            let task =
                Task::with_context(move |cx| book.sign_release(cx.release()), Duration::ZERO);
            let task = task.with_name("due").with_deadline(Duration::from_secs(1));
            scheduler.schedule(task).expect("there is room");
        }
        scheduler.tick();
    }
    let ns = start.elapsed().as_nanos() as f64;
    assert_eq!(book.close(), (count * DUE) as u64, "every job ran, in order");
    ns / (count * DUE) as f64
}

fn per_record(plan: Plan, table: &mut Table) {
    let count = plan.size(1_000_000, 10_000);
    let contenders: [Contender<'_, f64>; 3] = [
        Box::new(|| trace_events(count)),
        Box::new(|| monitor_samples(count, &["only"])),
        Box::new(|| monitor_samples(count, &["a", "b", "c", "d", "e", "f", "g", "h"])),
    ];
    let [trace, monitor, monitor_8] = interleave(plan.size(21, 1), contenders);
    let ns = trace.median(|ns| *ns);
    table.judge("trace: per event", time(ns), String::new(), "≤ 10 ns", ns <= 10.0);
    let ns = monitor.median(|ns| *ns);
    let beside = format!("eight tasks in turn: {}", time(monitor_8.median(|ns| *ns)));
    table.tell("monitor: per sample", time(ns), beside);
}

fn trace_events(count: usize) -> f64 {
    let mut trace = Trace::new(1 << 16).expect("the capacity is valid");
    let (task, name) = (TaskId::from_bits(1), Some("traced"));
    let start = Instant::now();
    for n in 0..count as u64 {
        let at = TimePoint::from_nanos(n);
        trace.push(black_box(TraceEvent { at, task, name, kind: TraceKind::Start }));
    }
    let ns = start.elapsed().as_nanos() as f64 / count as f64;
    assert_eq!(trace.len() as u64 + trace.lost(), count as u64, "every event is accounted for");
    ns
}

/// ns per sample of jobs with deadlines, of tasks with these names in turn.
fn monitor_samples(count: usize, names: &[&'static str]) -> f64 {
    let at = TimePoint::from_nanos;
    let mut monitor = LatencyMonitor::new(MonitorConfig::default(), at(0)).expect("it is valid");
    let mut record = JobRecord {
        task: TaskId::from_bits(1),
        name: None,
        repeats: true,
        release: at(0),
        start: at(0),
        finish: at(0),
        deadline: None,
    };
    let start = Instant::now();
    for (n, name) in (0..count as u64).zip(names.iter().cycle()) {
        let release = n * 1_000;
        record.name = Some(name);
        record.release = at(release);
        record.start = at(release + n % 64);
        record.finish = at(release + n % 64 + 300);
        record.deadline = Some(at(release + 500));
        monitor.record(black_box(&record));
    }
    let ns = start.elapsed().as_nanos() as f64 / count as f64;
    let report = monitor.report();
    assert_eq!((report.total.jobs, report.tasks.len()), (count as u64, names.len()));
    ns
}

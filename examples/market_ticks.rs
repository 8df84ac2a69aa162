//! A trading engine under a burst: four classes of work, their order, and the deadlines they miss.
//!
//! ```text
//! cargo run --release --example market_ticks
//! ```
//!
//! For 10 of 100 milliseconds four times as much arrives, which is more than one core can do. Risk
//! checks and quotes still keep their deadlines; book updates and statistics wait.
//!
//! All times are virtual: each job moves a manual clock by what it is said to cost. So the figures
//! show what the order does, not what the machine does, and are the same on every run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Clock, Config, Context, ManualClock, Priority, Scheduler, Task, TimePoint,
};

const RUN: Duration = Duration::from_millis(100);
const BURST_START: TimePoint = TimePoint::from_nanos(40_000_000);
const BURST_END: TimePoint = TimePoint::from_nanos(50_000_000);

/// A class of work: one task comes every `gap`, or every `burst_gap` during the burst.
struct Class {
    name: &'static str,
    priority: Priority,
    gap: Duration,
    burst_gap: Duration,
    cost: Duration,
    deadline: Duration,
}

/// From most to least urgent.
const CLASSES: [Class; 4] = [
    Class {
        name: "risk check",
        priority: Priority::Critical,
        gap: Duration::from_micros(100),
        burst_gap: Duration::from_micros(25),
        cost: Duration::from_micros(3),
        deadline: Duration::from_micros(60),
    },
    Class {
        name: "quote",
        priority: Priority::High,
        gap: Duration::from_micros(50),
        burst_gap: Duration::from_nanos(12_500),
        cost: Duration::from_micros(5),
        deadline: Duration::from_micros(100),
    },
    Class {
        name: "book update",
        priority: Priority::Normal,
        gap: Duration::from_micros(10),
        burst_gap: Duration::from_nanos(2_500),
        cost: Duration::from_micros(2),
        deadline: Duration::from_millis(1),
    },
    Class {
        name: "statistics",
        priority: Priority::Low,
        gap: Duration::from_millis(1),
        burst_gap: Duration::from_millis(1),
        cost: Duration::from_micros(50),
        deadline: Duration::from_millis(5),
    },
];

impl Class {
    /// When its tasks arrive.
    fn arrivals(&self) -> Vec<TimePoint> {
        let mut arrivals = Vec::new();
        let mut at = TimePoint::ZERO;
        while at < TimePoint::ZERO + RUN {
            arrivals.push(at);
            at += if (BURST_START..BURST_END).contains(&at) { self.burst_gap } else { self.gap };
        }
        arrivals
    }
}

/// What has become of a class.
struct Record {
    arrivals: Vec<TimePoint>,
    started: usize,
    finished_late: u64,
    worst: Duration,
}

struct Engine {
    clock: ManualClock,
    records: [Record; 4],
}

impl Engine {
    /// Runs one task of a class. Checks that it is the earliest of its class, and that nothing more
    /// urgent was waiting.
    fn work(&mut self, class: usize, cx: &mut Context<'_>) {
        let next = |record: &Record| record.arrivals.get(record.started).copied();
        assert_eq!(next(&self.records[class]), Some(cx.release()), "not in order of arrival");
        for urgent in &self.records[..class] {
            assert!(next(urgent).is_none_or(|arrival| arrival > cx.now()), "not the most urgent");
        }
        self.clock.advance(CLASSES[class].cost);
        let response = self.clock.now().duration_since(cx.release());
        let record = &mut self.records[class];
        record.started += 1;
        record.finished_late += u64::from(response > CLASSES[class].deadline);
        record.worst = record.worst.max(response);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new();
    let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone())?;
    let records = CLASSES.each_ref().map(|class| Record {
        arrivals: class.arrivals(),
        started: 0,
        finished_late: 0,
        worst: Duration::ZERO,
    });
    let engine = Rc::new(RefCell::new(Engine { clock, records }));
    let mut class_of = HashMap::new();
    for (number, class) in CLASSES.iter().enumerate() {
        for arrival in class.arrivals() {
            let engine = Rc::clone(&engine);
            let body = move |cx: &mut Context<'_>| engine.borrow_mut().work(number, cx);
            let task = Task::with_context(body, Duration::ZERO)
                .at(arrival)
                .with_priority(class.priority)
                .with_name(class.name)
                .with_deadline(class.deadline);
            class_of.insert(scheduler.schedule(task)?, number);
        }
    }
    let misses = Rc::new(RefCell::new([0; 4]));
    let reported = Rc::clone(&misses);
    scheduler.on_deadline_miss(move |miss| reported.borrow_mut()[class_of[&miss.task()]] += 1);

    scheduler.run_until_idle();

    report(&engine.borrow(), &misses.borrow());
    Ok(())
}

/// Prints what was kept; checks that everything ran, and every miss was reported as what it was.
fn report(engine: &Engine, misses: &[u64; 4]) {
    println!(
        "{:<12} {:>7} {:>12} {:>12} {:>7}",
        "virtual time", "tasks", "deadline", "worst", "missed"
    );
    for ((record, class), &reported) in engine.records.iter().zip(&CLASSES).zip(misses) {
        assert_eq!(record.started, record.arrivals.len(), "a {} was lost", class.name);
        assert_eq!(reported, record.finished_late, "misses of a {}", class.name);
        let must_keep = class.priority <= Priority::High;
        assert!(!must_keep || reported == 0, "a {} was late", class.name);
        println!(
            "{:<12} {:>7} {:>12.1?} {:>12.1?} {:>7}",
            class.name, record.started, class.deadline, record.worst, reported
        );
    }
}

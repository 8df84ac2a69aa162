//! The trace as Chrome's trace-event JSON: valid, complete, paired, and exact, whatever was traced.

mod common;

use std::collections::HashMap;

use common::timed::takes;
use common::{at, manual, ns, scatter};
use nanosecond_scheduler::{Config, Priority, Task, TaskId, Trace, TraceEvent, TraceKind};
use serde_json::Value;

/// An event of the format, checked for what every kind must have.
struct Event<'a> {
    phase: &'a str,
    name: &'a str,
    row: u64,
    /// Exact as long as the µs, times 1,000, fit a double.
    start: u64,
    fields: &'a Value,
}

impl<'a> Event<'a> {
    fn new(fields: &'a Value) -> Self {
        assert_eq!(fields["pid"], 1, "{fields}");
        Event {
            phase: fields["ph"].as_str().expect("a phase"),
            name: fields["name"].as_str().expect("a name"),
            row: fields["tid"].as_u64().unwrap_or(0),
            start: nanos(&fields["ts"]),
            fields,
        }
    }

    fn end(&self) -> u64 {
        self.start + nanos(&self.fields["dur"])
    }

    fn task(&self) -> u64 {
        self.fields["args"]["task"].as_str().expect("a string").parse().expect("a number")
    }
}

fn nanos(micros: &Value) -> u64 {
    (micros.as_f64().unwrap_or(0.0) * 1e3).round() as u64
}

fn parse(trace: &Trace) -> Value {
    let json = trace.to_chrome_json();
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

/// The events of a file, after checks of all that the format asks for.
fn checked(file: &Value) -> Vec<Event<'_>> {
    assert_eq!(file["displayTimeUnit"], "ns");
    let events = file["traceEvents"].as_array().expect("an array");
    let events: Vec<_> = events.iter().map(Event::new).collect();
    let mut rows = HashMap::new();
    let mut waits: HashMap<(u64, u64), (&str, u64)> = HashMap::new();
    for event in &events {
        let Event { phase, name, row, start, fields } = *event;
        match phase {
            "M" if name == "process_name" => assert!(fields["args"]["name"].is_string()),
            "M" => {
                assert_eq!(name, "thread_name");
                let label = fields["args"]["name"].as_str().expect("a label");
                assert_eq!(rows.insert(row, label), None, "a row is named once");
            }
            "X" => assert!(fields["ts"].is_number() && fields["dur"].is_number()),
            "i" => assert_eq!(fields["s"], "t"),
            "b" => {
                let id = fields["id"].as_u64().expect("an id");
                assert_eq!(waits.insert((row, id), (name, start)), None, "ids are unique");
            }
            "e" => {
                let id = fields["id"].as_u64().expect("an id");
                let (begun, since) = waits.remove(&(row, id)).expect("it was begun");
                assert!(begun == name && since < start, "{name} from {since} to {start}");
            }
            other => panic!("phase {other}"),
        }
        // Also of metadata, as in Chrome's own files: TracerBench's reader asks for it.
        assert!(fields["cat"].is_string(), "{fields}");
        if phase != "M" {
            assert!(rows.contains_key(&row), "its row is named before");
            event.task();
        }
    }
    assert!(waits.is_empty(), "all have ended");
    events
}

fn of_phase<'a>(events: &'a [Event<'a>], phase: &'a str) -> impl Iterator<Item = &'a Event<'a>> {
    events.iter().filter(move |event| event.phase == phase)
}

fn event(kind: TraceKind, nanos: u64, task: u64, name: Option<&'static str>) -> TraceEvent {
    TraceEvent { at: at(nanos), task: TaskId::from_bits(task), name, kind }
}

fn trace_of(events: &[TraceEvent]) -> Trace {
    let mut trace = Trace::new(events.len().max(1)).unwrap();
    events.iter().for_each(|event| trace.push(*event));
    trace
}

#[test]
fn an_empty_trace_is_a_file_too() {
    let file = parse(&trace_of(&[]));
    assert_eq!(checked(&file).len(), 1, "the process has a name");
    assert_eq!(file["otherData"]["lost"], "0");
}

#[test]
fn a_run_becomes_slices_that_do_not_overlap_waits_and_instants() {
    let config = Config { trace_capacity: 1 << 14, ..Config::default() };
    let (mut scheduler, clock) = manual(config);
    for n in 0..300 {
        let task = Task::new(takes(&clock, 1 + scatter(n, 60)), ns(scatter(n + 500, 10_000)));
        let task = match n % 3 {
            0 => task,
            1 => task.with_name("soft").with_deadline(ns(30)),
            _ => task.with_name("firm").with_firm_deadline(ns(30)),
        };
        let id = scheduler.schedule(task.with_priority(Priority::ALL[n as usize % 4])).unwrap();
        if n % 50 == 0 {
            scheduler.cancel(id).unwrap();
        }
    }
    scheduler.run();
    let metrics = scheduler.metrics();
    let trace = scheduler.trace().unwrap();
    let file = parse(trace);
    let events = checked(&file);
    let slices: Vec<_> = of_phase(&events, "X").collect();
    assert_eq!(slices.len() as u64, metrics.executed);
    assert!(slices.windows(2).all(|pair| pair[0].end() <= pair[1].start), "one at a time");
    let instants = |name| of_phase(&events, "i").filter(|event| event.name == name).count() as u64;
    assert_eq!(instants("miss"), metrics.missed_deadlines);
    assert_eq!(instants("skip"), metrics.skipped);
    assert_eq!(instants("cancel"), metrics.cancelled);
    let waited = trace.events().filter(|event| event.kind == TraceKind::Release);
    let waited = waited.count() - of_phase(&events, "b").count();
    assert!(waited < 300 && of_phase(&events, "b").count() > 100, "most had to wait");
    // Slice by slice: the instants of start and finish, to the nanosecond.
    let instants = |kind| trace.events().filter(move |event| event.kind == kind);
    let jobs = instants(TraceKind::Start).zip(instants(TraceKind::Finish));
    for (slice, (start, finish)) in slices.iter().zip(jobs) {
        assert_eq!((slice.start, slice.end()), (start.at.as_nanos(), finish.at.as_nanos()));
        assert_eq!(slice.task(), start.task.to_bits());
    }
    let rows: Vec<_> =
        of_phase(&events, "M").filter_map(|row| row.fields["args"]["name"].as_str()).collect();
    for name in ["soft", "firm", "unnamed", "nanosecond-scheduler"] {
        assert!(rows.contains(&name), "{rows:?}");
    }
}

#[test]
fn rows_are_names_and_unnamed_tasks_that_ran_more_than_once() {
    use TraceKind::{Finish, Start};
    let file = parse(&trace_of(&[
        event(Start, 0, 1, Some("a")),
        event(Finish, 1, 1, Some("a")),
        event(Start, 2, 2, Some("a")),
        event(Finish, 3, 2, Some("a")),
        event(Start, 4, 3, None),
        event(Finish, 5, 3, None),
        event(Start, 6, 4, None),
        event(Finish, 7, 4, None),
        event(Start, 8, 5, None),
        event(Finish, 9, 5, None),
        event(Start, 10, 4, None),
        event(Finish, 11, 4, None),
    ]));
    let events = checked(&file);
    let slices: Vec<_> = of_phase(&events, "X").map(|event| (event.row, event.name)).collect();
    let expected = [(1, "a"), (1, "a"), (2, "task 3"), (3, "task 4"), (2, "task 5"), (3, "task 4")];
    assert_eq!(slices, expected);
}

#[test]
fn names_of_any_characters_come_back() {
    const NAMES: [&str; 6] = [
        "\"quoted\"",
        "back\\slash",
        "line\nfeed\ttab\u{1}\u{1f}",
        "ünïcödé 🚀",
        "",
        "</script>\u{2028}",
    ];
    for name in NAMES {
        let file = parse(&trace_of(&[
            event(TraceKind::Release, 1, 1, Some(name)),
            event(TraceKind::Start, 5, 1, Some(name)),
            event(TraceKind::Finish, 9, 1, Some(name)),
        ]));
        let events = checked(&file);
        assert_eq!(of_phase(&events, "X").next().unwrap().name, name);
        assert_eq!(of_phase(&events, "b").next().unwrap().name, format!("waiting {name}"));
        let row = of_phase(&events, "M").last().unwrap();
        assert_eq!(row.fields["args"]["name"], name);
    }
}

#[test]
fn times_are_exact_to_the_end_of_time() {
    let trace = trace_of(&[
        event(TraceKind::Start, 1, u64::MAX, None),
        event(TraceKind::Finish, u64::MAX, u64::MAX, None),
    ]);
    let json = trace.to_chrome_json();
    assert!(json.contains(r#""ts":0.001,"dur":18446744073709551.614"#), "{json}");
    assert!(json.contains(r#""task":"18446744073709551615""#), "{json}");
    checked(&parse(&trace));
}

#[test]
fn what_has_lost_its_partner_is_still_there() {
    use TraceKind::{Cancel, Finish, Panic, Release, Skip, Start};
    let file = parse(&trace_of(&[
        event(Finish, 5, 1, None), // Its start has made room.
        event(Start, 10, 2, None), // Another start follows.
        event(Start, 20, 2, None), // Unfinished.
        event(Start, 25, 3, None),
        event(Panic, 30, 3, None),
        event(Panic, 35, 4, None),   // Its start has made room.
        event(Release, 99, 5, None), // Not yet started.
        event(Skip, 40, 6, None),
        event(Cancel, 41, 7, None),
    ]));
    let events = checked(&file);
    let slices: Vec<_> =
        of_phase(&events, "X").map(|event| (event.task(), event.start, event.end())).collect();
    assert_eq!(slices, [(3, 25, 30), (2, 20, 41)]);
    let unfinished = of_phase(&events, "X").last().unwrap();
    assert_eq!(unfinished.fields["args"]["unfinished"], true);
    let instants: Vec<_> = of_phase(&events, "i").map(|event| (event.name, event.start)).collect();
    let expected =
        [("finish", 5), ("start", 10), ("panic", 30), ("panic", 35), ("skip", 40), ("cancel", 41)];
    assert_eq!(instants, expected);
}

#[test]
fn a_wrapped_ring_makes_a_valid_file_that_says_what_is_missing() {
    for capacity in 1..40 {
        let (mut scheduler, clock) =
            manual(Config { trace_capacity: capacity, ..Config::default() });
        for n in 0..20 {
            let task = Task::new(takes(&clock, 3), ns(n % 7)).with_deadline(ns(20));
            scheduler.schedule(task).unwrap();
        }
        scheduler.run();
        let trace = scheduler.trace().unwrap();
        let file = parse(trace);
        checked(&file);
        assert_eq!(file["otherData"]["lost"], trace.lost().to_string());
    }
}

#[test]
fn any_sequence_of_events_makes_a_valid_file_with_each_start_in_it_once() {
    use TraceKind::{Cancel, Finish, Miss, Panic, Release, Skip, Start};
    const KINDS: [TraceKind; 7] = [Release, Start, Finish, Miss, Skip, Cancel, Panic];
    for seed in 0..300 {
        let draw = |n: u64, which: u64, bound| scatter(seed << 32 | n << 3 | which, bound);
        let events: Vec<_> = (0..draw(0, 7, 60))
            .map(|n| {
                let name = [None, Some("a"), Some("b")][draw(n, 0, 3) as usize];
                let kind = KINDS[draw(n, 1, 7) as usize];
                event(kind, draw(n, 2, 1_000), draw(n, 3, 5), name)
            })
            .collect();
        let file = parse(&trace_of(&events));
        let written = checked(&file);
        let starts = events.iter().filter(|event| event.kind == Start).count();
        let slices = of_phase(&written, "X").count();
        let lone = of_phase(&written, "i").filter(|event| event.name == "start").count();
        assert_eq!(slices + lone, starts, "of {events:?}");
    }
}

#[test]
fn writing_stops_where_the_writer_does() {
    struct Full(usize);
    impl std::fmt::Write for Full {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(std::fmt::Error)?;
            Ok(())
        }
    }
    let trace =
        trace_of(&[event(TraceKind::Start, 1, 1, None), event(TraceKind::Finish, 2, 1, None)]);
    let length = trace.to_chrome_json().len();
    assert!(trace.write_chrome_json(&mut Full(length)).is_ok());
    assert!((0..length).all(|room| trace.write_chrome_json(&mut Full(room)).is_err()));
}

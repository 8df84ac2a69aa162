//! Hazard: an event in the wrong window, twice or not at all; windows that drift, leak or stall.

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use common::{manual, ns};
use nanosecond_scheduler::{
    Blend, Config, ConfigError, Context, ManualClock, OnFailure, RecordError, Scheduler, Shape,
    Task, TimePoint, Window, WindowError, WindowSpec, WindowSummary,
};
use proptest::prelude::*;
use serde_json::Value;

fn oracle(name: &str) -> Value {
    let path = format!("{}/tests/data/oracles/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn at(ns: u64) -> TimePoint {
    TimePoint::from_nanos(ns)
}

fn bounds(window: Window) -> (i128, i128) {
    (window.start_ns, window.end_ns)
}

fn windowed(spec: WindowSpec, window_size: usize) -> (Scheduler<ManualClock>, ManualClock) {
    manual(Config { windows: Some(spec), window_size, ..Config::default() })
}

type Told = Rc<RefCell<Vec<WindowSummary>>>;

/// What the handler is told; it returns the number of windows told so far.
fn listen(scheduler: &mut Scheduler<ManualClock>) -> Told {
    let told = Told::default();
    let tell = told.clone();
    scheduler.on_window(move |summary| {
        tell.borrow_mut().push(*summary);
        tell.borrow().len() as f64
    });
    told
}

#[test]
fn instants_lie_in_the_windows_of_the_oracle() {
    let oracle = oracle("window_assign.json");
    let rows = oracle["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 120);
    for row in rows {
        let field = |name: &str| row[name].as_i64().unwrap();
        let spec = WindowSpec {
            length: field("size") as u64,
            hop: field("hop") as u64,
            offset: field("offset") as u64,
        };
        let expected: Vec<(i128, i128)> = serde_json::from_value(row["windows"].clone()).unwrap();
        let t = field("t");
        let found: Vec<_> = spec.windows_at(i128::from(t)).map(bounds).collect();
        assert_eq!(found, expected, "{row}");
        if t >= 0 {
            assert_eq!(told_of(spec, t as u64), expected, "{row}");
        }
    }
}

/// The windows that a job at `t` is told to be in.
fn told_of(spec: WindowSpec, t: u64) -> Vec<(i128, i128)> {
    let (mut scheduler, clock) = windowed(spec, 64);
    let told = listen(&mut scheduler);
    scheduler.schedule(Task::new(|| (), ns(t))).unwrap();
    clock.set(at(t));
    scheduler.tick();
    clock.set(at(t + spec.length + 1));
    scheduler.tick();
    let told = told.borrow();
    assert!(told.iter().all(|summary| summary.latency_ns.count == 1));
    told.iter().map(|summary| bounds(summary.window)).collect()
}

#[test]
fn overlaps_are_those_of_the_oracle() {
    for case in oracle("window_assign.json")["overlap"].as_array().unwrap() {
        let field = |name: &str| case[name].as_u64().unwrap();
        let spec = WindowSpec::new(field("size"), field("hop"));
        let expected = case["overlap_ratio"].as_f64().unwrap();
        assert!((spec.overlap() - expected).abs() < 1e-12, "{case}");
        let (mut scheduler, clock) = windowed(spec, 8);
        assert_eq!(scheduler.temporal_overlap(), 0.0);
        scheduler.schedule(Task::periodic(|_| (), ns(1))).unwrap();
        for _ in 0..3_000 {
            clock.advance(ns(1));
            scheduler.tick();
        }
        assert_eq!(scheduler.windows().count(), 8);
        assert!((scheduler.temporal_overlap() - expected).abs() < 1e-12, "{case}");
    }
}

#[test]
fn blending_is_constant_where_scipy_says_so_and_normalised_elsewhere() {
    let oracle = oracle("cola.json");
    let shape = |name: &Value| match name.as_str() {
        Some("boxcar") => Shape::Rectangular,
        Some("bartlett") => Shape::Triangular,
        Some("hann") => Shape::Hann,
        Some("hamming") => Shape::Hamming,
        Some("blackman") => Shape::Blackman,
        Some("cosine") => Shape::Cosine,
        None if *name == serde_json::json!(["tukey", 0.5]) => Shape::Tukey,
        _ => panic!("{name}"),
    };
    let blend = |case: &Value| {
        let field = |name: &str| case[name].as_u64().unwrap();
        Blend {
            shape: shape(&case["window"]),
            spec: WindowSpec::new(field("length"), field("hop")),
        }
    };
    for case in oracle["cola"].as_array().unwrap() {
        let blend = blend(case);
        assert_eq!(blend.is_cola(), case["cola"].as_bool().unwrap(), "{case}");
        assert_eq!(blend.is_nola(), case["nola"].as_bool().unwrap(), "{case}");
        let mut fails = false;
        for t in 0..i128::from(2 * blend.spec.hop) {
            match blend.weights_at(t) {
                Ok(weights) => {
                    let sum: f64 = weights.map(|(_, weight)| weight).sum();
                    assert!((sum - 1.0).abs() < 1e-12, "{case}");
                }
                Err(error) => {
                    assert_eq!(error.at_ns, t);
                    fails = true;
                }
            }
        }
        assert_eq!(!fails, blend.is_nola(), "{case}");
    }
    for case in oracle["sums"].as_array().unwrap() {
        let blend = blend(case);
        assert!(blend.is_cola());
        let sum = case["cola_sum"].as_f64().unwrap();
        let WindowSpec { length, .. } = blend.spec;
        for (n, expected) in case["coeffs"].as_array().unwrap().iter().enumerate() {
            // In the window that starts at 0 the weight at n is that coefficient over the sum.
            let weights = blend.weights_at(n as i128).unwrap();
            let mut of_first = weights.filter(|(window, _)| window.start_ns == 0);
            let (_, weight) = of_first.next().unwrap();
            let expected = expected.as_f64().unwrap() / sum;
            assert!((weight - expected).abs() < 1e-12, "{case} {n} of {length}");
        }
    }
}

/// What is done to a scheduler with windows.
#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    Job,
    Value(i32),
    /// A value so many ns ago.
    Past(u64, i32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..30_u64).prop_map(Step::Advance),
        1 => (30..3_000_u64).prop_map(Step::Advance),
        3 => Just(Step::Job),
        3 => (-50..50).prop_map(Step::Value),
        2 => ((0..150_u64), -50..50).prop_map(|(ago, value)| Step::Past(ago, value)),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Against a list of all events, summed up anew for each window.
    #[test]
    fn summaries_are_those_of_a_plain_list(
        length in 1..120_u64, hop in 1..60_u64,
        offset in prop_oneof![3 => 0..1_000_u64, 1 => u64::MAX - 1_000..],
        start in prop_oneof![3 => 0..500_u64, 1 => u64::MAX - 4_000..],
        steps in steps(),
    ) {
        let spec = WindowSpec { length, hop, offset };
        let clock = ManualClock::new();
        clock.set(at(start));
        let config = Config { windows: Some(spec), window_size: 128, ..Config::default() };
        let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
        let told = listen(&mut scheduler);
        let mut events: BTreeMap<(i128, i128), (u64, Vec<f64>)> = BTreeMap::new();
        let mut late = 0;
        for step in steps {
            let now = scheduler.now().as_nanos();
            let mut note = |t: u64, value: Option<f64>| {
                for window in spec.windows_at(i128::from(t)).filter(|w| w.end_ns > i128::from(now)) {
                    let entry = events.entry(bounds(window)).or_default();
                    match value {
                        Some(value) => entry.1.push(value),
                        None => entry.0 += 1,
                    }
                }
            };
            match step {
                Step::Advance(by) => {
                    clock.advance(ns(by));
                    scheduler.tick();
                }
                Step::Job => {
                    note(now, None);
                    scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
                    scheduler.tick();
                }
                Step::Value(value) => {
                    note(now, Some(f64::from(value)));
                    scheduler.record(at(now), f64::from(value)).unwrap();
                }
                Step::Past(ago, value) => {
                    let t = now.saturating_sub(ago);
                    let mut windows = spec.windows_at(i128::from(t)).peekable();
                    let is_late = windows.peek().is_some() && windows.all(|w| w.end_ns <= i128::from(now));
                    note(t, Some(f64::from(value)));
                    let expected = if is_late { Err(RecordError::Late) } else { Ok(()) };
                    late += u64::from(is_late);
                    prop_assert_eq!(scheduler.record(at(t), f64::from(value)), expected);
                }
            }
        }
        clock.advance(ns(length + hop));
        scheduler.tick();
        prop_assert_eq!(scheduler.late_events(), late);
        // A window that reaches beyond the end of time never closes.
        events.retain(|(_, end), _| *end <= i128::from(u64::MAX));
        let told = told.borrow();
        prop_assert_eq!(told.len(), events.len());
        for (n, (summary, (window, (jobs, values)))) in told.iter().zip(&events).enumerate() {
            prop_assert_eq!(bounds(summary.window), *window);
            prop_assert_eq!(summary.latency_ns.count, *jobs);
            prop_assert_eq!(summary.values.count, values.len() as u64);
            prop_assert_eq!(summary.values.sum, values.iter().sum::<f64>());
            prop_assert_eq!(summary.values.min, values.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(summary.values.max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            prop_assert_eq!(summary.carried, n as f64);
        }
    }
}

#[test]
fn jobs_are_counted_at_the_instant_of_their_decision_also_within_one_tick() {
    for has_deadline in [false, true] {
        let (mut scheduler, clock) = windowed(WindowSpec::new(100, 100), 8);
        let told = listen(&mut scheduler);
        for _ in 0..3 {
            let clock = clock.clone();
            let task = Task::new(move || clock.advance(ns(100)), ns(0));
            let task = if has_deadline { task.with_deadline(ns(1_000)) } else { task };
            scheduler.schedule(task).unwrap();
        }
        assert_eq!(scheduler.tick().executed, 3);
        scheduler.tick();
        let counts: Vec<_> = told.borrow().iter().map(|told| told.latency_ns.count).collect();
        // With deadlines the clock is read before each job, else once.
        assert_eq!(counts, if has_deadline { vec![1, 1, 1] } else { vec![3] });
        if has_deadline {
            let latest = told.borrow()[2].latency_ns;
            assert_eq!((latest.min, latest.max, latest.mean()), (200.0, 200.0, Some(200.0)));
        }
    }
}

/// A task with a deadline makes the tick read the clock; when it has ended nothing does, and what
/// waited for the job starts at its end all the same.
#[cfg(feature = "realtime")]
#[test]
fn what_waited_for_a_long_job_is_counted_where_that_ended() {
    for fails in [false, cfg!(feature = "std")] {
        let (mut scheduler, clock) = windowed(WindowSpec::new(20, 10), 2);
        #[cfg(feature = "std")]
        scheduler.on_panic(|_| ());
        let told = listen(&mut scheduler);
        let advance = clock.clone();
        let long = move || {
            advance.advance(ns(1_005));
            assert!(!fails, "it fails");
        };
        let long = scheduler.schedule(Task::new(long, ns(0)).with_deadline(ns(9))).unwrap();
        if fails {
            let cancelled = Task::new(|| (), ns(0)).with_deadline(ns(9)).after(&[long]);
            scheduler.schedule(cancelled).unwrap();
        }
        let after = Task::new(|| (), ns(0)).after(&[long]).on_failure(OnFailure::Run);
        scheduler.schedule(after).unwrap();
        assert_eq!(scheduler.tick().executed, 2);
        clock.set(at(2_000));
        scheduler.tick();
        let starts: Vec<_> = told.borrow().iter().map(|told| told.window.start_ns).collect();
        assert_eq!(starts, [-10, 0, 990, 1_000]);
    }
}

#[test]
fn a_job_records_values_and_the_loop_wakes_to_close_windows() {
    let (mut scheduler, _clock) = windowed(WindowSpec::new(100, 50), 8);
    let told = listen(&mut scheduler);
    let body = |cx: &mut Context<'_>| cx.record(cx.now().as_nanos() as f64);
    scheduler.schedule(Task::periodic(body, ns(1_000))).unwrap();
    let when = Rc::new(RefCell::new(Vec::new()));
    let mut closed = 0;
    while closed < 2 {
        // Under a manual clock the loop goes from event to event.
        scheduler.run_for(ns(25));
        if told.borrow().len() > closed {
            closed = told.borrow().len();
            when.borrow_mut().push(scheduler.now().as_nanos());
        }
    }
    assert_eq!(*when.borrow(), [1_050, 1_100]);
    assert_eq!(told.borrow()[0].values.sum, 1_000.0);
}

#[test]
fn the_loop_does_not_wake_for_windows_in_which_nothing_happened() {
    let (mut scheduler, _clock) = windowed(WindowSpec::new(3, 1), 4);
    let told = listen(&mut scheduler);
    for delay in [10, 100_000] {
        scheduler.schedule(Task::new(|| (), ns(delay))).unwrap();
    }
    scheduler.run_for(ns(200_000));
    assert_eq!(told.borrow().len(), 6);
    // The start, two jobs, the three windows of the first, and the end, which closes the others.
    let metrics = scheduler.metrics();
    assert_eq!((metrics.ticks, metrics.idle_ticks), (2, 5));
}

#[test]
fn at_most_so_many_windows_are_kept_and_a_long_pause_costs_nothing() {
    let (mut scheduler, clock) = windowed(WindowSpec { length: 3, hop: 1, offset: 7 }, 4);
    let told = listen(&mut scheduler);
    for n in 0..100 {
        scheduler.record(scheduler.now(), f64::from(n)).unwrap();
        clock.advance(ns(1));
    }
    clock.advance(ns(1 << 60)); // As many windows, all empty.
    assert_eq!(scheduler.tick().executed, 0);
    scheduler.record(scheduler.now(), 7.0).unwrap();
    clock.set(TimePoint::MAX);
    scheduler.tick();
    assert_eq!(told.borrow().len(), 102 + 3);
    let kept: Vec<_> = scheduler.windows().copied().collect();
    assert_eq!(kept[..], told.borrow()[101..]);
    assert_eq!(kept[3].values.sum, 7.0);
    let ahead = scheduler.record(TimePoint::MAX, 0.0);
    assert_eq!(ahead, Ok(()));
}

#[test]
fn specs_that_cannot_work_are_refused_with_the_reason() {
    let refused = |spec, window_size| {
        let config = Config { windows: Some(spec), window_size, ..Config::default() };
        Scheduler::with_clock(config, ManualClock::new()).unwrap_err()
    };
    assert_eq!(refused(WindowSpec::new(0, 1), 8), ConfigError::Windows(WindowError::ZeroLength));
    assert_eq!(refused(WindowSpec::new(1, 0), 8), ConfigError::Windows(WindowError::ZeroHop));
    let error = refused(WindowSpec::new(100, 10), 9);
    assert_eq!(error, ConfigError::Windows(WindowError::TooManyOpen { open: 10, most: 9 }));
    assert!(error.to_string().contains("10 windows") && error.to_string().contains('9'), "{error}");
    assert_eq!(WindowSpec::new(1, 0).windows_at(5).count(), 0);
    let huge = WindowSpec { length: u64::MAX, hop: u64::MAX, offset: u64::MAX };
    let (mut scheduler, clock) = windowed(huge, 1);
    clock.set(TimePoint::MAX);
    assert_eq!(scheduler.record(at(5), 1.0), Err(RecordError::Late));
    assert_eq!(scheduler.record(TimePoint::MAX, 1.0), Ok(()));
}

#[test]
fn values_that_are_not_finite_stay_in_their_windows() {
    let (mut scheduler, clock) = windowed(WindowSpec::new(20, 10), 8);
    let told = listen(&mut scheduler);
    for (t, value) in
        [(5, 1.0), (15, f64::NAN), (25, 2.0), (35, f64::INFINITY), (45, 3.0), (55, 4.0)]
    {
        clock.set(at(t));
        scheduler.record(at(t), value).unwrap();
    }
    clock.set(at(100));
    scheduler.tick();
    let sums: Vec<_> = told.borrow().iter().map(|told| told.values.sum.to_string()).collect();
    assert_eq!(sums, ["1", "NaN", "NaN", "inf", "inf", "7", "4"]);
    let second = told.borrow()[1].values;
    assert_eq!((second.count, second.min, second.max), (2, 1.0, 1.0));
}

#[test]
fn events_from_the_future_and_without_windows_are_refused() {
    let (mut scheduler, _) = windowed(WindowSpec::new(100, 10), 64);
    assert_eq!(scheduler.record(at(3), 1.0), Err(RecordError::Future(3)));
    assert_eq!(scheduler.record(at(1), 1.0), Err(RecordError::Future(1)));
    let (mut scheduler, _) = manual(Config::default());
    assert_eq!(scheduler.record(at(0), 1.0), Err(RecordError::NoWindows));
    assert_eq!((scheduler.windows().count(), scheduler.temporal_overlap()), (0, 0.0));
}

#[cfg(feature = "std")]
#[test]
fn a_panic_of_the_handler_loses_one_summary_and_nothing_else() {
    use std::panic::{catch_unwind, AssertUnwindSafe};

    let (mut scheduler, clock) = windowed(WindowSpec::new(100, 100), 8);
    let mut told = 0;
    scheduler.on_window(move |_| {
        told += 1;
        assert!(told != 1, "the first");
        f64::from(told)
    });
    let ran = Rc::new(RefCell::new(0));
    for delay in [50, 150, 250] {
        let ran = ran.clone();
        scheduler.schedule(Task::new(move || *ran.borrow_mut() += 1, ns(delay))).unwrap();
    }
    clock.set(at(50));
    scheduler.tick();
    clock.set(at(150));
    let raised = catch_unwind(AssertUnwindSafe(|| scheduler.tick())).unwrap_err();
    assert!(raised.downcast_ref::<&str>().unwrap().contains("the first"));
    assert_eq!(*ran.borrow(), 2, "the tick has run its jobs");
    for instant in [250, 350] {
        clock.set(at(instant));
        scheduler.tick();
    }
    assert_eq!(*ran.borrow(), 3);
    let kept: Vec<_> = scheduler.windows().map(|told| bounds(told.window)).collect();
    assert_eq!(kept, [(100, 200), (200, 300)]);
}

#[cfg(feature = "std")]
#[test]
fn jobs_of_the_tick_in_which_a_handler_panics_are_counted_in_their_own_windows() {
    use std::panic::{catch_unwind, AssertUnwindSafe};

    let (mut scheduler, clock) = windowed(WindowSpec::new(4, 1), 8);
    let told = Told::default();
    let tell = told.clone();
    scheduler.on_window(move |summary| {
        tell.borrow_mut().push(*summary);
        assert!(tell.borrow().len() != 1, "the first");
        0.0
    });
    scheduler.record(at(0), 1.0).unwrap();
    scheduler.schedule(Task::new(|| (), ns(1_001))).unwrap();
    clock.set(at(1_001));
    catch_unwind(AssertUnwindSafe(|| scheduler.tick())).unwrap_err();
    clock.set(at(2_000));
    scheduler.tick();
    let of = |is_value: bool| -> Vec<_> {
        let told = told.borrow();
        let count = |told: &WindowSummary| match is_value {
            true => told.values.count,
            false => told.latency_ns.count,
        };
        told.iter().filter(|told| count(told) > 0).map(|told| told.window.start_ns).collect()
    };
    assert_eq!(of(true), [-3, -2, -1, 0]);
    assert_eq!(of(false), [998, 999, 1_000, 1_001]);
}

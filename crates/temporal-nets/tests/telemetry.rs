//! Hazard: a log that drowns its readers, loses count of what it held back, or tables that do not say
//! what happened.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nanosecond_scheduler::{Config, ManualClock, Scheduler, Task, TimePoint, WindowSpec};
use temporal_nets::{
    Divergence, DivergenceCause, Figure, PhaseCycle, RateLimit, Table, Telemetry, TelemetryConfig,
    VectorStrength,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps every event as its level and its fields, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "temporal_nets"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{}={value:?} ", field.name());
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Log {
    fn while_doing(work: impl FnOnce()) -> Vec<(Level, String)> {
        let log = Log::default();
        tracing::subscriber::with_default(log.clone(), work);
        let lines = log.0.lock().unwrap().clone();
        lines
    }
}

fn at(nanos: u64) -> TimePoint {
    TimePoint::from_nanos(nanos)
}

/// Windows of 2 µs every µs for 100 µs, one log line per 10 µs after the first two.
fn watch(telemetry: &Telemetry) -> Vec<i128> {
    let windows = Some(WindowSpec::new(2_000, 1_000));
    let config = Config { windows, ..Config::default() };
    let mut scheduler = Scheduler::with_clock(config, ManualClock::new()).unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let ends = Rc::clone(&told);
    scheduler.on_window(telemetry.on_window(move |window| {
        ends.borrow_mut().push(window.window.end_ns);
        window.carried + 1.0
    }));
    let mut value = 0.0;
    let record = Task::periodic(
        move |cx| {
            cx.record(value);
            value += 1.0;
        },
        Duration::from_nanos(500),
    );
    scheduler.schedule(record).unwrap();
    scheduler.run_for(Duration::from_micros(100));
    telemetry.log_metrics(scheduler.now(), &scheduler.metrics());
    telemetry.log_metrics(scheduler.now(), &scheduler.metrics());
    drop(scheduler);
    Rc::into_inner(told).unwrap().into_inner()
}

fn config() -> TelemetryConfig {
    TelemetryConfig { rows: 50, log_interval: Duration::from_micros(10), log_burst: 2 }
}

#[test]
fn each_window_is_told_and_tabled_and_some_are_logged() {
    let telemetry = Telemetry::new(config());
    let mut ends = Vec::new();
    let log = Log::while_doing(|| ends = watch(&telemetry));
    // The first window began before time did.
    assert_eq!(ends, (1..=100).map(|k| k * 1_000).collect::<Vec<_>>());

    let table = telemetry.windows();
    assert_eq!((table.rows().len(), table.dropped()), (50, 50));
    let last = table.rows().last().unwrap();
    // 98 to 100 µs: records number 195 to 198, counted from 0.
    let expected = "98000,100000,4,0,0,4,195,196.5,198,99";
    assert_eq!(table.to_csv().lines().last(), Some(expected));
    assert_eq!(last[0], Figure::Integer(98_000));

    let windows: Vec<_> = log.iter().filter(|(_, line)| line.contains("message=window")).collect();
    assert!(windows.iter().all(|(level, _)| *level == Level::INFO));
    // At 1 and 2 µs, then when the first's 10 µs are over, and so on.
    assert_eq!(windows.len(), 2 + 9);
    assert!(windows[0].1.contains("start_ns=-1000 end_ns=1000 jobs=1 "), "{}", windows[0].1);
    assert!(windows[1].1.contains("held_back=0"));
    assert!(windows[3].1.contains("held_back=9"), "{}", windows[3].1);
    let metrics: Vec<_> = log.iter().filter(|(_, line)| line.contains("message=metrics")).collect();
    assert_eq!(metrics.len(), 2);
    assert!(metrics[0].1.contains("executed=200 missed_deadlines=0"), "{}", metrics[0].1);
}

#[test]
fn tables_are_the_same_without_a_log() {
    let (quiet, loud) = (Telemetry::new(config()), Telemetry::new(config()));
    watch(&quiet);
    Log::while_doing(|| drop(watch(&loud)));
    assert_eq!(quiet.windows(), loud.windows());
    let silent = Telemetry::new(TelemetryConfig { log_burst: 0, ..config() });
    assert_eq!(Log::while_doing(|| drop(watch(&silent))), []);
}

#[test]
fn each_cycle_is_told_tabled_and_logged() {
    let telemetry = Telemetry::new(config());
    let mut told = 0;
    let log = Log::while_doing(|| {
        let mut handler = telemetry.on_cycle(|cycle| told += cycle.end.as_nanos());
        let mut locking = VectorStrength::default();
        handler(PhaseCycle { end: at(10), spikes: &[], locking });
        locking.add(1.0);
        handler(PhaseCycle { end: at(20), spikes: &[], locking });
        handler(PhaseCycle { end: at(30), spikes: &[], locking });
    });
    assert_eq!(told, 60);
    let csv = telemetry.cycles().to_csv();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[..2], ["end_ns,spikes,vector_strength,mean_phase", "10,0,,"]);
    assert!(lines[2].starts_with("20,0,1,"), "{}", lines[2]);
    let json: serde_json::Value = serde_json::from_str(&telemetry.cycles().to_json()).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    assert!(json[0]["mean_phase"].is_null());
    assert_eq!(json[1]["end_ns"], 20);
    assert_eq!(log.len(), 2, "{log:?}");
}

#[test]
fn divergences_are_errors() {
    let telemetry = Telemetry::new(config());
    let divergence = Divergence { step: 7, cause: DivergenceCause::NotFinite { output: 2 } };
    let log =
        Log::while_doing(|| (0..5).for_each(|k| telemetry.log_divergence(at(k), &divergence)));
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].0, Level::ERROR);
    assert!(log[0].1.contains("diverged in step 7: output 2 is not finite"), "{}", log[0].1);
}

/// Beside a list of what passed: at most `burst` in any stretch, and one more per interval.
#[test]
fn limits_hold_for_every_stretch_of_time() {
    for (interval, burst) in [(10, 1), (10, 3), (7, 5), (0, 1), (1, 1)] {
        let mut limit = RateLimit::new(Duration::from_nanos(interval), burst);
        let (mut passed, mut held_back, mut state) = (Vec::new(), 0, 1u64);
        let mut now = 0;
        for _ in 0..2_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += (state >> 60) / 3;
            match limit.pass(at(now)) {
                Some(before) => {
                    assert_eq!(before, held_back);
                    held_back = 0;
                    passed.push(now);
                }
                None => held_back += 1,
            }
        }
        assert_eq!(limit.held_back(), held_back);
        for (k, &first) in passed.iter().enumerate() {
            for (n, &last) in passed[k..].iter().enumerate() {
                let allowed =
                    (last - first).checked_div(interval).map(|more| more + u64::from(burst));
                assert!(allowed.is_none_or(|allowed| (n as u64) < allowed), "{first} to {last}");
            }
        }
        // Not stricter than said: about one per interval passes.
        assert!(interval == 0 || passed.len() as u64 >= now / interval.max(3) / 2);
    }
    let mut never = RateLimit::new(Duration::ZERO, 0);
    assert_eq!(never.pass(at(u64::MAX - 1)), None);
    let mut end = RateLimit::new(Duration::MAX, 2);
    let passes: Vec<_> = (0..3).map(|_| end.pass(TimePoint::MAX).is_some()).collect();
    assert!(passes[0]);
}

#[test]
fn tables_keep_the_last_rows() {
    let mut table = Table::new(&["word", "n"], 3);
    assert_eq!((table.to_csv().as_str(), table.to_json().as_str()), ("word,n\n", "[]\n"));
    for n in 0..5 {
        table.push(&[Figure::Word("x"), Figure::Integer(n)]);
    }
    assert_eq!(table.to_csv(), "word,n\nx,2\nx,3\nx,4\n");
    assert_eq!(table.dropped(), 2);
    let json: serde_json::Value = serde_json::from_str(&table.to_json()).unwrap();
    assert_eq!(json[2]["word"], "x");
    let mut none = Table::new(&["n"], 0);
    none.push(&[Figure::Integer(1)]);
    assert_eq!((none.rows().len(), none.dropped()), (0, 1));
    let mut all = Table::new(&["n"], usize::MAX);
    all.push(&[Figure::Integer(1)]);
    assert_eq!((all.rows().len(), all.dropped()), (1, 0));
}

//! Hazard: what crosses between the module and JavaScript: numbers, times, calls back into a tick.
#![cfg(target_arch = "wasm32")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{BigInt, Object, Reflect};
use nanosecond_scheduler_wasm::{Core, Host, Settings};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// The urgency of a plain task.
const NORMAL: u32 = 2;

fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &name.into(), &value.into()).unwrap();
}

fn settings(capacity: u32, hop_ns: u64) -> Settings {
    let object = Object::new();
    set(&object, "capacity", capacity);
    set(&object, "maxTasksPerTick", 1024);
    set(&object, "missedTick", 2);
    set(&object, "strangeLoop", true);
    set(&object, "lipschitzConstant", 0.9);
    set(&object, "windowSize", 4);
    set(&object, "lengthNs", BigInt::from(100_u64));
    set(&object, "hopNs", BigInt::from(hop_ns));
    set(&object, "offsetNs", BigInt::from(0_u64));
    object.unchecked_into()
}

/// What the module asked of its host, and what the host does when it is to run a function.
#[derive(Default)]
struct Asked {
    runs: RefCell<Vec<(&'static str, u32)>>,
    misses: RefCell<Vec<(f64, f64)>>,
    now_ms: Cell<f64>,
    on_run: RefCell<Option<Box<dyn FnMut()>>>,
}

/// A host, and what it is asked. The closures live as long as the program.
fn host() -> (Host, Rc<Asked>) {
    let asked = Rc::<Asked>::default();
    let host = Object::new();
    for method in ["runOnce", "runAgain"] {
        let asked = Rc::clone(&asked);
        let run = move |slot: u32, _generation: u32| {
            asked.runs.borrow_mut().push((method, slot));
            if let Some(mut on_run) = asked.on_run.take() {
                on_run();
            }
        };
        set(&host, method, Closure::<dyn FnMut(u32, u32)>::new(run).into_js_value());
    }
    let noted = Rc::clone(&asked);
    let missed = move |_: f64, expected, actual| noted.misses.borrow_mut().push((expected, actual));
    set(&host, "missed", Closure::<dyn FnMut(f64, f64, f64)>::new(missed).into_js_value());
    let clock = Rc::clone(&asked);
    set(&host, "now", Closure::<dyn FnMut() -> f64>::new(move || clock.now_ms.get()).into_js_value());
    (host.unchecked_into(), asked)
}

fn core() -> (Rc<Core>, Rc<Asked>) {
    let (host, asked) = host();
    (Rc::new(Core::create(host, &settings(8, 50)).unwrap()), asked)
}

#[wasm_bindgen_test]
fn a_tick_asks_the_host_for_the_time_and_runs_what_is_due() {
    let (core, asked) = core();
    asked.now_ms.set(3.0);
    assert!(core.schedule(2e6, NORMAL) > 0.0);
    assert_eq!((core.tick(), core.next_release_ms()), (0, Some(5.0)));
    asked.now_ms.set(5.0);
    assert_eq!((core.tick(), core.pending()), (1, 0));
    assert_eq!(asked.runs.take(), [("runOnce", 0)]);
}

#[wasm_bindgen_test]
fn a_time_that_is_told_first_is_where_time_starts() {
    let (core, asked) = core();
    asked.now_ms.set(1e9);
    core.tick_at(0.0);
    core.schedule(7.0, NORMAL);
    assert_eq!(core.next_release_ms(), Some(7e-6));
    core.tick();
    assert_eq!((asked.runs.take().len(), core.tick_at(0.0)), (1, 0));
    core.schedule(0.0, NORMAL); // Time does not step back.
    assert_eq!(core.next_release_ms(), Some(1e9));
}

#[wasm_bindgen_test]
fn the_next_release_in_ms_is_never_a_ns_short() {
    let (core, _) = core();
    core.tick_at(0.0);
    // Without the fraction of a ms that a double cannot hold, every other one would be.
    for exponent in 1..64 {
        for ns in [(1_u64 << exponent) - 1, 1 << exponent, (1 << exponent) + 53] {
            let number = core.schedule_with(ns, NORMAL, None);
            assert!(number > 0.0);
            let ms = core.next_release_ms().unwrap();
            assert!((ms * 1e6 + 0.5) as u64 >= ns, "{ns} ns is {ms} ms");
            assert!(core.cancel(number));
        }
    }
}

#[wasm_bindgen_test]
fn numbers_stay_unique_while_a_slot_is_reused() {
    let (core, _) = core();
    let mut last = 0.0;
    for _ in 0..10_000 {
        let number = core.schedule(1.0, NORMAL);
        assert!(number > last && number <= 9_007_199_254_740_991.0);
        assert!(!core.cancel(last) && core.cancel(number) && !core.cancel(number));
        last = number;
    }
    for stranger in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY, 9_007_199_254_740_991.0] {
        assert!(!core.cancel(stranger));
    }
}

#[wasm_bindgen_test]
fn what_cannot_be_scheduled_is_told_from_a_number() {
    let (core, _) = core();
    core.tick_at(1.0);
    assert_eq!(core.schedule_with(u64::MAX, NORMAL, None), -2.0);
    for _ in 0..8 {
        assert!(core.schedule(1.0, NORMAL) > 0.0);
    }
    assert_eq!(core.schedule(1.0, NORMAL), -1.0);
    assert!(Core::create(host().0, &settings(8, 1)).is_none());
}

#[wasm_bindgen_test]
fn a_function_reaches_everything_but_the_tick() {
    let (core, asked) = core();
    core.tick_at(0.0);
    let number = core.schedule_periodic(10, 10, NORMAL, Some(3), None);
    core.schedule(10.0, 3);
    let inner = Rc::clone(&core);
    let body = move || {
        assert_eq!((inner.pending(), inner.next_release_ms()), (2, Some(1e-5)));
        assert_eq!((inner.metrics()[0], inner.estimates()[7], inner.temporal_overlap()), (15., 0., 0.));
        assert!(inner.windows().is_empty());
        inner.clear();
        assert!(!inner.cancel(number) && inner.pending() == 0);
        assert!(inner.schedule(0.0, 0) > 0.0);
    };
    asked.on_run.replace(Some(Box::new(body)));
    assert_eq!((core.tick_at(15e-6), core.pending()), (2, 0));
    assert_eq!(asked.runs.take().len(), 2);
    assert_eq!(*asked.misses.borrow(), [(13e-6, 15e-6)]);
}

#[wasm_bindgen_test]
fn a_function_of_one_scheduler_may_tick_another_whose_function_calls_the_first() {
    let ((outer, outer_asked), (inner, inner_asked)) = (core(), core());
    outer.tick_at(1.0);
    inner.tick_at(1.0);
    outer.schedule(0.0, NORMAL);
    inner.schedule(0.0, NORMAL);
    let first = Rc::clone(&outer);
    inner_asked.on_run.replace(Some(Box::new(move || {
        first.schedule(0.0, NORMAL);
    })));
    let second = Rc::clone(&inner);
    outer_asked.on_run.replace(Some(Box::new(move || assert_eq!(second.tick_at(1.0), 1))));
    assert_eq!(outer.tick_at(1.0), 2);
    assert_eq!((outer.pending(), inner.pending()), (0, 0));
}

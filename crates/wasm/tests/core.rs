//! Hazard: what crosses between the module and JavaScript: numbers, times, calls back into a tick.
#![cfg(target_arch = "wasm32")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{BigInt, Object, Reflect};
use nanosecond_scheduler_wasm as module;
use nanosecond_scheduler_wasm::{Host, Settings};
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
    set(
        &host,
        "now",
        Closure::<dyn FnMut() -> f64>::new(move || clock.now_ms.get()).into_js_value(),
    );
    (host.unchecked_into(), asked)
}

fn core() -> (u32, Rc<Asked>) {
    let (host, asked) = host();
    (module::create(host, &settings(8, 50)).unwrap(), asked)
}

#[wasm_bindgen_test]
fn a_tick_asks_the_host_for_the_time_and_runs_what_is_due() {
    let (core, asked) = core();
    asked.now_ms.set(3.0);
    assert!(module::schedule(core, 2e6, NORMAL) > 0.0);
    assert_eq!((module::tick(core), module::next_release_ms(core)), (0, Some(5.0)));
    asked.now_ms.set(5.0);
    assert_eq!((module::tick(core), module::pending(core)), (1, 0));
    assert_eq!(asked.runs.take(), [("runOnce", 0)]);
}

#[wasm_bindgen_test]
fn a_time_that_is_told_first_is_where_time_starts() {
    let (core, asked) = core();
    asked.now_ms.set(1e9);
    module::tick_at(core, 0.0);
    module::schedule(core, 7.0, NORMAL);
    assert_eq!(module::next_release_ms(core), Some(7e-6));
    module::tick(core);
    assert_eq!((asked.runs.take().len(), module::tick_at(core, 0.0)), (1, 0));
    module::schedule(core, 0.0, NORMAL); // Time does not step back.
    assert_eq!(module::next_release_ms(core), Some(1e9));
}

#[wasm_bindgen_test]
fn the_next_release_in_ms_is_never_a_ns_short() {
    let (core, _) = core();
    module::tick_at(core, 0.0);
    // Without the fraction of a ms that a double cannot hold, every other one would be.
    for exponent in 1..64 {
        for ns in [(1_u64 << exponent) - 1, 1 << exponent, (1 << exponent) + 53] {
            let number = module::schedule_with(core, ns, NORMAL, None);
            assert!(number > 0.0);
            let ms = module::next_release_ms(core).unwrap();
            assert!((ms * 1e6 + 0.5) as u64 >= ns, "{ns} ns is {ms} ms");
            assert!(module::cancel(core, number));
        }
    }
}

#[wasm_bindgen_test]
fn numbers_stay_unique_while_a_slot_is_reused() {
    let (core, _) = core();
    let mut last = 0.0;
    for _ in 0..10_000 {
        let number = module::schedule(core, 1.0, NORMAL);
        assert!(number > last && number <= 9_007_199_254_740_991.0);
        assert!(
            !module::cancel(core, last)
                && module::cancel(core, number)
                && !module::cancel(core, number)
        );
        last = number;
    }
    for stranger in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY, 9_007_199_254_740_991.0] {
        assert!(!module::cancel(core, stranger));
    }
}

#[wasm_bindgen_test]
fn what_cannot_be_scheduled_is_told_from_a_number() {
    let (core, _) = core();
    module::tick_at(core, 1.0);
    assert_eq!(module::schedule_with(core, u64::MAX, NORMAL, None), -2.0);
    for _ in 0..8 {
        assert!(module::schedule(core, 1.0, NORMAL) > 0.0);
    }
    assert_eq!(module::schedule(core, 1.0, NORMAL), -1.0);
    assert!(module::create(host().0, &settings(8, 1)).is_none());
}

#[wasm_bindgen_test]
fn a_function_reaches_everything_but_the_tick() {
    let (core, asked) = core();
    module::tick_at(core, 0.0);
    let number = module::schedule_periodic(core, 10, 10, NORMAL, Some(3), None);
    module::schedule(core, 10.0, 3);
    let inner = core;
    let body = move || {
        assert_eq!((module::pending(inner), module::next_release_ms(inner)), (2, Some(1e-5)));
        assert_eq!(
            (
                module::metrics(inner)[0],
                module::estimates(inner)[7],
                module::temporal_overlap(inner)
            ),
            (15., 0., 0.)
        );
        assert!(module::windows(inner).is_empty());
        module::clear(inner);
        assert!(!module::cancel(inner, number) && module::pending(inner) == 0);
        assert!(module::schedule(inner, 0.0, 0) > 0.0);
    };
    asked.on_run.replace(Some(Box::new(body)));
    assert_eq!((module::tick_at(core, 15e-6), module::pending(core)), (2, 0));
    assert_eq!(asked.runs.take().len(), 2);
    assert_eq!(*asked.misses.borrow(), [(13e-6, 15e-6)]);
}

#[wasm_bindgen_test]
fn a_function_of_one_scheduler_may_tick_another_whose_function_calls_the_first() {
    let ((outer, outer_asked), (inner, inner_asked)) = (core(), core());
    module::tick_at(outer, 1.0);
    module::tick_at(inner, 1.0);
    module::schedule(outer, 0.0, NORMAL);
    module::schedule(inner, 0.0, NORMAL);
    inner_asked.on_run.replace(Some(Box::new(move || {
        module::schedule(outer, 0.0, NORMAL);
    })));
    outer_asked.on_run.replace(Some(Box::new(move || assert_eq!(module::tick_at(inner, 1.0), 1))));
    assert_eq!(module::tick_at(outer, 1.0), 2);
    assert_eq!((module::pending(outer), module::pending(inner)), (0, 0));
}

#[wasm_bindgen_test]
fn the_number_of_a_freed_scheduler_is_anothers_and_nothing_is_left_of_it() {
    let (core, asked) = core();
    module::tick_at(core, 5.0);
    module::schedule(core, 0.0, NORMAL);
    module::free(core);
    let (next, next_asked) = self::core();
    assert_eq!(next, core);
    next_asked.now_ms.set(2.0);
    assert_eq!((module::pending(next), module::tick(next)), (0, 0));
    module::schedule(next, 0.0, NORMAL);
    assert_eq!((module::next_release_ms(next), module::tick(next)), (Some(2.0), 1));
    assert_eq!((asked.runs.take().len(), next_asked.runs.take().len()), (0, 1));
}

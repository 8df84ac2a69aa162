//! Hazard: what crosses between the module and JavaScript: numbers, times, calls back into a tick.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::vec::Vec;

use wasm_bindgen_test::wasm_bindgen_test;

use crate as module;

/// The urgency of a plain task.
const NORMAL: u32 = 2;
/// The policy for missed ticks.
const SKIP: u32 = 2;
/// Where a time is expected: the host is to be asked.
const ASK: f64 = f64::NAN;

/// What the module asked of the host of a scheduler, and what that does when it is to run a function.
#[derive(Default)]
struct Asked {
    runs: RefCell<Vec<(&'static str, i32)>>,
    misses: RefCell<Vec<(f64, f64)>>,
    on_run: RefCell<Option<Box<dyn FnMut()>>>,
}

thread_local! {
    static NOW_MS: Cell<f64> = const { Cell::new(0.0) };
    static ASKED: RefCell<Vec<Rc<Asked>>> = const { RefCell::new(Vec::new()) };
    static FIGURES: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// In place of `js/host.js`.
pub(crate) mod host {
    use super::*;

    pub(crate) fn now() -> f64 {
        NOW_MS.get()
    }

    fn asked(scheduler: i32) -> Rc<Asked> {
        ASKED.with_borrow(|asked| Rc::clone(&asked[scheduler as usize]))
    }

    fn run(scheduler: i32, run: (&'static str, i32)) {
        let asked = asked(scheduler);
        asked.runs.borrow_mut().push(run);
        if let Some(mut on_run) = asked.on_run.take() {
            on_run();
        }
    }

    pub(crate) fn run_once(scheduler: i32, slot: i32, _generation: i32) {
        run(scheduler, ("runOnce", slot));
    }

    pub(crate) fn run_again(scheduler: i32, slot: i32, _generation: i32) {
        run(scheduler, ("runAgain", slot));
    }

    pub(crate) fn missed(scheduler: i32, _task: f64, expected_ms: f64, actual_ms: f64) {
        asked(scheduler).misses.borrow_mut().push((expected_ms, actual_ms));
    }

    pub(crate) fn figure(value: f64) {
        FIGURES.with_borrow_mut(|figures| figures.push(value));
    }
}

/// What a report tells.
fn figures(report: impl FnOnce()) -> Vec<f64> {
    report();
    FIGURES.take()
}

fn create(hop_ns: u64) -> i32 {
    module::create(8, 1024, SKIP, true, 0.9, 4, 100, hop_ns, 0)
}

/// A scheduler, and what its host is asked. The host's time is 0.
fn core() -> (u32, Rc<Asked>) {
    NOW_MS.set(0.0);
    let (number, asked) = (create(50) as usize, Rc::<Asked>::default());
    ASKED.with_borrow_mut(|all| {
        all.resize_with(all.len().max(number + 1), Rc::default);
        all[number] = Rc::clone(&asked);
    });
    (number as u32, asked)
}

fn schedule(core: u32, delay_ns: f64, priority: u32) -> f64 {
    module::schedule(core, delay_ns, priority, ASK)
}

fn schedule_once(core: u32, delay_ns: u64) -> f64 {
    module::schedule_with(core, delay_ns, NORMAL, u64::MAX, 0, SKIP)
}

#[wasm_bindgen_test]
fn the_host_is_asked_for_the_time_or_tells_it_and_a_tick_runs_what_is_due() {
    let (core, asked) = core();
    NOW_MS.set(3.0);
    assert!(schedule(core, 2e6, NORMAL) > 0.0);
    assert!(module::schedule(core, 2e6, NORMAL, 4.0) > 0.0);
    assert_eq!((module::tick(core, 4.5), module::next_release_ms(core)), (0, 5.0));
    assert_eq!((module::tick(core, 5.0), module::next_release_ms(core)), (1, 6.0));
    NOW_MS.set(7.0);
    assert_eq!((module::tick(core, 6.0), module::pending(core)), (1, 0));
    assert_eq!(asked.runs.take(), [("runOnce", 0), ("runOnce", 1)]);
    // The time that is told is the tick's, not that of its end.
    assert_eq!(figures(|| module::metrics(core))[11], 1e6);
    schedule(core, 0.0, NORMAL);
    assert_eq!(module::next_release_ms(core), 7.0);
}

#[wasm_bindgen_test]
fn a_time_that_is_told_first_is_where_time_starts() {
    let (core, asked) = core();
    NOW_MS.set(1e9);
    module::tick_at(core, 0.0);
    schedule(core, 7.0, NORMAL);
    assert_eq!(module::next_release_ms(core), 7e-6);
    module::tick(core, 1e9);
    assert_eq!((asked.runs.take().len(), module::tick_at(core, 0.0)), (1, 0));
    schedule(core, 0.0, NORMAL); // Time does not step back.
    assert_eq!(module::next_release_ms(core), 1e9);
}

#[wasm_bindgen_test]
fn the_next_release_in_ms_is_never_a_ns_short() {
    let (core, _) = core();
    module::tick_at(core, 0.0);
    // Without the fraction of a ms that a double cannot hold, every other one would be.
    for exponent in 1..64 {
        for ns in [(1_u64 << exponent) - 1, 1 << exponent, (1 << exponent) + 53] {
            let number = schedule_once(core, ns);
            assert!(number > 0.0);
            let ms = module::next_release_ms(core);
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
        let number = schedule(core, 1.0, NORMAL);
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
    assert_eq!(schedule_once(core, u64::MAX), -2.0);
    for _ in 0..8 {
        assert!(schedule(core, 1.0, NORMAL) > 0.0);
    }
    assert_eq!(schedule(core, 1.0, NORMAL), -1.0);
    assert!(create(1) < 0);
}

#[wasm_bindgen_test]
fn a_function_reaches_everything_but_the_tick() {
    let (core, asked) = core();
    module::tick_at(core, 0.0);
    let number = module::schedule_with(core, 10, NORMAL, 3, 10, SKIP);
    schedule(core, 10.0, 3);
    let inner = core;
    let body = move || {
        assert_eq!((module::pending(inner), module::next_release_ms(inner)), (2, 1e-5));
        assert_eq!(
            (
                figures(|| module::metrics(inner))[0],
                figures(|| module::estimates(inner))[7],
                module::temporal_overlap(inner)
            ),
            (15., 0., 0.)
        );
        assert!(figures(|| module::windows(inner)).is_empty());
        module::clear(inner);
        assert!(!module::cancel(inner, number) && module::pending(inner) == 0);
        assert!(schedule(inner, 0.0, 0) > 0.0);
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
    schedule(outer, 0.0, NORMAL);
    schedule(inner, 0.0, NORMAL);
    inner_asked.on_run.replace(Some(Box::new(move || {
        schedule(outer, 0.0, NORMAL);
    })));
    outer_asked.on_run.replace(Some(Box::new(move || assert_eq!(module::tick_at(inner, 1.0), 1))));
    assert_eq!(module::tick_at(outer, 1.0), 2);
    assert_eq!((module::pending(outer), module::pending(inner)), (0, 0));
}

#[wasm_bindgen_test]
fn the_number_of_a_freed_scheduler_is_anothers_and_nothing_is_left_of_it() {
    let (core, asked) = core();
    module::tick_at(core, 5.0);
    schedule(core, 0.0, NORMAL);
    module::free(core);
    let (next, next_asked) = self::core();
    assert_eq!(next, core);
    NOW_MS.set(2.0);
    assert_eq!((module::pending(next), module::tick(next, 2.0)), (0, 0));
    schedule(next, 0.0, NORMAL);
    assert_eq!((module::next_release_ms(next), module::tick(next, 2.0)), (2.0, 1));
    assert_eq!((asked.runs.take().len(), next_asked.runs.take().len()), (0, 1));
}

#[wasm_bindgen_test]
fn windows_are_told_also_one_that_began_before_time_did() {
    let (core, _) = core();
    module::tick_at(core, 0.0);
    schedule(core, 20.0, NORMAL);
    module::tick_at(core, 3e-5);
    module::tick_at(core, 1e-3);
    let figures = figures(|| module::windows(core));
    assert_eq!(figures, [-50., 50., 1., 10., 10., 0., 100., 1., 10., 10.]);
    assert_eq!(module::temporal_overlap(core), 0.5);
}

//! A program without std: schedules, cancels, ticks and runs, and exits with 0 if all jobs ran in
//! order. Linked against the C library alone, which gives it memory and its entry point.

#![no_std]
#![no_main]

extern crate alloc;

mod libc;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_int;
use core::panic::PanicInfo;
use core::time::Duration;

use nanosecond_scheduler::{
    Admission, Config, ConfigError, Context, Emergency, ManualClock, Policy, Priority, Scheduler,
    Task, TimePoint,
};

#[global_allocator]
static ALLOCATOR: libc::Allocator = libc::Allocator;

/// Exit codes that say what went wrong.
const REFUSED: c_int = 1;
const WRONG_TICK: c_int = 2;
const WRONG_ORDER: c_int = 3;
const NOT_EMPTY: c_int = 4;
const NOT_REFUSED: c_int = 5;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    libc::abort()
}

// SAFETY: the C library calls the only `main` of this program once, and expects this signature.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, _argv: *const *const u8) -> c_int {
    match check() {
        Ok(()) => 0,
        Err(code) => code,
    }
}

type Log = Rc<RefCell<Vec<(u64, &'static str)>>>;

/// A job that logs its name and instant.
fn note(log: &Log, name: &'static str) -> impl FnMut(&mut Context<'_>) + 'static {
    let log = Rc::clone(log);
    move |cx| log.borrow_mut().push((cx.now().as_nanos(), name))
}

/// What needs the feature `realtime`, which is off.
fn check_refusals() -> Result<(), c_int> {
    let policy = Config { policy: Policy::EarliestDeadlineFirst, ..Config::default() };
    let admission = Config { admission: Admission::Exact, ..Config::default() };
    let audit = Config { audit: true, ..Config::default() };
    let emergency = Config { emergency: Emergency::Stop, ..Config::default() };
    let trace_capacity = Config { trace_capacity: 1, ..Config::default() };
    for (field, config) in [
        ("policy", policy),
        ("admission", admission),
        ("audit", audit),
        ("emergency", emergency),
        ("trace_capacity", trace_capacity),
    ] {
        let refusal = Scheduler::with_clock(config, ManualClock::new()).err();
        if refusal != Some(ConfigError::MissingFeature { field, feature: "realtime" }) {
            return Err(NOT_REFUSED);
        }
    }
    Ok(())
}

fn check() -> Result<(), c_int> {
    check_refusals()?;
    let clock = ManualClock::new();
    let mut scheduler =
        Scheduler::with_clock(Config::default(), clock.clone()).map_err(|_| REFUSED)?;
    let log = Log::default();
    let ns = Duration::from_nanos;
    let tasks = [
        Task::with_context(note(&log, "late"), ns(250)),
        Task::with_context(note(&log, "low"), ns(0)).with_priority(Priority::Low),
        Task::with_context(note(&log, "first"), ns(0)),
        Task::with_context(note(&log, "second"), ns(0)),
        Task::with_context(note(&log, "critical"), ns(0)).with_priority(Priority::Critical),
    ];
    for task in tasks {
        scheduler.schedule(task).map_err(|_| REFUSED)?;
    }
    let beat =
        scheduler.schedule(Task::periodic(note(&log, "beat"), ns(100))).map_err(|_| REFUSED)?;
    let never = Task::with_context(note(&log, "never"), ns(50));
    let never = scheduler.schedule(never).map_err(|_| REFUSED)?;
    scheduler.cancel(never).map_err(|_| REFUSED)?;

    let report = scheduler.tick();
    if report.executed != 4 || report.next_release != Some(TimePoint::from_nanos(100)) {
        return Err(WRONG_TICK);
    }
    clock.advance(ns(99));
    if scheduler.tick().executed != 0 {
        return Err(WRONG_TICK);
    }
    scheduler.run_until(TimePoint::from_nanos(300));
    scheduler.cancel(beat).map_err(|_| REFUSED)?;
    let expected = [
        (0, "critical"),
        (0, "first"),
        (0, "second"),
        (0, "low"),
        (100, "beat"),
        (200, "beat"),
        (250, "late"),
        (300, "beat"),
    ];
    if *log.borrow() != expected {
        return Err(WRONG_ORDER);
    }
    if !scheduler.is_empty() {
        return Err(NOT_EMPTY);
    }
    Ok(())
}

//! What real time can be had here: asks for each facility on a thread of its own, and prints the
//! answer beside what is then in force. Compare a run as root with one as an ordinary user.

use std::fmt::{Debug, Display};
use std::thread;
use std::time::Duration;

use nanosecond_realtime::os::{self, Outcome, PriorityClasses, SchedClass};
use nanosecond_scheduler::Priority;

fn main() {
    let cores = os::available_cores();
    println!("cores available: {cores:?}");
    match os::throttling() {
        Some(throttling) => println!("throttling: {throttling}"),
        None => println!("throttling: none known"),
    }

    let core = *cores.last().expect("there is a core");
    ask(format!("pin to core {core}"), move || os::pin_to_core(core), os::cores_in_force);
    let classes = PriorityClasses::default();
    for priority in Priority::ALL {
        ask_class(format!("class for {priority:?}"), classes.of(priority));
    }
    ask_class("class round robin".into(), SchedClass::RoundRobin(1));
    ask_class(
        "class deadline".into(),
        SchedClass::Deadline {
            runtime: Duration::from_micros(200),
            deadline: Duration::from_millis(1),
            period: Duration::from_millis(1),
        },
    );
    ask("nice -5", || os::set_nice(-5), os::nice_in_force);
    ask("timer slack 1 ns", || os::set_timer_slack(1), os::timer_slack_in_force);
    ask("prefault 256 KiB of stack", || os::prefault_stack(256 * 1024), || None::<()>);
    ask("prefault 16 MiB of heap", || os::prefault_heap(16 << 20), || None::<()>);
    ask("lock memory", os::lock_memory, || None::<()>);
    println!("unlock memory: {}", os::unlock_memory());
}

fn ask_class(what: String, class: SchedClass) {
    ask(format!("{what}, {class}"), move || os::set_class(class), os::class_in_force);
}

/// Asks on a new thread, so that no request meets the effects of another.
fn ask<T: Debug>(
    what: impl Display,
    request: impl FnOnce() -> Outcome + Send + 'static,
    in_force: impl FnOnce() -> Option<T> + Send + 'static,
) {
    let asked = thread::spawn(move || match (request(), in_force()) {
        (outcome, Some(value)) => format!("{outcome}; in force: {value:?}"),
        (outcome, None) => outcome.to_string(),
    });
    println!("{what}: {}", asked.join().expect("no request panics"));
}

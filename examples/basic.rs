//! The README's example with a heartbeat: tasks with delays and priorities, one that is cancelled,
//! and a periodic one that ends itself.
//!
//! ```text
//! cargo run --example basic
//! ```

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{Config, Context, Priority, Scheduler, Task};

fn main() -> Result<(), Box<dyn Error>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let note = |text: &'static str| {
        let log = Rc::clone(&log);
        move || log.borrow_mut().push(text)
    };

    let mut scheduler = Scheduler::new(Config::default());
    let task = Task::new(note("now, but not urgent"), Duration::ZERO);
    scheduler.schedule(task.with_priority(Priority::Low))?;
    scheduler.schedule(Task::new(note("now"), Duration::ZERO))?;
    scheduler.schedule(Task::new(note("after 250 ms"), Duration::from_millis(250)))?;
    let never = scheduler.schedule(Task::new(note("never"), Duration::from_millis(150)))?;
    scheduler.cancel(never)?;

    let beat = note("heartbeat");
    let mut beats_left = 3;
    let heartbeat = move |cx: &mut Context<'_>| {
        beat();
        beats_left -= 1;
        if beats_left == 0 {
            cx.cancel(cx.id()).expect("it is running, and would run again");
        }
    };
    scheduler.schedule(Task::periodic(heartbeat, Duration::from_millis(100)))?;

    scheduler.run_until_idle();

    for (place, text) in log.borrow().iter().enumerate() {
        println!("{}. {text}", place + 1);
    }
    let expected =
        ["now", "now, but not urgent", "heartbeat", "heartbeat", "after 250 ms", "heartbeat"];
    assert_eq!(*log.borrow(), expected);
    Ok(())
}

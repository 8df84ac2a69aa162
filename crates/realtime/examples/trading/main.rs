//! An order book fed at the pace of a captured network, each event to be dealt with within 5 µs, on
//! the scheduler and, in turns with it, in a bare loop.
//!
//! ```text
//! cargo run --release --example trading
//! cargo run --release --example trading -- --speed 400
//! ```
//!
//! Both spin on the same pinned core, so what the bare loop misses is the machine's share, and what
//! comes on top of it is the scheduler's. That both end with the same book is checked; times are
//! printed only.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use lexopt::{Arg, Parser};
use nanosecond_scheduler::{Clock, Config, DefaultClock, Scheduler, Task, TimePoint, Wait};

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/arrivals.rs"]
mod arrivals;
#[path = "../common/latencies.rs"]
mod latencies;
#[path = "../common/slices.rs"]
mod slices;
#[path = "../common/thread.rs"]
mod thread;

mod book;
mod feed;

use book::Book;
use feed::Timed;
use latencies::Latencies;

const HELP: &str = "\
Usage: trading [--speed N]

  --speed N   N (1 to 1000) times the pace of the capture, which takes 58 s [default: 40]
  --help      this text
";

const DEADLINE: Duration = Duration::from_micros(5);
/// The feed is cut in slices: one for the scheduler, the same for the bare loop, and so on. After
/// each pair comes a pause, so that less is spun than Linux throttles.
const SLICE: Duration = Duration::from_millis(400);
const PAUSE: Duration = Duration::from_millis(120);
/// From a slice's start of preparation to its start: enough for scheduling all of it.
const LEAD: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(speed) = parse(Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let feed = feed::generate(arrivals::load()?, speed);
    println!("{} order-book events at {speed} times the capture's pace", feed.len());

    let (ours, bare) = thread::on_real_time_thread(None, || in_turns(&feed))?;
    report(&feed, ours, bare);
    Ok(())
}

fn parse(mut parser: Parser) -> Result<Option<u32>, lexopt::Error> {
    let mut speed = 40;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("speed") => speed = arguments::number("--speed", &mut parser, 1, 1000)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(speed))
}

/// A way to deal with the feed, and what came of it.
#[derive(Default)]
struct Outcome {
    book: Book,
    responses: Latencies,
    /// What the scheduler told of.
    misses: u64,
}

/// Lets the scheduler and the bare loop work through the feed, slice by slice.
fn in_turns(feed: &[Timed]) -> Result<(Outcome, Outcome), String> {
    let clock = DefaultClock::new();
    let mut engine = Engine::new(clock.clone())?;
    let mut bare = Outcome::default();
    slices::for_each(feed, SLICE, |work| {
        engine.run(work)?;
        run_bare_loop(&clock, work, &mut bare);
        std::thread::sleep(PAUSE);
        Ok::<_, String>(())
    })?;
    Ok((engine.into_outcome()?, bare))
}

/// The book as a task of the scheduler's for each event.
struct Engine {
    clock: DefaultClock,
    scheduler: Scheduler,
    state: Rc<RefCell<Outcome>>,
}

impl Engine {
    fn new(clock: DefaultClock) -> Result<Self, String> {
        let config = Config { wait: Wait::Spin, ..Config::default() };
        let mut scheduler =
            Scheduler::with_clock(config, clock.clone()).map_err(|error| error.to_string())?;
        let state = Rc::new(RefCell::new(Outcome::default()));
        let outcome = Rc::clone(&state);
        scheduler.on_deadline_miss(move |miss| {
            assert!(miss.actual() > miss.expected());
            outcome.borrow_mut().misses += 1;
        });
        Ok(Engine { clock, scheduler, state })
    }

    fn run(&mut self, work: &[Timed]) -> Result<(), String> {
        let start = self.scheduler.now() + LEAD;
        for &(at, event) in work {
            let (clock, state) = (self.clock.clone(), Rc::clone(&self.state));
            let release = start + at;
            let body = move || {
                let state = &mut *state.borrow_mut();
                state.book.apply(event);
                state.responses.record(clock.now().duration_since(release));
            };
            let task = Task::new(body, Duration::ZERO).at(release).with_deadline(DEADLINE);
            self.scheduler.schedule(task).map_err(|error| error.to_string())?;
        }
        self.scheduler.run_until_idle();
        Ok(())
    }

    fn into_outcome(self) -> Result<Outcome, String> {
        let metrics = self.scheduler.metrics();
        drop(self.scheduler); // With it the handler of misses.
        let state = Rc::into_inner(self.state).ok_or("a task was left")?.into_inner();
        assert_eq!(metrics.executed, state.responses.len() as u64);
        assert_eq!(metrics.missed_deadlines, state.misses, "each miss was told");
        // The scheduler reads the clock after the job has.
        assert!(state.responses.over(DEADLINE) as u64 <= state.misses);
        Ok(state)
    }
}

/// The least that one can do: spin until an event arrives, deal with it, note how long that took.
fn run_bare_loop(clock: &DefaultClock, work: &[Timed], outcome: &mut Outcome) {
    let start: TimePoint = clock.now() + LEAD;
    for &(at, event) in work {
        while clock.now() < start + at {
            std::hint::spin_loop();
        }
        outcome.book.apply(event);
        outcome.responses.record(clock.now().duration_since(start + at));
    }
}

fn report(feed: &[Timed], mut ours: Outcome, mut bare: Outcome) {
    assert_eq!(ours.responses.len(), feed.len(), "each event was dealt with once");
    assert_eq!(bare.responses.len(), feed.len());
    assert!(ours.book == bare.book, "the order of events decides about the book");
    ours.book.check();
    let what = "from arrival to updated book";
    latencies::print_beside(what, DEADLINE, &mut ours.responses, &mut bare.responses);
    println!("The scheduler told of {} misses; its clock is read after the job's.", ours.misses);
    println!("Both books are the same: {}", ours.book);
}

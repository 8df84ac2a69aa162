//! A game's loop at 60 frames a second: the game owns the loop and calls `tick` once a frame.
//!
//! ```text
//! cargo run --release --example game_frame
//! ```
//!
//! Physics steps at a fixed 120 Hz and catches up after a late frame; animations end on time; 400
//! agents think every now and then. A frame runs a bounded number of jobs, so when too many are
//! due, agents, being the least urgent, think a frame later.

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, Context, MissedTick, Priority, ScheduleError, Scheduler, Task, TickReport, TimePoint,
};

const FRAMES: u32 = 120;
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);
const PHYSICS_STEP: Duration = Duration::from_nanos(1_000_000_000 / 120);
const JOBS_PER_FRAME: usize = 32;
const AGENTS: u32 = 400;
const THINKING_PERIOD: Duration = Duration::from_millis(250);
const ANIMATIONS: u32 = 10;

/// What the jobs did.
#[derive(Default)]
struct World {
    physics_steps: u64,
    animations_ended: u64,
    thoughts: u64,
    /// From the release of a thought to the frame that had room for it.
    longest_wait: Duration,
    /// Priority of the latest job of the current frame.
    latest: Option<Priority>,
}

type Shared = Rc<RefCell<World>>;

impl World {
    /// Signs for a job.
    fn enter(&mut self, priority: Priority) {
        assert!(self.latest.is_none_or(|latest| latest <= priority), "less urgent jobs came first");
        self.latest = Some(priority);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config { max_tasks_per_tick: JOBS_PER_FRAME, ..Config::default() };
    let mut scheduler = Scheduler::new(config);
    let world = Shared::default();
    let start = scheduler.now() + FRAME;
    populate(&mut scheduler, &world, start)?;

    let (mut late_frames, mut full_frames, mut longest) = (0, 0, Duration::ZERO);
    for frame in 0..FRAMES {
        let due = start + FRAME * frame;
        thread::sleep(due.duration_since(scheduler.now()));
        let report = run_frame(&mut scheduler, &world);
        // A real game would draw here.
        late_frames += u32::from(scheduler.now() > due + FRAME);
        full_frames += u32::from(report.more_due);
        longest = longest.max(report.duration);
    }
    let last = loop {
        let report = run_frame(&mut scheduler, &world);
        if !report.more_due {
            break report;
        }
    };

    let world = world.borrow();
    let time = last.started_at.duration_since(start);
    let steps_due = time.as_nanos() / PHYSICS_STEP.as_nanos() + 1;
    assert_eq!(u128::from(world.physics_steps), steps_due, "a physics step was lost");
    let jobs = world.physics_steps + world.animations_ended + world.thoughts;
    assert_eq!(scheduler.metrics().executed, jobs);

    println!("{FRAMES} frames in {time:.1?}; all times are wall time");
    println!("frames that ended late       {late_frames:>6}");
    println!("frames without room for all  {full_frames:>6}  at {JOBS_PER_FRAME} jobs a frame");
    println!("longest tick                 {longest:>6.1?}");
    println!("physics steps, none lost     {:>6}", world.physics_steps);
    println!("animations ended             {:>6}", world.animations_ended);
    println!("agents' thoughts             {:>6}", world.thoughts);
    println!("longest wait for a thought   {:>6.1?}", world.longest_wait);
    Ok(())
}

/// Everything a frame has to run.
fn run_frame(scheduler: &mut Scheduler, world: &Shared) -> TickReport {
    world.borrow_mut().latest = None;
    let report = scheduler.tick();
    assert!(report.executed <= JOBS_PER_FRAME);
    report
}

fn populate(
    scheduler: &mut Scheduler,
    world: &Shared,
    start: TimePoint,
) -> Result<(), ScheduleError> {
    let physics = Task::periodic(physics_step(world), PHYSICS_STEP)
        .at(start)
        .with_priority(Priority::High)
        .with_missed_tick(MissedTick::Burst);
    scheduler.schedule(physics)?;
    for number in 1..=ANIMATIONS {
        scheduler.schedule(animation(Rc::clone(world), start, number))?;
    }
    for number in 0..AGENTS {
        // They start together, which no frame has room for.
        let agent =
            Task::periodic(think(world), THINKING_PERIOD + Duration::from_micros(number.into()))
                .at(start)
                .with_priority(Priority::Low)
                .with_missed_tick(MissedTick::Delay);
        scheduler.schedule(agent)?;
    }
    Ok(())
}

fn physics_step(world: &Shared) -> impl FnMut(&mut Context<'_>) {
    let world = Rc::clone(world);
    move |_| {
        let mut world = world.borrow_mut();
        world.enter(Priority::High);
        world.physics_steps += 1;
    }
}

fn think(world: &Shared) -> impl FnMut(&mut Context<'_>) {
    let world = Rc::clone(world);
    move |cx| {
        let mut world = world.borrow_mut();
        world.enter(Priority::Low);
        world.thoughts += 1;
        world.longest_wait = world.longest_wait.max(cx.now().duration_since(cx.release()));
    }
}

/// Ends after a while of its own, and then starts anew.
fn animation(world: Shared, start: TimePoint, number: u32) -> Task {
    let end = start + Duration::from_millis(30) * number;
    let body = move |cx: &mut Context<'_>| {
        {
            let mut world = world.borrow_mut();
            world.enter(Priority::Normal);
            world.animations_ended += 1;
        }
        cx.schedule(animation(world, cx.now(), number)).expect("room for one that has just ended");
    };
    Task::with_context(body, Duration::ZERO).at(end)
}

//! The same operations on the scheduler itself, with closures that record what happens to them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nanosecond_scheduler::{
    Config, Context, ManualClock, Scheduler, Task, TaskId, TickReport, TimePoint,
};

use crate::naive::{Event, Report, Totals};
use crate::ops::{Action, Kind, Sequence, Spec, Start};

/// What the closures see and write to.
#[derive(Default)]
struct World {
    trace: RefCell<Vec<Event>>,
    /// The id of each task, by its number.
    ids: RefCell<Vec<TaskId>>,
    clock: ManualClock,
}

impl World {
    fn push(&self, event: Event) {
        self.trace.borrow_mut().push(event);
    }

    fn nth(&self, nth: usize) -> TaskId {
        let ids = self.ids.borrow();
        ids[nth % ids.len()]
    }

    /// Notes a new id, which must not be that of any task before.
    fn accepted(&self, id: TaskId) -> usize {
        let mut ids = self.ids.borrow_mut();
        assert_eq!(TaskId::from_bits(id.to_bits()), id);
        ids.push(id);
        ids.len() - 1
    }
}

/// Lives in a closure, and dies with it.
struct Soul {
    world: Rc<World>,
    number: usize,
    action: Action,
}

impl Drop for Soul {
    fn drop(&mut self) {
        self.world.push(Event::Dropped(self.number));
    }
}

impl Soul {
    fn new(world: &Rc<World>, action: Action) -> Self {
        let number = world.ids.borrow().len();
        Soul { world: Rc::clone(world), number, action }
    }

    fn run(&self, cx: &mut Context<'_>) {
        let world = &self.world;
        assert_eq!(cx.id(), world.nth(self.number));
        let (now, release) = (cx.now().as_nanos(), cx.release().as_nanos());
        assert!(release <= now, "started {} ns early", release - now);
        world.push(Event::Ran { number: self.number, now, release });
        match self.action {
            Action::Nothing => {}
            Action::Schedule { priority, delay } => {
                let spec = Spec::plain(priority, Start::After(delay));
                let result = cx.schedule(task(world, spec));
                report_scheduled(world, result);
            }
            Action::Cancel(nth) => {
                let cancelled = cx.cancel(world.nth(nth)).is_ok();
                world.push(Event::Cancelled(cancelled));
            }
            Action::CancelSelf => world.push(Event::Cancelled(cx.cancel(cx.id()).is_ok())),
            Action::Trigger(nth) => {
                let release = cx.trigger(world.nth(nth)).map(TimePoint::as_nanos);
                world.push(Event::triggered(release));
            }
            Action::AdvanceClock(by) => world.clock.advance(Duration::from_nanos(by)),
        }
    }
}

fn task(world: &Rc<World>, spec: Spec) -> Task {
    let soul = Soul::new(world, spec.action);
    let task = match spec.kind {
        Kind::Once => Task::with_context(move |cx| soul.run(cx), Duration::ZERO),
        Kind::Periodic { period, .. } => {
            Task::periodic(move |cx| soul.run(cx), Duration::from_nanos(period))
        }
        Kind::Sporadic { gap } => Task::sporadic(move |cx| soul.run(cx), Duration::from_nanos(gap)),
    };
    let mut task = match spec.start {
        Start::Usual => task,
        Start::After(delay) => task.with_delay(Duration::from_nanos(delay)),
        Start::At(release) => task.at(TimePoint::from_nanos(release)),
    };
    if let Kind::Periodic { missed_tick: Some(missed_tick), .. } = spec.kind {
        task = task.with_missed_tick(missed_tick);
    }
    if let Some(deadline) = spec.deadline {
        task = task.with_deadline(Duration::from_nanos(deadline));
    }
    task.with_priority(spec.priority)
}

fn report_scheduled(world: &World, result: Result<TaskId, nanosecond_scheduler::ScheduleError>) {
    match result {
        Ok(id) => world.push(Event::scheduled(Ok(world.accepted(id)))),
        Err(error) => {
            world.push(Event::scheduled(Err(error.kind())));
            drop(error.into_task());
        }
    }
}

pub(crate) struct Real {
    scheduler: Scheduler<ManualClock>,
    world: Rc<World>,
}

impl Real {
    pub(crate) fn new(sequence: &Sequence) -> Self {
        let world = Rc::new(World::default());
        let config = Config {
            max_tasks_per_tick: sequence.max_tasks_per_tick,
            capacity: sequence.capacity,
            missed_tick: sequence.missed_tick,
            ..Config::default()
        };
        let scheduler = Scheduler::with_clock(config, world.clock.clone());
        Real { scheduler: scheduler.expect("the config is valid"), world }
    }

    pub(crate) fn set_clock(&self, to: u64) {
        self.world.clock.set(TimePoint::from_nanos(to));
    }

    pub(crate) fn len(&self) -> usize {
        let len = self.scheduler.len();
        assert_eq!(self.scheduler.is_empty(), len == 0);
        len
    }

    pub(crate) fn next_release(&mut self) -> Option<u64> {
        self.scheduler.next_release().map(TimePoint::as_nanos)
    }

    pub(crate) fn id(&self, number: usize) -> TaskId {
        self.world.nth(number)
    }

    /// The number of the latest task that had this id.
    pub(crate) fn number_of(&self, id: TaskId) -> Option<usize> {
        self.world.ids.borrow().iter().rposition(|&other| other == id)
    }

    pub(crate) fn is_pending(&self, number: usize) -> bool {
        self.scheduler.is_pending(self.world.nth(number))
    }

    pub(crate) fn schedule(&mut self, spec: Spec) {
        let result = self.scheduler.schedule(task(&self.world, spec));
        report_scheduled(&self.world, result);
    }

    pub(crate) fn cancel(&mut self, id: TaskId) {
        let cancelled = self.scheduler.cancel(id).is_ok();
        self.world.push(Event::Cancelled(cancelled));
    }

    pub(crate) fn trigger(&mut self, number: usize) {
        let release = self.scheduler.trigger(self.world.nth(number)).map(TimePoint::as_nanos);
        self.world.push(Event::triggered(release));
    }

    pub(crate) fn tick(&mut self) -> Report {
        let TickReport { executed, missed_deadlines, more_due, next_release, started_at, .. } =
            self.scheduler.tick();
        let next_release = next_release.map(TimePoint::as_nanos);
        let started_at = started_at.as_nanos();
        Report { executed, missed_deadlines, more_due, next_release, started_at }
    }

    pub(crate) fn totals(&self) -> Totals {
        let metrics = self.scheduler.metrics();
        Totals {
            executed: metrics.executed,
            cancelled: metrics.cancelled,
            missed_deadlines: metrics.missed_deadlines,
            missed_ticks: metrics.missed_ticks,
        }
    }

    /// What happened since this was asked last.
    pub(crate) fn take_trace(&self) -> Vec<Event> {
        self.world.trace.take()
    }

    /// Drops the scheduler, and tells which closures that dropped, in no particular order.
    pub(crate) fn end(self) -> Vec<Event> {
        drop(self.scheduler);
        let mut dropped = self.world.trace.take();
        dropped.sort();
        assert_eq!(Rc::strong_count(&self.world), 1, "a closure is still alive");
        dropped
    }
}

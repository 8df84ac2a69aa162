//! Hazard: a job that starts while a released one is waiting which the policy prefers. Random task
//! sets with a book of their own, and the scheduler's audit beside it.

mod book;
#[path = "../common/mod.rs"]
mod common;
mod draw;

use std::cell::RefCell;
use std::rc::Rc;

use book::{Action, Book, Kind, Spec};
use common::{at, manual, ns};
use draw::{step, Step};
use nanosecond_scheduler::{
    Clock, Config, Context, DeadlineKind, Emergency, ManualClock, MaxEstimator, Policy, Priority,
    Scheduler, Task, TaskId,
};
use proptest::prelude::*;

type Shared = Rc<RefCell<Book>>;

/// A task that keeps the book.
fn task(spec: &Rc<Spec>, book: &Shared, clock: &ManualClock) -> Task {
    let (spec2, book, clock) = (spec.clone(), book.clone(), clock.clone());
    let body = move |cx: &mut Context<'_>| {
        let (id, release, now) = (cx.id(), cx.release().as_nanos(), cx.now().as_nanos());
        book.borrow_mut().starts(id, release, now);
        for action in &spec2.actions {
            act(*action, cx, &spec2, &book, &clock);
        }
        book.borrow_mut().over(id, &spec2, release, now);
    };
    let task = match spec.kind {
        Kind::Once => Task::with_context(body, ns(spec.delay)),
        Kind::Sporadic(gap) => Task::sporadic(body, ns(gap)),
        Kind::Periodic(period, missed_tick) => Task::periodic(body, ns(period))
            .with_delay(ns(spec.delay))
            .with_missed_tick(missed_tick),
    };
    let task = task.with_priority(spec.priority);
    let task = match spec.deadline {
        None => task,
        Some((DeadlineKind::Soft, relative)) => task.with_deadline(ns(relative)),
        Some((DeadlineKind::Firm, relative)) => task.with_firm_deadline(ns(relative)),
        Some((DeadlineKind::Hard, relative)) => task.with_hard_deadline(ns(relative)),
    };
    let task = if spec.name.is_empty() { task } else { task.with_name(spec.name) };
    match spec.wcet {
        None => task,
        Some(wcet) => task.with_wcet(ns(wcet)),
    }
}

/// Enters a task that was scheduled at `now`.
fn enter(id: TaskId, spec: &Rc<Spec>, book: &Shared, now: u64) {
    let mut book = book.borrow_mut();
    book.live.push((id, spec.clone(), None));
    if !matches!(spec.kind, Kind::Sporadic(_)) {
        book.queue(id, spec, now + spec.delay);
    }
}

fn act(action: Action, cx: &mut Context<'_>, spec: &Spec, book: &Shared, clock: &ManualClock) {
    match action {
        Action::Take(time) => clock.advance(ns(time)),
        Action::SetBack(time) => clock.set(at(clock.now().as_nanos().saturating_sub(time))),
        Action::Schedule(delay) => {
            let kind = Kind::Once;
            let actions = vec![Action::Take(delay % 7)];
            let child = Rc::new(Spec { kind, delay, actions, ..spec.clone() });
            let id = cx.schedule(task(&child, book, clock)).unwrap();
            enter(id, &child, book, cx.now().as_nanos());
        }
        Action::Cancel(nth) => {
            let live = book.borrow().live.iter().map(|live| live.0).collect::<Vec<_>>();
            if let Some(id) = nth.checked_rem(live.len()).map(|nth| live[nth]) {
                // The running one-shot is in the book, but no longer pending.
                assert!(cx.cancel(id).is_ok() || id == cx.id());
                book.borrow_mut().ended(id);
            }
        }
        Action::CancelSelf => {
            let _ = cx.cancel(cx.id());
            book.borrow_mut().ended(cx.id());
        }
        Action::Trigger(nth) => {
            let triggered = book.borrow_mut().trigger(nth, cx.now().as_nanos());
            if let Some((id, release)) = triggered {
                assert_eq!(cx.trigger(id), Ok(at(release)));
            }
        }
    }
}

fn take_step(
    step: &Step,
    scheduler: &mut Scheduler<ManualClock>,
    clock: &ManualClock,
    book: &Shared,
) {
    let now = scheduler.now().as_nanos();
    match step {
        Step::Advance(time) => clock.advance(ns(*time)),
        Step::SetBack(time) => clock.set(at(clock.now().as_nanos().saturating_sub(*time))),
        Step::Schedule(spec) => {
            let spec = Rc::new(spec.clone());
            let id = scheduler.schedule(task(&spec, book, clock)).unwrap();
            enter(id, &spec, book, now);
        }
        Step::Cancel(nth) => {
            let live = book.borrow().live.iter().map(|live| live.0).collect::<Vec<_>>();
            if let Some(nth) = nth.checked_rem(live.len()) {
                scheduler.cancel(live[nth]).unwrap();
                book.borrow_mut().ended(live[nth]);
            }
        }
        Step::Trigger(nth) => {
            let triggered = book.borrow_mut().trigger(*nth, now);
            if let Some((id, release)) = triggered {
                assert_eq!(scheduler.trigger(id), Ok(at(release)));
            }
        }
    }
}

/// Plays the steps with a tick after each; tells how many jobs have started.
fn play(config: Config, steps: &[Step], estimates: bool) -> u64 {
    let Config { policy, emergency, .. } = config;
    let (mut scheduler, clock) = manual(Config { audit: true, ..config });
    let estimated = estimates && policy == Policy::LeastLaxity;
    let book = Rc::new(RefCell::new(Book::new(policy, emergency, estimated)));
    if estimates {
        scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    }
    let book2 = book.clone();
    scheduler.on_deadline_miss(move |miss| book2.borrow_mut().missed(miss));
    for step in steps {
        take_step(step, &mut scheduler, &clock, &book);
        scheduler.tick();
        assert_eq!(scheduler.inversions(), Some(0), "the audit, {policy:?}");
        let book = book.borrow();
        assert_eq!(scheduler.len(), book.live.len());
        // `Some` also while nothing but earlier, still ready tasks is known: never late.
        let next = scheduler.next_release().map(|next| next.as_nanos());
        let earliest = book.queued.iter().map(|job| job.release).min();
        assert!(next <= earliest && next.is_some() == earliest.is_some(), "{next:?} {earliest:?}");
        assert!(policy != Policy::Priority || next == earliest);
    }
    assert_eq!(scheduler.metrics().executed, book.borrow().started);
    let started = book.borrow().started;
    started
}

fn policies() -> [Policy; 5] {
    [
        Policy::Priority,
        Policy::EarliestDeadlineFirst,
        Policy::RateMonotonic,
        Policy::DeadlineMonotonic,
        Policy::LeastLaxity,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_starts_while_something_preferred_is_waiting(
        steps in prop::collection::vec(step(), 1..80),
        max_tasks_per_tick in prop::sample::select(vec![1usize, 2, 7, 50]),
        skips in any::<bool>(),
        estimates in any::<bool>(),
    ) {
        let emergency = if skips { Emergency::SkipTask } else { Emergency::Callback };
        for policy in policies() {
            let config = Config { policy, emergency, max_tasks_per_tick, ..Config::default() };
            play(config, &steps, estimates);
        }
    }
}

/// `INVERSION_CASES` sets the number of random sets.
fn cases() -> u32 {
    std::env::var("INVERSION_CASES").map_or(100, |cases| cases.parse().expect("a number"))
}

/// The book itself can fail: of two equals the second starts first.
#[test]
#[should_panic(expected = "EarliestDeadlineFirst, at 9")]
fn the_book_notices_an_inversion() {
    let policy = Policy::EarliestDeadlineFirst;
    let mut book = Book::new(policy, Emergency::Callback, false);
    let (kind, priority, deadline) = (Kind::Once, Priority::Low, Some((DeadlineKind::Soft, 10)));
    let (delay, wcet, name, actions) = (0, None, "", vec![]);
    let spec = Rc::new(Spec { kind, delay, priority, deadline, wcet, name, actions });
    let [first, second] = [1, 2].map(TaskId::from_bits);
    book.queue(first, &spec, 5);
    book.queue(second, &spec, 5);
    book.starts(second, 5, 9);
}

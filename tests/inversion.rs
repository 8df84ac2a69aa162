//! Hazard: a job that starts while a released one is waiting which the policy prefers. Random task
//! sets with a book of their own, and the scheduler's audit beside it.

mod common;

use std::cell::RefCell;
use std::rc::Rc;

use common::{at, manual, ns};
use nanosecond_scheduler::{
    Clock, Config, Context, DeadlineKind, DeadlineViolation, Emergency, ManualClock, MaxEstimator,
    MissedTick, Policy, Priority, Scheduler, Task, TaskId,
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Once,
    Periodic(u64, MissedTick),
    Sporadic(u64),
}

impl Kind {
    fn period(self) -> Option<u64> {
        match self {
            Kind::Once => None,
            Kind::Periodic(period, _) | Kind::Sporadic(period) => Some(period),
        }
    }
}

/// What a job does, one after the other.
#[derive(Clone, Copy, Debug)]
enum Action {
    Take(u64),
    SetBack(u64),
    /// A one-shot with the attributes of this task, after a delay.
    Schedule(u64),
    Cancel(usize),
    CancelSelf,
    Trigger(usize),
}

#[derive(Clone, Debug)]
struct Spec {
    kind: Kind,
    delay: u64,
    priority: Priority,
    deadline: Option<(DeadlineKind, u64)>,
    wcet: Option<u64>,
    name: &'static str,
    actions: Vec<Action>,
}

impl Spec {
    fn relative_deadline(&self) -> Option<u64> {
        self.deadline.map(|(_, relative)| relative).or(self.kind.period())
    }

    /// What goes first under a policy: the least.
    fn key(&self, policy: Policy, release: u64) -> i128 {
        let absolute = self.relative_deadline().map(|relative| i128::from(release + relative));
        let key = match policy {
            Policy::Priority => Some(0),
            Policy::EarliestDeadlineFirst => absolute,
            Policy::RateMonotonic => self.kind.period().map(i128::from),
            Policy::DeadlineMonotonic => self.relative_deadline().map(i128::from),
            Policy::LeastLaxity => absolute.map(|d| d - i128::from(self.wcet.unwrap_or(0))),
        };
        key.unwrap_or(i128::MAX)
    }
}

/// A job that is queued, whether or not it is released.
struct Queued {
    id: TaskId,
    spec: Rc<Spec>,
    release: u64,
    submitted: u64,
}

impl Queued {
    /// Whether it is to start before `other`, both being released.
    fn is_preferred_to(&self, other: &Queued, policy: Policy) -> bool {
        if policy == Policy::Priority {
            let rank = |job: &Queued| (job.spec.priority, job.release, job.submitted);
            return rank(self) < rank(other);
        }
        let rank = |job: &Queued| (job.spec.key(policy, job.release), job.spec.priority);
        // Of equals the first in goes first, if it is so by release as well as by submission.
        let is_before = self.release <= other.release && self.submitted < other.submitted;
        rank(self) < rank(other) || rank(self) == rank(other) && is_before
    }
}

/// The test's own account of the queue.
struct Book {
    policy: Policy,
    emergency: Emergency,
    /// Whether keys depend on estimates, which the book does not make: then only the audit checks.
    estimates: bool,
    queued: Vec<Queued>,
    /// Live tasks, with the release of their latest job.
    live: Vec<(TaskId, Rc<Spec>, Option<u64>)>,
    submitted: u64,
    started: u64,
}

type Shared = Rc<RefCell<Book>>;

impl Book {
    fn new(policy: Policy, emergency: Emergency, estimates: bool) -> Self {
        let (queued, live) = (Vec::new(), Vec::new());
        Book { policy, emergency, estimates, queued, live, submitted: 0, started: 0 }
    }

    fn queue(&mut self, id: TaskId, spec: &Rc<Spec>, release: u64) {
        let submitted = self.submitted;
        self.submitted += 1;
        self.queued.push(Queued { id, spec: spec.clone(), release, submitted });
        if let Some(live) = self.live.iter_mut().find(|live| live.0 == id) {
            live.2 = Some(release);
        }
    }

    fn starts(&mut self, id: TaskId, release: u64, now: u64) {
        self.started += 1;
        let at = self.queued.iter().position(|job| job.id == id).expect("it was queued");
        let job = self.queued.swap_remove(at);
        assert_eq!(job.release, release);
        assert!(release <= now, "an early start");
        let preferred = self.queued.iter().find(|other| {
            other.release <= now && !self.estimates && other.is_preferred_to(&job, self.policy)
        });
        if let Some(other) = preferred {
            panic!(
                "{:?}, at {now}: {:?} of {release} before {:?} of {}",
                self.policy, job.spec, other.spec, other.release
            );
        }
    }

    /// The job of `release`, decided at `now`, is over: queues the next.
    fn over(&mut self, id: TaskId, spec: &Rc<Spec>, release: u64, now: u64) {
        let is_live = self.live.iter().any(|live| live.0 == id);
        match spec.kind {
            Kind::Once => self.ended(id),
            Kind::Periodic(period, missed_tick) if is_live => {
                let next = match missed_tick {
                    MissedTick::Burst => release + period,
                    MissedTick::Delay => now + period,
                    MissedTick::Skip => now - (now - release) % period + period,
                };
                self.queue(id, spec, next);
            }
            _ => {}
        }
    }

    fn ended(&mut self, id: TaskId) {
        self.live.retain(|live| live.0 != id);
        self.queued.retain(|job| job.id != id);
    }

    /// A job that is late before it starts, and so worth nothing, is skipped.
    fn missed(&mut self, miss: DeadlineViolation) {
        let is_it = |job: &&Queued| {
            let deadline = job.spec.deadline.map(|(_, relative)| at(job.release + relative));
            job.id == miss.task() && deadline == Some(miss.expected())
        };
        let Some(job) = self.queued.iter().find(is_it) else { return }; // It has run.
        let is_skipped = match job.spec.deadline {
            Some((DeadlineKind::Firm, _)) => true,
            Some((DeadlineKind::Hard, _)) => self.emergency == Emergency::SkipTask,
            _ => false,
        };
        if is_skipped {
            let (id, spec, release) = (job.id, job.spec.clone(), job.release);
            self.queued.retain(|job| job.id != id);
            self.over(id, &spec, release, miss.actual().as_nanos());
        }
    }

    /// Notes that a task of the book is triggered at `now`; tells for when.
    fn trigger(&mut self, nth: usize, now: u64) -> Option<(TaskId, u64)> {
        let sporadic = self.live.iter().filter(|live| matches!(live.1.kind, Kind::Sporadic(_)));
        let count = sporadic.clone().count();
        let (id, spec, last) = sporadic.clone().nth(nth.checked_rem(count)?)?.clone();
        if let Some(job) = self.queued.iter().find(|job| job.id == id) {
            return Some((id, job.release));
        }
        let release = last.map_or(now, |last| now.max(last + spec.kind.period().unwrap()));
        self.queue(id, &spec, release);
        Some((id, release))
    }
}

/// A task that keeps the book, and its release.
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

/// What happens between ticks.
#[derive(Clone, Debug)]
enum Step {
    Advance(u64),
    SetBack(u64),
    Schedule(Spec),
    Cancel(usize),
    Trigger(usize),
}

fn span() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..20u64, 0..300u64]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => span().prop_map(Action::Take),
        1 => span().prop_map(Action::SetBack),
        2 => span().prop_map(Action::Schedule),
        1 => any::<usize>().prop_map(Action::Cancel),
        1 => Just(Action::CancelSelf),
        1 => any::<usize>().prop_map(Action::Trigger),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    use DeadlineKind::{Firm, Hard, Soft};
    use MissedTick::{Burst, Delay, Skip};
    let period = || prop_oneof![Just(50), Just(100), 5..400u64];
    let missed_tick = prop::sample::select(vec![Burst, Delay, Skip]);
    let kind = prop_oneof![
        2 => Just(Kind::Once),
        3 => (period(), missed_tick).prop_map(|(period, missed)| Kind::Periodic(period, missed)),
        2 => period().prop_map(Kind::Sporadic),
    ];
    let deadline = (prop::sample::select(vec![Soft, Firm, Hard]), period());
    let priority = prop::sample::select(Priority::ALL.to_vec());
    let name = prop::sample::select(vec!["", "one", "two"]);
    let wcet = prop::option::of(span());
    let actions = prop::collection::vec(action(), 0..4);
    (kind, span(), priority, prop::option::of(deadline), wcet, name, actions).prop_map(
        |(kind, delay, priority, deadline, wcet, name, actions)| Spec {
            kind,
            delay,
            priority,
            deadline,
            wcet,
            name,
            actions,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => span().prop_map(Step::Advance),
        1 => span().prop_map(Step::SetBack),
        4 => spec().prop_map(Step::Schedule),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Trigger),
    ]
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

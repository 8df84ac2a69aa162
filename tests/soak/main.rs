//! Hazard: a job that is lost, run twice or miscounted in the long run. A minute of virtual time at
//! 90 % utilization under each policy, with late tasks, panics, clock steps and cancels.
//!
//! `SOAK_SECONDS` sets the virtual time; otherwise it is 60. The trace holds up to 1,000.

#[path = "../common/mod.rs"]
mod common;
mod jobs;
mod ledger;

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;

use common::{at, manual, ns, scatter};
use jobs::{deadline_kind, one_shot, run_job, some_one_shot, with_deadline, Extra, Fault};
use ledger::{Account, Kind, Ledger, Outcome, Predecessor};
use nanosecond_scheduler::{
    Clock, Config, Context, Emergency, ManualClock, MissedTick, Policy, Priority, Scheduler, Task,
    TaskId, Trace, TraceKind,
};

const MS: u64 = 1_000_000;
/// The soak meddles once per so long.
const STEP: u64 = 50 * MS;

type Shared = Rc<RefCell<Ledger>>;

/// How many parts of its period a periodic task takes: 9 tasks at 9 %.
const SHARE: (u64, u64) = (9, 100);
const PERIODS_MS: [u64; 9] = [4, 5, 8, 10, 20, 25, 40, 50, 100];
const GAPS_MS: [u64; 2] = [10, 20];

/// A scheduler, its clock, and the book.
struct Soak {
    scheduler: Scheduler<ManualClock>,
    clock: ManualClock,
    ledger: Shared,
    /// The accounts of the periodic tasks that run now.
    periodic: [usize; PERIODS_MS.len()],
    sporadic: [usize; GAPS_MS.len()],
    serial: u64,
}

impl Soak {
    fn new(policy: Policy, emergency: Emergency, seconds: u64) -> Self {
        let trace_capacity = Trace::MAX_CAPACITY.min(seconds as usize * 10_000);
        let config = Config {
            policy,
            emergency,
            trace_capacity,
            max_tasks_per_tick: 16,
            audit: true,
            ..Config::default()
        };
        let (mut scheduler, clock) = manual(config);
        let ledger = Rc::new(RefCell::new(Ledger::new(emergency)));
        scheduler.on_panic(|panic| {
            if !panic.payload.is::<Fault>() {
                resume_unwind(panic.payload); // An assertion of this test.
            }
        });
        let ledger2 = ledger.clone();
        scheduler.on_deadline_miss(move |miss| ledger2.borrow_mut().missed(miss));
        let (periodic, sporadic) = ([0; PERIODS_MS.len()], [0; GAPS_MS.len()]);
        Soak { scheduler, clock, ledger, periodic, sporadic, serial: 0 }
    }

    fn now(&self) -> u64 {
        self.scheduler.now().as_nanos()
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn schedule(&mut self, account: usize, task: Task) -> TaskId {
        let id = self.scheduler.schedule(task).unwrap();
        self.ledger.borrow_mut().scheduled(account, id);
        id
    }

    fn start_sporadic(&mut self, nth: usize) {
        let gap = GAPS_MS[nth] * MS;
        let time = gap * 4 / 100;
        let mut account = Account::new(Kind::Sporadic(gap), 0, time);
        account.deadline = Some((deadline_kind(nth as u64), 2 * gap));
        let deadline = account.deadline;
        let account = self.ledger.borrow_mut().open(account);
        let (clock, ledger) = (self.clock.clone(), self.ledger.clone());
        let body = move |cx: &mut Context<'_>| {
            run_job(cx, account, time, &clock, &ledger, Extra::Nothing);
        };
        let task = Task::sporadic(body, ns(gap)).with_wcet(ns(time)).with_name("sporadic");
        let task = deadline.into_iter().fold(task, with_deadline);
        self.schedule(account, task);
        self.sporadic[nth] = account;
    }

    fn start_periodic(&mut self, nth: usize) {
        let period = PERIODS_MS[nth] * MS;
        let time = period * SHARE.0 / SHARE.1;
        let missed_tick = [MissedTick::Burst, MissedTick::Skip, MissedTick::Delay][nth / 2 % 3];
        let delay = scatter(self.next_serial(), period);
        let first = self.now() + delay;
        let mut account = Account::new(Kind::Periodic(period, missed_tick), first, time);
        account.priority = Priority::ALL[nth % 4];
        account.deadline = (nth % 5 > 0).then(|| (deadline_kind(nth as u64), 2 * period));
        let (deadline, priority) = (account.deadline, account.priority);
        let account = self.ledger.borrow_mut().open(account);
        let (clock, ledger) = (self.clock.clone(), self.ledger.clone());
        let extra = match nth {
            1 => Extra::Trigger(self.sporadic),
            4 => Extra::Schedule,
            6 => Extra::CancelOneShots,
            _ => Extra::Nothing,
        };
        let body = move |cx: &mut Context<'_>| run_job(cx, account, time, &clock, &ledger, extra);
        let task = Task::periodic(body, ns(period)).with_delay(ns(delay)).with_wcet(ns(time));
        let task = task.with_missed_tick(missed_tick).with_priority(priority);
        let task = deadline.into_iter().fold(task, with_deadline);
        self.schedule(account, task);
        self.periodic[nth] = account;
    }

    fn leave_safe_mode(&mut self) {
        assert_eq!(self.scheduler.is_in_safe_mode(), self.ledger.borrow().in_safe_mode);
        self.scheduler.leave_safe_mode();
        self.ledger.borrow_mut().in_safe_mode = false;
    }

    /// Replaces what panics and cancels have ended.
    fn restart_ended(&mut self) {
        for nth in 0..GAPS_MS.len() {
            if !self.ledger.borrow().is_alive(self.sporadic[nth]) {
                self.start_sporadic(nth);
                self.cancel(self.periodic[1]); // It triggers the former.
            }
        }
        for nth in 0..PERIODS_MS.len() {
            if !self.ledger.borrow().is_alive(self.periodic[nth]) {
                self.start_periodic(nth);
            }
        }
    }

    fn cancel(&mut self, account: usize) {
        if self.ledger.borrow().is_alive(account) {
            let id = self.ledger.borrow().accounts[account].id;
            self.scheduler.cancel(id).unwrap();
            let now = self.now();
            self.ledger.borrow_mut().cancel(account, now);
        }
    }

    /// A one-shot, one that waits for it, one that waits for that, and one that waits for a
    /// periodic task's next job.
    fn schedule_chain(&mut self) {
        let mut before = None;
        for link in 0..3 {
            let (account, id) = self.schedule_one_shot(before);
            let runs_anyway = (self.serial + link) % 2 == 0;
            before = Some((Predecessor { account, job: 0, runs_anyway }, id));
        }
        let account = self.periodic[self.serial as usize % PERIODS_MS.len()];
        let (job, id) = {
            let ledger = self.ledger.borrow();
            (ledger.accounts[account].outcomes.len(), ledger.accounts[account].id)
        };
        let runs_anyway = self.serial % 2 == 0;
        self.schedule_one_shot(Some((Predecessor { account, job, runs_anyway }, id)));
    }

    fn schedule_one_shot(&mut self, before: Option<(Predecessor, TaskId)>) -> (usize, TaskId) {
        let (serial, now) = (self.next_serial(), self.now());
        let (account, task) = one_shot(serial, now, before, &self.clock, &self.ledger);
        (account, self.schedule(account, task))
    }

    /// What goes wrong in step `n`.
    fn meddle(&mut self, n: u64) {
        if n % 17 == 3 {
            self.clock.advance(ns(20 * MS)); // Now much is late, and one tick does not do it all.
            self.scheduler.tick();
            let ready = some_one_shot(&self.ledger.borrow(), n);
            ready.into_iter().for_each(|(account, _)| self.cancel(account));
        }
        if n % 11 == 5 {
            let back = self.clock.now().as_nanos().saturating_sub(3 * MS);
            self.clock.set(at(back));
        }
        if n % 13 == 7 {
            self.cancel(self.periodic[n as usize % PERIODS_MS.len()]);
        }
        if n % 29 == 11 {
            self.cancel(self.sporadic[n as usize % GAPS_MS.len()]);
        }
        if n % 5 == 1 {
            let one_shot = some_one_shot(&self.ledger.borrow(), n);
            one_shot.into_iter().for_each(|(account, _)| self.cancel(account));
        }
    }

    /// Runs until `end`, whatever emergencies stop it, and until nothing is left over.
    fn run_until(&mut self, end: u64) {
        loop {
            self.scheduler.run_until(at(end));
            let now = self.now();
            if now >= end && self.scheduler.next_release().is_none_or(|next| next > at(now)) {
                return;
            }
        }
    }

    fn check(&mut self) {
        let end = self.now();
        let ledger = self.ledger.borrow();
        ledger.check_nothing_left(end);
        for (index, account) in ledger.accounts.iter().enumerate() {
            assert_eq!(
                self.scheduler.is_pending(account.id),
                ledger.is_alive(index),
                "{account:?}"
            );
        }
        let metrics = self.scheduler.metrics();
        let [finished, panicked, skipped] =
            [Outcome::Finished, Outcome::Panicked, Outcome::Skipped]
                .map(|one| ledger.outcomes(one));
        let pending =
            (0..ledger.accounts.len()).filter(|account| ledger.is_alive(*account)).count();
        assert_eq!(metrics.executed as usize, finished + panicked);
        assert_eq!(metrics.panicked as usize, panicked);
        assert_eq!(metrics.skipped as usize, skipped);
        assert_eq!(metrics.cancelled as usize, ledger.cancelled());
        assert_eq!(metrics.pending, pending);
        assert_eq!(metrics.missed_deadlines, ledger.misses);
        assert_eq!(metrics.overruns, ledger.overruns);
        let accounted =
            metrics.executed + metrics.skipped + metrics.cancelled + metrics.pending as u64;
        assert_eq!(ledger.jobs(end) as u64, accounted, "released = finished + skipped + …");
        assert_eq!(self.scheduler.inversions(), Some(0));
        // Every fault has been met.
        let counts = [panicked, skipped, ledger.cancelled(), ledger.misses as usize];
        assert!(counts.into_iter().all(|count| count >= 10), "{counts:?}");
    }

    fn utilization(&self) -> f64 {
        self.ledger.borrow().busy as f64 / self.now() as f64
    }

    /// The trace tells the same as metrics and book.
    fn check_trace(&self) {
        let (ledger, metrics) = (self.ledger.borrow(), self.scheduler.metrics());
        let trace = self.scheduler.trace().unwrap();
        assert_eq!(trace.lost(), 0);
        let count = |kind| trace.events().filter(|event| event.kind == kind).count() as u64;
        assert_eq!(count(TraceKind::Start), metrics.executed);
        assert_eq!(count(TraceKind::Panic), metrics.panicked);
        assert_eq!(count(TraceKind::Finish), metrics.executed - metrics.panicked);
        assert_eq!(count(TraceKind::Skip), metrics.skipped);
        assert_eq!(count(TraceKind::Cancel), metrics.cancelled);
        assert_eq!(count(TraceKind::Miss), metrics.missed_deadlines);
        assert_eq!(count(TraceKind::Release), metrics.executed + metrics.skipped);
        let events: Vec<_> = trace.events().collect();
        let starts = events.windows(2).filter(|pair| pair[1].kind == TraceKind::Start);
        let starts = starts.map(|pair| {
            assert_eq!((pair[0].kind, pair[0].task), (TraceKind::Release, pair[1].task));
            (pair[1].task, pair[0].at.as_nanos())
        });
        assert!(starts.eq(ledger.starts.iter().copied()), "starts in the trace and in the book");
    }
}

/// `SOAK_SECONDS` of virtual time, else 60.
fn seconds() -> u64 {
    std::env::var("SOAK_SECONDS").map_or(60, |seconds| seconds.parse().expect("a number"))
}

/// Tells the share of the time that jobs took.
fn soak(policy: Policy, emergency: Emergency) -> f64 {
    let seconds = seconds();
    let mut soak = Soak::new(policy, emergency, seconds);
    (0..GAPS_MS.len()).for_each(|nth| soak.start_sporadic(nth));
    (0..PERIODS_MS.len()).for_each(|nth| soak.start_periodic(nth));
    for n in 1..=seconds * 1_000 * MS / STEP {
        soak.leave_safe_mode();
        soak.restart_ended();
        soak.schedule_chain();
        soak.meddle(n);
        soak.run_until(n * STEP);
    }
    soak.check();
    soak.check_trace();
    soak.utilization()
}

fn soak_at_90_percent(policy: Policy, emergency: Emergency) {
    let utilization = soak(policy, emergency);
    assert!((0.85..0.95).contains(&utilization), "{utilization}");
}

#[test]
fn every_job_is_accounted_for_under_priorities() {
    soak_at_90_percent(Policy::Priority, Emergency::Callback);
}

#[test]
fn every_job_is_accounted_for_under_earliest_deadline_first() {
    soak_at_90_percent(Policy::EarliestDeadlineFirst, Emergency::SkipTask);
}

#[test]
fn every_job_is_accounted_for_under_rate_monotonic() {
    soak_at_90_percent(Policy::RateMonotonic, Emergency::Stop);
}

#[test]
fn every_job_is_accounted_for_under_deadline_monotonic() {
    soak_at_90_percent(Policy::DeadlineMonotonic, Emergency::Callback);
}

#[test]
fn every_job_is_accounted_for_under_least_laxity() {
    soak_at_90_percent(Policy::LeastLaxity, Emergency::SkipTask);
}

/// A safe mode cancels most of the load, over and over.
#[test]
fn every_job_is_accounted_for_when_safe_modes_come_and_go() {
    let policies = [Policy::Priority, Policy::EarliestDeadlineFirst];
    for utilization in policies.map(|policy| soak(policy, Emergency::SafeMode)) {
        assert!(utilization > 0.3, "{utilization}");
    }
}

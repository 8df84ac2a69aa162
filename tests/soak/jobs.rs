//! What the soak's jobs do.

use std::panic::resume_unwind;

use nanosecond_scheduler::{
    Clock, Context, DeadlineKind, ManualClock, OnFailure, Priority, ScheduleErrorKind, Task, TaskId,
};

use crate::common::{at, ns, scatter};
use crate::ledger::{Account, Kind, Ledger, Outcome, Predecessor, Running};
use crate::{Shared, MS};

/// What a job panics with as planned.
pub(crate) struct Fault;

/// What else a periodic task does.
#[derive(Clone, Copy)]
pub(crate) enum Extra {
    Nothing,
    /// Triggers the sporadic tasks of these accounts.
    Trigger([usize; 2]),
    /// Schedules a one-shot.
    Schedule,
    /// Cancels the one-shot of this account, if it is pending.
    CancelOneShots,
}

/// Runs a job of `account` for `time`, and keeps the books.
pub(crate) fn run_job(
    cx: &mut Context<'_>,
    account: usize,
    time: u64,
    clock: &ManualClock,
    ledger: &Shared,
    extra: Extra,
) {
    let now = cx.now().as_nanos();
    let start = now.max(clock.now().as_nanos());
    let job = Running { account, release: cx.release().as_nanos(), now, start };
    ledger.borrow_mut().starts(&job);
    let serial = ledger.borrow().starts.len() as u64;
    // One in 500 is late, one in 300 panics.
    let time = if scatter(serial, 500) == 0 { 10 * time } else { time };
    clock.advance(ns(time));
    ledger.borrow_mut().busy += time;
    do_extra(cx, extra, serial, clock, ledger);
    let finish = now.max(clock.now().as_nanos());
    if scatter(serial, 300) == 1 {
        ledger.borrow_mut().ends(&job, finish, Outcome::Panicked);
        resume_unwind(Box::new(Fault));
    }
    ledger.borrow_mut().ends(&job, finish, Outcome::Finished);
}

fn do_extra(cx: &mut Context<'_>, extra: Extra, serial: u64, clock: &ManualClock, ledger: &Shared) {
    let now = cx.now().as_nanos();
    match extra {
        Extra::Nothing => {}
        Extra::Trigger(sporadic) => {
            let account = sporadic[serial as usize % 2];
            let triggered = ledger.borrow_mut().trigger(account, now);
            if let Some((id, release)) = triggered {
                assert_eq!(cx.trigger(id), Ok(at(release)));
            }
        }
        Extra::Schedule => {
            let (account, task) = one_shot(serial, now, None, clock, ledger);
            match cx.schedule(task) {
                Ok(id) => ledger.borrow_mut().scheduled(account, id),
                Err(error) => {
                    assert_eq!(error.kind(), ScheduleErrorKind::SafeMode);
                    ledger.borrow_mut().refused(account);
                }
            }
        }
        Extra::CancelOneShots => {
            let Some((account, id)) = some_one_shot(&ledger.borrow(), serial) else { return };
            cx.cancel(id).unwrap();
            ledger.borrow_mut().cancel(account, now);
        }
    }
}

/// A live one-shot among the latest.
pub(crate) fn some_one_shot(ledger: &Ledger, serial: u64) -> Option<(usize, TaskId)> {
    let latest = ledger.accounts.len().saturating_sub(40)..ledger.accounts.len();
    let is_one_shot = |index: &usize| ledger.accounts[*index].kind == Kind::Once;
    let one_shots = latest.filter(is_one_shot).filter(|index| ledger.is_alive(*index));
    let one_shots: Vec<usize> = one_shots.collect();
    let nth = (serial as usize).checked_rem(one_shots.len())?;
    Some((one_shots[nth], ledger.accounts[one_shots[nth]].id))
}

pub(crate) fn deadline_kind(serial: u64) -> DeadlineKind {
    [DeadlineKind::Soft, DeadlineKind::Firm, DeadlineKind::Hard][serial as usize % 3]
}

pub(crate) fn with_deadline(task: Task, (kind, relative): (DeadlineKind, u64)) -> Task {
    match kind {
        DeadlineKind::Soft => task.with_deadline(ns(relative)),
        DeadlineKind::Firm => task.with_firm_deadline(ns(relative)),
        DeadlineKind::Hard => task.with_hard_deadline(ns(relative)),
    }
}

/// A one-shot of about half a millisecond, and its account.
pub(crate) fn one_shot(
    serial: u64,
    now: u64,
    predecessor: Option<(Predecessor, TaskId)>,
    clock: &ManualClock,
    ledger: &Shared,
) -> (usize, Task) {
    let delay = scatter(serial, 60 * MS);
    let time = 300_000 + scatter(serial ^ 1, 400_000);
    let mut account = Account::new(Kind::Once, now + delay, 600_000);
    account.predecessor = predecessor.map(|(predecessor, _)| predecessor);
    account.priority = Priority::ALL[serial as usize % 4];
    // One that waits for others has none, so that it is known what is to become of it.
    if predecessor.is_none() && serial % 4 > 0 {
        account.deadline = Some((deadline_kind(serial), 5 * MS + scatter(serial, 60 * MS)));
    }
    let (deadline, priority) = (account.deadline, account.priority);
    let account = ledger.borrow_mut().open(account);
    let (clock, ledger) = (clock.clone(), ledger.clone());
    let body = move |cx: &mut Context<'_>| {
        run_job(cx, account, time, &clock, &ledger, Extra::Nothing);
    };
    let task = Task::with_context(body, ns(delay)).with_wcet(ns(600_000));
    let task = task.with_priority(priority);
    let task = match predecessor {
        None => task,
        Some((Predecessor { runs_anyway, .. }, id)) => {
            let on_failure = if runs_anyway { OnFailure::Run } else { OnFailure::Cancel };
            task.after(&[id]).on_failure(on_failure)
        }
    };
    (account, deadline.into_iter().fold(task, with_deadline))
}

//! The soak's own account of every job, from which the scheduler's figures are checked.

use std::collections::HashMap;

use nanosecond_scheduler::{
    DeadlineKind, DeadlineViolation, Emergency, MissedTick, Priority, TaskId,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Once,
    Periodic(u64, MissedTick),
    Sporadic(u64),
}

/// What a task is to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predecessor {
    pub(crate) account: usize,
    /// Which of its jobs.
    pub(crate) job: usize,
    /// Whether the task runs if that job fails, or goes with it.
    pub(crate) runs_anyway: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Finished,
    Panicked,
    Skipped,
}

/// One task, from `schedule` to its end.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: TaskId,
    pub(crate) kind: Kind,
    pub(crate) priority: Priority,
    pub(crate) deadline: Option<(DeadlineKind, u64)>,
    pub(crate) wcet: u64,
    pub(crate) first: u64,
    pub(crate) predecessor: Option<Predecessor>,
    /// What became of its jobs, and when.
    pub(crate) outcomes: Vec<(Outcome, u64)>,
    /// Release and decision instant of the latest job.
    latest: Option<(u64, u64)>,
    /// Release of the latest job that was reported to be late before it started.
    told: Option<u64>,
    /// Releases of a sporadic task.
    triggered: Vec<u64>,
    pub(crate) cancelled_at: Option<u64>,
}

impl Account {
    pub(crate) fn new(kind: Kind, first: u64, wcet: u64) -> Self {
        Account {
            id: TaskId::from_bits(0),
            kind,
            priority: Priority::Normal,
            deadline: None,
            wcet,
            first,
            predecessor: None,
            outcomes: Vec::new(),
            latest: None,
            told: None,
            triggered: Vec::new(),
            cancelled_at: None,
        }
    }

    /// When the current job is released, by arithmetic; `None` if it waits for others or a trigger.
    fn release(&self) -> Option<u64> {
        let gone = self.outcomes.len();
        match (self.kind, self.latest) {
            (Kind::Once, _) => self.predecessor.is_none().then_some(self.first),
            (Kind::Sporadic(_), _) => self.triggered.get(gone).copied(),
            (Kind::Periodic(..), None) => Some(self.first),
            (Kind::Periodic(period, MissedTick::Burst), _) => {
                Some(self.first + gone as u64 * period)
            }
            (Kind::Periodic(period, MissedTick::Delay), Some((_, now))) => Some(now + period),
            (Kind::Periodic(period, MissedTick::Skip), Some((release, now))) => {
                Some(release + ((now - release) / period + 1) * period)
            }
        }
    }

    fn deadline_of(&self, release: u64) -> Option<u64> {
        self.deadline.map(|(_, relative)| release + relative)
    }

    fn has_panicked(&self) -> bool {
        matches!(self.outcomes.last(), Some((Outcome::Panicked, _)))
    }

    /// Whether nothing of its own doing has ended it.
    fn goes_on(&self) -> bool {
        let is_over = self.kind == Kind::Once && !self.outcomes.is_empty();
        !is_over && !self.has_panicked() && self.cancelled_at.is_none()
    }

    /// Jobs that had their turn or wait for it at `end`, when nothing released is left over.
    fn jobs(&self, end: u64) -> usize {
        let current = usize::from(!self.has_panicked());
        match self.kind {
            Kind::Once => 1,
            Kind::Periodic(period, MissedTick::Burst) if self.goes_on() => {
                let released = end.checked_sub(self.first).map_or(0, |since| since / period + 1);
                released as usize + current
            }
            Kind::Periodic(..) => self.outcomes.len() + current,
            Kind::Sporadic(_) => {
                let is_idle = self.outcomes.len() == self.triggered.len();
                self.triggered.len() + usize::from(is_idle && !self.has_panicked())
            }
        }
    }
}

/// All accounts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) accounts: Vec<Account>,
    by_id: HashMap<TaskId, usize>,
    /// Tasks and releases of the jobs that started.
    pub(crate) starts: Vec<(TaskId, u64)>,
    pub(crate) misses: u64,
    pub(crate) overruns: u64,
    /// Time that jobs took.
    pub(crate) busy: u64,
    emergency: Emergency,
    pub(crate) in_safe_mode: bool,
}

/// A job that runs.
pub(crate) struct Running {
    pub(crate) account: usize,
    pub(crate) release: u64,
    pub(crate) now: u64,
    pub(crate) start: u64,
}

impl Ledger {
    pub(crate) fn new(emergency: Emergency) -> Self {
        Ledger { emergency, ..Ledger::default() }
    }

    pub(crate) fn open(&mut self, account: Account) -> usize {
        self.accounts.push(account);
        self.accounts.len() - 1
    }

    pub(crate) fn scheduled(&mut self, account: usize, id: TaskId) {
        self.accounts[account].id = id;
        assert_eq!(self.by_id.insert(id, account), None, "an id was given out twice");
    }

    pub(crate) fn starts(&mut self, job: &Running) {
        let account = &self.accounts[job.account];
        assert!(account.goes_on(), "{account:?} has ended");
        assert!(job.release <= job.now, "an early start");
        match (account.release(), account.predecessor) {
            (Some(release), _) => assert_eq!(job.release, release, "{account:?}"),
            (None, Some(predecessor)) => {
                let before = &self.accounts[predecessor.account];
                let least = account.first;
                match before.outcomes.get(predecessor.job) {
                    Some((Outcome::Finished, at)) => assert_eq!(job.release, least.max(*at)),
                    Some(_) => assert!(predecessor.runs_anyway && job.release >= least),
                    None => {
                        let is_gone = !self.is_alive(predecessor.account);
                        let is_next = before.outcomes.len() == predecessor.job;
                        assert!(predecessor.runs_anyway && is_gone && is_next, "{before:?}");
                    }
                }
            }
            (None, None) => panic!("{account:?} was not triggered"),
        }
        let is_late = account.deadline_of(job.release).is_some_and(|deadline| job.now > deadline);
        assert_eq!(account.told == Some(job.release), is_late, "{account:?}");
        self.starts.push((account.id, job.release));
        self.accounts[job.account].latest = Some((job.release, job.now));
    }

    pub(crate) fn ends(&mut self, job: &Running, finish: u64, outcome: Outcome) {
        let account = &mut self.accounts[job.account];
        account.outcomes.push((outcome, finish));
        if outcome == Outcome::Finished {
            let is_late =
                account.deadline_of(job.release).is_some_and(|deadline| finish > deadline);
            self.misses += u64::from(is_late && account.told != Some(job.release));
            self.overruns += u64::from(finish - job.start > account.wcet);
        }
    }

    /// Takes back what was opened last.
    pub(crate) fn refused(&mut self, account: usize) {
        assert!(self.in_safe_mode && self.accounts[account].priority != Priority::Critical);
        assert_eq!(account, self.accounts.len() - 1);
        self.accounts.pop();
    }

    /// A miss was reported.
    pub(crate) fn missed(&mut self, miss: DeadlineViolation) {
        let index = self.by_id[&miss.task()];
        let account = &self.accounts[index];
        let kind = account.deadline.map(|(kind, _)| kind);
        let now = miss.actual().as_nanos();
        let release = account.release().filter(|_| account.goes_on());
        let deadline = release.and_then(|release| account.deadline_of(release));
        // Otherwise it has finished, which the books know.
        let has_yet_to_start = deadline == Some(miss.expected().as_nanos());
        let is_skipped = match kind {
            Some(DeadlineKind::Firm) => true,
            Some(DeadlineKind::Hard) => {
                matches!(self.emergency, Emergency::SkipTask | Emergency::Stop)
            }
            _ => false,
        };
        if has_yet_to_start {
            let account = &mut self.accounts[index];
            assert!(account.told < release, "{account:?} was reported twice");
            account.told = release;
            self.misses += 1;
            if is_skipped {
                account.outcomes.push((Outcome::Skipped, now));
                account.latest = release.map(|release| (release, now));
            }
        }
        if kind == Some(DeadlineKind::Hard) && self.emergency == Emergency::SafeMode {
            self.enter_safe_mode(now);
        }
    }

    fn enter_safe_mode(&mut self, now: u64) {
        if core::mem::replace(&mut self.in_safe_mode, true) {
            return;
        }
        for index in 0..self.accounts.len() {
            if self.accounts[index].priority != Priority::Critical && self.is_alive(index) {
                self.cancel(index, now);
            }
        }
    }

    /// Triggers a sporadic task at `now`; tells for when.
    pub(crate) fn trigger(&mut self, account: usize, now: u64) -> Option<(TaskId, u64)> {
        let account = &mut self.accounts[account];
        let Kind::Sporadic(gap) = account.kind else { return None };
        if !account.goes_on() {
            return None;
        }
        if account.triggered.len() == account.outcomes.len() {
            let earliest = account.triggered.last().map_or(now, |last| last + gap);
            account.triggered.push(earliest.max(now));
        }
        Some((account.id, *account.triggered.last()?))
    }

    pub(crate) fn cancel(&mut self, account: usize, now: u64) {
        self.accounts[account].cancelled_at = Some(now);
    }

    /// Whether a task is still to be there. One that waited for a job that failed goes with it.
    pub(crate) fn is_alive(&self, account: usize) -> bool {
        let account = &self.accounts[account];
        account.goes_on() && !self.has_gone_with_its_predecessor(account)
    }

    fn has_gone_with_its_predecessor(&self, account: &Account) -> bool {
        let Some(predecessor) = account.predecessor.filter(|one| !one.runs_anyway) else {
            return false;
        };
        let before = &self.accounts[predecessor.account];
        match before.outcomes.get(predecessor.job) {
            Some((outcome, _)) => *outcome != Outcome::Finished,
            None => before.cancelled_at.is_some() || self.has_gone_with_its_predecessor(before),
        }
    }

    /// Tasks cancelled by the soak, and those that went with them.
    pub(crate) fn cancelled(&self) -> usize {
        let is_cancelled = |account: &&Account| {
            account.cancelled_at.is_some()
                || account.outcomes.is_empty() && self.has_gone_with_its_predecessor(account)
        };
        self.accounts.iter().filter(is_cancelled).count()
    }

    pub(crate) fn outcomes(&self, outcome: Outcome) -> usize {
        let all = self.accounts.iter().flat_map(|account| &account.outcomes);
        all.filter(|(other, _)| *other == outcome).count()
    }

    /// Jobs released until `end`, and those to come, by arithmetic.
    pub(crate) fn jobs(&self, end: u64) -> usize {
        self.accounts.iter().map(|account| account.jobs(end)).sum()
    }

    /// At `end` nothing that was released is left over, and nothing was run too often.
    pub(crate) fn check_nothing_left(&self, end: u64) {
        for (index, account) in self.accounts.iter().enumerate() {
            if self.is_alive(index) {
                let release = account.release();
                assert!(release.is_none_or(|release| release > end), "{account:?} at {end}");
            } else if let (Kind::Periodic(period, MissedTick::Burst), Some(at)) =
                (account.kind, account.cancelled_at)
            {
                let released = at.checked_sub(account.first).map_or(0, |since| since / period + 1);
                assert!(account.outcomes.len() as u64 <= released);
            }
        }
    }
}

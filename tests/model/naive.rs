//! The model: a sorted vector, written for its reader only.

use std::collections::BTreeMap;

use nanosecond_scheduler::{MissedTick, ScheduleErrorKind, TriggerError};

use crate::ops::{Action, Kind, Sequence, Spec, Start};

/// What can be seen from outside, in order. Tasks are named by their number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    Scheduled(Result<usize, String>),
    Ran {
        number: usize,
        now: u64,
        release: u64,
    },
    Cancelled(bool),
    Triggered(Result<u64, String>),
    /// The closure of a task was dropped.
    Dropped(usize),
}

impl Event {
    pub(crate) fn scheduled(result: Result<usize, ScheduleErrorKind>) -> Self {
        Event::Scheduled(result.map_err(|kind| kind.to_string()))
    }

    pub(crate) fn triggered(result: Result<u64, TriggerError>) -> Self {
        Event::Triggered(result.map_err(|error| error.to_string()))
    }
}

/// What a tick reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) executed: usize,
    pub(crate) missed_deadlines: usize,
    pub(crate) more_due: bool,
    pub(crate) next_release: Option<u64>,
    pub(crate) started_at: u64,
}

/// Totals since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) executed: u64,
    pub(crate) cancelled: u64,
    pub(crate) missed_deadlines: u64,
    pub(crate) missed_ticks: u64,
}

/// Sorts by class, release, and order of submission.
type Key = (usize, u64, u64);

struct Task {
    spec: Spec,
    /// Its place in the queue, if it is queued.
    key: Option<Key>,
    /// The latest job's, for what gaps count from.
    last_release: Option<u64>,
    /// Whether the job that is queued was reported to be late.
    is_told: bool,
}

pub(crate) struct Naive {
    pub(crate) clock: u64,
    now: u64,
    limit: usize,
    capacity: usize,
    missed_tick: MissedTick,
    tasks: BTreeMap<usize, Task>,
    /// The key and number of each queued task, sorted.
    queue: Vec<(Key, usize)>,
    submitted: u64,
    accepted: usize,
    running: Option<usize>,
    pub(crate) totals: Totals,
    pub(crate) trace: Vec<Event>,
}

impl Naive {
    pub(crate) fn new(sequence: &Sequence) -> Self {
        Naive {
            clock: 0,
            now: 0,
            limit: sequence.max_tasks_per_tick,
            capacity: sequence.capacity,
            missed_tick: sequence.missed_tick,
            tasks: BTreeMap::new(),
            queue: Vec::new(),
            submitted: 0,
            accepted: 0,
            running: None,
            totals: Totals::default(),
            trace: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// How many tasks have ever been accepted: the next one's number.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted
    }

    pub(crate) fn is_pending(&self, number: usize) -> bool {
        self.tasks.contains_key(&number)
    }

    /// The numbers of the tasks that never end by themselves, or after very long.
    pub(crate) fn repeating(&self) -> Vec<usize> {
        let repeats = |task: &Task| !matches!(task.spec.kind, Kind::Once);
        self.tasks.iter().filter(|(_, task)| repeats(task)).map(|(&number, _)| number).collect()
    }

    pub(crate) fn next_release(&self) -> Option<u64> {
        self.queue.iter().map(|((_, release, _), _)| *release).min()
    }

    fn read_clock(&mut self) {
        self.now = self.now.max(self.clock);
    }

    pub(crate) fn schedule(&mut self, spec: Spec) {
        if let Start::After(_) = start(&spec) {
            self.read_clock();
        }
        self.accept(spec);
    }

    fn accept(&mut self, spec: Spec) {
        let release = match start(&spec) {
            Start::Usual => None,
            Start::After(delay) => Some(self.now.checked_add(delay)),
            Start::At(release) => Some(Some(release)),
        };
        let number = self.accepted;
        let refused = if release == Some(None) {
            Some(ScheduleErrorKind::TimeOverflow)
        } else if matches!(spec.kind, Kind::Periodic { period: 0, .. }) {
            Some(ScheduleErrorKind::ZeroPeriod)
        } else if self.tasks.len() == self.capacity {
            Some(ScheduleErrorKind::Full { capacity: self.capacity })
        } else {
            None
        };
        if let Some(kind) = refused {
            self.trace.push(Event::scheduled(Err(kind)));
            self.trace.push(Event::Dropped(number));
            return;
        }
        self.accepted += 1;
        let release = release.flatten();
        self.tasks.insert(number, Task { spec, key: None, last_release: release, is_told: false });
        if let Some(release) = release {
            self.enqueue(number, release);
        }
        self.trace.push(Event::scheduled(Ok(number)));
    }

    fn enqueue(&mut self, number: usize, release: u64) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        let key = (task.spec.priority as usize, release, self.submitted);
        self.submitted += 1;
        task.key = Some(key);
        task.is_told = false;
        let at = self.queue.partition_point(|(other, _)| *other < key);
        self.queue.insert(at, (key, number));
    }

    pub(crate) fn cancel(&mut self, number: usize) {
        let task = self.tasks.remove(&number);
        self.trace.push(Event::Cancelled(task.is_some()));
        if task.is_none() {
            return;
        }
        self.totals.cancelled += 1;
        self.queue.retain(|(_, queued)| *queued != number);
        if self.running != Some(number) {
            // Before the cancel returns, and so before its answer is known.
            let answer = self.trace.len() - 1;
            self.trace.insert(answer, Event::Dropped(number));
        }
    }

    pub(crate) fn trigger(&mut self, number: usize) {
        let result = self.released_by_trigger(number);
        self.trace.push(Event::triggered(result));
    }

    /// From outside, a trigger counts from the clock's reading.
    pub(crate) fn trigger_now(&mut self, number: usize) {
        self.read_clock();
        self.trigger(number);
    }

    fn released_by_trigger(&mut self, number: usize) -> Result<u64, TriggerError> {
        let now = self.now;
        let task = self.tasks.get_mut(&number).ok_or(TriggerError::NotPending)?;
        let Kind::Sporadic { gap } = task.spec.kind else { return Err(TriggerError::NotSporadic) };
        if let Some((_, release, _)) = task.key {
            return Ok(release);
        }
        let earliest = match task.last_release {
            None => 0,
            Some(last) => last.checked_add(gap).ok_or(TriggerError::TimeOverflow)?,
        };
        let release = earliest.max(now);
        task.last_release = Some(release);
        self.enqueue(number, release);
        Ok(release)
    }

    /// The first due task, taken out of the queue: its number and release.
    fn pop_due(&mut self) -> Option<(usize, u64)> {
        let at = (0..4).find_map(|class| {
            let at = self.queue.partition_point(|(key, _)| key.0 < class);
            let ((of, release, _), _) = self.queue.get(at)?;
            (*of == class && *release <= self.now).then_some(at)
        })?;
        let ((_, release, _), number) = self.queue.remove(at);
        Some((number, release))
    }

    /// Reports the released tasks that are late by now; tells how many.
    fn tell_late(&mut self) -> usize {
        let mut told = 0;
        for ((_, release, _), number) in &self.queue {
            let Some(task) = self.tasks.get_mut(number) else { continue };
            let deadline = task.spec.deadline.map(|d| release.saturating_add(d));
            let is_late = *release <= self.now && deadline.is_some_and(|d| self.now > d);
            told += usize::from(is_late && !task.is_told);
            task.is_told |= is_late;
        }
        told
    }

    pub(crate) fn tick(&mut self) -> Report {
        self.read_clock();
        let started_at = self.now;
        let mut report = Report { started_at, ..Report::default() };
        while report.executed < self.limit {
            if self.tasks.values().any(|task| task.spec.deadline.is_some()) {
                self.read_clock();
                report.missed_deadlines += self.tell_late();
            }
            let Some((number, release)) = self.pop_due() else { break };
            report.executed += 1;
            let task = &self.tasks[&number];
            let deadline = task.spec.deadline.filter(|_| !task.is_told);
            self.run(number, release);
            let finished_at = self.now.max(self.clock);
            let missed = deadline.is_some_and(|d| finished_at > release.saturating_add(d));
            report.missed_deadlines += usize::from(missed);
        }
        report.next_release = self.next_release();
        report.more_due = report.next_release.is_some_and(|next| next <= self.now);
        if report.executed > 0 {
            self.read_clock(); // The tick's duration is measured.
        }
        self.totals.executed += report.executed as u64;
        self.totals.missed_deadlines += report.missed_deadlines as u64;
        report
    }

    fn run(&mut self, number: usize, release: u64) {
        let decided_at = self.now;
        let spec = self.tasks[&number].spec;
        if is_once(&spec) {
            self.tasks.remove(&number);
        } else if let Some(task) = self.tasks.get_mut(&number) {
            task.key = None;
        }
        self.running = Some(number);
        self.trace.push(Event::Ran { number, now: decided_at, release });
        self.act(number, spec.action);
        if let (Kind::Periodic { period, missed_tick }, true) = (spec.kind, self.is_pending(number))
        {
            let missed_tick = missed_tick.unwrap_or(self.missed_tick);
            match self.following(release, decided_at, period, missed_tick) {
                Some(next) => self.enqueue(number, next),
                None => drop(self.tasks.remove(&number)),
            }
        }
        self.running = None;
        if !self.is_pending(number) {
            self.trace.push(Event::Dropped(number));
        }
    }

    /// The release after one at `release` that ran at `now`.
    fn following(&mut self, release: u64, now: u64, period: u64, how: MissedTick) -> Option<u64> {
        let slept_through = (now - release) / period;
        let (missed, next) = match how {
            MissedTick::Burst => (u64::from(slept_through > 0), release.checked_add(period)),
            MissedTick::Delay => (slept_through, now.checked_add(period)),
            // The least first + k·period that lies in the future.
            MissedTick::Skip => {
                let jobs = slept_through.checked_add(1);
                let ahead = jobs.and_then(|jobs| period.checked_mul(jobs));
                (slept_through, ahead.and_then(|ahead| release.checked_add(ahead)))
            }
        };
        self.totals.missed_ticks = self.totals.missed_ticks.saturating_add(missed);
        next
    }

    fn act(&mut self, number: usize, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Schedule { priority, delay } => {
                self.accept(Spec::plain(priority, Start::After(delay)));
            }
            Action::Cancel(nth) => self.cancel(nth % self.accepted),
            Action::CancelSelf => self.cancel(number),
            Action::Trigger(nth) => self.trigger(nth % self.accepted),
            Action::AdvanceClock(by) => self.clock = self.clock.saturating_add(by),
        }
    }
}

/// The start, spelt out unless it is a trigger.
fn start(spec: &Spec) -> Start {
    match (spec.start, spec.kind) {
        (Start::Usual, Kind::Once) => Start::After(0),
        (Start::Usual, Kind::Periodic { period, .. }) => Start::After(period),
        (start, _) => start,
    }
}

fn is_once(spec: &Spec) -> bool {
    matches!(spec.kind, Kind::Once)
}

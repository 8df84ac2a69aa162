//! Which worker a task goes to: the book of what was admitted where, and the power of two choices.

use std::collections::HashMap;

use nanosecond_scheduler::analysis::TaskModel;
use nanosecond_scheduler::{
    Admission, AdmissionControl, Priority, Rejection, ScheduleErrorKind, SendTask, Share, TaskId,
    TimePoint, UnknownCause, UnknownVerdict,
};

use crate::config::SchedulerConfig;
use crate::error::Error;
use crate::noted::TakesNotes;

/// One of two workers drawn by lot: the one with less to do. With n tasks on n workers the longest
/// queue is then O(log log n), instead of O(log n / log log n) for a single draw (Azar, Broder,
/// Karlin, Upfal 1994).
pub(crate) fn two_choices(lot: u64, workers: usize, load: impl Fn(usize) -> usize) -> usize {
    let mixed = mix(lot);
    let first = (mixed >> 32) as usize % workers;
    if workers == 1 {
        return first;
    }
    let second = (first + 1 + (mixed & 0xffff_ffff) as usize % (workers - 1)) % workers;
    if load(second) < load(first) {
        second
    } else {
        first
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): successive numbers become as if random.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// What a task takes of a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// None without a WCET.
    model: Option<TaskModel>,
    priority: Priority,
    /// C/T in parts per billion, rounded down; 0 without a WCET, and for one-shots.
    utilization_ppb: u128,
}

impl Demand {
    /// What `task` takes if it is released at `release`; a sporadic task has none.
    pub(crate) fn of(task: &SendTask, release: Option<TimePoint>) -> Self {
        let release = release.unwrap_or(TimePoint::ZERO);
        let period = task.period().map_or(TaskModel::NEVER, nanos);
        let deadline = task.deadline_of(release).map(|deadline| deadline.duration_since(release));
        let deadline = deadline.map_or(period, nanos);
        let wcet = task.wcet().map(|wcet| nanos(wcet).max(1));
        let model = wcet.and_then(|wcet| TaskModel::new(wcet, period, deadline).ok());
        let utilization_ppb = match wcet {
            Some(wcet) if period != TaskModel::NEVER => {
                u128::from(wcet) * 1_000_000_000 / u128::from(period.max(1))
            }
            _ => 0,
        };
        Demand { model, priority: task.priority(), utilization_ppb }
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What a worker has been given, in the order in which worst fit compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    utilization_ppb: u128,
    tasks: usize,
}

/// One worker's page.
#[derive(Debug)]
struct Page {
    control: AdmissionControl,
    load: Load,
}

/// A task that may move: its ticket, the worker, and what it takes there.
pub(crate) struct Move(Option<(u64, usize, Demand, Option<Share>)>);

#[derive(Debug)]
struct Entry {
    worker: usize,
    demand: Demand,
}

/// What changes by itself.
pub(crate) enum BookNote {
    /// A task, by its ticket, has ended.
    Ended(u64),
    /// A worker was idle.
    Idle(usize),
}

impl TakesNotes for Book {
    type Note = BookNote;

    fn take_note(&mut self, note: BookNote) {
        match note {
            BookNote::Ended(ticket) => self.remove(ticket),
            BookNote::Idle(worker) => self.is_idle(worker),
        }
    }
}

/// Who was placed where.
#[derive(Debug)]
pub(crate) struct Book {
    admission: Admission,
    on_unknown: UnknownVerdict,
    pages: Vec<Page>,
    entries: HashMap<u64, Entry>,
}

impl Book {
    pub(crate) fn new(config: &SchedulerConfig) -> Self {
        let page = || {
            let mut control =
                AdmissionControl::new(config.admission, config.policy, config.on_unknown);
            // A worker counts as busy but for the instants at which it tells that it is idle.
            control.set_busy(true);
            Page { control, load: Load::default() }
        };
        Book {
            admission: config.admission,
            on_unknown: config.on_unknown,
            pages: std::iter::repeat_with(page).take(config.num_workers).collect(),
            entries: HashMap::new(),
        }
    }

    /// Places a task worst fit: at the worker with the least utilization that has room for it, and
    /// among equals the one with the fewest such tasks. None if all are full. O(workers), and a
    /// check for each until one has room.
    pub(crate) fn place(
        &mut self,
        ticket: u64,
        demand: Demand,
        is_late: bool,
        is_full: impl Fn(usize) -> bool,
    ) -> Result<Option<usize>, Error> {
        if self.refuses(is_late) {
            return Err(rejected(Rejection::Unknown(UnknownCause::Release)));
        }
        let mut order: Vec<usize> = (0..self.pages.len()).filter(|one| !is_full(*one)).collect();
        order.sort_by_key(|worker| self.pages[*worker].load);
        let mut refusal = None;
        for worker in order {
            match self.check(worker, &demand) {
                Ok(share) => {
                    self.enter(ticket, worker, demand, share);
                    return Ok(Some(worker));
                }
                // The first is that of the worker with the most room.
                Err(rejection) => refusal = refusal.or(Some(rejection)),
            }
        }
        refusal.map_or(Ok(None), |rejection| Err(rejected(rejection)))
    }

    /// Whether a task is refused if its release lies in the past: it is not known what it does to others
    /// at a worker that did not expect it, with a deadline nearer than declared.
    fn refuses(&self, is_late: bool) -> bool {
        let is_strict = self.on_unknown == UnknownVerdict::Refuse;
        is_late && is_strict && self.admission == Admission::Exact
    }

    /// The worker with the least utilization, if a repeating task's move there makes the two more
    /// equal: so moves come to an end.
    pub(crate) fn better_for(&self, ticket: u64, is_full: impl Fn(usize) -> bool) -> Option<usize> {
        let Entry { worker: from, demand } = *self.entries.get(&ticket)?;
        let others = (0..self.pages.len()).filter(|worker| *worker != from && !is_full(*worker));
        let to = others.min_by_key(|worker| self.pages[*worker].load)?;
        let (here, there) = (self.pages[from].load, self.pages[to].load);
        let is_better = if demand.utilization_ppb > 0 {
            there.utilization_ppb + demand.utilization_ppb < here.utilization_ppb
        } else {
            there.tasks + 1 < here.tasks
        };
        is_better.then_some(to)
    }

    /// What it takes to move a task to another worker, if that has room.
    pub(crate) fn check_move(&mut self, ticket: u64, is_late: bool, to: usize) -> Option<Move> {
        let Some(&Entry { demand, .. }) = self.entries.get(&ticket) else {
            return Some(Move(None)); // It takes part of no account.
        };
        if self.refuses(is_late) {
            return None;
        }
        let share = self.check(to, &demand).ok()?;
        Some(Move(Some((ticket, to, demand, share))))
    }

    /// Moves what was checked, with the book locked ever since.
    pub(crate) fn moves(&mut self, checked: Move) {
        if let Some((ticket, to, demand, share)) = checked.0 {
            self.remove(ticket);
            self.enter(ticket, to, demand, share);
        }
    }

    /// Strikes a task out.
    pub(crate) fn remove(&mut self, ticket: u64) {
        let Some(Entry { worker, demand }) = self.entries.remove(&ticket) else { return };
        let page = &mut self.pages[worker];
        page.control.remove(TaskId::from_bits(ticket));
        page.load.utilization_ppb -= demand.utilization_ppb;
        page.load.tasks -= 1;
    }

    /// A worker is idle: what has left it takes nothing any more.
    fn is_idle(&mut self, worker: usize) {
        let control = &mut self.pages[worker].control;
        control.set_busy(false);
        control.set_busy(true);
    }

    /// ΣC/T of a worker's repeating tasks that declare a WCET.
    pub(crate) fn utilization(&self, worker: usize) -> f64 {
        self.pages[worker].load.utilization_ppb as f64 / 1e9
    }

    fn check(&mut self, worker: usize, demand: &Demand) -> Result<Option<Share>, Rejection> {
        match demand.model {
            Some(model) => {
                let page = &mut self.pages[worker];
                page.control.check(model, demand.priority).map(Some)
            }
            None if self.admission == Admission::Exact => Err(Rejection::MissingWcet),
            None => Ok(None),
        }
    }

    fn enter(&mut self, ticket: u64, worker: usize, demand: Demand, share: Option<Share>) {
        let page = &mut self.pages[worker];
        if let Some(share) = share {
            page.control.insert(TaskId::from_bits(ticket), share);
        }
        page.load.utilization_ppb += demand.utilization_ppb;
        page.load.tasks += 1;
        self.entries.insert(ticket, Entry { worker, demand });
    }
}

fn rejected(rejection: Rejection) -> Error {
    Error::Rejected(ScheduleErrorKind::Rejected(rejection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Moves a task to the worker that is better for it, if it may.
    fn even_out(book: &mut Book, ticket: u64, is_full: impl Fn(usize) -> bool) -> Option<usize> {
        let to = book.better_for(ticket, is_full)?;
        let checked = book.check_move(ticket, false, to)?;
        book.moves(checked);
        Some(to)
    }

    fn book(num_workers: usize, admission: Admission) -> Book {
        Book::new(&SchedulerConfig { num_workers, admission, ..SchedulerConfig::default() })
    }

    fn demand(wcet: u64, period: u64) -> Demand {
        let task = SendTask::periodic(|_| (), Duration::from_nanos(period));
        Demand::of(&task.with_wcet(Duration::from_nanos(wcet)), None)
    }

    fn place(book: &mut Book, ticket: u64, demand: Demand) -> Result<usize, Error> {
        book.place(ticket, demand, false, |_| false).map(Option::unwrap)
    }

    #[test]
    fn the_less_loaded_of_two_distinct_workers_is_chosen() {
        let mut chosen = [0; 4];
        for lot in 0..10_000 {
            chosen[two_choices(lot, 4, |worker| worker)] += 1;
        }
        // Of the pairs of 4, half contain worker 0, a third worker 1 without 0, a sixth 2 and 3.
        assert_eq!(chosen[3], 0, "it has the most to do of any two");
        for (count, share) in chosen.into_iter().zip([5_000, 3_333, 1_667]) {
            assert!((share - 300..=share + 300).contains(&count), "{chosen:?}");
        }
        assert_eq!(two_choices(9, 1, |_| 0), 0);
    }

    #[test]
    fn worst_fit_evens_out_utilization() {
        let mut book = book(3, Admission::Utilization);
        for (ticket, percent) in [50, 30, 20, 20, 20, 60].into_iter().enumerate() {
            place(&mut book, ticket as u64, demand(percent, 100)).unwrap();
        }
        // 50; 30, 20; 20, 20, 60.
        let loads: Vec<_> = (0..3).map(|worker| book.utilization(worker)).collect();
        assert_eq!(loads, [0.5, 0.5, 1.0]);
    }

    #[test]
    fn what_fits_nowhere_is_refused_and_leaves_no_trace() {
        let mut book = book(2, Admission::Utilization);
        place(&mut book, 0, demand(60, 100)).unwrap();
        place(&mut book, 1, demand(70, 100)).unwrap();
        let refusal = place(&mut book, 2, demand(50, 100)).unwrap_err();
        let Error::Rejected(ScheduleErrorKind::Rejected(rejection)) = refusal else {
            panic!("{refusal:?}");
        };
        let Rejection::Utilization { excess_ppm } = rejection else { panic!("{rejection:?}") };
        // At the least loaded worker: 10 %, rounded up.
        assert!((100_000..=100_001).contains(&excess_ppm), "{excess_ppm}");
        let full = book.place(2, demand(1, 100), false, |_| true);
        assert_eq!(full, Ok(None));
        book.remove(0);
        assert_eq!(place(&mut book, 3, demand(100, 100)), Ok(0));
    }

    #[test]
    fn under_exact_admission_a_share_is_kept_until_the_worker_is_idle() {
        let mut book = book(1, Admission::Exact);
        let missing = Demand { model: None, ..demand(1, 9) };
        let rejection = Rejection::MissingWcet;
        let expected = Error::Rejected(ScheduleErrorKind::Rejected(rejection));
        assert_eq!(place(&mut book, 0, missing), Err(expected));
        place(&mut book, 1, demand(60, 100)).unwrap();
        book.remove(1);
        assert!(place(&mut book, 2, demand(60, 100)).is_err());
        book.is_idle(0);
        assert_eq!(place(&mut book, 3, demand(60, 100)), Ok(0));
        let late = book.place(4, demand(1, 100), true, |_| false).unwrap_err();
        let rejection = Rejection::Unknown(UnknownCause::Release);
        assert_eq!(late, Error::Rejected(ScheduleErrorKind::Rejected(rejection)));
    }

    #[test]
    fn a_task_moves_only_where_that_evens_out() {
        let mut book = book(2, Admission::Utilization);
        for (ticket, percent) in [(0, 40), (1, 30), (2, 30)] {
            place(&mut book, ticket, demand(percent, 100)).unwrap(); // 40; 30, 30.
        }
        assert_eq!(
            even_out(&mut book, 1, |_| false),
            None,
            "70 and 30 is no better than 40 and 60"
        );
        book.remove(0);
        assert_eq!(even_out(&mut book, 1, |_| true), None);
        assert_eq!(even_out(&mut book, 1, |_| false), Some(0));
        assert_eq!(even_out(&mut book, 2, |_| false), None);
        let free = Demand { model: None, utilization_ppb: 0, ..demand(1, 9) };
        for ticket in 3..6 {
            book.enter(ticket, 0, free, None);
        }
        assert_eq!(even_out(&mut book, 3, |_| false), Some(1), "without a WCET tasks are counted");
        assert_eq!(even_out(&mut book, 4, |_| false), None);
    }
}

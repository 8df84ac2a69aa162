//! A worker's desk: what others have put there for it, and the one-shots that it has not started, which
//! others may take away again.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{fence, AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nanosecond_scheduler::{Remote, Scheduler, SendTask, TaskId};
use parking_lot::MutexGuard;

use crate::error::Error;
use crate::noted::{Noted, TakesNotes};
use crate::stats::Recorder;
use crate::stay::{Key, Resident, Slot, Waiting};

/// What a worker is to do as soon as it looks at its desk.
pub(crate) enum Request {
    /// Schedule the token of a one-shot.
    Once(Arc<Slot>, SendTask),
    /// Schedule the token of a repeating task.
    Repeating(Arc<Resident>, SendTask),
    /// Cancel the token of a one-shot that is no longer here.
    Forget(TaskId),
    /// Cancel a repeating task.
    Cancel(Arc<Resident>),
    /// Trigger a sporadic task.
    Trigger(Arc<Resident>),
    /// Let somebody have a look at the scheduler.
    Inspect(Box<dyn FnOnce(&mut Scheduler) + Send>),
}

/// Who may put something on a desk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    #[default]
    Open,
    /// The runtime only, to move what was accepted.
    Draining,
    /// Nobody: the worker has left.
    Gone,
}

#[derive(Default)]
pub(crate) struct Papers {
    /// New ones come while there are fewer than twice the capacity; beyond that each task may add one to
    /// end it, or to move it.
    pub(crate) requests: VecDeque<Request>,
    pub(crate) waiting: BTreeMap<Key, Arc<Slot>>,
    pub(crate) residents: BTreeMap<u64, Arc<Resident>>,
    pub(crate) door: Door,
}

/// What the worker has done meanwhile.
pub(crate) enum Note {
    /// A one-shot has started, or has ended without.
    Started(Key),
    /// A repeating task, by its ticket, has ended.
    Ended(u64),
}

impl TakesNotes for Papers {
    type Note = Note;

    fn take_note(&mut self, note: Note) {
        match note {
            Note::Started(key) => drop(self.waiting.remove(&key)),
            Note::Ended(ticket) => drop(self.residents.remove(&ticket)),
        }
    }
}

/// The papers, locked.
pub(crate) struct PapersGuard<'a> {
    papers: MutexGuard<'a, Papers>,
    /// Dropped after the papers are unlocked.
    _then: RingIfAwaited<'a>,
}

impl Deref for PapersGuard<'_> {
    type Target = Papers;

    fn deref(&self) -> &Papers {
        &self.papers
    }
}

impl DerefMut for PapersGuard<'_> {
    fn deref_mut(&mut self) -> &mut Papers {
        &mut self.papers
    }
}

/// Tells the worker that it can have the papers now.
struct RingIfAwaited<'a>(&'a Desk);

impl Drop for RingIfAwaited<'_> {
    fn drop(&mut self) {
        let Desk { is_awaited, .. } = self.0;
        // With the one in `lock_or_be_rung`: the worker sees the papers unlocked, or is seen here.
        fence(Ordering::SeqCst);
        if is_awaited.load(Ordering::Relaxed) && is_awaited.swap(false, Ordering::Relaxed) {
            self.0.ring();
        }
    }
}

#[derive(Default)]
pub(crate) struct Desk {
    papers: Noted<Papers>,
    /// Whether the worker found the papers locked and is to be rung.
    is_awaited: AtomicBool,
    bell: OnceLock<Remote>,
    /// Tasks that have not ended, the running one included.
    pub(crate) tasks: AtomicUsize,
    /// One-shots that have not started: as many as are in the papers' slots.
    waiting: AtomicUsize,
    /// When the running job started, in ns; 0 if none runs.
    running_since: AtomicU64,
    pub(crate) recorder: Recorder,
}

impl Desk {
    /// The papers, for those who may wait: not the worker.
    pub(crate) fn lock(&self) -> PapersGuard<'_> {
        PapersGuard { papers: self.papers.lock(), _then: RingIfAwaited(self) }
    }

    /// The papers, if nobody has them.
    pub(crate) fn try_lock(&self) -> Option<PapersGuard<'_>> {
        Some(PapersGuard { papers: self.papers.try_lock()?, _then: RingIfAwaited(self) })
    }

    /// The papers, for the worker. If somebody has them it is rung afterwards.
    pub(crate) fn lock_or_be_rung(&self) -> Option<PapersGuard<'_>> {
        self.is_awaited.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let papers = self.try_lock()?;
        self.is_awaited.store(false, Ordering::Relaxed);
        Some(papers)
    }

    /// The papers, if there is room for another task.
    pub(crate) fn with_room(&self, capacity: usize) -> Result<PapersGuard<'_>, Error> {
        let papers = self.lock();
        let tasks = self.tasks.load(Ordering::Relaxed);
        if papers.door != Door::Open {
            Err(Error::Shutdown)
        } else if tasks >= capacity || papers.requests.len() >= 2 * capacity {
            Err(Error::Full { capacity })
        } else {
            Ok(papers)
        }
    }

    pub(crate) fn set_bell(&self, remote: Remote) {
        // A worker has one scheduler.
        let _ = self.bell.set(remote);
    }

    /// Has the worker look at its desk, between two jobs.
    pub(crate) fn ring(&self) {
        if let Some(remote) = self.bell.get() {
            remote.stop();
        }
    }

    /// Gives a one-shot a place.
    pub(crate) fn put(&self, papers: &mut Papers, key: Key, waiting: Box<Waiting>) -> Arc<Slot> {
        let slot = Slot::new(key, waiting);
        papers.waiting.insert(key, Arc::clone(&slot));
        self.waiting.fetch_add(1, Ordering::SeqCst);
        slot
    }

    /// Takes a one-shot away. Its token, if the worker has scheduled it already, is to be forgotten.
    pub(crate) fn take(&self, papers: &mut Papers, key: Key) -> Option<Box<Waiting>> {
        let slot = papers.waiting.remove(&key)?;
        let waiting = self.take_out(&slot)?;
        papers.requests.extend(slot.token().map(Request::Forget));
        Some(waiting)
    }

    /// Takes a one-shot for its token. Does not wait.
    pub(crate) fn take_for_token(&self, slot: &Slot) -> Option<Box<Waiting>> {
        let waiting = self.take_out(slot)?;
        self.note(Note::Started(slot.key));
        Some(waiting)
    }

    fn take_out(&self, slot: &Slot) -> Option<Box<Waiting>> {
        let waiting = slot.take()?;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Some(waiting)
    }

    /// Takes all one-shots away.
    pub(crate) fn take_all(&self) -> Vec<Waiting> {
        let slots = std::mem::take(&mut self.lock().waiting);
        slots.values().filter_map(|slot| self.take_out(slot)).map(|waiting| *waiting).collect()
    }

    /// Leaves a note for whoever has the papers next. Does not wait.
    pub(crate) fn note(&self, note: Note) {
        self.papers.note(note);
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn starts(&self, at: u64) {
        self.running_since.store(at.max(1), Ordering::SeqCst);
    }

    pub(crate) fn pauses(&self) {
        self.running_since.store(0, Ordering::SeqCst);
    }

    /// When the running job started, in ns.
    pub(crate) fn running_since(&self) -> Option<u64> {
        Some(self.running_since.load(Ordering::SeqCst)).filter(|since| *since > 0)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::{Job, NanosecondScheduler, SchedulerConfig};
    use nanosecond_scheduler::Admission;
    use std::time::Duration;

    fn until(mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            std::thread::yield_now();
        }
    }

    /// Hazard: somebody is preempted, or stopped, with the papers and the book in hand.
    fn a_worker_goes_on_while_others_hold(admission: Admission) {
        let (ms, us) = (Duration::from_millis(1), Duration::from_micros(1));
        let config = SchedulerConfig { num_workers: 1, admission, ..SchedulerConfig::default() };
        let runtime = NanosecondScheduler::new(config).unwrap();
        let (beats, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (beat, over) = (Arc::clone(&beats), Arc::clone(&is_over));
        let task = SendTask::periodic(
            move |cx| {
                beat.fetch_add(1, Ordering::Relaxed);
                if over.load(Ordering::Relaxed) {
                    cx.cancel(cx.id()).unwrap();
                }
            },
            ms,
        );
        let periodic = runtime.schedule(task.with_wcet(us)).unwrap();
        let job = Job::new(|| 7).with_delay(50 * ms).with_wcet(us).with_deadline(1_000 * ms);
        let once = runtime.schedule(job).unwrap();
        // Its tokens are with the scheduler by then.
        let looked = runtime.inspect(0, |scheduler| scheduler.len()).unwrap();
        assert_eq!(runtime.wait_for_completion(looked), Ok(2));

        let desk = &runtime.inner.desks[0];
        let mut papers = desk.lock();
        let book = runtime.inner.book.lock();
        let has_looked = Arc::new(AtomicBool::new(false));
        let looks = Arc::clone(&has_looked);
        let look = move |_: &mut Scheduler| looks.store(true, Ordering::Relaxed);
        papers.requests.push_back(Request::Inspect(Box::new(look)));
        desk.ring();
        until(|| desk.is_awaited.load(Ordering::Relaxed));
        let before = beats.load(Ordering::Relaxed);
        until(|| once.is_finished() && beats.load(Ordering::Relaxed) > before + 10);
        is_over.store(true, Ordering::Relaxed);
        until(|| periodic.is_finished());
        assert!(!has_looked.load(Ordering::Relaxed), "the papers were held");
        drop((book, papers));
        until(|| has_looked.load(Ordering::Relaxed));
        assert_eq!(runtime.wait_for_completion(once), Ok(7));
        assert!(runtime.cancel(&periodic).is_err(), "its end was noted");
        assert_eq!(runtime.worker_stats()[0].placed_utilization, 0.0);
        let papers = desk.lock();
        assert!(papers.waiting.is_empty() && papers.residents.is_empty());
    }

    #[test]
    fn a_worker_waits_for_nobody_who_holds_its_papers() {
        a_worker_goes_on_while_others_hold(Admission::Off);
    }

    #[test]
    fn a_worker_that_tells_when_it_is_idle_waits_for_nobody_either() {
        a_worker_goes_on_while_others_hold(Admission::Exact);
    }
}

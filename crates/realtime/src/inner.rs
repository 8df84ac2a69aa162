//! What all parts of a runtime share, and what concerns more than one worker: accepting tasks, finding
//! them again, moving them.
//!
//! Locks are taken in this order: desks by number, then the book. Users' code runs under none. Workers
//! wait for none while they serve: they try, or leave notes.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use nanosecond_scheduler::{Admission, Clock, DefaultClock, SendTask, TimePoint};

use crate::balance::Balancer;
use crate::config::SchedulerConfig;
use crate::desk::{Desk, Door, Papers, PapersGuard, Request};
use crate::error::{Error, Refused};
use crate::handle::TaskHandle;
use crate::hooks::Hooks;
use crate::job::IntoJob;
use crate::noted::Noted;
use crate::outcome::{Sender, Why};
use crate::outstanding::Outstanding;
use crate::placement::{two_choices, Book, BookNote, Demand};
use crate::stay::{Key, Resident, Stay, Waiting};
use crate::token::{self, Held};

pub(crate) struct Inner {
    pub(crate) config: SchedulerConfig,
    /// All `DefaultClock`s of a process share origin and scale, so instants of workers compare.
    pub(crate) clock: DefaultClock,
    pub(crate) desks: Box<[Desk]>,
    pub(crate) book: Noted<Book>,
    pub(crate) outstanding: Outstanding,
    pub(crate) balancer: Balancer,
    pub(crate) hooks: Hooks,
    next_ticket: AtomicU64,
    is_stopped: AtomicBool,
}

/// Where an accepted task goes: its desk, locked and with room.
struct Place<'a> {
    worker: usize,
    papers: PapersGuard<'a>,
    key: Key,
    /// With its release fixed.
    outline: SendTask,
}

impl Inner {
    pub(crate) fn new(config: SchedulerConfig) -> Self {
        Inner {
            clock: DefaultClock::new(),
            desks: std::iter::repeat_with(Desk::default).take(config.num_workers).collect(),
            book: Noted::new(Book::new(&config)),
            outstanding: Outstanding::default(),
            balancer: Balancer::default(),
            hooks: Hooks::default(),
            next_ticket: AtomicU64::new(1),
            is_stopped: AtomicBool::new(false),
            config,
        }
    }

    pub(crate) fn now(&self) -> TimePoint {
        self.clock.now()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    pub(crate) fn admits_exactly(&self) -> bool {
        self.config.admission == Admission::Exact
    }

    /// Accepts a task, or gives it back.
    pub(crate) fn accept<J: IntoJob>(
        self: &Arc<Self>,
        outline: SendTask,
        job: J,
    ) -> Result<TaskHandle<J::Output>, Refused<J>> {
        match self.place(outline) {
            Ok(place) => Ok(self.settle(place, job)),
            Err(reason) => Err(Refused::new(reason, job)),
        }
    }

    fn place(&self, outline: SendTask) -> Result<Place<'_>, Error> {
        if outline.has_predecessors() {
            return Err(Error::Predecessors);
        }
        let now = self.now();
        let release = outline.release_from(now).map_err(Error::Rejected)?;
        let outline = match release {
            Some(release) => outline.at(release),
            None => outline,
        };
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let key = Key { release: release.map_or(0, TimePoint::as_nanos), ticket };
        let (worker, papers) = if outline.period().is_some() || self.admits_exactly() {
            let demand = Demand::of(&outline, release);
            let is_late = release.is_some_and(|release| release < now);
            self.admit(ticket, demand, is_late)?
        } else {
            self.choose(ticket)?
        };
        Ok(Place { worker, papers, key, outline })
    }

    /// The worker that admits the task.
    fn admit(
        &self,
        ticket: u64,
        demand: Demand,
        is_late: bool,
    ) -> Result<(usize, PapersGuard<'_>), Error> {
        let seems_full = |worker: usize| self.seems_full(worker);
        let placed = self.book.lock().place(ticket, demand, is_late, seems_full);
        let worker = placed?.ok_or(Error::Full { capacity: self.config.capacity })?;
        // Another may have taken the room, or the runtime is shutting down.
        let papers = self.room_at(worker).inspect_err(|_| self.book.lock().remove(ticket))?;
        Ok((worker, papers))
    }

    /// A worker for a task that may be done by any.
    fn choose(&self, ticket: u64) -> Result<(usize, PapersGuard<'_>), Error> {
        let workers = self.desks.len();
        let load = |worker: usize| self.desks[worker].tasks.load(Ordering::Relaxed);
        let chosen = two_choices(ticket, workers, load);
        let mut refusal = Error::Shutdown;
        for worker in (0..workers).map(|further| (chosen + further) % workers) {
            match self.room_at(worker) {
                Ok(papers) => return Ok((worker, papers)),
                Err(Error::Shutdown) => {}
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Without its lock, which must not be taken while the book is locked.
    fn seems_full(&self, worker: usize) -> bool {
        self.desks[worker].tasks.load(Ordering::Relaxed) >= self.config.capacity
    }

    fn room_at(&self, worker: usize) -> Result<PapersGuard<'_>, Error> {
        self.desks[worker].with_room(self.config.capacity)
    }

    /// Puts an accepted task on its desk.
    fn settle<J: IntoJob>(self: &Arc<Self>, place: Place<'_>, job: J) -> TaskHandle<J::Output> {
        let Place { worker, mut papers, key, outline } = place;
        let desk = &self.desks[worker];
        let repeats = outline.period().is_some();
        let phase = (!repeats).then(|| self.outstanding.enter());
        let stay = Stay::new(Arc::clone(self), worker, key.ticket, phase);
        let (sender, shared) = Sender::new(worker);
        let body = job.into_body(sender);
        if repeats {
            self.house(&mut papers, worker, Held { body, outline, stay });
        } else {
            let waiting = Waiting { body, outline, stay };
            self.put(&mut papers, worker, key, Box::new(waiting));
        }
        drop(papers);
        desk.ring();
        if !repeats {
            self.watch(worker, key);
        }
        TaskHandle::new(shared, Arc::clone(self), key, repeats)
    }

    /// Has the balancer look after a one-shot that has come to a desk, if a job runs there: it may be a
    /// long one.
    fn watch(&self, worker: usize, key: Key) {
        if self.desks[worker].running_since().is_some() {
            let budget_ns = self.config.latency_budget_ns;
            self.balancer.arm(self.now().as_nanos().max(key.release).saturating_add(budget_ns));
        }
    }

    /// Puts a one-shot on a desk, and a token for it.
    fn put(self: &Arc<Self>, papers: &mut Papers, worker: usize, key: Key, waiting: Box<Waiting>) {
        let outline = waiting.outline.like(|_| ());
        let slot = self.desks[worker].put(papers, key, waiting);
        let token = token::once(self, worker, &slot, &outline);
        papers.requests.push_back(Request::Once(slot, token));
    }

    /// Puts a repeating task on a desk.
    fn house(self: &Arc<Self>, papers: &mut Papers, worker: usize, held: Held) {
        let resident = Arc::new(Resident::default());
        papers.residents.insert(held.stay.ticket, Arc::clone(&resident));
        let token = token::repeating(self, worker, &resident, held);
        papers.requests.push_back(Request::Repeating(resident, token));
    }

    /// The papers of the worker at which a task is. It cannot move while they are locked.
    fn papers_of(&self, home: &AtomicUsize) -> (usize, PapersGuard<'_>) {
        loop {
            let worker = home.load(Ordering::Acquire);
            let papers = self.desks[worker].lock();
            if home.load(Ordering::Acquire) == worker {
                return (worker, papers);
            }
        }
    }

    /// Ends a one-shot that has not started.
    pub(crate) fn cancel_once(&self, key: Key, home: &AtomicUsize) -> bool {
        let (worker, mut papers) = self.papers_of(home);
        let desk = &self.desks[worker];
        let Some(waiting) = desk.take(&mut papers, key) else { return false };
        drop(papers);
        desk.ring();
        waiting.end(Why::Cancelled);
        true
    }

    /// Asks the worker to end a repeating task.
    pub(crate) fn cancel_repeating(&self, ticket: u64, home: &AtomicUsize) -> bool {
        let (worker, mut papers) = self.papers_of(home);
        let Some(resident) = papers.residents.get(&ticket).cloned() else { return false };
        if !resident.ends(Why::Cancelled) {
            return false;
        }
        papers.requests.push_back(Request::Cancel(resident));
        drop(papers);
        self.desks[worker].ring();
        true
    }

    pub(crate) fn trigger(&self, ticket: u64, home: &AtomicUsize) -> Result<(), Error> {
        let (worker, papers) = self.papers_of(home);
        let Some(resident) = papers.residents.get(&ticket).cloned() else {
            return Err(Error::NotPending);
        };
        self.request(worker, papers, Request::Trigger(resident))
    }

    /// Puts a request on a desk that is not for a new task.
    pub(crate) fn request(
        &self,
        worker: usize,
        mut papers: PapersGuard<'_>,
        request: Request,
    ) -> Result<(), Error> {
        let capacity = self.config.capacity;
        let refusal = if papers.door == Door::Gone {
            Error::Shutdown
        } else if papers.requests.len() >= 2 * capacity {
            Error::Full { capacity }
        } else {
            papers.requests.push_back(request);
            drop(papers);
            self.desks[worker].ring();
            return Ok(());
        };
        // Before the request is dropped, which runs users' code.
        drop(papers);
        Err(refusal)
    }

    /// Both desks' papers, locked in order.
    fn lock_two(&self, one: usize, other: usize) -> [PapersGuard<'_>; 2] {
        if one < other {
            let papers = self.desks[one].lock();
            [papers, self.desks[other].lock()]
        } else {
            let papers = self.desks[other].lock();
            [self.desks[one].lock(), papers]
        }
    }

    /// Moves the one-shot `key` from one worker to another, if it has not started and the other has
    /// room for it.
    pub(crate) fn move_once(self: &Arc<Self>, key: Key, from: usize, to: usize) -> bool {
        let [mut here, mut there] = self.lock_two(from, to);
        let is_possible = there.door != Door::Gone && here.waiting.contains_key(&key);
        if !is_possible || self.seems_full(to) {
            return false;
        }
        let is_late = key.release < self.now().as_nanos();
        let mut book = self.book.lock();
        let Some(checked) = book.check_move(key.ticket, is_late, to) else { return false };
        // Its worker may have been faster.
        let Some(mut waiting) = self.desks[from].take(&mut here, key) else { return false };
        book.moves(checked);
        drop(book);
        waiting.stay.moves(to);
        waiting.body.moves(to);
        self.put(&mut there, to, key, waiting);
        drop((here, there));
        self.desks[from].recorder.moved_away();
        self.desks[from].ring();
        self.desks[to].ring();
        self.watch(to, key); // The balancer may have looked there already.
        true
    }

    /// Takes a repeating task to a worker with less to do, from its release `next` on, if there is one.
    /// For its worker, which does not wait: if somebody has the book or a desk, it stays for now.
    pub(crate) fn move_repeating(
        self: &Arc<Self>,
        held: &mut Option<Held>,
        next: TimePoint,
    ) -> Option<()> {
        let Held { stay, .. } = held.as_ref()?;
        let (from, ticket) = (stay.worker, stay.ticket);
        let mut book = self.book.try_lock()?;
        let to = book.better_for(ticket, |worker| self.seems_full(worker))?;
        let [mut here, mut there] = [self.desks[from].try_lock()?, self.desks[to].try_lock()?];
        if there.door != Door::Open || here.residents.get(&ticket)?.is_ending() {
            return None;
        }
        let checked = book.check_move(ticket, next < self.now(), to)?;
        let mut moved = held.take()?;
        book.moves(checked);
        drop(book);
        here.residents.remove(&ticket);
        moved.stay.moves(to);
        moved.body.moves(to);
        moved.outline = moved.outline.at(next);
        self.house(&mut there, to, moved);
        drop((here, there));
        self.desks[from].recorder.moved_away();
        self.desks[to].ring();
        Some(())
    }

    /// A worker of an exact admission is idle. Does not wait; what is left unread, because somebody has
    /// the book, is bounded: then admission is careful until the worker is idle again.
    pub(crate) fn note_idle(&self, worker: usize) {
        if self.book.unread() <= self.config.capacity {
            self.book.note(BookNote::Idle(worker));
        }
    }

    /// Accepts no more tasks, and ends the repeating ones.
    pub(crate) fn drain(&self) {
        for desk in &self.desks {
            let mut papers = desk.lock();
            let Papers { requests, residents, door, .. } = &mut *papers;
            *door = (*door).max(Door::Draining);
            for resident in residents.values() {
                if resident.ends(Why::Shutdown) {
                    requests.push_back(Request::Cancel(Arc::clone(resident)));
                }
            }
            drop(papers);
            desk.ring();
        }
    }

    /// Has workers and balancer leave as soon as they are done with what they are running.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        for desk in &self.desks {
            let mut papers = desk.lock();
            papers.door = papers.door.max(Door::Draining);
            drop(papers);
            desk.ring();
        }
        self.balancer.wake();
    }
}

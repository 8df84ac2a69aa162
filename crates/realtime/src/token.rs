//! What lies in a worker's scheduler for a task: a token. That of a one-shot fetches the body from the
//! desk when its turn comes, unless it was taken away; that of a repeating task owns the body.

use std::sync::Arc;
use std::time::Duration;

use nanosecond_scheduler::{Context, DeadlineKind, Emergency, MissedTick, SendTask, TimePoint};

use crate::desk::Note;
use crate::inner::Inner;
use crate::job::Body;
use crate::outcome::Why;
use crate::stay::{Resident, Slot, Stay, Waiting};

/// The token of a one-shot.
pub(crate) fn once(
    inner: &Arc<Inner>,
    worker: usize,
    slot: &Arc<Slot>,
    outline: &SendTask,
) -> SendTask {
    let mut token = Once { inner: Arc::clone(inner), worker, slot: Arc::clone(slot) };
    outline.like(move |cx| token.run(cx))
}

struct Once {
    inner: Arc<Inner>,
    worker: usize,
    slot: Arc<Slot>,
}

impl Once {
    fn run(&mut self, cx: &mut Context<'_>) {
        let desk = &self.inner.desks[self.worker];
        let Some(mut waiting) = desk.take_for_token(&self.slot) else { return };
        let Waiting { body, outline, stay } = &mut *waiting;
        let deadline = outline.deadline_of(cx.release());
        let mut running = Running::start(&self.inner, self.worker, cx.release(), deadline);
        running.last = Some(stay);
        body.run(cx, &mut running);
    }
}

impl Drop for Once {
    /// Ends a task that was not run: it was skipped, or the scheduler has dropped it.
    fn drop(&mut self) {
        let desk = &self.inner.desks[self.worker];
        let Some(waiting) = desk.take_for_token(&self.slot) else { return };
        let why = match self.late_by(&waiting.outline) {
            _ if self.inner.is_stopped() => Why::Shutdown,
            Some(late_by) => Why::Skipped { late_by },
            None => Why::Cancelled,
        };
        if let Why::Skipped { .. } = why {
            desk.recorder.skipped();
        }
        waiting.end(why);
    }
}

impl Once {
    /// How late a job is that does not run because it is late.
    fn late_by(&self, outline: &SendTask) -> Option<Duration> {
        let emergency = self.inner.config.emergency;
        let is_dropped = match outline.deadline_kind()? {
            DeadlineKind::Soft => false,
            DeadlineKind::Firm => true,
            DeadlineKind::Hard => emergency != Emergency::Callback,
        };
        let (now, release) = (self.inner.now(), TimePoint::from_nanos(self.slot.key.release));
        let deadline = outline.deadline_of(release)?;
        (is_dropped && release.max(deadline) < now).then(|| now.duration_since(deadline))
    }
}

/// The token of a repeating task.
pub(crate) fn repeating(
    inner: &Arc<Inner>,
    worker: usize,
    resident: &Arc<Resident>,
    held: Held,
) -> SendTask {
    let outline = held.outline.like(|_| ());
    let (inner, resident) = (Arc::clone(inner), Arc::clone(resident));
    let mut token = Repeating { inner, worker, resident, held: Some(held) };
    outline.like(move |cx| token.run(cx))
}

/// What moves with a repeating task.
pub(crate) struct Held {
    pub(crate) body: Box<dyn Body>,
    pub(crate) outline: SendTask,
    /// Last, since it is to be dropped last.
    pub(crate) stay: Stay,
}

struct Repeating {
    inner: Arc<Inner>,
    worker: usize,
    resident: Arc<Resident>,
    /// None once it has moved.
    held: Option<Held>,
}

impl Repeating {
    fn run(&mut self, cx: &mut Context<'_>) {
        let Some(held) = &mut self.held else { return };
        let deadline = held.outline.deadline_of(cx.release());
        let mut running = Running::start(&self.inner, self.worker, cx.release(), deadline);
        held.body.run(cx, &mut running);
        let was_late = running.latency_ns > self.inner.config.latency_budget_ns;
        drop(running);
        if was_late && cx.is_pending(cx.id()) {
            self.move_on(cx);
        }
    }

    /// Goes on at a worker with less to do, if there is one: its job has exceeded the latency budget.
    fn move_on(&mut self, cx: &mut Context<'_>) {
        let Some(next) = self.next_release(cx) else { return };
        if self.inner.move_repeating(&mut self.held, next).is_some() {
            // It is pending, being the task that runs; the other token goes on.
            let _ = cx.cancel(cx.id());
        }
    }

    /// The release of a periodic task's next job, as the core would have it; a sporadic task has none.
    fn next_release(&self, cx: &Context<'_>) -> Option<TimePoint> {
        let outline = &self.held.as_ref().filter(|held| !held.outline.is_sporadic())?.outline;
        let period = outline.period()?;
        let missed_tick = outline.missed_tick().unwrap_or(self.inner.config.missed_tick);
        let now = cx.now();
        match missed_tick {
            MissedTick::Burst => cx.release().checked_add(period),
            MissedTick::Delay => now.checked_add(period),
            MissedTick::Skip => {
                let late_by = now.duration_since(cx.release()).as_nanos() % period.as_nanos();
                (now - Duration::from_nanos(late_by as u64)).checked_add(period)
            }
        }
    }
}

impl Drop for Repeating {
    fn drop(&mut self) {
        let Some(Held { body, mut stay, .. }) = self.held.take() else { return };
        self.inner.desks[self.worker].note(Note::Ended(stay.ticket));
        let unasked = if self.inner.is_stopped() { Why::Shutdown } else { Why::Cancelled };
        let why = self.resident.why().unwrap_or(unasked);
        stay.ends();
        body.end(why);
    }
}

/// A job that is running: measured, and seen by the balancer. Dropped without having finished, it has
/// panicked.
pub struct Running<'a> {
    inner: &'a Inner,
    worker: usize,
    start: TimePoint,
    latency_ns: u64,
    pub(crate) deadline: Option<TimePoint>,
    has_finished: bool,
    /// Of the task of which this is the only job.
    last: Option<&'a mut Stay>,
}

impl<'a> Running<'a> {
    fn start(
        inner: &'a Inner,
        worker: usize,
        release: TimePoint,
        deadline: Option<TimePoint>,
    ) -> Self {
        let desk = &inner.desks[worker];
        let start = inner.now();
        let latency_ns = start.as_nanos().saturating_sub(release.as_nanos());
        desk.recorder.dispatched(latency_ns);
        desk.starts(start.as_nanos());
        // What waits must not wait longer than this job may take.
        if desk.has_waiting() {
            inner.balancer.arm(start.as_nanos().saturating_add(inner.config.latency_budget_ns));
        }
        Running { inner, worker, start, latency_ns, deadline, has_finished: false, last: None }
    }

    /// The job has returned; tells when.
    pub(crate) fn finished(&mut self) -> TimePoint {
        let finish = self.inner.now().max(self.start);
        let is_late = self.deadline.is_some_and(|deadline| finish > deadline);
        let busy_ns = finish.as_nanos() - self.start.as_nanos();
        self.inner.desks[self.worker].recorder.finished(busy_ns, is_late);
        self.has_finished = true;
        self.ends();
        finish
    }

    fn ends(&mut self) {
        if let Some(stay) = self.last.take() {
            stay.ends();
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let desk = &self.inner.desks[self.worker];
        if !self.has_finished {
            let busy_ns = self.inner.now().duration_since(self.start).as_nanos();
            desk.recorder.panicked(u64::try_from(busy_ns).unwrap_or(u64::MAX));
        }
        desk.pauses();
        self.ends();
    }
}

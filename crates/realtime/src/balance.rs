//! Load balancing: one-shots that wait longer than the latency budget go to another worker.
//!
//! A worker inside a long job cannot look up, so a thread of its own does it. It sleeps unless a
//! one-shot waits behind a running job: whoever makes that so arms it, the worker that starts a job
//! while others wait, or the caller whose task finds a job running.

use std::sync::atomic::{fence, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::desk::Door;
use crate::inner::Inner;
use crate::os;

/// Looks are at least so far apart: a shorter budget is not worth a core.
const LEAST_PAUSE_NS: u64 = 50_000;

pub(crate) struct Balancer {
    /// The instant of the next look, in ns; `u64::MAX` if none is needed.
    next_look: AtomicU64,
    thread: OnceLock<Thread>,
}

impl Default for Balancer {
    fn default() -> Self {
        Balancer { next_look: AtomicU64::new(u64::MAX), thread: OnceLock::new() }
    }
}

impl Balancer {
    /// Asks for a look at `at` or before. Costs a load unless it brings the next look forward.
    pub(crate) fn arm(&self, at: u64) {
        if at < self.next_look.load(Ordering::SeqCst)
            && at < self.next_look.fetch_min(at, Ordering::SeqCst)
        {
            self.wake();
        }
    }

    pub(crate) fn wake(&self) {
        // With the fence in `run`: either the thread is seen here, or there what was stored before.
        fence(Ordering::SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// The balancer's thread, until the runtime stops.
pub(crate) fn run(inner: &Arc<Inner>) {
    let balancer = &inner.balancer;
    // Nobody else sets it.
    let _ = balancer.thread.set(thread::current());
    fence(Ordering::SeqCst);
    if inner.config.enable_rt_scheduling {
        // Where that is denied, it is to the workers, too, which is told.
        let _: os::Outcome = os::set_class(inner.config.balancer_class());
    }
    while !inner.is_stopped() {
        // Before the look: what changes afterwards arms anew, and unparks.
        balancer.next_look.store(u64::MAX, Ordering::SeqCst);
        if let Some(next) = inner.look(inner.now().as_nanos()) {
            balancer.next_look.fetch_min(next, Ordering::SeqCst);
        }
        match balancer.next_look.load(Ordering::SeqCst) {
            u64::MAX => thread::park(),
            at => {
                let left = at.saturating_sub(inner.now().as_nanos()).max(LEAST_PAUSE_NS);
                thread::park_timeout(Duration::from_nanos(left));
            }
        }
    }
}

impl Inner {
    /// Moves what is overdue; tells when to look again, if that is known.
    fn look(self: &Arc<Self>, now: u64) -> Option<u64> {
        let workers = 0..self.desks.len();
        workers.filter_map(|worker| self.relieve(worker, now)).min()
    }

    /// Moves away what has waited too long at a worker whose job is running.
    fn relieve(self: &Arc<Self>, worker: usize, now: u64) -> Option<u64> {
        let desk = &self.desks[worker];
        let budget_ns = self.config.latency_budget_ns;
        // One that runs nothing starts with the first that waits, and then arms.
        while desk.running_since().is_some() {
            let (&first, _) = desk.lock().waiting.first_key_value()?;
            let overdue_at = first.release.saturating_add(budget_ns);
            if overdue_at >= now {
                return Some(overdue_at);
            }
            let moved = self.better_than(worker, now).map(|to| self.move_once(first, worker, to));
            if moved != Some(true) {
                return Some(now.saturating_add(budget_ns));
            }
        }
        None
    }

    /// The worker with the fewest tasks that is not stuck in a job, if a task of `worker` is better
    /// off there: because that one is stuck, or has fewer tasks even with this one.
    fn better_than(&self, worker: usize, now: u64) -> Option<usize> {
        let is_stuck = |worker: usize| {
            let since = self.desks[worker].running_since();
            since.is_some_and(|since| now.saturating_sub(since) > self.config.latency_budget_ns)
        };
        let tasks = |worker: usize| self.desks[worker].tasks.load(Ordering::Relaxed);
        let others = (0..self.desks.len()).filter(|other| *other != worker && !is_stuck(*other));
        let best = others
            .filter(|other| self.desks[*other].lock().door != Door::Gone)
            .min_by_key(|other| tasks(*other))?;
        (is_stuck(worker) || tasks(best) + 1 < tasks(worker)).then_some(best)
    }
}

//! The loop for those who do not own one: tick, then wait for the next release.

use core::time::Duration;

use crate::clock::Clock;
use crate::error::WaitError;
use crate::join::JoinHandle;
use crate::scheduler::Scheduler;
use crate::time::TimePoint;

impl<C: Clock> Scheduler<C> {
    /// Runs until stopped by [`Context::stop`](crate::Context::stop) or
    /// [`Remote::stop`](crate::Remote::stop), or until nothing is queued and no
    /// [`Remote`](crate::Remote) is alive.
    ///
    /// On wasm32, where nothing may block, this and the other `run*` methods return after one tick.
    ///
    /// # Panics
    ///
    /// As [`tick`](Self::tick).
    pub fn run(&mut self) {
        self.run_while(|_| true, None);
    }

    /// As [`run_until`](Self::run_until) for `duration` from now. Time passes also while nothing is
    /// pending.
    ///
    /// # Panics
    ///
    /// As [`tick`](Self::tick).
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now() + duration);
    }

    /// Runs until the clock has reached `end`, jobs released at `end` included, or until stopped. If
    /// some are still due when the clock has passed `end`, as under overload, as many jobs more are run
    /// as tasks are pending; what is left stays due.
    ///
    /// # Panics
    ///
    /// As [`tick`](Self::tick).
    pub fn run_until(&mut self, end: TimePoint) {
        self.run_while(|_| true, Some(end));
    }

    /// Runs until nothing is queued, whether or not a [`Remote`](crate::Remote) is alive, or until
    /// stopped. A periodic task keeps it running for ever.
    ///
    /// # Panics
    ///
    /// As [`tick`](Self::tick).
    pub fn run_until_idle(&mut self) {
        self.run_while(|scheduler| scheduler.has_work(), None);
    }

    /// Runs until the handle's task has ended, and takes its result.
    ///
    /// # Errors
    ///
    /// [`WaitError::Stopped`] if the loop was stopped before, or if nothing is left that could
    /// finish the task; else as [`JoinHandle::try_take`].
    ///
    /// # Panics
    ///
    /// As [`tick`](Self::tick).
    pub fn wait_for_completion<T>(&mut self, handle: &mut JoinHandle<T>) -> Result<T, WaitError> {
        if !handle.is_finished() {
            self.run_while(|_| !handle.is_finished(), None);
        }
        handle.try_take().unwrap_or(Err(WaitError::Stopped))
    }

    /// Ticks and waits while `go_on` and until `end`. Without an `end` it stops when nothing can
    /// become due any more.
    fn run_while(&mut self, go_on: impl Fn(&mut Self) -> bool, end: Option<TimePoint>) {
        self.engine.stop_requested = false;
        // Jobs that may still run once the clock has passed the end: tasks that come again and again
        // could keep it running for ever, and less urgent ones waiting.
        let mut left = None;
        let mut seen = None;
        loop {
            let report = self.tick_after_wait(seen.take());
            let next = report.next_release;
            let past_end = end.is_some_and(|end| {
                if report.started_at > end {
                    let ran = report.executed + report.skipped;
                    left = Some(left.map_or(self.len(), |left: usize| left.saturating_sub(ran)));
                }
                report.started_at >= end && (next.is_none_or(|n| n > end) || left == Some(0))
            });
            if self.take_stop() || past_end || !go_on(self) || cfg!(target_arch = "wasm32") {
                return;
            }
            if report.more_due {
                continue;
            }
            let window = TimePoint::from_nanos(self.engine.reflection.wakes_at());
            let next = next.map(|next| self.on_cadence(next).min(window));
            let wake_at = match (next, end) {
                (Some(next), Some(end)) => next.min(end),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) if self.wait_for_remote() => continue,
                (None, None) => return,
            };
            self.engine.prepare(wake_at.as_nanos());
            #[cfg(feature = "std")]
            self.waiter.make_up_for(self.engine.reflection.lateness_ns());
            self.clock.wait_until(wake_at, &mut self.waiter);
            seen = self.waiter.take_last_seen(wake_at);
        }
    }

    /// Whether a tick would find something, now or later.
    fn has_work(&mut self) -> bool {
        #[cfg(feature = "std")]
        if self.waiter.bell.has_rung() {
            return true;
        }
        self.next_release().is_some()
    }

    /// Whether a stop was asked for since the last time.
    fn take_stop(&mut self) -> bool {
        let by_task = core::mem::take(&mut self.engine.stop_requested);
        #[cfg(feature = "std")]
        let by_remote = self.waiter.bell.take_stop();
        #[cfg(not(feature = "std"))]
        let by_remote = false;
        by_task || by_remote
    }

    /// Waits for a remote's call; `false` at once if none is alive.
    fn wait_for_remote(&mut self) -> bool {
        #[cfg(feature = "std")]
        return self.waiter.wait_for_call();
        #[cfg(not(feature = "std"))]
        false
    }

    /// The first multiple of the tick rate at or after `release`.
    fn on_cadence(&self, release: TimePoint) -> TimePoint {
        let rate = self.tick_rate_ns.max(1);
        let past = release.as_nanos() % rate;
        if past == 0 {
            return release;
        }
        release + Duration::from_nanos(rate - past)
    }
}

//! Asking the scheduler how well it kept time, and setting up what it is to notice.

#[cfg(feature = "std")]
use crate::timing::monitor::{Alert, LatencyMonitor, MonitoringReport};
use alloc::boxed::Box;
#[cfg(feature = "realtime")]
use core::time::Duration;

use crate::clock::Clock;
use crate::error::CancelError;
use crate::metrics::{LatencyStats, Metrics};
use crate::scheduler::Scheduler;
use crate::task::TaskId;
use crate::timing::trace::Trace;
use crate::timing::DeadlineViolation;
#[cfg(feature = "realtime")]
use crate::timing::{Estimators, WcetEstimator};

impl<C: Clock> Scheduler<C> {
    /// Tells `handler` about every missed deadline: that of a job which waits as soon as a tick sees it,
    /// that of one which runs when it has finished. A panic of the handler is treated as one of that job, except that the
    /// job and its task go on.
    pub fn on_deadline_miss(&mut self, handler: impl FnMut(DeadlineViolation) + 'static) {
        self.engine.on_deadline_miss = Some(Box::new(handler));
    }

    /// Whether a hard deadline's miss has led to
    /// [`Emergency::SafeMode`](crate::Emergency::SafeMode).
    #[must_use]
    #[cfg(feature = "realtime")]
    pub fn is_in_safe_mode(&self) -> bool {
        self.engine.is_in_safe_mode()
    }

    /// Accepts tasks of every priority again. Those cancelled by the safe mode do not come back.
    #[cfg(feature = "realtime")]
    pub fn leave_safe_mode(&mut self) {
        self.engine.set_safe_mode(false);
    }

    /// Measures the execution times of named tasks that declare no WCET, from now on: `make` gives
    /// each name an estimator, which the name's tasks share and keep when they end. Estimates serve
    /// [`Policy::LeastLaxity`](crate::Policy::LeastLaxity) and
    /// [`wcet_estimate`](Self::wcet_estimate). Tasks that are pending already are not measured.
    ///
    /// ```
    /// use core::time::Duration;
    /// use nanosecond_scheduler::{Config, ManualClock, MaxEstimator, Scheduler, Task};
    ///
    /// let clock = ManualClock::new();
    /// let mut scheduler = Scheduler::with_clock(Config::default(), clock.clone())?;
    /// scheduler.estimate_wcet(|_| Box::new(MaxEstimator::default()));
    /// let work = move || clock.advance(Duration::from_micros(3));
    /// scheduler.schedule(Task::new(work, Duration::ZERO).with_name("work"))?;
    /// scheduler.tick();
    /// assert_eq!(scheduler.wcet_estimate("work"), Some(Duration::from_micros(3)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "realtime")]
    pub fn estimate_wcet(
        &mut self,
        make: impl FnMut(&'static str) -> Box<dyn WcetEstimator> + 'static,
    ) {
        if let Some(estimators) = self.engine.estimators.get_or_make(Estimators::default) {
            estimators.set_factory(Box::new(make));
        }
    }

    /// The estimated execution time of the next job of a task with this name.
    #[must_use]
    #[cfg(feature = "realtime")]
    pub fn wcet_estimate(&self, name: &str) -> Option<Duration> {
        let estimate_ns = self.engine.estimators.get()?.estimate_of(name)?;
        Some(Duration::from_nanos(estimate_ns))
    }

    /// Gives a pending task another name. It is measured anew under that name: what was estimated
    /// under the old one says nothing about it.
    ///
    /// # Errors
    ///
    /// [`CancelError`] if the task is not pending.
    pub fn rename(&mut self, id: TaskId, name: &'static str) -> Result<(), CancelError> {
        if !self.engine.is_pending(id) {
            return Err(CancelError);
        }
        let mut details = *self.engine.store.details_of_any(id);
        let was_timed = details.is_timed();
        details.attributes.name = Some(name);
        details.progress.estimator = self.engine.estimator_for(&details.attributes);
        *self.engine.store.details_mut(id) = details;
        self.engine.timed_changed(was_timed, details.is_timed());
        Ok(())
    }

    /// How many jobs of a pending task ran longer than its declared WCET; `None` if it is not
    /// pending.
    #[must_use]
    #[cfg(feature = "realtime")]
    pub fn overruns(&self, id: TaskId) -> Option<u64> {
        let id = Some(id).filter(|id| self.engine.is_pending(*id))?;
        let has_attributes = self.engine.store.place(id).has_attributes();
        Some(if has_attributes { self.engine.store.details(id).progress.overruns } else { 0 })
    }

    /// How often a job was started while a released one was waiting that the policy prefers. `None`
    /// without [`Config::audit`](crate::Config::audit); anything but 0 is a defect of this crate.
    #[must_use]
    pub fn inversions(&self) -> Option<u64> {
        self.engine.observers.audit.get().map(|audit| audit.inversions())
    }

    /// The latest events; `None` without [`Config::trace_capacity`](crate::Config::trace_capacity).
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.engine.observers.trace.get()
    }

    /// The monitor's report; `None` without [`Config::monitor`](crate::Config::monitor).
    #[cfg(feature = "std")]
    #[must_use]
    pub fn monitoring_report(&self) -> Option<MonitoringReport> {
        self.engine.observers.monitor.as_deref().map(LatencyMonitor::report)
    }

    /// Tells `handler` when a threshold of [`Config::monitor`](crate::Config::monitor) is crossed;
    /// see [`LatencyMonitor::on_alert`]. Without a monitor it is never called. A panic of the handler
    /// is treated as one of the job that raised the alert, except that its task goes on.
    #[cfg(feature = "std")]
    pub fn on_alert(&mut self, handler: impl FnMut(Alert) + 'static) {
        if let Some(monitor) = &mut self.engine.observers.monitor {
            monitor.on_alert(handler);
        }
    }

    /// What has been counted and timed so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.engine.metrics(self.now().as_nanos())
    }

    /// Quantiles of the dispatch latency; `None` below
    /// [`MetricsLevel::Histograms`](crate::MetricsLevel::Histograms).
    #[must_use]
    pub fn latency_stats(&self) -> Option<LatencyStats> {
        self.engine.recorder.latency()
    }
}

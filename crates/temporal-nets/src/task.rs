//! [`SchedulableTask`]: work that knows when it is due.

use core::time::Duration;

use nanosecond_scheduler::{Context, Task, TimePoint};

/// Work that knows when it is due, and how to do it.
///
/// [`into_task`](Self::into_task) makes a [`Task`] of it, to which priority, deadline and the like are
/// given as to any other:
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Config, Context, ManualClock, Priority, Scheduler, TimePoint};
/// use temporal_nets::SchedulableTask;
///
/// struct Once(TimePoint);
///
/// impl SchedulableTask for Once {
///     fn scheduled_time(&self) -> TimePoint {
///         self.0
///     }
///     fn execute(&mut self, cx: &mut Context<'_>) {
///         assert_eq!(cx.now(), self.0);
///     }
/// }
///
/// let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new())?;
/// let task = Once(TimePoint::from_nanos(500)).into_task();
/// scheduler.schedule(task.with_priority(Priority::High).with_deadline(Duration::from_nanos(100)))?;
/// scheduler.run_until_idle();
/// assert_eq!(scheduler.metrics().executed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SchedulableTask {
    /// When it is to be executed next, or, without a [`period`](Self::period), for the only time.
    fn scheduled_time(&self) -> TimePoint;

    /// Does it once. The context tells the release and takes further tasks.
    fn execute(&mut self, cx: &mut Context<'_>);

    /// How often it is to be executed; `None`, the default, is once.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// The task of a scheduler that executes it at its time.
    fn into_task(mut self) -> Task
    where
        Self: Sized + 'static,
    {
        let first = self.scheduled_time();
        match self.period() {
            Some(period) => Task::periodic(move |cx| self.execute(cx), period).at(first),
            None => Task::with_context(move |cx| self.execute(cx), Duration::ZERO).at(first),
        }
    }
}

/// The releases of a periodic task: the first, and every `period` after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The first release.
    pub first: TimePoint,
    /// Time between releases; a scheduler refuses zero.
    pub period: Duration,
}

impl Pace {
    /// Releases every `period` after `start`, the first one period after it.
    #[must_use]
    pub fn every(period: Duration, start: TimePoint) -> Self {
        Pace { first: start + period, period }
    }
}

/// Where a periodic task stands in its releases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) next: TimePoint,
    pub(crate) period: Duration,
}

impl Progress {
    pub(crate) fn new(pace: Pace) -> Self {
        Progress { next: pace.first, period: pace.period }
    }

    /// A job begins. Returns its release and the time since the release before, which is longer than a
    /// period after skipped ones; the first job's is one period.
    pub(crate) fn begin(&mut self, cx: &Context<'_>) -> (TimePoint, Duration) {
        let release = cx.release();
        let before = self.next - self.period;
        self.next = release + self.period;
        (release, release.duration_since(before))
    }
}

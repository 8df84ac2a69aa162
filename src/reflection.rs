//! What follows from ticks: windows that close, and the strange loop that moves.

use alloc::boxed::Box;
use core::fmt;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::scheduler::Scheduler;
use crate::strange_loop::{Estimates, Observation, SelfObserver};
#[cfg(feature = "realtime")]
use crate::strange_loop::{FixedPoint, FixedPointError, Observer};
use crate::time::TimePoint;
use crate::window::{Event, WindowSummary, Windows};

/// Tells of a window, and returns what is carried over to the next.
type WindowHandler = Box<dyn FnMut(&WindowSummary) -> f64>;

/// What the handler panicked with.
#[cfg(feature = "std")]
type HandlerPanic = Box<dyn core::any::Any + Send>;
#[cfg(not(feature = "std"))]
type HandlerPanic = core::convert::Infallible;

/// Windows and strange loop of one scheduler. They are told what ticks did, and cannot reach the
/// queue.
#[derive(Default)]
pub(crate) struct Reflection {
    windows: Option<Box<Windows>>,
    /// When the next window closes; `u64::MAX` without windows.
    closes_at: u64,
    on_window: Option<WindowHandler>,
    strange_loop: Option<SelfObserver>,
}

impl Reflection {
    pub(crate) fn new(config: &Config, now: u64) -> Result<Self, ConfigError> {
        let make = |spec| Windows::new(spec, config.window_size, now).map(Box::new);
        let windows = config.windows.map(make).transpose().map_err(ConfigError::Windows)?;
        let strange_loop =
            config.strange_loop.then(|| SelfObserver::new(config.lipschitz_constant, now));
        let closes_at = windows.as_deref().map_or(u64::MAX, Windows::closes_at);
        Ok(Reflection { windows, closes_at, on_window: None, strange_loop })
    }

    /// When a tick has a window to close; `u64::MAX` also if never.
    #[inline]
    pub(crate) fn closes_at(&self) -> u64 {
        self.closes_at
    }

    /// When the loop is to wake for a window; `u64::MAX` if there is nothing to tell of any.
    pub(crate) fn wakes_at(&self) -> u64 {
        self.windows
            .as_deref()
            .filter(|windows| !windows.is_empty())
            .map_or(u64::MAX, Windows::closes_at)
    }

    /// Closes the windows that have ended by `now`, and tells the handler of each. Hands out its first
    /// panic, each of which loses a summary: what happens now must find the open windows.
    fn close(&mut self, now: u64) -> Option<HandlerPanic> {
        let mut panic = None;
        let windows = self.windows.as_mut()?;
        while now >= self.closes_at {
            let closed = windows.close(now);
            self.closes_at = windows.closes_at();
            if !closed {
                break;
            }
            let told = match &mut self.on_window {
                Some(handle) => tell(handle, windows.closing()),
                None => Ok(0.0),
            };
            match told {
                Ok(carry) => windows.keep(carry),
                Err(payload) => {
                    panic.get_or_insert(payload);
                }
            }
        }
        panic
    }

    /// A job starts at the decision instant `now`.
    #[inline]
    pub(crate) fn job_starts(&mut self, now: u64, latency_ns: u64) {
        if let Some(windows) = &mut self.windows {
            windows.record(now, Event::Job(latency_ns));
        }
    }

    /// A value is recorded at the decision instant `now`.
    pub(crate) fn record(&mut self, now: u64, value: f64) {
        if let Some(windows) = &mut self.windows {
            windows.record(now, Event::Value(value));
        }
    }

    /// The windows closed last, the oldest first.
    pub(crate) fn windows(&self) -> impl DoubleEndedIterator<Item = &WindowSummary> {
        self.windows.as_deref().into_iter().flat_map(Windows::kept)
    }

    /// The mean overlap of the windows kept; 0 without windows.
    pub(crate) fn temporal_overlap(&self) -> f64 {
        self.windows.as_deref().map_or(0.0, Windows::overlap)
    }

    /// What the strange loop has found out; all zero without one.
    pub(crate) fn estimates(&self) -> Estimates {
        self.strange_loop.as_ref().map_or_else(Estimates::default, SelfObserver::estimates)
    }

    /// How late ticks are that had something to wait for; 0 unless the estimate has converged.
    #[cfg(feature = "std")]
    pub(crate) fn lateness_ns(&self) -> u64 {
        self.strange_loop.as_ref().map_or(0, SelfObserver::lateness_ns)
    }

    /// Has the attached operator see a tick.
    fn apply_attached(&mut self, observation: &Observation) {
        if let Some(strange_loop) = &mut self.strange_loop {
            strange_loop.apply_attached(observation);
        }
    }
}

/// Tells of a window.
#[cfg(feature = "std")]
fn tell(handle: &mut WindowHandler, summary: &WindowSummary) -> Result<f64, HandlerPanic> {
    use std::panic::{catch_unwind, AssertUnwindSafe};
    // Unwind safe: the handler owns what it may leave broken.
    catch_unwind(AssertUnwindSafe(|| handle(summary)))
}

/// Tells of a window; a panic passes through.
#[cfg(not(feature = "std"))]
fn tell(handle: &mut WindowHandler, summary: &WindowSummary) -> Result<f64, HandlerPanic> {
    Ok(handle(summary))
}

impl fmt::Debug for Reflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Reflection");
        debug.field("windows", &self.windows).field("strange_loop", &self.strange_loop);
        debug.finish_non_exhaustive()
    }
}

/// Why an event could not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordError {
    /// [`Config::windows`](crate::Config::windows) is off.
    NoWindows,
    /// All windows that it lies in have closed. It was counted.
    Late,
    /// It lies after now, the clock's latest reading, by so many ns.
    Future(u64),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::NoWindows => f.write_str("Config::windows is off"),
            RecordError::Late => f.write_str("all windows that the event lies in have closed"),
            RecordError::Future(ns) => write!(f, "the event lies {ns} ns after now"),
        }
    }
}

impl core::error::Error for RecordError {}

impl Engine {
    /// The clock has moved: windows close, before anything happens at the new instant. The tick raises
    /// a panic of their handler when its jobs are done.
    #[inline]
    pub(crate) fn time_moved(&mut self) {
        if self.now >= self.reflection.closes_at {
            self.close_windows();
        }
    }

    #[inline(never)]
    fn close_windows(&mut self) {
        let _panic = self.reflection.close(self.now);
        #[cfg(feature = "std")]
        if let Some(payload) = _panic {
            self.unhandled.get_or_insert(payload);
        }
    }

    /// A busy tick has ended, and was timed. The tick raises a panic of the attached operator.
    #[inline]
    pub(crate) fn tick_ended(&mut self, started_at: u64, tick_time_ns: u64, latency_ns: u64) {
        let Some(strange_loop) = &mut self.reflection.strange_loop else { return };
        if let Some(observation) = strange_loop.follow(started_at, tick_time_ns, latency_ns) {
            // Unwind safe: operator and iterate own what may be left broken.
            self.defer_panic(|engine| engine.reflection.apply_attached(&observation));
        }
    }
}

impl<C: Clock> Scheduler<C> {
    /// Tells `handler` of each window of [`Config::windows`](crate::Config::windows) in which
    /// something happened, at the first tick that finds it has ended. What it returns is carried over to
    /// the next summary. If it panics the summary is lost, the tick closes the other windows, runs its
    /// jobs, and raises the first panic again.
    pub fn on_window(&mut self, handler: impl FnMut(&WindowSummary) -> f64 + 'static) {
        self.engine.reflection.on_window = Some(Box::new(handler));
    }

    /// The windows closed last, the oldest first: at most
    /// [`Config::window_size`](crate::Config::window_size).
    pub fn windows(&self) -> impl DoubleEndedIterator<Item = &WindowSummary> {
        self.engine.reflection.windows()
    }

    /// Records that `value` was seen at `at`, an instant not after now, in every window that it lies in
    /// and that is open. O(1) amortised for an instant after the last window's closing, else
    /// O(windows open).
    ///
    /// # Errors
    ///
    /// A [`RecordError`] without windows, for an event that comes too late, or from the future.
    ///
    /// # Panics
    ///
    /// If the handler of a window that closes now does.
    pub fn record(&mut self, at: TimePoint, value: f64) -> Result<(), RecordError> {
        let now = self.read_clock();
        self.engine.time_moved();
        #[cfg(feature = "std")]
        if let Some(panic) = self.engine.unhandled.take() {
            std::panic::resume_unwind(panic);
        }
        let windows = self.engine.reflection.windows.as_mut().ok_or(RecordError::NoWindows)?;
        match at.as_nanos().checked_sub(now) {
            Some(ahead) if ahead > 0 => Err(RecordError::Future(ahead)),
            _ if windows.record_past(at.as_nanos(), Event::Value(value)) => Ok(()),
            _ => Err(RecordError::Late),
        }
    }

    /// Events that came when all their windows had closed.
    #[must_use]
    pub fn late_events(&self) -> u64 {
        self.engine.reflection.windows.as_deref().map_or(0, Windows::late)
    }

    /// The mean share of a window that the one after it covers, too, as observed over the windows
    /// kept: (length − hop)/length while something happens in each. 0 for fewer than two.
    #[must_use]
    pub fn temporal_overlap(&self) -> f64 {
        self.engine.reflection.temporal_overlap()
    }

    /// The estimated load, 0 to 1: the share of time spent in ticks, as of the last busy one. 0 without
    /// [`Config::strange_loop`](crate::Config::strange_loop).
    #[must_use]
    pub fn strange_loop_state(&self) -> f64 {
        self.engine.reflection.strange_loop.as_ref().map_or(0.0, SelfObserver::load)
    }

    /// Whether ticks take nine tenths of the time or more, by an estimate that has converged: what is
    /// scheduled beyond that will be late.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.engine.reflection.strange_loop.as_ref().is_some_and(SelfObserver::is_overloaded)
    }

    /// What the scheduler has found out about itself; all zero without
    /// [`Config::strange_loop`](crate::Config::strange_loop).
    #[must_use]
    pub fn strange_loop(&self) -> Estimates {
        self.engine.reflection.estimates()
    }

    /// Attaches an operator of the user's own to the strange loop, in place of one attached before:
    /// at the end of each busy tick it observes the tick and is then applied `evaluations_per_tick`
    /// times, going on from where it was. Without
    /// [`Config::strange_loop`](crate::Config::strange_loop) it is never applied. If it panics it stays
    /// attached, and the tick raises the panic again when all else is done.
    ///
    /// # Errors
    ///
    /// As [`FixedPoint::new`], which starts at `start`.
    #[cfg(feature = "realtime")]
    pub fn attach_operator(
        &mut self,
        operator: impl Observer + 'static,
        start: &[f64],
        evaluations_per_tick: u64,
    ) -> Result<(), FixedPointError> {
        let operator: Box<dyn Observer> = Box::new(operator);
        let solver = FixedPoint::new(operator, start)?;
        if let Some(strange_loop) = &mut self.engine.reflection.strange_loop {
            strange_loop.attach(solver, evaluations_per_tick);
        }
        Ok(())
    }

    /// The iteration of the operator attached; `None` if there is none.
    #[cfg(feature = "realtime")]
    #[must_use]
    pub fn attached_operator(&self) -> Option<&FixedPoint<Box<dyn Observer>>> {
        self.engine.reflection.strange_loop.as_ref()?.attached()
    }
}

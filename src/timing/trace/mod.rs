//! [`Trace`]: what happened when, as a ring of events.

mod chrome;

use alloc::string::String;
use core::fmt;

use super::ring::Ring;
use crate::config::ConfigError;
use crate::task::TaskId;
use crate::time::TimePoint;

/// The last events of a schedule, in the order in which they were noticed.
///
/// [`to_chrome_json`](Self::to_chrome_json) makes a file that Perfetto and `chrome://tracing` show.
///
/// ```
/// use nanosecond_scheduler::{TaskId, TimePoint, Trace, TraceEvent, TraceKind};
///
/// let mut trace = Trace::new(1024)?;
/// let (task, name) = (TaskId::from_bits(1), Some("control"));
/// for (nanos, kind) in [(0, TraceKind::Release), (250, TraceKind::Start), (900, TraceKind::Finish)] {
///     trace.push(TraceEvent { at: TimePoint::from_nanos(nanos), task, name, kind });
/// }
/// assert_eq!((trace.len(), trace.lost()), (3, 0));
/// assert!(trace.to_chrome_json().contains(r#""ts":0.250,"dur":0.650"#));
/// # Ok::<(), nanosecond_scheduler::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trace {
    ring: Ring<TraceEvent>,
}

/// Something that happened to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceEvent {
    /// When. A release lies before the instant at which it was noticed, so that these are not
    /// sorted.
    pub at: TimePoint,
    /// To which task.
    pub task: TaskId,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    /// What.
    pub kind: TraceKind,
}

/// What a [`TraceEvent`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TraceKind {
    /// A job may run from here.
    Release,
    /// A job began to run.
    Start,
    /// A job returned.
    Finish,
    /// A job missed its deadline.
    Miss,
    /// A late job was not run, because its deadline was firm, or by an emergency.
    Skip,
    /// A task was cancelled. That reads no clock: it is told at the latest decision instant.
    Cancel,
    /// A job ended by a panic.
    Panic,
}

impl Trace {
    /// Events that a trace keeps at most: 2²², which take 160 MiB.
    pub const MAX_CAPACITY: usize = 1 << 22;

    /// A trace of the last `capacity` events, 1 to [`MAX_CAPACITY`](Self::MAX_CAPACITY). Allocates
    /// 40 bytes for each, once, and touches them, so that no page is missing later.
    ///
    /// # Errors
    ///
    /// If `capacity` is out of these bounds.
    pub fn new(capacity: usize) -> Result<Self, ConfigError> {
        let (field, least, most) = ("trace_capacity", 1, Self::MAX_CAPACITY);
        if !(least..=most).contains(&capacity) {
            return Err(ConfigError::OutOfRange { field, value: capacity, least, most });
        }
        let (at, task) = (TimePoint::ZERO, TaskId::NONE);
        let blank = TraceEvent { at, task, name: None, kind: TraceKind::Release };
        Ok(Trace { ring: Ring::new(capacity, blank) })
    }

    /// Appends an event; the oldest one makes room if need be. O(1), a few ns; never allocates.
    #[inline]
    pub fn push(&mut self, event: TraceEvent) {
        self.ring.push(event);
    }

    /// The events kept, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &TraceEvent> {
        self.ring.iter()
    }

    /// How many events are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }

    /// How many events can be kept.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// How many older events had to make room since the trace was made or cleared.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.ring.lost()
    }

    /// Forgets all events.
    pub fn clear(&mut self) {
        self.ring.clear();
    }

    /// The trace in Chrome's trace-event format, as [`write_chrome_json`](Self::write_chrome_json)
    /// writes it.
    #[must_use]
    pub fn to_chrome_json(&self) -> String {
        let mut json = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_chrome_json(&mut json);
        json
    }

    /// Writes the trace as JSON in Chrome's [trace-event format], which Perfetto shows as well. The
    /// same events give the same text. O(n log n) for n events.
    ///
    /// Times are µs with three decimals, that is exact ns. There is a row for each name, and for
    /// each unnamed task that started more than once; other unnamed tasks share the row `unnamed`.
    /// A job is a slice from start to finish or panic; its wait since the release is an async slice
    /// called `waiting …`, because waits of one row may overlap. Misses, skips, cancels and panics are
    /// instants. Where the partner of an event is no longer, or not yet, in the trace:
    ///
    /// - a job without a finish ends at the last instant of the trace, with `"unfinished":true`;
    /// - a start that another start of the task follows, and a finish without a start, are instants;
    /// - a release without a start is left out.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    ///
    /// [trace-event format]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
    pub fn write_chrome_json(&self, out: &mut impl fmt::Write) -> fmt::Result {
        chrome::write(self, out)
    }
}

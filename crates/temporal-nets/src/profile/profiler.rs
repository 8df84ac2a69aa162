//! [`Profiler`]: when phases began and ended, and what they took in all.

use core::fmt;
use std::cell::RefCell;
use std::rc::Rc;

use nanosecond_scheduler::Clock;

use super::Phase;
use crate::telemetry::{Figure, Table};

impl Phase {
    const ALL: [Phase; 6] =
        [Phase::Read, Phase::Step, Phase::Write, Phase::Learn, Phase::Tag, Phase::Report];

    fn name(self) -> &'static str {
        match self {
            Phase::Read => "read",
            Phase::Step => "step",
            Phase::Write => "write",
            Phase::Learn => "learn",
            Phase::Tag => "tag",
            Phase::Report => "report",
        }
    }
}

/// Time-stamps the phases of the tasks that it is given to by their `with_profiler`. Two reads of its
/// clock per phase; O(1), no allocation in steady state. Clones share everything.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Config, ManualClock, Scheduler, TimePoint};
/// use temporal_nets::{
///     shared, Activation, DenseNet, InferenceTask, Pace, Profiler, SchedulableTask,
/// };
///
/// let clock = ManualClock::new();
/// let profiler = Profiler::new(clock.clone(), 16);
/// let net = DenseNet::new(&[1, 1], Activation::Linear, Activation::Linear)?;
/// let pace = Pace::every(Duration::from_micros(1), TimePoint::ZERO);
/// let slow = clock.clone();
/// let read = move |_: TimePoint, _: &mut [f32]| slow.advance(Duration::from_nanos(30));
/// let task = InferenceTask::new(shared(net), pace, read, |_, _| ()).with_profiler(&profiler);
///
/// let mut scheduler = Scheduler::with_clock(Config::default(), clock)?;
/// scheduler.schedule(task.into_task())?;
/// scheduler.run_for(Duration::from_micros(2));
/// assert!(profiler.stamps().to_csv().starts_with("phase,start_ns,end_ns\nread,1000,1030\nstep,"));
/// assert!(profiler.totals().to_csv().contains("\nread,2,60,30,30\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Profiler {
    clock: Rc<dyn Clock>,
    figures: Rc<RefCell<Figures>>,
}

struct Figures {
    stamps: Table,
    totals: [Total; Phase::ALL.len()],
}

/// What a phase took, in ns.
#[derive(Clone, Copy)]
struct Total {
    count: u64,
    sum: u64,
    least: u64,
    most: u64,
}

impl Profiler {
    /// Reads `clock`, and keeps the last `stamps` phases.
    #[must_use]
    pub fn new(clock: impl Clock + 'static, stamps: usize) -> Self {
        let figures = Figures {
            stamps: Table::new(&["phase", "start_ns", "end_ns"], stamps),
            totals: [Total { count: 0, sum: 0, least: u64::MAX, most: 0 }; Phase::ALL.len()],
        };
        Profiler { clock: Rc::new(clock), figures: Rc::new(RefCell::new(figures)) }
    }

    pub(super) fn time<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start = self.clock.now();
        let result = work();
        let end = self.clock.now();
        let mut figures = self.figures.borrow_mut();
        let took = u64::try_from(end.duration_since(start).as_nanos()).unwrap_or(u64::MAX);
        let Total { count, sum, least, most } = &mut figures.totals[phase as usize];
        *count += 1;
        *sum = sum.saturating_add(took);
        (*least, *most) = ((*least).min(took), (*most).max(took));
        let [start, end] = [start, end].map(|at| Figure::Integer(at.as_nanos().into()));
        figures.stamps.push(&[Figure::Word(phase.name()), start, end]);
        result
    }

    /// The last phases in the order of their ends, by the profiler's clock.
    #[must_use]
    pub fn stamps(&self) -> Table {
        self.figures.borrow().stamps.clone()
    }

    /// Per phase that occurred: how often, and how long in all, at least and at most.
    #[must_use]
    pub fn totals(&self) -> Table {
        const COLUMNS: &[&str] = &["phase", "count", "total_ns", "min_ns", "max_ns"];
        let mut table = Table::new(COLUMNS, Phase::ALL.len());
        let totals = self.figures.borrow().totals;
        for (phase, total) in Phase::ALL.into_iter().zip(totals) {
            if total.count > 0 {
                let Total { count, sum, least, most } = total;
                let [count, sum, least, most] =
                    [count, sum, least, most].map(|n| Figure::Integer(n.into()));
                table.push(&[Figure::Word(phase.name()), count, sum, least, most]);
            }
        }
        table
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiler").field("totals", &self.totals()).finish_non_exhaustive()
    }
}

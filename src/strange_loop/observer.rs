//! What the scheduler finds out about itself: [`Estimates`] from [`Observation`]s.

use alloc::boxed::Box;

use crate::part::Part;

use super::operator::{Bound, Operator};
use super::solver::{FixedPoint, Status};

/// An estimate has converged when it is nearer to its own mean than this share of it, and no longer when
/// it is farther than twice that: single ticks may differ as they like.
const CONVERGED_SHARE: f64 = 1.0 / 16.0;
/// A load from here on is an overload.
const OVERLOAD: f64 = 0.9;

/// What one busy tick shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observation {
    /// How long it took, its jobs included.
    pub tick_time_ns: u64,
    /// From the start of the busy tick before, or the scheduler's, to its own.
    pub interval_ns: u64,
    /// From its earliest release to its decision instant.
    pub dispatch_latency_ns: u64,
}

/// An operator that is told of each busy tick before it is applied, and so can follow the load.
pub trait Observer: Operator {
    /// A tick has ended.
    fn observe(&mut self, observation: &Observation);
}

impl<O: Observer + ?Sized> Observer for Box<O> {
    fn observe(&mut self, observation: &Observation) {
        (**self).observe(observation);
    }
}

/// x ↦ kx + (1−k)·observed: a contraction with constant k, whose fixed point is what was observed.
#[derive(Clone, Debug)]
struct Smoothing {
    k: f64,
    observed: [f64; 3],
}

impl Operator for Smoothing {
    fn dim(&self) -> usize {
        self.observed.len()
    }

    #[inline]
    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        for ((out, x), observed) in out.iter_mut().zip(x).zip(self.observed) {
            *out = self.k * x + (1.0 - self.k) * observed;
        }
    }

    fn lipschitz(&self) -> Option<Bound> {
        Some(Bound::Certified(self.k))
    }
}

impl Observer for Smoothing {
    #[inline]
    fn observe(&mut self, observation: &Observation) {
        let Observation { tick_time_ns, interval_ns, dispatch_latency_ns } = *observation;
        self.observed = [tick_time_ns as f64, interval_ns as f64, dispatch_latency_ns as f64];
    }
}

/// What the strange loop has found out. All in ns, and means over about 1/(1−k) busy ticks, the
/// latest of which count most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Estimates {
    /// Tick time over interval: the share of time that is spent in ticks, 0 to 1.
    pub load: f64,
    /// Duration of a busy tick.
    pub tick_time_ns: f64,
    /// From one busy tick to the next.
    pub interval_ns: f64,
    /// From a tick's earliest release to its decision.
    pub dispatch_latency_ns: f64,
    /// How far the last busy tick moved the three estimates above, in the Euclidean norm.
    pub residual_ns: f64,
    /// At most how far they are from the fixed point, if ticks go on like the last one:
    /// k/(1−k) · residual.
    pub error_bound_ns: f64,
    /// Whether the estimates stand still, each of them: nearer than a sixteenth of it to its own mean, or,
    /// once it is, than an eighth. A norm would not do: the greatest, most often the interval, would speak
    /// for the others.
    pub is_converged: bool,
    /// Busy ticks observed.
    pub observations: u64,
}

/// The loop itself: an iterate, moved by one evaluation for each busy tick.
pub(crate) struct SelfObserver {
    smoothing: Smoothing,
    state: [f64; 3],
    /// The state, smoothed once more.
    mean: [f64; 3],
    is_converged: [bool; 3],
    /// The state before the last tick moved it.
    before: [f64; 3],
    observations: u64,
    tick_started_at: u64,
    /// The user's own.
    attached: Part<Attached>,
}

struct Attached {
    solver: FixedPoint<Box<dyn Observer>>,
    evaluations_per_tick: u64,
}

impl SelfObserver {
    /// It starts at zero, off its fixed point.
    pub(crate) fn new(k: f64, now: u64) -> Self {
        SelfObserver {
            smoothing: Smoothing { k, observed: [0.0; 3] },
            state: [0.0; 3],
            mean: [0.0; 3],
            is_converged: [false; 3],
            before: [0.0; 3],
            observations: 0,
            tick_started_at: now,
            attached: Part::NONE,
        }
    }

    /// Follows a busy tick that started at `started_at`.
    #[inline]
    pub(crate) fn follow(&mut self, started_at: u64, tick_time_ns: u64, dispatch_latency_ns: u64) {
        let interval_ns = started_at - self.tick_started_at;
        self.tick_started_at = started_at;
        let observation = Observation { tick_time_ns, interval_ns, dispatch_latency_ns };
        self.smoothing.observe(&observation);
        self.before = self.state;
        self.smoothing.apply(&self.before, &mut self.state);
        let more = 1.0 - self.smoothing.k;
        self.mean.iter_mut().zip(self.state).for_each(|(mean, x)| *mean += more * (x - *mean));
        for ((is_converged, x), mean) in self.is_converged.iter_mut().zip(self.state).zip(self.mean)
        {
            let share = if *is_converged { 2.0 * CONVERGED_SHARE } else { CONVERGED_SHARE };
            *is_converged = (x - mean).abs() <= share * x;
        }
        self.observations += 1;
        if let Some(attached) = self.attached.get_mut() {
            attached.follow(&observation);
        }
    }

    pub(crate) fn estimates(&self) -> Estimates {
        let [tick_time_ns, interval_ns, dispatch_latency_ns] = self.state;
        Estimates {
            load: self.load(),
            tick_time_ns,
            interval_ns,
            dispatch_latency_ns,
            residual_ns: self.residual(),
            error_bound_ns: self.error_bound(),
            is_converged: self.is_converged == [true; 3],
            observations: self.observations,
        }
    }

    fn residual(&self) -> f64 {
        libm::sqrt(distance_squared(self.state, self.before))
    }

    /// Banach's a posteriori bound.
    fn error_bound(&self) -> f64 {
        let k = self.smoothing.k;
        k / (1.0 - k) * self.residual()
    }

    /// The estimated dispatch latency, if it has converged.
    #[cfg(feature = "std")]
    pub(crate) fn lateness_ns(&self) -> u64 {
        let ([_, _, dispatch_latency_ns], [_, _, is_converged]) = (self.state, self.is_converged);
        if is_converged {
            dispatch_latency_ns as u64
        } else {
            0
        }
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        let [tick_time, interval, _] = self.is_converged;
        tick_time && interval && self.load() >= OVERLOAD
    }

    /// Tick time over interval; 0 before the first busy tick.
    pub(crate) fn load(&self) -> f64 {
        let [tick_time, interval, _] = self.state;
        // A tick's jobs may take longer than the way to it from the one before.
        if tick_time > 0.0 {
            (tick_time / interval).min(1.0)
        } else {
            0.0
        }
    }

    #[cfg(feature = "realtime")]
    pub(crate) fn attach(
        &mut self,
        solver: FixedPoint<Box<dyn Observer>>,
        evaluations_per_tick: u64,
    ) {
        self.attached = Part::when(true, || Attached { solver, evaluations_per_tick });
    }

    #[cfg(feature = "realtime")]
    pub(crate) fn attached(&self) -> Option<&FixedPoint<Box<dyn Observer>>> {
        self.attached.get().map(|attached| &attached.solver)
    }
}

/// The square of the Euclidean distance.
#[inline]
fn distance_squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

impl Attached {
    /// Has the operator see the tick; an iteration that had ended goes on from where it was.
    fn follow(&mut self, observation: &Observation) {
        self.solver.operator_mut().observe(observation);
        self.solver.read_bound();
        if self.solver.status() != Status::Running {
            self.solver.resume();
        }
        self.solver.advance(self.evaluations_per_tick);
    }
}

impl core::fmt::Debug for SelfObserver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SelfObserver").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    /// After so many ticks that take 95 of every 100 µs, and whose latencies are these in turn.
    fn after(ticks: u64, latencies_ns: &[u64]) -> SelfObserver {
        let mut observer = SelfObserver::new(0.9, 0);
        for (n, latency_ns) in (1..=ticks).zip(latencies_ns.iter().cycle()) {
            observer.follow(100_000 * n, 95_000, *latency_ns);
        }
        observer
    }

    #[test]
    fn a_latency_that_swings_is_not_made_up_for_however_steady_the_rest_is() {
        let steady = after(200, &[1_000]);
        assert!((999..=1_000).contains(&steady.lateness_ns()), "{}", steady.lateness_ns());
        assert!(steady.estimates().is_converged && steady.is_overloaded());
        // For ten ticks each: the estimate follows, and is far from its mean most of the time.
        let swings = [[0; 10], [2_000; 10]].concat();
        let told = (200..220).map(|ticks| after(ticks, &swings));
        let told = told.map(|observer| {
            assert!(observer.is_overloaded(), "that is told by the others");
            assert_eq!(observer.estimates().is_converged, observer.lateness_ns() > 0);
            observer.lateness_ns()
        });
        assert!(told.filter(|lateness_ns| *lateness_ns > 0).count() < 5);
    }
}

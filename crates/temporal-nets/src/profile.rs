//! Time stamps of what tasks do, phase by phase; nothing at all without the feature `profiling`.

#[cfg(feature = "profiling")]
mod profiler;

#[cfg(feature = "profiling")]
pub use profiler::Profiler;

/// What a task does with its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "profiling"), allow(unreachable_pub, reason = "not exported then"))]
pub enum Phase {
    /// Inputs are read.
    Read,
    /// The network takes a step.
    Step,
    /// Outputs are handed out.
    Write,
    /// Weights change.
    Learn,
    /// Spikes are given their phases.
    Tag,
    /// A callback is told.
    Report,
}

/// Where a task's phases are stamped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    #[cfg(feature = "profiling")]
    profiler: Option<Profiler>,
}

impl Probe {
    #[cfg(feature = "profiling")]
    pub(crate) fn new(profiler: &Profiler) -> Self {
        Probe { profiler: Some(profiler.clone()) }
    }

    #[cfg(feature = "profiling")]
    pub(crate) fn time<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        match &self.profiler {
            Some(profiler) => profiler.time(phase, work),
            None => work(),
        }
    }

    #[cfg(not(feature = "profiling"))]
    #[inline(always)]
    pub(crate) fn time<T>(&self, _phase: Phase, work: impl FnOnce() -> T) -> T {
        work()
    }
}

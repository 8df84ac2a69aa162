//! [`PlasticityTask`]: changes of weights in every period.

use core::time::Duration;

use nanosecond_scheduler::{Context, TimePoint};

use super::Shared;
use crate::profile::{Phase, Probe};
use crate::spiking::Plastic;
use crate::task::{Pace, Progress, SchedulableTask};

/// Applies a network's changes of weights once per period, from the spikes since the last time.
///
/// Give it a lower priority than the [`InferenceTask`](crate::InferenceTask) of the same network, so
/// that at common instants it sees the step's spikes.
#[derive(Debug)]
pub struct PlasticityTask<N, F> {
    network: Shared<N>,
    progress: Progress,
    on_update: F,
    probe: Probe,
}

impl<N: Plastic, F: FnMut(TimePoint, usize)> PlasticityTask<N, F> {
    /// Changes `network` at this pace. `on_update` is given a job's release and the number of spike
    /// events that counted.
    pub fn new(network: Shared<N>, pace: Pace, on_update: F) -> Self {
        PlasticityTask {
            network,
            progress: Progress::new(pace),
            on_update,
            probe: Probe::default(),
        }
    }

    /// Time-stamps learning and reporting.
    #[cfg(feature = "profiling")]
    #[must_use]
    pub fn with_profiler(mut self, profiler: &crate::Profiler) -> Self {
        self.probe = Probe::new(profiler);
        self
    }
}

impl<N: Plastic, F: FnMut(TimePoint, usize)> SchedulableTask for PlasticityTask<N, F> {
    fn scheduled_time(&self) -> TimePoint {
        self.progress.next
    }

    fn execute(&mut self, cx: &mut Context<'_>) {
        let (release, _) = self.progress.begin(cx);
        let PlasticityTask { network, on_update, probe, .. } = self;
        let events = probe.time(Phase::Learn, || network.borrow_mut().apply_plasticity());
        probe.time(Phase::Report, || on_update(release, events));
    }

    fn period(&self) -> Option<Duration> {
        Some(self.progress.period)
    }
}

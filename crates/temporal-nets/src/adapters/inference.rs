//! [`InferenceTask`]: a step of a network in every period.

use core::time::Duration;

use nanosecond_scheduler::{Context, TimePoint};

use super::Shared;
use crate::network::TemporalNetwork;
use crate::profile::{Phase, Probe};
use crate::task::{Pace, Progress, SchedulableTask};

/// Runs a network once per period: asks for inputs, takes the step, hands out the outputs.
///
/// The step's length is the time since the release before, so the network's time is that of its
/// releases, exactly, however late its jobs run: after skipped periods one step covers them all.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::{Config, ManualClock, Scheduler, TimePoint};
/// use temporal_nets::{shared, Activation, DenseNet, InferenceTask, Pace, SchedulableTask};
///
/// let net = DenseNet::new(&[1, 1], Activation::Linear, Activation::Linear)?;
/// let pace = Pace::every(Duration::from_micros(1), TimePoint::ZERO);
/// let read = |at: TimePoint, input: &mut [f32]| input[0] = at.as_nanos() as f32;
/// let write = |_at: TimePoint, output: &[f32]| assert_eq!(output, [0.0]);
///
/// let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new())?;
/// scheduler.schedule(InferenceTask::new(shared(net), pace, read, write).into_task())?;
/// scheduler.run_for(Duration::from_millis(1));
/// assert_eq!(scheduler.metrics().executed, 1_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InferenceTask<N, R, W> {
    network: Shared<N>,
    progress: Progress,
    input: Vec<f32>,
    read: R,
    write: W,
    probe: Probe,
}

impl<N, R, W> InferenceTask<N, R, W>
where
    N: TemporalNetwork,
    R: FnMut(TimePoint, &mut [f32]),
    W: FnMut(TimePoint, &[f32]),
{
    /// Runs `network` at this pace. `read` is given a job's release and the inputs, as it left them in
    /// the job before, at first zeros; `write` its release and the outputs, and must not use the network.
    pub fn new(network: Shared<N>, pace: Pace, read: R, write: W) -> Self {
        let input = vec![0.0; network.borrow().input_len()];
        let (progress, probe) = (Progress::new(pace), Probe::default());
        InferenceTask { network, progress, input, read, write, probe }
    }

    /// Time-stamps reading, stepping and writing.
    #[cfg(feature = "profiling")]
    #[must_use]
    pub fn with_profiler(mut self, profiler: &crate::Profiler) -> Self {
        self.probe = Probe::new(profiler);
        self
    }
}

impl<N, R, W> SchedulableTask for InferenceTask<N, R, W>
where
    N: TemporalNetwork,
    R: FnMut(TimePoint, &mut [f32]),
    W: FnMut(TimePoint, &[f32]),
{
    fn scheduled_time(&self) -> TimePoint {
        self.progress.next
    }

    fn execute(&mut self, cx: &mut Context<'_>) {
        let (release, dt) = self.progress.begin(cx);
        let InferenceTask { input, read, write, probe, .. } = self;
        probe.time(Phase::Read, || read(release, input));
        let mut network = self.network.borrow_mut();
        let output = probe.time(Phase::Step, || network.step(input, dt));
        probe.time(Phase::Write, || write(release, output));
    }

    fn period(&self) -> Option<Duration> {
        Some(self.progress.period)
    }
}

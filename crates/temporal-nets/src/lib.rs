#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adapters;
mod cascade;
mod dense;
mod governor;
mod network;
mod profile;
mod rng;
#[cfg(feature = "ruv-fann")]
mod ruv;
mod spiking;
mod task;
mod telemetry;
mod watchdog;

pub use adapters::{
    shared, InferenceTask, PhaseCodingTask, PhaseCycle, PhasedSpike, PlasticityTask, Shared,
    SpikeSource,
};
pub use cascade::{CascadeNet, Grown, Growth, GrowthError};
pub use dense::{fann, Activation, DenseNet, FixedNet, Layer, ShapeError};
pub use dense::{spectral_bound, NoLipschitz};
pub use dense::{Algorithm, ErrorFunction, Rprop, TrainError, Trainer, Training};
pub use governor::{
    Case, Decision, Escalation, Evaluation, EvaluationError, ExpensiveModel, Fallback, Governor,
    GovernorConfig, GovernorError, GovernorMetrics, Outputs, Routed, Rule,
};
pub use network::TemporalNetwork;
#[cfg(feature = "profiling")]
pub use profile::{Phase, Profiler};
#[cfg(feature = "ruv-fann")]
pub use ruv::RuvNetwork;
pub use spiking::{
    Lif, LifError, Pairing, PhaseOscillator, Plastic, PlasticSynapse, Spike, SpikingNet, Stdp,
    SynapseId, VectorStrength,
};
pub use task::{Pace, SchedulableTask};
pub use telemetry::{Figure, RateLimit, Table, Telemetry, TelemetryConfig};
pub use watchdog::{Divergence, DivergenceCause, DivergenceLimits, Watchdog};

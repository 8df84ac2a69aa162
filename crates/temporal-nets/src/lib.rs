//! Micro neural networks on the timeline of `nanosecond-scheduler`.

#![forbid(unsafe_code)]

mod dense;
mod network;
mod rng;
mod spiking;

pub use dense::{fann, Activation, DenseNet, FixedNet, Layer, ShapeError};
pub use dense::{gram_bound, spectral_bound, NoLipschitz};
pub use dense::{Algorithm, ErrorFunction, Rprop, TrainError, Trainer, Training};
pub use network::TemporalNetwork;
pub use spiking::{
    Lif, LifError, Pairing, PhaseOscillator, Plastic, PlasticSynapse, Spike, SpikingNet, Stdp,
    SynapseId, VectorStrength,
};

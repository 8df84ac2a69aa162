//! Files of FANN, version 2.1 in floating point: [`read`] and [`write()`].
//!
//! The format is libfann's own (`fann_save`, `fann_create_from_file` of 2.2.0): what is written here,
//! libfann reads, and the other way round. Fully connected networks of layers are supported; sparse
//! ones and such with shortcuts are refused by name.

mod error;
mod header;
mod read;
mod scaling;
mod write;

pub use error::FannError;
pub use header::Header;
pub use read::read;
pub use scaling::{Scale, Scaling};
pub use write::write;

use crate::DenseNet;

/// What a file of FANN holds.
#[derive(Clone, Debug, PartialEq)]
pub struct FannFile {
    /// The network.
    pub net: DenseNet,
    /// Settings of training, which do not affect the network's outputs.
    pub header: Header,
    /// How the network's users scale inputs and outputs. FANN's `fann_run` does not do it by itself,
    /// nor does [`DenseNet::run`].
    pub scaling: Option<Scaling>,
}

impl FannFile {
    /// A file of `net` with FANN's default settings.
    #[must_use]
    pub fn new(net: DenseNet) -> Self {
        FannFile { net, header: Header::default(), scaling: None }
    }
}

/// The line before the first field.
const VERSION: &str = "FANN_FLO_2.1";
const NEURONS: &str = "neurons (num_inputs, activation_function, activation_steepness)";
const CONNECTIONS: &str = "connections (connected_to_neuron, weight)";

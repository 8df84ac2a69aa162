//! [`RuvNetwork`]: a network of the crate `ruv-fann` as a [`TemporalNetwork`]. Feature `ruv-fann`.

use core::time::Duration;

use ruv_fann::{Network, NetworkError};

use crate::network::TemporalNetwork;

/// A network of `ruv-fann`, to be run beside others on a scheduler.
///
/// For running only. `ruv-fann` 0.2.1 allocates in every run, several of its functions are the
/// identity, its sigmoid lacks FANN's factor of 2, and its files are not FANN's: use
/// [`fann::read`](crate::fann::read) and [`DenseNet`](crate::DenseNet) for those.
#[derive(Debug)]
pub struct RuvNetwork {
    network: Network<f32>,
    output: Vec<f32>,
}

impl RuvNetwork {
    /// Wraps a network.
    ///
    /// # Errors
    ///
    /// `ruv-fann`'s own, if the network cannot be run on zeros: it has no layers, say.
    pub fn new(mut network: Network<f32>) -> Result<Self, NetworkError> {
        let output = network.run(&vec![0.0; network.num_inputs()])?;
        Ok(RuvNetwork { network, output })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }
}

/// Feedforward: outputs depend on the step's input only, and not on time.
impl TemporalNetwork for RuvNetwork {
    fn input_len(&self) -> usize {
        self.network.num_inputs()
    }

    fn output_len(&self) -> usize {
        self.output.len()
    }

    fn reset_state(&mut self) {
        self.network.reset();
    }

    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        match self.network.run(input) {
            Ok(output) => self.output = output,
            Err(error) => panic!("{error}"),
        }
        &self.output
    }
}

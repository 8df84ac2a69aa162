//! [`TemporalNetwork`]: what advances in time and turns inputs into outputs.

use core::time::Duration;

use crate::DenseNet;

/// A network that lives on a timeline: each step takes it `dt` further.
///
/// Steps allocate nothing in steady state, so that they can be run as tasks of a scheduler.
pub trait TemporalNetwork {
    /// Number of inputs of a step.
    fn input_len(&self) -> usize;

    /// Number of outputs of a step.
    fn output_len(&self) -> usize;

    /// Forgets what earlier steps left behind. What was learned stays.
    fn reset_state(&mut self);

    /// Advances by `dt` under a constant `input` and returns the outputs, which stay readable until the
    /// next step.
    ///
    /// # Panics
    ///
    /// If `input` is not [`input_len`](Self::input_len) long.
    fn step(&mut self, input: &[f32], dt: Duration) -> &[f32];
}

impl<N: TemporalNetwork + ?Sized> TemporalNetwork for Box<N> {
    fn input_len(&self) -> usize {
        (**self).input_len()
    }
    fn output_len(&self) -> usize {
        (**self).output_len()
    }
    fn reset_state(&mut self) {
        (**self).reset_state();
    }
    fn step(&mut self, input: &[f32], dt: Duration) -> &[f32] {
        (**self).step(input, dt)
    }
}

/// Feedforward: outputs depend on the step's input only, and not on time.
impl TemporalNetwork for DenseNet {
    fn input_len(&self) -> usize {
        DenseNet::input_len(self)
    }
    fn output_len(&self) -> usize {
        DenseNet::output_len(self)
    }
    fn reset_state(&mut self) {}
    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        self.run(input)
    }
}

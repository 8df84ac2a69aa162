//! [`Scaling`]: how inputs and outputs are scaled outside of the network.

/// Scaling of a network's inputs and outputs, as libfann's `fann_set_scaling_params` makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Of inputs, one each.
    pub inputs: Vec<Scale>,
    /// Of outputs, one each.
    pub outputs: Vec<Scale>,
}

/// The scaling of one input or output: x ↦ ((x - mean) / deviation + 1) · factor + new_min.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// The training data's mean.
    pub mean: f32,
    /// The training data's standard deviation.
    pub deviation: f32,
    /// The least scaled value.
    pub new_min: f32,
    /// Half the scaled values' range.
    pub factor: f32,
}

impl Scale {
    /// A value of the user's as the network takes it.
    #[must_use]
    pub fn scale(&self, x: f32) -> f32 {
        ((x - self.mean) / self.deviation + 1.0) * self.factor + self.new_min
    }

    /// A value of the network's as the user takes it.
    #[must_use]
    pub fn descale(&self, y: f32) -> f32 {
        ((y - self.new_min) / self.factor - 1.0) * self.deviation + self.mean
    }

    /// The fields in libfann's order.
    pub(super) const NAMES: [&'static str; 4] =
        ["scale_mean", "scale_deviation", "scale_new_min", "scale_factor"];

    pub(super) fn fields(&self) -> [f32; 4] {
        [self.mean, self.deviation, self.new_min, self.factor]
    }

    pub(super) fn field_mut(&mut self, index: usize) -> &mut f32 {
        [&mut self.mean, &mut self.deviation, &mut self.new_min, &mut self.factor]
            .into_iter()
            .nth(index)
            .expect("one of four")
    }
}

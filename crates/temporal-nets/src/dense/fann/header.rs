//! [`Header`]: the settings of training that a file carries along.

/// How libfann prints a field.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Unsigned,
    /// `%f`
    Decimal,
    /// `%.20e`
    Scientific,
}

use Kind::*;

/// The scalar fields in libfann's order, and their defaults. Those that follow from the network have
/// their place here too: see [`FROM_NETWORK`].
pub(super) const FIELDS: [(&str, Kind, f64); 27] = [
    ("num_layers", Unsigned, 0.0),
    ("learning_rate", Decimal, 0.7),
    ("connection_rate", Decimal, 1.0),
    ("network_type", Unsigned, 0.0),
    ("learning_momentum", Decimal, 0.0),
    ("training_algorithm", Unsigned, 2.0),
    ("train_error_function", Unsigned, 1.0),
    ("train_stop_function", Unsigned, 0.0),
    ("cascade_output_change_fraction", Decimal, 0.01),
    ("quickprop_decay", Decimal, -0.0001),
    ("quickprop_mu", Decimal, 1.75),
    ("rprop_increase_factor", Decimal, 1.2),
    ("rprop_decrease_factor", Decimal, 0.5),
    ("rprop_delta_min", Decimal, 0.0),
    ("rprop_delta_max", Decimal, 50.0),
    ("rprop_delta_zero", Decimal, 0.1),
    ("cascade_output_stagnation_epochs", Unsigned, 12.0),
    ("cascade_candidate_change_fraction", Decimal, 0.01),
    ("cascade_candidate_stagnation_epochs", Unsigned, 12.0),
    ("cascade_max_out_epochs", Unsigned, 150.0),
    ("cascade_min_out_epochs", Unsigned, 50.0),
    ("cascade_max_cand_epochs", Unsigned, 150.0),
    ("cascade_min_cand_epochs", Unsigned, 50.0),
    ("cascade_num_candidate_groups", Unsigned, 2.0),
    ("bit_fail_limit", Scientific, 0.35),
    ("cascade_candidate_limit", Scientific, 1000.0),
    ("cascade_weight_multiplier", Scientific, 0.4),
];

/// Fields whose values are the network's own.
pub(super) const FROM_NETWORK: [&str; 3] = ["num_layers", "connection_rate", "network_type"];

/// FANN's settings of training and of cascades, by the names in its files.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// In the order of [`FIELDS`]; exact for `f32` and `u32`.
    pub(super) values: [f64; FIELDS.len()],
    /// Functions that cascade training tries for new neurons, by FANN's number.
    pub cascade_activation_functions: Vec<u32>,
    /// Steepnesses that it tries.
    pub cascade_activation_steepnesses: Vec<f32>,
}

impl Default for Header {
    fn default() -> Self {
        Header {
            values: FIELDS.map(|(_, _, default)| f64::from(default as f32)),
            cascade_activation_functions: vec![3, 5, 7, 8, 10, 11, 14, 15, 16, 17],
            cascade_activation_steepnesses: vec![0.25, 0.5, 0.75, 1.0],
        }
    }
}

impl Header {
    /// The value of a scalar setting, `learning_rate` say; `None` if FANN has none of that name, or it
    /// follows from the network.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        position(name).map(|index| self.values[index])
    }

    /// Sets a scalar setting to the nearest value that the file can hold, and tells whether FANN has
    /// one of that name, and `value` is finite and, where FANN counts, not negative.
    #[must_use]
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let Some(index) = position(name) else { return false };
        let held = match FIELDS[index].1 {
            Unsigned => f64::from(value.round() as u32),
            Decimal | Scientific => f64::from(value as f32),
        };
        let fits = held.is_finite() && (held == value || FIELDS[index].1 != Unsigned);
        if fits {
            self.values[index] = held;
        }
        fits
    }
}

fn position(name: &str) -> Option<usize> {
    let index = FIELDS.iter().position(|(field, ..)| *field == name)?;
    (!FROM_NETWORK.contains(&name)).then_some(index)
}

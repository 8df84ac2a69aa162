//! [`Training`]: how to train, and what is refused.

use core::fmt;

use super::fann::{FannError, Header};
use super::{Activation, NoLipschitz};

/// Settings of training; the defaults are FANN's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// When weights change, and by how much. Default [`Algorithm::Rprop`].
    pub algorithm: Algorithm,
    /// Change of a weight per slope, for all but RPROP. Default 0.7; positive.
    pub learning_rate: f32,
    /// Share of the last change that is made again, for single samples. Default 0; from 0 to below 1.
    pub momentum: f32,
    /// What is made of the outputs' errors. Default [`ErrorFunction::Tanh`].
    pub error: ErrorFunction,
    /// Settings of RPROP.
    pub rprop: Rprop,
    /// After every change of weights, [`DenseNet::enforce_lipschitz`](crate::DenseNet::enforce_lipschitz)
    /// with this limit. Default off. Not one of FANN's.
    pub lipschitz: Option<f64>,
}

impl Default for Training {
    fn default() -> Self {
        Training {
            algorithm: Algorithm::default(),
            learning_rate: 0.7,
            momentum: 0.0,
            error: ErrorFunction::default(),
            rprop: Rprop::default(),
            lipschitz: None,
        }
    }
}

/// When weights change. The discriminants are FANN's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// After every sample, along the slope.
    Incremental = 0,
    /// After every epoch, along the mean slope.
    Batch = 1,
    /// After every epoch, each weight by a step of its own that grows while its slope keeps its sign
    /// and shrinks when it changes: iRPROP⁻.
    #[default]
    Rprop = 2,
}

/// What is made of an output's error before it is propagated. The discriminants are FANN's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorFunction {
    /// Nothing.
    Linear = 0,
    /// ln((1 + e) / (1 - e)), which big errors make much bigger.
    #[default]
    Tanh = 1,
}

/// Settings of [`Algorithm::Rprop`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rprop {
    /// Factor by which a step grows. Default 1.2; at least 1.
    pub increase: f32,
    /// Factor by which it shrinks. Default 0.5; above 0, below 1.
    pub decrease: f32,
    /// The least step. Default 0.
    pub delta_min: f32,
    /// The greatest step. Default 50; not below the least.
    pub delta_max: f32,
    /// The first step. Default 0.1; positive.
    pub delta_zero: f32,
}

impl Default for Rprop {
    fn default() -> Self {
        Rprop { increase: 1.2, decrease: 0.5, delta_min: 0.0, delta_max: 50.0, delta_zero: 0.1 }
    }
}

impl Training {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let Rprop { increase, decrease, delta_min, delta_max, delta_zero } = self.rprop;
        let above_zero = f32::MIN_POSITIVE..=f32::MAX;
        for (setting, value, bounds) in [
            ("learning_rate", self.learning_rate, above_zero.clone()),
            ("momentum", self.momentum, 0.0..=1.0 - f32::EPSILON),
            ("rprop.increase", increase, 1.0..=f32::MAX),
            ("rprop.decrease", decrease, f32::MIN_POSITIVE..=1.0 - f32::EPSILON),
            ("rprop.delta_min", delta_min, 0.0..=f32::MAX),
            ("rprop.delta_max", delta_max, delta_min..=f32::MAX),
            ("rprop.delta_zero", delta_zero, above_zero),
        ] {
            if !bounds.contains(&value) {
                let (least, most) = bounds.into_inner();
                return Err(TrainError::Setting { setting, value, least, most });
            }
        }
        match self.lipschitz {
            Some(limit) if !(limit > 0.0 && limit.is_finite()) => {
                Err(TrainError::Lipschitz(NoLipschitz::Limit(limit)))
            }
            _ => Ok(()),
        }
    }
}

/// From a file's settings. Refuses Quickprop (3) and SARPROP (4).
impl TryFrom<&Header> for Training {
    type Error = FannError;

    fn try_from(header: &Header) -> Result<Self, FannError> {
        let get = |name: &'static str| header.get(name).ok_or(FannError::Missing(name));
        let real = |name| get(name).map(|value| value as f32);
        let unsupported = |field, value: f64, supported| {
            Err(FannError::Unsupported { field, value: value.to_string(), supported })
        };
        let algorithm = match get("training_algorithm")? {
            0.0 => Algorithm::Incremental,
            1.0 => Algorithm::Batch,
            2.0 => Algorithm::Rprop,
            value => return unsupported("training_algorithm", value, "0, 1 or 2"),
        };
        let error = match get("train_error_function")? {
            0.0 => ErrorFunction::Linear,
            1.0 => ErrorFunction::Tanh,
            value => return unsupported("train_error_function", value, "0 or 1"),
        };
        Ok(Training {
            algorithm,
            learning_rate: real("learning_rate")?,
            momentum: real("learning_momentum")?,
            error,
            rprop: Rprop {
                increase: real("rprop_increase_factor")?,
                decrease: real("rprop_decrease_factor")?,
                delta_min: real("rprop_delta_min")?,
                delta_max: real("rprop_delta_max")?,
                delta_zero: real("rprop_delta_zero")?,
            },
            lipschitz: None,
        })
    }
}

/// Why a network cannot be trained so.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// The function has no slope to follow.
    NoSlope(Activation),
    /// A setting of [`Training`] is out of bounds.
    Setting {
        /// Its name.
        setting: &'static str,
        /// The value given.
        value: f32,
        /// Its lower bound.
        least: f32,
        /// Its upper bound.
        most: f32,
    },
    /// There is no such Lipschitz limit.
    Lipschitz(NoLipschitz),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::NoSlope(activation) => {
                write!(f, "{activation} has no slope: it cannot be trained")
            }
            TrainError::Setting { setting, value, least, most } => {
                write!(f, "Training::{setting} is {value}; it must be from {least} to {most}")
            }
            TrainError::Lipschitz(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TrainError {}

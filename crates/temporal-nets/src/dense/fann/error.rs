//! [`FannError`]: why a text is not a network.

use core::fmt;

use super::VERSION;
use crate::ShapeError;

/// Why a file of FANN was refused. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FannError {
    /// The first line is not `FANN_FLO_2.1`, but this.
    Version(String),
    /// A line is no `name=value`.
    NoField {
        /// Which line.
        line: usize,
    },
    /// The format has no field of this name.
    UnknownField {
        /// Which line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A field comes twice.
    Twice {
        /// Which line repeats it.
        line: usize,
        /// The name.
        name: &'static str,
    },
    /// A field that a network needs is missing.
    Missing(&'static str),
    /// A value is not the number that it should be, or not finite.
    Number {
        /// The field's name.
        field: &'static str,
        /// The text found.
        text: String,
    },
    /// A list has another length than the network's sizes or its own count say.
    Count {
        /// The field's name.
        field: &'static str,
        /// Entries found.
        found: usize,
        /// Entries expected.
        expected: usize,
    },
    /// FANN knows such networks, this crate does not.
    Unsupported {
        /// The field's name.
        field: &'static str,
        /// The value found.
        value: String,
        /// What is supported.
        supported: &'static str,
    },
    /// A neuron or connection is not that of a fully connected network.
    Structure {
        /// The field's name.
        field: &'static str,
        /// Which entry, counted from 0.
        entry: usize,
        /// Its number of inputs, or the neuron it comes from.
        found: usize,
        /// What that should be.
        expected: usize,
    },
    /// The sizes are out of bounds.
    Shape(ShapeError),
}

impl fmt::Display for FannError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FannError::Version(found) => {
                write!(f, "the first line is {found:?}; it must be {VERSION:?}")
            }
            FannError::NoField { line } => write!(f, "line {line} is no name=value"),
            FannError::UnknownField { line, name } => {
                write!(f, "line {line}: FANN has no field {name:?}")
            }
            FannError::Twice { line, name } => write!(f, "line {line}: {name} for the second time"),
            FannError::Missing(name) => write!(f, "the field {name} is missing"),
            FannError::Number { field, text } => {
                write!(f, "{field} has {text:?} where a number within bounds should be")
            }
            FannError::Count { field, found, expected } => {
                write!(f, "{field} has {found} entries; it must have {expected}")
            }
            FannError::Unsupported { field, value, supported } => {
                write!(f, "{field} is {value}; supported is {supported}")
            }
            FannError::Structure { field, entry, found, expected } => write!(
                f,
                "entry {entry} of {field} has {found} where a fully connected network has {expected}"
            ),
            FannError::Shape(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FannError {}

impl From<ShapeError> for FannError {
    fn from(error: ShapeError) -> Self {
        FannError::Shape(error)
    }
}

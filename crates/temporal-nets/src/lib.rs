//! Micro neural networks on the timeline of `nanosecond-scheduler`.

#![forbid(unsafe_code)]

mod dense;
mod rng;

pub use dense::{fann, Activation, DenseNet, FixedNet, Layer, ShapeError};

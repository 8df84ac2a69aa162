//! The strange loop: a scheduler that observes itself, by iterating a contraction once per busy
//! tick; and the fixed-point iteration behind it, for other uses.
//!
//! A contraction shrinks distances by a constant k < 1. Banach's theorem then promises one fixed
//! point, that iteration finds it from anywhere, and how far off it is at most.

mod anderson;
pub mod bounds;
mod observer;
mod operator;
mod solver;

pub(crate) use observer::SelfObserver;
pub use observer::{Estimates, Observation, Observer};
pub use operator::{Affine, Bound, Function, Operator};
pub use solver::{FixedPoint, FixedPointError, Method, Status};

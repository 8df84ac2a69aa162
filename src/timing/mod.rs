//! What real-time analysis needs, as pure logic: no clock, no queue.

pub mod analysis;

mod admission;
#[cfg(feature = "std")]
pub(crate) mod monitor;
mod ring;
pub(crate) mod trace;

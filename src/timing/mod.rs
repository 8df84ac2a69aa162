//! What real-time analysis needs, as pure logic: no clock, no queue.

pub mod analysis;

mod admission;
#[cfg(feature = "std")]
mod monitor;
mod trace;

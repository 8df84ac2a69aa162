//! What the works need of each library, and nothing of what they measure.

pub mod delay_queue;
pub mod heap;
pub mod lazy;
pub mod nexus;
pub mod ours;
pub mod past;

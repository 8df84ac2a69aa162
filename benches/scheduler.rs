//! Criterion benchmarks of the scheduler.
fn main() {}

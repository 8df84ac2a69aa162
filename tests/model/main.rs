//! The scheduler against a sorted vector, on random sequences of everything one can do to it.
//!
//! `PROPTEST_CASES` sets the number of sequences; otherwise it is 10,000 in total.

mod draw;
mod naive;
mod ops;
mod pair;
mod real;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestRunner};

use ops::Sequence;
use pair::play;

/// Plays `share` percent of the sequences. Not with `proptest!`, which would read the number from the
/// environment itself, for each test anew.
fn play_share(share: u32, sequences: impl Strategy<Value = Sequence>) {
    let total = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None if cfg!(miri) => 20,
        None => 10_000,
    };
    let config = ProptestConfig {
        cases: (u64::from(total) * u64::from(share)).div_ceil(100) as u32,
        failure_persistence: None,
        // The default one takes most of the time in a debug build.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    };
    let played = TestRunner::new(config).run(&sequences, |sequence| {
        play(&sequence);
        Ok(())
    });
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn agrees_with_a_sorted_vector() {
    play_share(99, draw::sequence());
}

#[test]
fn agrees_with_a_sorted_vector_in_a_crowd() {
    play_share(1, draw::crowded_sequence());
}

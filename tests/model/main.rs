//! The scheduler against a sorted vector, on random sequences of everything one can do to it.
//!
//! `PROPTEST_CASES` sets the number of sequences; otherwise it is 10,000 in total.

mod draw;
mod naive;
mod ops;
mod pair;
mod real;

use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm};

use pair::play;

/// `share` percent of the sequences.
fn share(share: u32) -> ProptestConfig {
    let total = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None if cfg!(miri) => 20,
        None => 10_000,
    };
    let cases = (u64::from(total) * u64::from(share)).div_ceil(100) as u32;
    ProptestConfig {
        cases,
        failure_persistence: None,
        // The default one takes most of the time in a debug build.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(share(99))]

    #[test]
    fn agrees_with_a_sorted_vector(sequence in draw::sequence()) {
        play(&sequence);
    }
}

proptest! {
    #![proptest_config(share(1))]

    #[test]
    fn agrees_with_a_sorted_vector_in_a_crowd(sequence in draw::crowded_sequence()) {
        play(&sequence);
    }
}

//! What several test files need.
#![allow(dead_code)]

use std::path::PathBuf;

/// The text of a file in `tests/oracles`.
pub(crate) fn oracle(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a CSV without comments and its line of names.
pub(crate) fn rows(csv: &str) -> impl Iterator<Item = Vec<&str>> {
    let data = csv.lines().filter(|line| !line.starts_with('#'));
    data.filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == 'F'))
        .map(|line| line.split(',').collect())
}

pub(crate) fn json(name: &str) -> serde_json::Value {
    serde_json::from_str(&oracle(name)).expect("an oracle is valid JSON")
}

pub(crate) fn floats(value: &serde_json::Value) -> Vec<f64> {
    let array = value.as_array().expect("an array");
    array.iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// Numbers for tests: SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

//! The operations of `tests/model`, chosen by the fuzzer: `.ci/fuzz.sh` runs it.
#![no_main]

mod decode;
#[path = "../../tests/model/naive.rs"]
mod naive;
#[path = "../../tests/model/ops.rs"]
mod ops;
#[path = "../../tests/model/pair.rs"]
mod pair;
#[path = "../../tests/model/real.rs"]
mod real;

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sequence) = decode::sequence(&mut Unstructured::new(bytes)) {
        pair::play(&sequence);
    }
});

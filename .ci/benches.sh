#!/usr/bin/env bash
# Runs every benchmark once, small: does it still work and agree? Figures come from `cargo bench`
# and from benches/peers; those of real time are explained in crates/realtime/benches/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

cargo bench --locked --package nanosecond-scheduler --bench scheduler -- --test
timeout 600 cargo bench --locked --package nanosecond-realtime --bench figures -- --quick
cd benches/peers
timeout 600 cargo run --locked --release -- --quick

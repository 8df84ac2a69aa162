#!/usr/bin/env bash
# Explores every interleaving of the remote's protocol. LOOM_MAX_PREEMPTIONS=4 explores more.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/ci/loom
log=$CARGO_TARGET_DIR/models.log
mkdir -p "$CARGO_TARGET_DIR"

RUST_BACKTRACE=0 RUSTFLAGS="--cfg loom" \
    cargo test --quiet --locked --package nanosecond-scheduler --lib -- --test-threads=1 loom_tests | tee "$log"
grep -q '^test result: ok. [1-9]' "$log" || { echo "no model ran" >&2; exit 1; }
rm -r "$CARGO_TARGET_DIR"

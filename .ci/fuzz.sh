#!/usr/bin/env bash
# fuzz.sh [SECONDS]: fuzzes the scheduler against the model, 30 seconds unless told. What it finds
# is left in fuzz/artifacts, and what it learns in fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/ci/fuzz

cargo fuzz --version 2>/dev/null || cargo install --quiet --locked cargo-fuzz
# The sanitizer's switch is not stable, but stable Rust ships the runtime.
RUSTC_BOOTSTRAP=1 cargo fuzz run scheduler -- \
    -max_total_time="$seconds" -max_len=1024 -len_control=0 -timeout=20 -print_final_stats=1

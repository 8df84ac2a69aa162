#!/usr/bin/env bash
# Checks the library and temporal-nets for wasm32-unknown-unknown.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
settings=$(.ci/std-for.sh "$target")
eval "$settings"
rustc --version
cargo check --quiet --locked --package nanosecond-scheduler --lib --target "$target" "${build_std[@]}"
cargo check --quiet --locked --package nanosecond-scheduler --lib --target "$target" "${build_std[@]}" --features serde
cargo check --quiet --locked --package nanosecond-scheduler --lib --target "$target" "${build_std[@]}" --no-default-features
cargo check --quiet --locked --package temporal-nets --lib --target "$target" "${build_std[@]}"
cargo check --quiet --locked --package temporal-nets --lib --target "$target" "${build_std[@]}" --features profiling
echo "the library compiles for $target, with and without std, and so does temporal-nets"

#!/usr/bin/env bash
# The tests that belong into JavaScript's event loop, in Node.
set -euo pipefail
cd "$(dirname "$0")/.."
settings=$(.ci/wasm-toolchain.sh)
eval "$settings"
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner cargo test --locked \
    --target wasm32-unknown-unknown "${build_std[@]}" --test wasm \
    --package nanosecond-realtime --package temporal-nets

#!/usr/bin/env bash
# The tests that belong into JavaScript's event loop, in Node. Exit status 77: there is no Node.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v node >/dev/null || { echo "Node is not installed: NOT RUN."; exit 77; }
target=wasm32-unknown-unknown

# The runner has to be of the very version of the library.
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
tools=$PWD/target/ci/wasm-bindgen-$version
[ -x "$tools/bin/wasm-bindgen-test-runner" ] ||
    cargo install --quiet --root "$tools" --version "$version" --no-default-features wasm-bindgen-cli

settings=$(.ci/std-for.sh "$target")
eval "$settings"
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$tools/bin/wasm-bindgen-test-runner cargo test \
    --locked --target "$target" "${build_std[@]}" --test wasm \
    --package nanosecond-realtime --package temporal-nets

#!/usr/bin/env bash
# The tests that belong into JavaScript's event loop, in Node. Exit status 77: no Node, or no std for
# the target.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
tools=$PWD/target/ci/wasm-bindgen-$version

has_std() { ls "$(rustc --print sysroot)/lib/rustlib/$target/lib"/libstd-*.rlib >/dev/null 2>&1; }

command -v node >/dev/null || { echo "Node is not installed: NOT RUN."; exit 77; }
if ! has_std && { [ "${RUSTUP_AUTO_INSTALL-1}" = 0 ] || ! command -v rustup >/dev/null ||
    ! rustup target add "$target"; }; then
    echo "There is no std for $target: NOT RUN."
    exit 77
fi
# It has to be of the very version of the library.
[ -x "$tools/bin/wasm-bindgen-test-runner" ] ||
    cargo install --quiet --locked --root "$tools" --version "$version" wasm-bindgen-cli
node --version
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$tools/bin/wasm-bindgen-test-runner \
    cargo test --quiet --locked --target "$target" --package nanosecond-realtime --test wasm

#!/usr/bin/env bash
# Checks the members that speak to the operating system for systems other than Linux. It compiles,
# it does not run: what they do there is by review.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=(x86_64-pc-windows-msvc aarch64-apple-darwin x86_64-unknown-freebsd wasm32-unknown-unknown)

if ! settings=$(.ci/std-for.sh "${targets[@]}"); then
    echo "NOT CHECKED for ${targets[*]}: their std cannot be had here" >&2
    exit 77
fi
eval "$settings"
export RUSTFLAGS="-D warnings"
rustc --version
for target in "${targets[@]}"; do
    cargo check --quiet --locked --package nanosecond-realtime --target "$target" "${build_std[@]}"
    echo "nanosecond-realtime compiles for $target"
done

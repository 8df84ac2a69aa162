#!/usr/bin/env bash
# Format, clippy and documentation, of the workspace and of the packages beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

cargo fmt --all --check
cargo clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps --all-features --workspace

for package in benches/peers benches/instructions crates/temporal-nets/benches/peers fuzz; do
    echo "$package"
    cargo fmt --manifest-path "$package/Cargo.toml" --check
    cargo clippy --quiet --locked --manifest-path "$package/Cargo.toml" --all-targets -- -D warnings
done
# It has a panic handler of its own, which the test harness would not bear.
cargo fmt --manifest-path tests/no_std/Cargo.toml --check
cargo clippy --quiet --locked --manifest-path tests/no_std/Cargo.toml --release -- -D warnings
for script in .ci/run .ci/*.sh benches/instructions/*.sh tests/no_std/*.sh; do bash -n "$script"; done

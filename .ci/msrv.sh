#!/usr/bin/env bash
# Checks library, tests and examples with the oldest Rust that Cargo.toml promises.
set -euo pipefail
cd "$(dirname "$0")/.."
msrv=$(sed -n 's/^rust-version *= *"\([0-9.]*\)"$/\1/p' Cargo.toml)

# rustup's, else one that rustup may fetch, else Debian's.
if cargo "+$msrv" --version >/dev/null 2>&1; then
    export RUSTUP_TOOLCHAIN=$msrv
elif [ "${RUSTUP_AUTO_INSTALL-1}" != 0 ] && command -v rustup >/dev/null &&
    rustup toolchain install --profile minimal "$msrv"; then
    export RUSTUP_TOOLCHAIN=$msrv
else
    settings=$(.ci/debian-rust.sh "$msrv")
    eval "$settings"
fi
rustc --version
rustc --version | grep -qF "rustc $msrv" || { echo "this is not Rust $msrv" >&2; exit 1; }
cargo check --quiet --locked --workspace --all-features --all-targets
cargo check --quiet --locked --package nanosecond-scheduler --lib --no-default-features

#!/usr/bin/env bash
# Checks the library for wasm32-unknown-unknown.
set -euo pipefail
cd "$(dirname "$0")/.."
target=wasm32-unknown-unknown
msrv=$(sed -n 's/^rust-version *= *"\([0-9.]*\)"$/\1/p' Cargo.toml)

has_std() { ls "$(rustc --print sysroot)/lib/rustlib/$target/lib"/libstd-*.rlib >/dev/null 2>&1; }

# rustup's std for the target, else one that rustup may fetch, else std's sources from Debian.
build_std=()
if ! has_std && { [ "${RUSTUP_AUTO_INSTALL-1}" = 0 ] || ! command -v rustup >/dev/null ||
    ! rustup target add "$target"; }; then
    settings=$(.ci/debian-rust.sh "$msrv")
    eval "$settings"
    export RUSTC_BOOTSTRAP=1 # For build-std, which is not stable.
    build_std=(-Zbuild-std=std,panic_abort)
fi
rustc --version
cargo check --quiet --locked --lib --target "$target" "${build_std[@]}"
cargo check --quiet --locked --lib --target "$target" "${build_std[@]}" --features serde
cargo check --quiet --locked --lib --target "$target" "${build_std[@]}" --no-default-features
echo "the library compiles for $target, with and without std"

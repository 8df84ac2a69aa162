#!/usr/bin/env bash
# The files and the training of temporal-nets against libfann itself, through a small C program; and the
# benchmark beside libfann and ruv-fann once, small: does it still work and agree?
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
[ -e /usr/include/floatfann.h ] && command -v cc >/dev/null || .ci/apt-install.sh libfann-dev gcc libc6-dev
cargo test --locked --package temporal-nets --test libfann -- --ignored
cd crates/temporal-nets/benches/peers
timeout 600 cargo run --quiet --locked --release -- --quick

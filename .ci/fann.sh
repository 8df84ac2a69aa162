#!/usr/bin/env bash
# The files and the training of temporal-nets against libfann itself, through a small C program.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e /usr/include/floatfann.h ] && command -v cc >/dev/null || .ci/apt-install.sh libfann-dev gcc libc6-dev
cargo test --locked --package temporal-nets --test libfann -- --ignored

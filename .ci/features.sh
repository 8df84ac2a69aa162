#!/usr/bin/env bash
# The library without features, with every feature alone, and its tests with all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

features=$(sed -n '/^\[features\]/,/^\[/s/^\([a-z][a-z0-9_-]*\) *=.*/\1/p' Cargo.toml | grep -vx default)
[ -n "$features" ] || { echo "found no features in Cargo.toml" >&2; exit 1; }

for feature in "" $features; do
    echo "library with feature '$feature' alone"
    cargo clippy --quiet --locked --package nanosecond-scheduler --lib --no-default-features --features "$feature" -- -D warnings
done
# The random sequences have run in full with the default features.
PROPTEST_CASES=${PROPTEST_CASES:-1000} cargo test --locked --workspace --all-features

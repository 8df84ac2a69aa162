#!/usr/bin/env bash
# Runs every example; `replay` on the capture that ships with it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --locked --release --examples

for path in {,crates/*/}examples/{*.rs,*/main.rs}; do
    [ -e "$path" ] || continue
    name=${path##*examples/}
    name=${name%%[./]*}
    echo "-- $name"
    output=$(timeout 120 cargo run --quiet --locked --release --example "$name")
    echo "$output"
    [ -n "$output" ] || { echo "$name printed nothing" >&2; exit 1; }
done
report=target/replay-report.html
[ -s "$report" ] || { echo "replay wrote no $report" >&2; exit 1; }

#!/usr/bin/env bash
# Runs every example; `replay` and `ecg` on what ships with them, `ecg` also on its other record.
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

# ecg: at least 99 % each, and a record without annotations.
ecg() { cargo run --quiet --locked --release --example ecg -- --picture "target/ecg-$1.svg" "${@:2}" | tail -n 1; }
ecg 100 | awk '{print} END {exit !($1 == "beats" && $4 >= 99 && $8 >= 99)}'
ecg 208 --signal crates/temporal-nets/examples/ecg/data/mitbih208-mlii-5min.csv.gz | awk '{print} END {exit !($2 > 0 && $4 == "n/a")}'
for record in 100 208; do [ -s "target/ecg-$record.svg" ] || { echo "no picture of record $record" >&2; exit 1; }; done

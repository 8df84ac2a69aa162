#!/bin/sh
# Builds, links and runs a program without std that schedules and ticks, and proves that nothing of
# std is in it.
set -eu

cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$PWD/target}

fail() {
    echo "no_std: $*" >&2
    exit 1
}

cargo build --locked --quiet --release --target-dir "$target"
program=$target/release/no-std-check

code=0
"$program" || code=$?
[ "$code" -eq 0 ] || fail "exit code $code, see src/main.rs for its meaning"

features=$(cargo tree --locked --edges normal,features --prefix none)
if echo "$features" | grep 'feature "std"'; then
    fail "the dependencies above have their feature std switched on"
fi
# A function of std is `_ZN3std…`, or `_RNv…_3std…` in the newer mangling.
symbols=$(nm "$program")
echo "$symbols" | grep -q nanosecond_scheduler || fail "no symbols to look at"
if echo "$symbols" | grep -E '_(ZN)?3std'; then
    fail "the symbols above are of std"
fi
libraries=$(ldd "$program")
if echo "$libraries" | grep -vE 'linux-vdso|/ld-linux|libc\.so'; then
    fail "the libraries above are not the C library"
fi
echo "no_std: scheduled, ticked and ran in order, linked against the C library alone"

#!/usr/bin/env bash
# The tests that need no operating system, under Miri. Exit status 77: Miri is not to be had.
set -euo pipefail
cd "$(dirname "$0")/.."

has_miri() { cargo +nightly miri --version >/dev/null 2>&1; }

if ! has_miri && [ "${RUSTUP_AUTO_INSTALL-1}" != 0 ] && command -v rustup >/dev/null; then
    rustup toolchain install nightly --profile minimal --component miri,rust-src || true
fi
if ! has_miri; then
    echo "Miri is not installed and cannot be had from the registries: NOT RUN."
    echo "What stands in for it is .ci/sanitize.sh: AddressSanitizer and Valgrind."
    exit 77
fi
# Isolation would hide PROPTEST_CASES from the tests.
MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=${PROPTEST_CASES:-10} \
    cargo +nightly miri test --locked --package nanosecond-scheduler --lib --test cancel --test drops --test model --test panics \
    --test reentrancy

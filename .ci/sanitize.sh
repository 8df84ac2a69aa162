#!/usr/bin/env bash
# The tests under AddressSanitizer with leaks, and those of drops and of the model under Valgrind's
# memcheck. Not ThreadSanitizer: without an instrumented std, which stable Rust does not ship, it
# reports races in std's own locks. The remote's protocol is explored by loom.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
export PROPTEST_CASES=${PROPTEST_CASES:-300}

# test_flags NAME…: --test NAME for each.
test_flags() { printf -- '--test %s ' "$@"; }

# All but the tests that call cargo, which would get our flags.
names() {
    for test in tests/*.rs tests/*/main.rs; do
        name=${test#tests/}
        echo "${name%%[./]*}"
    done | grep -vxE 'replay|schedulability|compile_fail'
}

# sanitized SANITIZER RUSTFLAGS TEST-ARGUMENT…: a build of its own, removed afterwards. The switch
# is not stable, but stable Rust ships the runtimes.
sanitized() {
    local sanitizer=$1 flags=$2
    shift 2
    echo "-- ${sanitizer}Sanitizer"
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" CARGO_TARGET_DIR=$target/ci/$sanitizer \
        cargo test --quiet --locked --package nanosecond-scheduler --target "$host" "$@"
    rm -r "$target/ci/$sanitizer"
}

command -v valgrind >/dev/null || .ci/apt-install.sh valgrind

sanitized Address "-Zsanitizer=address" --features parallel,serde --lib $(test_flags $(names))

echo "-- Valgrind"
runner=CARGO_TARGET_$(echo "$host" | tr 'a-z-' 'A-Z_')_RUNNER
env "$runner=valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite" \
    PROPTEST_CASES=20 cargo test --quiet --locked --package nanosecond-scheduler $(test_flags drops model panics reentrancy)

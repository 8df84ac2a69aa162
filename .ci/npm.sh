#!/usr/bin/env bash
# npm.sh STEP…: the npm package. Steps, in the order in which they need each other:
#   module  tests of the module alone, in Node and in headless Chromium
#   package builds pkg/ and tests it in Node: conformance, types, an installation from the tarball
#   browser tests of the package and of examples/web in headless Chromium
#   figures what it costs beside setTimeout, small; see crates/wasm/bench
set -euo pipefail
cd "$(dirname "$0")/.."
settings=$(.ci/wasm-toolchain.sh)
eval "$settings"
npm=$PWD/target/ci/npm

# chromium: Debian's, with its driver.
chromium() {
    command -v chromium chromedriver >/dev/null || .ci/apt-install.sh chromium chromium-driver
}

# node_tools: what the tests in JavaScript need, in the versions of crates/wasm/tests/js/package-lock.json.
node_tools() {
    mkdir -p "$npm"
    cmp -s crates/wasm/tests/js/package-lock.json "$npm/package-lock.json" && return
    cp crates/wasm/tests/js/package.json crates/wasm/tests/js/package-lock.json "$npm"
    npm ci --silent --no-audit --no-fund --prefix "$npm"
}

module() {
    chromium
    # Its own folder: a std that is built for tests does not get along with the package's.
    local test=(cargo test --locked --package nanosecond-scheduler-wasm --features std
        --target wasm32-unknown-unknown --target-dir "$PWD/target/ci/wasm-tests" "${build_std[@]}")
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
    echo "-- in Node"
    "${test[@]}" --test core
    echo "-- in Chromium"
    CHROMEDRIVER=$(command -v chromedriver) WASM_BINDGEN_USE_BROWSER=1 \
        "${test[@]}" --test core
}

for step in "$@"; do "$step"; done

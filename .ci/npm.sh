#!/usr/bin/env bash
# npm.sh STEP…: the npm package. Steps, in the order in which they need each other:
#   lint    clippy, for the only target that the module has
#   module  tests of the module alone, in Node and in headless Chromium
#   debian  builds pkg/ with Debian's Rust, and ticks it
#   package builds pkg/ and tests it in Node: conformance, types, an installation from the tarball
#   browser tests of the package and of examples/web in headless Chromium
#   figures what it costs beside setTimeout; see crates/wasm/bench. With QUICK=1 in little time
set -euo pipefail
cd "$(dirname "$0")/.."
settings=$(.ci/wasm-toolchain.sh)
eval "$settings"
project=$PWD/target/ci/npm-project

# need_chromium: Debian's, with its driver.
need_chromium() {
    { command -v chromium && command -v chromedriver; } >/dev/null || .ci/apt-install.sh chromium chromium-driver
}

# project: an empty project with the package, from its tarball, and what the tests need beside it.
project() {
    mkdir -p "$project"
    cp -r crates/wasm/tests/js/. "$project"
    if ! cmp -s "$project/package-lock.json" "$project/node_modules/installed-lock.json"; then
        npm ci --silent --no-audit --no-fund --prefix "$project"
        cp "$project/package-lock.json" "$project/node_modules/installed-lock.json"
    fi
    tarball=$(cd pkg && npm pack --silent --pack-destination "$project")
    npm install --silent --no-save --no-audit --no-fund --prefix "$project" "$project/$tarball"
}

lint() {
    cargo clippy --quiet --locked --package nanosecond-scheduler-wasm --target wasm32-unknown-unknown \
        "${build_std[@]}" --target-dir "$PWD/target/ci/wasm-lint" -- -D warnings
}

module() {
    need_chromium
    # Its own folder: a std that is built for tests does not get along with the package's.
    local test=(cargo test --locked --package nanosecond-scheduler-wasm --features std
        --target wasm32-unknown-unknown --target-dir "$PWD/target/ci/wasm-tests" "${build_std[@]}")
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
    echo "-- in Node"
    "${test[@]}" --lib
    echo "-- in Chromium"
    CHROMEDRIVER=$(command -v chromedriver) WASM_BINDGEN_USE_BROWSER=1 \
        "${test[@]}" --lib
}

# listed: what is in the tarball, no more and no less.
listed() {
    diff <(cd pkg && npm pack --dry-run --json 2>/dev/null | node -e '
        const [{ files }] = JSON.parse(require("fs").readFileSync(0));
        files.forEach(({ path }) => console.log(path));' | sort) crates/wasm/tests/js/tarball.txt
}

debian() {
    WASM_ROUTE=debian ./build.sh
    node --input-type=module --eval '
        import { WasmScheduler } from "./pkg/node.js";
        const scheduler = new WasmScheduler();
        scheduler.schedule(() => console.log("ticked"), 0);
        if (scheduler.tick() !== 1) throw new Error("it did not tick");'
}

# small: the module and its glue, as a server sends them.
small() {
    local bytes=0 file
    for file in pkg/nanosecond_scheduler{_bg.wasm,.js}; do
        bytes=$((bytes + $(gzip -9c "$file" | wc -c)))
    done
    [ $bytes -le 22000 ] || { echo "module and glue are $bytes bytes gzipped, more than 22,000" >&2; return 1; }
}

package() {
    ./build.sh
    listed
    small
    project
    (
        cd "$project"
        node --test --test-reporter=dot ./*.test.js
        npx --no-install tsc --project .
        npx --no-install tsc --project tsconfig.dom.json
        node types-out/types.js
    )
}

browser() {
    need_chromium
    project
    mkdir -p "$project/browser" && cp -r crates/wasm/tests/browser/. "$project/browser"
    (cd "$project" && CHROMIUM=$(command -v chromium) timeout 900 node browser/run.js "$OLDPWD" "$OLDPWD/target/ci/npm-screenshots")
}

figures() {
    need_chromium
    project
    mkdir -p "$project/bench" && cp crates/wasm/bench/* "$project/bench"
    (cd "$project" && node bench/run.js "$OLDPWD" ${QUICK:+--quick})
}

for step in "$@"; do "$step"; done

#!/usr/bin/env bash
# wasm-toolchain.sh: prints the settings, for `eval`, under which the npm package is built: rustup's std
# for wasm32-unknown-unknown, else Debian's Rust with the sources of std (see std-for.sh) and lld;
# wasm-bindgen's tools, which have to be of the very version of the library; and binaryen's wasm-opt.
# What it fetches is kept below target/ci. WASM_ROUTE=debian takes Debian's Rust in any case.
set -euo pipefail
cd "$(dirname "$0")/.."
lld=22
binaryen=132.0.0
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' Cargo.lock)
tools=$PWD/target/ci/wasm-bindgen-$version

fail() { echo "wasm-toolchain: $*" >&2; exit 1; }

command -v cargo >/dev/null || fail "no cargo; install Rust: https://rustup.rs"
command -v npm >/dev/null || fail "no npm; install Node.js 20 or newer: apt-get install nodejs npm"

if [ "${WASM_ROUTE-}" = debian ]; then
    settings=$(.ci/std-for.sh)
else
    settings=$(.ci/std-for.sh wasm32-unknown-unknown) ||
        fail "no std for wasm32-unknown-unknown; install it: rustup target add wasm32-unknown-unknown"
fi

# With the Rust of this machine, which need not be the one that builds the module. Not --locked: that
# asks for versions which were withdrawn since.
[ -x "$tools/bin/wasm-bindgen-test-runner" ] ||
    cargo install --quiet --root "$tools" --version "=$version" --no-default-features \
        wasm-bindgen-cli >&2 || fail "cannot build wasm-bindgen-cli $version"
if [ "$(cat "$tools/node_modules/binaryen/version" 2>/dev/null)" != "$binaryen" ]; then
    npm install --silent --no-save --prefix "$tools" "binaryen@$binaryen" >&2 ||
        fail "cannot install binaryen: npm install binaryen@$binaryen"
    echo "$binaryen" >"$tools/node_modules/binaryen/version"
fi

echo "$settings"
case $settings in
*-Zbuild-std*)
    # Debian's Rust links wasm with the system's lld.
    linker=$(command -v "wasm-ld-$lld") || {
        .ci/apt-install.sh "lld-$lld" >&2
        linker=$(command -v "wasm-ld-$lld")
    }
    echo "export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker"
    ;;
esac
echo "export PATH=$tools/bin:$tools/node_modules/.bin:\$PATH"

#!/usr/bin/env bash
# Builds the npm package `nanosecond-scheduler` into pkg/. Tools that are missing are fetched, see
# .ci/wasm-toolchain.sh; wasm-pack is used if it is there.
set -euo pipefail
cd "$(dirname "$0")"
settings=$(.ci/wasm-toolchain.sh)
eval "$settings"

crate=$PWD/crates/wasm
target=${CARGO_TARGET_DIR:-$PWD/target}
# bash 3.2, which macOS has, takes an empty array for one that is not set: hence the + below.
# A std that is built here does not get along with one that was built with other options.
[ ${#build_std[@]} = 0 ] || target=$target/ci/build-std
name=nanosecond_scheduler
rm -rf pkg

if command -v wasm-pack >/dev/null && [ ${#build_std[@]} = 0 ]; then
    echo "building with $(wasm-pack --version) and $(rustc --version)"
    wasm-pack --quiet build "$crate" --profile npm --target web --no-typescript --no-pack --no-opt \
        --out-dir "$PWD/pkg" --out-name $name -- --locked
    rm -f pkg/.gitignore
else
    echo "building with $(wasm-bindgen --version) and $(rustc --version)"
    cargo build --quiet --locked --profile npm --target wasm32-unknown-unknown \
        --package nanosecond-scheduler-wasm --target-dir "$target" ${build_std[@]+"${build_std[@]}"}
    wasm-bindgen --target web --no-typescript --out-name $name --out-dir pkg \
        "$target/wasm32-unknown-unknown/npm/nanosecond_scheduler_wasm.wasm"
fi
# Features are those that Node 20 has: a file that may use all that the optimiser knows is refused there.
# What is called once stays a function of its own: inlined, the rare path would cost the common one its
# registers.
wasm-opt -O3 --one-caller-inline-max-function-size=60 --strip-debug --strip-producers --strip-target-features \
    --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext \
    pkg/${name}_bg.wasm -o pkg/${name}_bg.wasm
cp "$crate"/js/* "$crate/README.md" LICENSE-MIT LICENSE-APACHE pkg/

bytes() { cat "$@" | gzip -9 | wc -c; }
echo "pkg/: module $(bytes pkg/*.wasm) bytes gzipped, its glue $(bytes pkg/$name.js)"

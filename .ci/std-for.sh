#!/usr/bin/env bash
# std-for.sh TARGET…: prints the settings, for `eval`, under which cargo can check for these targets:
# rustup's std of each, else one that rustup may fetch, else std's sources from Debian, which are
# then built by the options in the array build_std. Fails if none of that can be had. Without a target,
# Debian's in any case.
set -euo pipefail
cd "$(dirname "$0")/.."

has_std() { ls "$(rustc --print sysroot)/lib/rustlib/$1/lib"/libstd-*.rlib >/dev/null 2>&1; }

may_fetch() { [ "${RUSTUP_AUTO_INSTALL-1}" != 0 ] && command -v rustup >/dev/null; }

from_debian() {
    .ci/debian-rust.sh "$(sed -n 's/^rust-version *= *"\([0-9.]*\)"$/\1/p' Cargo.toml)"
    # The first for build-std, which is not stable.
    echo 'export RUSTC_BOOTSTRAP=1; build_std=(-Zbuild-std=std,panic_abort)'
    exit
}

[ $# -gt 0 ] || from_debian
for target in "$@"; do
    has_std "$target" && continue
    may_fetch && rustup target add "$target" >&2 && continue
    from_debian
done
echo 'build_std=()'

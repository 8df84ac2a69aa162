#!/usr/bin/env bash
# debian-rust.sh VERSION: unpacks Debian's Rust of that version (1.85, say), with the sources of std,
# below target/, without installing it. Prints the settings that make cargo use it, for `eval`.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$1
root=$PWD/target/ci/rust-$wanted

fail() { echo "debian-rust: $*" >&2; exit 1; }

# version PACKAGE: the first offered that is a release of the wanted Rust.
version() { apt-cache madison "$1" | awk -v rust="$wanted." 'index($3, rust) == 1 { print $3; exit }'; }

# Downloads and unpacks a package, and those that it needs of which the system has none.
declare -A seen
unpack() {
    local package=$1 exactly=$2 dependency
    [ -z "${seen[$package]-}" ] || return 0
    seen[$package]=1
    apt-get download --quiet=2 "$package$exactly" >&2
    for dependency in $(apt-cache show "$package$exactly" | awk '/^$/ { exit } /^Depends:/' |
        tr ',' '\n' | sed 's/^Depends://' | awk '{ print $1 }'); do
        case $dependency in
        *rust*-web*) unpack "$dependency" "=$rust" ;;
        lib*-dev) ;;
        lib*) dpkg --status "$dependency" >/dev/null 2>&1 || unpack "$dependency" "" ;;
        esac
    done
}

if [ ! -e "$root/complete" ]; then
    command -v apt-get >/dev/null || fail "no Rust $wanted here, and no apt-get to fetch it with"
    if [ "$(id -u)" = 0 ]; then sudo() { "$@"; }; fi
    sudo apt-get update --quiet=2 >&2
    rust=$(version rustc-web)
    [ -n "$rust" ] || fail "Debian offers no rustc-web $wanted: $(apt-cache madison rustc-web)"
    rm -rf "$root"
    mkdir -p "$root/packages"
    (cd "$root/packages" && for package in rustc-web cargo-web rust-web-src; do
        unpack "$package" "=$rust"
    done)
    for package in "$root"/packages/*.deb; do dpkg --extract "$package" "$root"; done
    rm -r "$root"/packages "$root"/usr/share "$root"/usr/src/*/{compiler,src}
    touch "$root/complete"
fi

libraries=$(echo "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu | tr ' ' :)
cat <<SETTINGS
export PATH=$root/usr/bin:\$PATH RUSTC=$root/usr/bin/rustc RUSTDOC=$root/usr/bin/rustdoc
export LD_LIBRARY_PATH=$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
unset RUSTUP_TOOLCHAIN
SETTINGS

#!/bin/sh
# Counts instructions under Valgrind and compares them with baseline.txt; fails if an operation
# takes over 5 % more than it did. With --update it rewrites the baseline instead.
#
# Counts depend on the compiler: where it is not the one of the baseline, growth is only a warning.
# Installs what is missing: Valgrind from Debian's packages, gungraun's runner by `cargo install`.
set -eu

LIMIT_PERCENT=5
case ${1-} in
'' | --update) ;;
*)
    echo "usage: $0 [--update]" >&2
    exit 2
    ;;
esac
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$PWD/target}
compiler="$(rustc --version) for $(rustc -vV | sed -n 's/^host: //p')"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_valgrind() {
    if ! command -v apt-get >/dev/null; then
        echo "$0: please install Valgrind" >&2
        exit 2
    fi
    as_root apt-get update
    as_root apt-get install --yes --no-install-recommends valgrind
}

# The runner must have the version of the library.
install_runner() {
    version=$(sed -n 's/^gungraun = "=\(.*\)"$/\1/p' Cargo.toml)
    root=$target/tools/gungraun-runner-$version
    GUNGRAUN_RUNNER=$root/bin/gungraun-runner
    export GUNGRAUN_RUNNER
    [ -x "$GUNGRAUN_RUNNER" ] ||
        cargo install --locked --quiet --root "$root" --version "$version" gungraun-runner
}

# Prints the compiler, then a line for each operation: its name and its instructions.
count() {
    echo "$compiler"
    cargo bench --locked --quiet --bench counts -- --color=never >"$target/counts.log" || {
        cat "$target/counts.log" >&2
        exit 1
    }
    # A benchmark prints `file::group::function id:(arguments)`, then `  Instructions: now|before`.
    awk '
        /^[^ ]/ { sub(/^.*::/, "", $1); sub(/:.*/, "", $2); name = $1 "." $2 }
        $1 == "Instructions:" { split($2, counts, "|"); print name, counts[1] }
    ' "$target/counts.log"
}

# Prints a table; fails if something has grown or cannot be compared.
compare() {
    awk -v limit="$LIMIT_PERCENT" '
        FNR == 1 { compiler[NR == FNR] = $0; next }
        NR == FNR { before[$1] = $2; next }
        { now[$1] = $2; names[++n] = $1 }
        END {
            printf "%-24s %12s %12s %9s\n", "instructions", "baseline", "now", "change"
            for (i = 1; i <= n; i++) {
                name = names[i]
                if (!(name in before)) {
                    printf "%-24s %12s %12d %9s\n", name, "-", now[name], "new"
                    unknown = 1
                    continue
                }
                change = 100 * (now[name] / before[name] - 1)
                verdict = (change > limit) ? "  grew" : ""
                grown += (change > limit)
                printf "%-24s %12d %12d %+8.2f%%%s\n", \
                    name, before[name], now[name], change, verdict
            }
            for (name in before) {
                if (!(name in now)) {
                    printf "%-24s %12d %12s %9s\n", name, before[name], "-", "gone"
                    unknown = 1
                }
            }
            if (unknown || n == 0) {
                print "The baseline is of other operations: run check.sh --update."
                exit 1
            }
            if (compiler[1] != compiler[0]) {
                print "Warning: the compilers differ, so this decides nothing:"
                print "  baseline  " compiler[1]
                print "  now       " compiler[0]
            } else if (grown) {
                print grown " of " n " grew by more than " limit " %."
                exit 1
            }
        }
    ' "$1" "$2"
}

command -v valgrind >/dev/null || install_valgrind
mkdir -p "$target"
install_runner
if [ "${1-}" = --update ]; then
    count >"$target/counts.txt"
    mv "$target/counts.txt" baseline.txt
    cat baseline.txt
else
    count >"$target/counts.txt"
    compare baseline.txt "$target/counts.txt"
fi

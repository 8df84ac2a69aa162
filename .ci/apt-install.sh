#!/usr/bin/env bash
# apt-install.sh PACKAGE…: installs Debian's packages, as root or by sudo.
set -euo pipefail
command -v apt-get >/dev/null || { echo "please install: $*" >&2; exit 1; }
if [ "$(id -u)" = 0 ]; then sudo() { "$@"; }; fi
sudo apt-get update --quiet=2
sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install --quiet=2 --yes --no-install-recommends "$@" </dev/null

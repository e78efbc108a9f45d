#!/usr/bin/env bash
# unpack.sh ARCHIVE DIR: unpacks a .tar.xz, with Python where there is no xz.
set -eu
mkdir -p "$2"
if command -v xz >/dev/null; then
    tar -C "$2" -xJf "$1"
else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1" "$2"
fi

#!/usr/bin/env bash
# Packs a folder with which a machine that has a GPU, but no JDK, no Maven and no network, tests and measures the CUDA
# backend.
#
#   jmh/gpu/run.sh pack DIR [--without-fatbin]
#
# DIR must not exist or be empty. Copy it to the machine, and start DIR/run.sh there; DIR/run.sh --help says more.
# Needs a JDK, nvcc (for the compiled kernels, which --without-fatbin leaves out), g++, make and xz.
# MAVEN_ARGS adds options for Maven, for example -o. JMH_SKIP_BUILD=1 packs the last build.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=../../.mvn/jdk.sh
. "$root/.mvn/jdk.sh"
# shellcheck source=../../.mvn/modules.sh
. "$root/.mvn/modules.sh"
# shellcheck source=pack.sh
. "$root/jmh/gpu/pack.sh"

fail() {
    echo "jmh/gpu/run.sh: $*" >&2
    exit 1
}

usage() {
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

[ "${1:-}" = pack ] && [ $# -ge 2 ] || usage
folder=$2
without_fatbin=
case ${3:-} in
    '') ;;
    --without-fatbin) without_fatbin=yes ;;
    *) usage ;;
esac
[ $# -le 3 ] || usage
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    fail "$folder: expected an empty folder, or none"
fi
pack

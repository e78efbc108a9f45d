#!/usr/bin/env bash
# The first run on a GPU, from a folder that `jmh/gpu/run.sh pack` made: needs an NVIDIA driver, CUDA 13's libraries,
# and for some steps compute-sanitizer and Python with torch, transformers and sentence-transformers. No JDK, no Maven,
# no network.
#
#   run.sh [OPTION...]
#
#   --out DIR           where report.md, report.json and logs.tar.gz go (default: $OUT, or first-gpu in the current folder)
#   --minutes N         everything ends after that time (default: 6)
#   --only NAME,...     only these steps, or groups: devices, kernels, memcheck, racecheck, synccheck, initcheck, fatbin,
#                       nvrtc, memory, bench, gelu, graphs, compare, compile
#   --practice DIR      on the stand-in in DIR, without a GPU: few tests, tiny models, the figures mean nothing
#   --list              prints steps, limits in seconds and commands, and runs nothing
#
# No step stops the others. The report is written again after each of them. The exit code is 0 if no step failed.
set -u
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
out=${OUT:-$PWD/first-gpu}
minutes=6
chosen=()
practice=
listing=

refuse() {
    echo "run.sh: $1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        --out | --minutes | --only | --practice)
            [ $# -ge 2 ] || refuse "$1: expected a value, got nothing"
            case $1 in
                --out) out=$2 ;;
                --minutes) minutes=$2 ;;
                --only) IFS=, read -r -a chosen <<<"$2" ;;
                --practice) practice=$(cd "$2" 2>/dev/null && pwd -P) || refuse "--practice: $2 is no folder" ;;
            esac
            shift
            ;;
        --list) listing=yes ;;
        -h | --help)
            sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit
            ;;
        *) refuse "expected --out, --minutes, --only, --practice or --list, got $1" ;;
    esac
    shift
done
case $minutes in
    '' | *[!0-9]*) refuse "--minutes: expected a number, got $minutes" ;;
esac

# In braces, so that bash reads all of it before it runs.
{
    # shellcheck source=report.sh
    . "$here/report.sh"
    # shellcheck source=steps.sh
    . "$here/steps.sh"
    processes=$(getconf _NPROCESSORS_ONLN)
    deadline=$((SECONDS + 60 * minutes - 2 * grace))
    if [ -n "$listing" ]; then
        work=WORK
        scratch=SCRATCH
        logs=LOGS
        steps
        exit
    fi
    mkdir -p "$out" || exit 1
    out=$(cd "$out" && pwd -P)
    work=$(mktemp -d)
    make_scratch
    start_report
    trap 'rm -rf "$work" "$records" "$logs" "$scratch"' EXIT
    # The report stays as it is; what was started ends.
    trap 'kill $(jobs -p) 2>/dev/null; pack_logs; exit 143' TERM INT HUP
    if [ -n "$practice" ]; then
        note="Practice on the stand-in: nothing here was measured on a GPU."
    fi
    steps
    finished=yes
    write_report
    pack_logs
    cat "$out/report.md"
    ! grep -qxE 'failed|crashed|time limit|not finished' "$records"/*.status </dev/null
    exit
}

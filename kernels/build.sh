#!/usr/bin/env bash
# Builds this module. Called by Maven (pom.xml) or by hand. All output goes to target/.
#
#   build.sh sources   copies of the .cu and .cuh files, for NVRTC at run time
#   build.sh fatbin    sgpt4j.fatbin: machine code for current GPUs and PTX for others, where there is an nvcc (minutes)
#   build.sh native    the same for the GPUs of this machine alone, where there are nvcc and nvidia-smi (half a minute),
#                      or for compute capabilities that follow, such as 90
#   build.sh gpus      the compute capabilities that "native" has to compile for; nothing if it has nothing to do, or
#                      nvcc could not do it before
#   build.sh current   says by its exit code whether sgpt4j.fatbin is what "fatbin" makes from these sources
#   build.sh standin   the stand-in for driver and GPU, where there is a g++
#   build.sh test      runs the kernels on the stand-in against references in double precision
#
# Up-to-date output is not rebuilt. Environment: NVCC (a path, or "none"), CUDA_HOME, CUDA_PATH, CXX.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly package=target/resources/io/github/sgpt4j/backend/cuda/launch

# Turing, Ampere, Ada, Hopper, Blackwell. No kernel needs more than compute capability 8.0, so one version of PTX is
# enough for all after Turing, including future GPUs.
readonly targets=(-gencode arch=compute_75,code=sm_75
    -gencode 'arch=compute_80,code=[sm_80,sm_86,sm_89,sm_90,sm_100,sm_120,compute_80]')

say() {
    echo "kernels: $*"
}

# The checksum of all kernel sources.
checksum() {
    cat *.cu common/*.cuh | cksum
}

sources() {
    mkdir -p "$package/common"
    local file
    for file in *.cu common/*.cuh; do
        cmp -s "$file" "$package/$file" || cp "$file" "$package/$file"
    done
    for file in "$package"/*.cu "$package"/common/*.cuh; do
        [ -e "${file#"$package/"}" ] || rm "$file"
    done
    # A fatbin from different sources must not get into the jar.
    if [ -e "$package/sgpt4j.fatbin" ] && [ "$(sed -n 1p target/fatbin/stamp 2>/dev/null)" != "$(checksum)" ]; then
        rm "$package/sgpt4j.fatbin"
    fi
}

# Prints the path of nvcc, or nothing if there is none.
find_nvcc() {
    if [ "${NVCC:-}" = none ]; then
        return
    fi
    local candidate
    for candidate in "${NVCC:-}" "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" "${CUDA_PATH:+$CUDA_PATH/bin/nvcc}" \
        "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
}

# Prints the compute capabilities of this machine's GPUs, such as 75, a line each.
capabilities() {
    local smi limit=()
    # A driver that does not answer must not keep a start waiting.
    ! command -v timeout >/dev/null || limit=(timeout 20)
    for smi in "$(command -v nvidia-smi || true)" /usr/lib/wsl/lib/nvidia-smi; do
        if [ -n "$smi" ] && [ -x "$smi" ]; then
            { ${limit[@]+"${limit[@]}"} "$smi" --query-gpu=compute_cap --format=csv,noheader 2>/dev/null || true; } |
                tr -d '. \r' | awk '/^[0-9]+$/ && $0 >= 75' | sort -un
            return 0
        fi
    done
}

# The stamp of a fatbin that nvcc makes with some options.
stamp_of() {
    local nvcc=$1
    shift
    checksum
    { "$nvcc" --version && cat build.sh spills.txt && echo "$*"; } | cksum
}

is_stamped() {
    [ -e "$package/sgpt4j.fatbin" ] && [ "$(cat target/fatbin/stamp 2>/dev/null)" = "$1" ]
}

# Sets nvcc, and wanted to its options for some compute capabilities. Fails if there is no nvcc or no capability, or what
# it would make is there, perhaps for all GPUs.
plan_native() {
    local capability codes=''
    wanted=()
    nvcc=$(find_nvcc)
    [ -n "$nvcc" ] || return 1
    for capability in "$@"; do
        if [ "$capability" -lt 80 ]; then
            wanted+=(-gencode "arch=compute_$capability,code=sm_$capability")
        else
            codes=${codes}sm_$capability,
        fi
    done
    if [ -n "$codes" ]; then
        wanted+=(-gencode "arch=compute_80,code=[${codes}compute_80]")
    fi
    [ ${#wanted[@]} != 0 ] && ! is_stamped "$(stamp_of "$nvcc" "${targets[@]}")" &&
        ! is_stamped "$(stamp_of "$nvcc" "${wanted[@]}")"
}

# Registers that spill are no failure here: this machine's GPU may be one that spills.txt does not know.
native() {
    # shellcheck disable=SC2046
    [ $# != 0 ] || set -- $(capabilities)
    if plan_native "$@"; then
        compile "$nvcc" "${wanted[@]}"
    else
        say "nothing to compile for this machine's GPUs: no nvcc, or no nvidia-smi that tells of any, or it was done"
    fi
}

gpus() {
    # shellcheck disable=SC2046
    set -- $(capabilities)
    if plan_native "$@" && [ "$(cat target/fatbin/failed 2>/dev/null)" != "$(stamp_of "$nvcc" "${wanted[@]}")" ]; then
        printf '%s\n' "$@"
    fi
}

current() {
    local nvcc
    nvcc=$(find_nvcc)
    [ -n "$nvcc" ] && is_stamped "$(stamp_of "$nvcc" "${targets[@]}")"
}

fatbin() {
    local nvcc
    nvcc=$(find_nvcc)
    if [ -z "$nvcc" ]; then
        say "no nvcc (in NVCC, CUDA_HOME, CUDA_PATH or PATH): no fatbin, NVRTC will compile the kernels at first use"
        rm -f "$package/sgpt4j.fatbin" target/fatbin/stamp
        return
    fi
    compile "$nvcc" "${targets[@]}"
}

# Makes the fatbin with an nvcc and options that say for which GPUs, unless it is there.
compile() {
    local nvcc=$1
    shift
    mkdir -p target/fatbin "$package"
    local stamp
    stamp=$(stamp_of "$nvcc" "$@")
    if is_stamped "$stamp"; then
        say "fatbin is up to date"
        return
    fi
    rm -f target/fatbin/stamp target/fatbin/failed
    # One translation unit, so that one module contains all kernels.
    local file
    for file in *.cu; do
        echo "#include \"$file\""
    done >target/fatbin/sgpt4j.cu
    local started=$SECONDS status=0
    "$nvcc" -std=c++17 -fatbin -I. "$@" -t 0 --Werror all-warnings -Xptxas -v -no-compress \
        -o target/fatbin/sgpt4j.fatbin target/fatbin/sgpt4j.cu \
        >target/fatbin/log 2>&1 || status=$?
    if [ $status != 0 ]; then
        # Ended by a signal it has not failed.
        [ $status -ge 128 ] || echo "$stamp" >target/fatbin/failed
        grep -vE '^ptxas info|bytes stack frame|^$' target/fatbin/log >&2 || true
        say "nvcc failed; the whole log is kernels/target/fatbin/log" >&2
        return 1
    fi
    if [ "$*" = "${targets[*]}" ]; then
        check_spills target/fatbin/log
    fi
    mv target/fatbin/sgpt4j.fatbin "$package/sgpt4j.fatbin"
    echo "$stamp" >target/fatbin/stamp
    say "$(wc -c <"$package/sgpt4j.fatbin") bytes of fatbin in $((SECONDS - started)) s with $nvcc"
}

# Fails if a kernel spills more registers to memory than spills.txt allows.
check_spills() {
    awk '
        FNR == NR {
            if ($1 !~ /^#/ && NF >= 3) { allowed[$1 " " $2] = $3 }
            next
        }
        match($0, /entry function .[^ ]+. for .[^ ]+/) {
            split(substr($0, RSTART, RLENGTH + 1), part, "\047")
            kernel = part[2] " " part[4]
            kernels++
        }
        match($0, /[0-9]+ bytes spill stores/) {
            bytes = substr($0, RSTART, RLENGTH) + 0
            most = kernel in allowed ? allowed[kernel] : allowed[part[2] " *"] + 0
            if (bytes > most) {
                printf "kernels: %s spills %d bytes, spills.txt allows %d\n", kernel, bytes, most > "/dev/stderr"
                bad = 1
            }
        }
        END {
            if (kernels == 0) { print "kernels: no report of registers in the log of nvcc" > "/dev/stderr"; bad = 1 }
            exit bad
        }' spills.txt "$1"
}

# Prints the name of a C++ compiler that can build the stand-in, or nothing if there is none.
find_cxx() {
    local candidate=${CXX:-g++}
    if [ "$candidate" != none ] && command -v "$candidate" >/dev/null && command -v make >/dev/null; then
        echo "$candidate"
    fi
}

standin() {
    local cxx
    cxx=$(find_cxx)
    if [ -z "$cxx" ]; then
        say "no g++ and make: no stand-in, tests of the CUDA backend will be skipped"
        return
    fi
    if [ ! -e standin/Makefile ]; then
        return
    fi
    if [ ! -e target/standin/libcuda.so.1 ]; then
        say "building the stand-in for driver and GPU (minutes, once; -DskipKernels leaves it and its tests out) ..."
    fi
    make -s -C standin CXX="$cxx" -j "$(getconf _NPROCESSORS_ONLN)"
}

run_tests() {
    local cxx
    cxx=$(find_cxx)
    if [ -z "$cxx" ] || [ ! -e standin/Makefile ]; then
        say "tests skipped: they need g++ and make"
        return
    fi
    make -s -C test CXX="$cxx" -j "$(getconf _NPROCESSORS_ONLN)"
    # Blocks and threads run in the order of their numbers, and in two other orders, the last on a Turing; two runs at
    # a time.
    local order failed=0 running=()
    for order in 0 1 2; do
        SGPT_STANDIN_ORDER=$order SGPT_STANDIN_CC=$((order == 2 ? 75 : 90)) target/test/kernels target/standin - . &
        running+=($!)
        if [ ${#running[@]} -ge 2 ]; then
            wait "${running[0]}" || failed=1
            running=("${running[@]:1}")
        fi
    done
    for order in "${running[@]}"; do
        wait "$order" || failed=1
    done
    return "$failed"
}

# In braces, so that bash reads the script completely before it runs it.
{
    case "${1:-}" in
        sources) sources ;;
        fatbin) fatbin ;;
        native) native "${@:2}" ;;
        current) current ;;
        gpus) gpus ;;
        standin) standin ;;
        test) run_tests ;;
        *)
            sed -n '2,14s/^# \{0,1\}//p' "${0##*/}" >&2
            exit 2
            ;;
    esac
    exit
}

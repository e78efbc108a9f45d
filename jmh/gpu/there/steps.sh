# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: what is run, in order. Works on the variables of run.sh and report.sh, and on $work, where the
# archives are unpacked.

# The kernels' tests in groups of about the same length: a name, then how the names of tests begin.
readonly kernel_groups=(
    "elements activation gated convert transpose"
    "rows embed norm rotary"
    "fp8 quantise rescale"
    "pooling pool logprob"
    "attention-sizes attention_with_every attention_with_grouped"
    "attention-lengths attention_over attention_within"
    "attention-trees attention_of"
    "attention-edges attention_with_odd attention_with_large attention_in"
)

# Tests that look at the memory of the whole device, and so run alone.
readonly alone=(io.github.sgpt4j.CudaInterruptTest)

# Tests for practice: the shortest.
readonly practised='RotaryContractTest|PoolContractTest|CudaGoldenTest#scoresAgreeIn32Bits'

# Of the time, the share after which tests have to end, in percent, so that something is measured.
readonly share_of_tests=45

steps() {
    beside unpack-runtime 30 "$here/unpack.sh" "$here/runtime.tar.xz" "$work/runtime"
    beside unpack-java 30 "$here/unpack.sh" "$here/java.tar.xz" "$work/java"
    beside unpack-kernels 30 "$here/unpack.sh" "$here/kernels.tar.xz" "$work/kernels"
    together
    find_programs
    devices
    local end=$deadline
    deadline=$((deadline * share_of_tests / 100))
    kernel_tests
    engine_tests
    together
    memory_tests
    sanitizers
    together
    deadline=$end
    benches
    compares
}

# Sets the commands that steps begin with.
find_programs() {
    local flags=(--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:+UseParallelGC)
    local image=$work/kernels/resources
    fatbin=$image/io/github/sgpt4j/backend/cuda/launch/sgpt4j.fatbin
    sources=$work/kernels/sources
    # Packed without them: NVRTC then.
    [ -n "$listing" ] || [ -f "$fatbin" ] || fatbin=-
    cuda_folder=
    if [ -n "$practice" ]; then
        cuda_folder=$practice
        environment=(env "SGPT_CUDA_PATH=$practice" "SGPT_STANDIN_QUIET=1")
    else
        environment=(env "LD_LIBRARY_PATH=$(cuda_folders)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}")
    fi
    java=("${environment[@]}" "$work/runtime/bin/java" "${flags[@]}")
    # Programs have the kernels that were compiled; tests are given them, or not.
    program=("${java[@]}" -Xmx16g -cp "$image:$work/java/lib/*" "-Dsgpt4j.cuda.cache=$work/cache")
    sgpt=("${program[@]}" io.github.sgpt4j.cli.Main)
    sanitizer=${SGPT_SANITIZER:-$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)}
}

# The folders that have CUDA's libraries: a toolkit's, those of Python's packages, and the driver's where containers
# have it.
cuda_folders() {
    local nvcc folder found=
    nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
    nvcc=$(readlink -f "$nvcc")
    for folder in "${nvcc%/bin/nvcc}"/lib64 /usr/local/cuda/lib64 /usr/local/nvidia/lib64 $(python_folders); do
        if compgen -G "$folder/lib*.so*" >/dev/null; then
            found=$found${found:+:}$folder
        fi
    done
    echo "$found"
}

python_folders() {
    python3 -c '
import glob, sys
for folder in sys.path:
    for found in sorted(glob.glob(folder + "/nvidia/*/lib")):
        print(found)' 2>/dev/null
}

devices() {
    step devices-driver 10 nvidia-smi
    step devices-sgpt 20 "${sgpt[@]}" devices
    step devices-python 10 python3 -c 'import importlib.metadata as m, platform
names = "torch", "transformers", "sentence-transformers"
print("Python", platform.python_version(), *(name + " " + m.version(name) for name in names))'
    [ -z "$listing" ] || return 0
    title=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null | head -n 1)
}

# Sets tests to the command that tests kernels, made here if the one that was carried does not start.
kernel_command() {
    tests=("${environment[@]}" "$work/kernels/test/kernels")
    if [ -z "$listing" ] && ! "${tests[@]}" 2>&1 | grep -q usage; then
        step kernels-build 60 make -C "$work/kernels/test" "OUT=$work/kernels/built"
        tests=("${environment[@]}" "$work/kernels/built/kernels")
    fi
}

kernel_tests() {
    kernel_command
    local group
    beside kernels-fatbin 60 "${tests[@]}" "$cuda_folder" "$fatbin" "$sources" $(practised_kernels)
    beside kernels-nvrtc 90 "${tests[@]}" "$cuda_folder" - "$sources" $(practised_kernels)
}

# Begins of names of kernels' tests for practice, or nothing: all.
practised_kernels() {
    [ -z "$practice" ] || echo rotary embed
}

sanitizers() {
    local tool group words
    if [ -z "$listing" ] && [ ! -x "$sanitizer" ]; then
        lacking="This machine has no compute-sanitizer."
    fi
    for tool in memcheck racecheck synccheck initcheck; do
        for group in "${kernel_groups[@]}"; do
            read -r -a words <<<"$group"
            beside "$tool-${words[0]}" 90 "$sanitizer" --tool "$tool" --error-exitcode 9 --print-limit 20 \
                "${tests[@]}" "$cuda_folder" "$fatbin" "$sources" "${words[@]:1}"
        done
    done
    lacking=
}

# test_step GROUP NAME CLASSPATH: one line of tests.txt, in a virtual machine of its own, so that a device that is lost
# takes no other tests with it.
test_step() {
    local name=${2%%(*} options=()
    name=${name##*.}
    if [ -n "$practice" ]; then
        options=("SGPT_STANDIN_OPTIONS=$work/$1-$name.options")
    fi
    beside "$1-${name/\#/-}" 90 env "${options[@]}" "${java[@]}" -Xmx2g -Dsgpt4j.test.onCuda=true \
        "-Dsgpt4j.test.cuda=${practice:-system}" "-Dsgpt4j.cuda.cache=$work/cache-$1" -cp "$3" \
        io.github.sgpt4j.testing.TestRun run "$2"
}

# The tests of the backend, with the kernels that were compiled, then with those that NVRTC compiles.
engine_tests() {
    local name
    local jars="$work/java/test-classes:$work/java/lib/*:$work/java/test-lib/*"
    while read -r name; do
        if [ -n "$practice" ] && [[ ! ${name%%(*} =~ ($practised)$ ]] || is_alone "$name"; then
            continue
        fi
        test_step fatbin "$name" "$work/kernels/resources:$jars"
        test_step nvrtc "$name" "$jars"
    done <"$here/tests.txt"
}

is_alone() {
    local name
    for name in "${alone[@]}"; do
        [ "$1" != "$name" ] || return 0
    done
    return 1
}

memory_tests() {
    local name
    [ -z "$practice" ] || return 0
    for name in "${alone[@]}"; do
        test_step memory "$name" \
            "$work/kernels/resources:$work/java/test-classes:$work/java/lib/*:$work/java/test-lib/*"
        together
    done
}

# bench_step NAME SECONDS SHAPE TEXTS TOKENS BATCH_TOKENS [JAVA_OPTION]
bench_step() {
    local limit=$2 model=(--shape "$3") work_load=(--texts "$4" --tokens "$5" --batch-tokens "$6" --seconds 2)
    if [ -n "$practice" ]; then
        limit=120
        model=(-m "$work/java/test-classes/goldens/models/gptneo-be")
        work_load=(--texts 2 --tokens 8 --query-tokens 4 --batch-tokens 16 --seconds 1)
    fi
    step "$1" "$limit" "${program[@]}" ${7:+"$7"} io.github.sgpt4j.cli.Main bench "${model[@]}" --device cuda \
        --dtype bf16 "${work_load[@]}" --format json
}

# Passes of about 430 texts, in whole batches.
benches() {
    bench_step bench-4k 15 125M 416 300 4096
    bench_step bench-8k 15 125M 432 300 8192
    bench_step bench-16k 15 125M 432 300 16384
    bench_step bench-32k 15 125M 436 300 32768
    bench_step bench-query 15 125M 1 16 4096
    bench_step gelu-fused 15 125M 432 300 16384 -Dsgpt4j.cuda.fuseActivations=true
    bench_step gelu-unfused 15 125M 432 300 16384 -Dsgpt4j.cuda.fuseActivations=false
}

# compare_step NAME SECONDS SHAPE COMPILE_SECONDS
compare_step() {
    local command limit=$2
    local load=(--shape "$3" --device cuda --batch 32 --batch 128 --texts 256 --batch-tokens 16384
        --batch-tokens 32768 --rounds 2 --seconds 1 --compile-seconds "$4" --scratch "$(scratch)")
    if [ -n "$practice" ]; then
        limit=120
        load=(--shape tiny --shape tiny-GPT2 --device cpu --sgpt-device cuda --batch 2 --batch 4 --texts 4 --tokens 12
            --query-tokens 4 --batch-tokens 64 --rounds 1 --seconds 0.1 --compile-seconds 60
            --compile-backend aot_eager)
    fi
    printf -v command '%q ' "${program[@]}" io.github.sgpt4j.jmh.ComparedModel
    step "$1" "$limit" python3 "$here/compare.py" --sgpt "$command" --dtype bf16 "${load[@]}" --json
}

# Where checkpoints go: memory, if there is enough of it.
scratch() {
    local free
    free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    if [ "${free:-0}" -gt $((16 * 1024 * 1024)) ]; then
        echo /dev/shm
    else
        echo "$work"
    fi
}

# GPT-Neo and GPT-J have no fused attention in transformers; GPT-2 has.
compares() {
    compare_step compare-125M 80 125M 30
    compare_step compare-5.8B 110 5.8B 40
    bench_step bench-5.8B 40 5.8B 108 300 16384
    compare_step compare-GPT2 80 GPT2-124M 30
}

# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: what is run, in order. Works on the variables of run.sh and report.sh, and on $work, where the
# archives are unpacked.

# The kernels' tests in groups of about the same length: a name, then how the names of tests begin.
readonly kernel_groups=(
    "elements activation gated convert transpose"
    "rows embed norm rotary softmax"
    "fp8 quantise rescale"
    "pooling pool logprob"
    "attention-sizes attention_with_every attention_with_grouped"
    "attention-lengths attention_over attention_within"
    "attention-trees attention_of"
    "attention-edges attention_with_odd attention_with_large attention_in_many"
    "attention-directions attention_in_both attention_with_bounded"
    "gradients gradient_of sums_of"
    "attention-gradients attention_gradient"
)

# Tests that look at the memory of the whole device, and so run alone.
readonly alone=(io.github.sgpt4j.CudaInterruptTest)

# Tests for practice, by class or method: the shortest.
readonly practised='RotaryContractTest|PoolContractTest|CudaGoldenTest#scoresAgreeIn32Bits'

# Of the time, the share after which tests have to end, in percent. The limits of what is measured up to "the rest" fit
# into what follows, so all of that gets its turn even if everything takes as long as it may.
readonly share_of_tests=30

# The limit of what is measured for practice, in seconds.
readonly practice_limit=120

steps() {
    beside unpack-runtime 30 "$here/unpack.sh" "$here/runtime.tar.xz" "$work/runtime"
    beside unpack-java 30 "$here/unpack.sh" "$here/java.tar.xz" "$work/java"
    beside unpack-kernels 30 "$here/unpack.sh" "$here/kernels.tar.xz" "$work/kernels"
    together
    find_programs
    devices
    local end=$deadline
    # Nothing waits for chosen tests.
    [ ${#chosen[@]} -gt 0 ] || deadline=$((deadline * share_of_tests / 100))
    warm_up
    kernel_tests
    engine_tests
    together
    memory_tests
    sanitizers
    together
    deadline=$end
    measurements
    the_rest
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
    nvcc=$(command -v nvcc || echo "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc")
    nvcc=$(readlink -f "$nvcc")
    for folder in "${nvcc%/bin/nvcc}"/lib64 /usr/local/cuda/lib64 /usr/local/nvidia/lib64 $(python_folders); do
        if compgen -G "$folder/lib*.so*" >/dev/null; then
            found=$found${found:+:}$folder
        fi
    done
    echo "$found"
}

python_folders() {
    timeout 20 python3 -c '
import glob, sys
for folder in sys.path:
    for found in sorted(glob.glob(folder + "/nvidia/*/lib")):
        print(found)' 2>/dev/null
}

devices() {
    step devices-driver 10 nvidia-smi --query-gpu=name,driver_version,memory.total,persistence_mode \
        --format=csv,noheader
    step devices-sgpt 20 "${sgpt[@]}" devices
    step devices-python 10 python3 -c 'import importlib.metadata as m, platform
names = "torch", "transformers", "sentence-transformers"
print("Python", platform.python_version(), *(name + " " + m.version(name) for name in names))'
    if [ -z "$listing" ] && passed devices-driver; then
        title=$(head -n 1 "$logs/devices-driver.log" | clean)
    fi
}

# Reads Python's packages and CUDA's libraries from the disk beside the tests, so that no measurement waits for it.
warm_up() {
    beside devices-torch 60 python3 -c 'import sentence_transformers, torch, transformers
device = "cuda" if torch.cuda.is_available() else "cpu"
print(device, float((torch.ones(64, 64, device=device) @ torch.ones(64, 64, device=device)).sum()))'
}

# Sets kernels to the program that tests them, made here if the one that was carried does not start, and tests to the
# command that starts it.
kernel_command() {
    kernels=$work/kernels/test/kernels
    tests=("${environment[@]}" "$kernels")
    if [ -z "$listing" ] && ! timeout 10 "${tests[@]}" 2>&1 | grep -q usage; then
        step kernels-build 60 make -C "$work/kernels/test" "OUT=$work/kernels/built"
        kernels=$work/kernels/built/kernels
        tests=("${environment[@]}" "$kernels")
    fi
}

kernel_tests() {
    kernel_command
    beside kernels-fatbin 60 "${tests[@]}" "$cuda_folder" "$fatbin" "$sources" $(practised_kernels)
    beside kernels-nvrtc 90 "${tests[@]}" "$cuda_folder" - "$sources" $(practised_kernels)
}

# Begins of names of kernels' tests for practice, or nothing: all.
practised_kernels() {
    [ -z "$practice" ] || echo rotary embed
}

sanitizers() {
    local tool group words groups=("${kernel_groups[@]}")
    [ -z "$practice" ] || groups=("practice $(practised_kernels)")
    if [ -z "$listing" ] && [ ! -x "$sanitizer" ]; then
        lacking="This machine has no compute-sanitizer."
    fi
    for tool in memcheck racecheck synccheck initcheck; do
        for group in "${groups[@]}"; do
            read -r -a words <<<"$group"
            # It starts the program itself: of processes that its own starts, older versions see nothing.
            beside "$tool-${words[0]}" 90 "${environment[@]}" "$sanitizer" --tool "$tool" --error-exitcode 9 \
                --print-limit 20 "$kernels" "$cuda_folder" "$fatbin" "$sources" "${words[@]:1}"
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

# bench_step NAME SECONDS SHAPE DTYPE TEXTS TOKENS BATCH_TOKENS [JAVA_OPTION]
bench_step() {
    local limit=$2 model=(--shape "$3") load=(--texts "$5" --tokens "$6" --batch-tokens "$7" --seconds 1)
    if [ -n "$practice" ]; then
        limit=$practice_limit
        model=(-m "$work/java/test-classes/goldens/models/gptneo-be")
        load=(--texts 2 --tokens 8 --query-tokens 4 --batch-tokens 16 --seconds 1)
    fi
    step "$1" "$limit" "${program[@]}" ${8:+"$8"} io.github.sgpt4j.cli.Main bench "${model[@]}" --device cuda \
        --dtype "$4" "${load[@]}" --format json
}

# compare_step NAME SECONDS SHAPE WAYS TEXTS ROUNDS: WAYS are those of compare.py.
compare_step() {
    local command limit=$2
    local load=(--shape "$3" --device cuda --batch 32 --batch 128 --texts "$5" --batch-tokens 16384
        --batch-tokens 32768 --rounds "$6" --seconds 0.7 --compile-seconds "$((limit * 2 / 3))")
    if [ -n "$practice" ]; then
        limit=$practice_limit
        load=(--shape "tiny-$3" --device cpu --sgpt-device cuda --batch 2 --batch 4 --texts 4 --tokens 12
            --query-tokens 4 --batch-tokens 64 --rounds 1 --seconds 0.1 --compile-seconds 60
            --compile-backend aot_eager)
    fi
    printf -v command '%q ' "${program[@]}" io.github.sgpt4j.jmh.ComparedModel
    step "$1" "$limit" python3 "$here/compare.py" --sgpt "$command" --dtype bf16 "${load[@]}" --ways "$4" \
        --scratch "$scratch" --results "$logs/$1"
}

# Sets scratch to a folder for checkpoints: in memory, if there is enough of it.
make_scratch() {
    local free
    free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    if [ "${free:-0}" -gt $((16 * 1024 * 1024)) ]; then
        scratch=$(mktemp -d -p /dev/shm)
    else
        scratch=$(mktemp -d)
    fi
}

# What is measured in any case, most important first. A pass has about 430 texts, in whole batches.
measurements() {
    bench_step bench-16k 12 125M bf16 432 300 16384
    bench_step bench-query 12 125M bf16 1 16 4096
    bench_step bench-5.8B 30 5.8B bf16 108 300 16384
    # GPT-Neo and GPT-J have no fused attention in transformers; GPT-2 has.
    compare_step compare-125M 50 125M eager,sdpa,encode 256 2
    compare_step compare-GPT2 50 GPT2 eager,sdpa,encode 256 2
    bench_step bench-fp8 12 125M fp8 432 300 16384
    bench_step bench-4k 10 125M bf16 416 300 4096
    bench_step bench-8k 10 125M bf16 432 300 8192
    bench_step bench-32k 10 125M bf16 436 300 32768
    bench_step gelu-fused 10 125M bf16 432 300 16384 -Dsgpt4j.cuda.fuseActivations=true
    bench_step gelu-unfused 10 125M bf16 432 300 16384 -Dsgpt4j.cuda.fuseActivations=false
    bench_step graphs-off 10 125M bf16 1 16 4096 -Dsgpt4j.cuda.graphs=false
    bench_step graphs-on 10 125M bf16 1 16 4096 -Dsgpt4j.cuda.graphs=true
}

# What is measured in the time that is left, or in a second run.
the_rest() {
    least=45
    compare_step compare-5.8B 100 5.8B eager,sdpa,encode 128 1
    least=15
    bench_step bench-5.8B-fp8 30 5.8B fp8 108 300 16384
    least=40
    compare_step compile-GPT2 70 GPT2 compile 256 2
    compare_step compile-125M 70 125M compile 256 2
    compare_step compile-5.8B 100 5.8B compile 128 1
    least=2
}

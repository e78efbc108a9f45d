# shellcheck shell=bash disable=SC2154
# Sourced by run.sh: packs what the first run on a GPU needs into the folder $folder.
#
# It holds the scripts of jmh/gpu/there, compare.py, tests.txt (the tests by name), and three archives:
#
#   runtime.tar.xz   Java, reduced to the modules that are used
#   java.tar.xz      lib/ (programs without compiled kernels, built-in model and indexes), test-lib/ (JUnit),
#                    test-classes/ (with the goldens)
#   kernels.tar.xz   resources/ (the compiled kernels, as on the class path), sources/, test/ (program and sources)

# What the whole folder may hold, so that it can be carried.
readonly max_bytes=$((60 * 1000 * 1000))

readonly kernel_package=io/github/sgpt4j/backend/cuda/launch

pack() {
    find_jdk 25 || fail "needs a JDK, version 25 or later"
    [ -n "${JMH_SKIP_BUILD:-}" ] || build
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    gather_kernels
    gather_java
    link_runtime
    mkdir -p "$folder"
    cp "$root"/jmh/gpu/there/* "$root/jmh/gpu/compare.py" "$folder/"
    check_programs
    compress runtime --x86
    compress java
    compress kernels --x86
    check_size
}

# compress PART [FILTER]
compress() {
    tar -C "$stage/$1" --sort=name --owner=0 --group=0 -cf - . |
        xz ${2:+"$2"} --lzma2=preset=9e >"$folder/$1.tar.xz"
}

# Runs what is packed, with the Java that is packed, so that nothing is missed first on the other machine. Makes
# tests.txt: finding tests takes classes that running them does not.
check_programs() {
    local java=("$stage/runtime/bin/java" --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED)
    local jars="$stage/java/test-classes:$stage/java/lib/*:$stage/java/test-lib/*" tried
    "$jdk/bin/java" "${java[@]:1}" -cp "$jars:$archunit" io.github.sgpt4j.testing.TestRun list |
        grep '^io\.github\.sgpt4j\.' >"$folder/tests.txt" || true
    [ -s "$folder/tests.txt" ] || fail "found no tests of the CUDA backend"
    tried=$("${java[@]}" -cp "$stage/java/lib/*" io.github.sgpt4j.cli.Main bench --device cpu --format json \
        -m "$stage/java/test-classes/goldens/models/gptneo-be" --texts 2 --tokens 8 --query-tokens 4 --seconds 1 2>&1) ||
        fail "sgpt bench does not run as it is packed: $tried"
    # Contract tests pass on the CPU, too.
    tried=$("${java[@]}" -cp "$jars" io.github.sgpt4j.testing.TestRun run \
        $(grep -o '.*ContractTest$' "$folder/tests.txt") 2>&1) || fail "tests do not run as they are packed: $tried"
}

# Programs and tests, compiled and not run. The kernels where there is nvcc.
build() {
    "$root/mvnw" -q -B -ntp -f "$root/pom.xml" -pl kernels,src/engine,src/cli,jmh -am -DskipTests -Dskip.standin=true \
        package >&2
    "$root/mvnw" -q -B -ntp -f "$root/src/engine/pom.xml" dependency:build-classpath -Dmdep.includeScope=test \
        "-Dmdep.outputFile=$root/src/engine/target/test-classpath" >&2
}

gather_kernels() {
    local file=$root/kernels/target/resources/$kernel_package/sgpt4j.fatbin kernels=$stage/kernels
    mkdir -p "$kernels/resources/$kernel_package" "$kernels/sources" "$kernels/test"
    if [ -z "$without_fatbin" ]; then
        bash "$root/kernels/build.sh" current ||
            fail "kernels/target has no kernels that an nvcc here has compiled from these sources for all GPUs;" \
                "kernels/build.sh fatbin compiles them, --without-fatbin packs without them"
        cp "$file" "$kernels/resources/$kernel_package/"
    fi
    cp -r "$root"/kernels/*.cu "$root/kernels/common" "$kernels/sources/"
    # With its own copy of the C++ library: the other system may have an older one.
    make -s -C "$root/kernels/test" "OUT=$stage/test" CXX="${CXX:-g++} -static-libstdc++ -static-libgcc"
    cp "$stage/test/kernels" "$root"/kernels/test/* "$kernels/test/"
}

gather_java() {
    local java=$stage/java jar
    mkdir -p "$java/lib" "$java/test-lib"
    cp "$root"/src/cli/target/lib/*.jar "$root"/src/cli/target/sgpt4j-cli-*.jar "$java/lib/"
    # The engine without compiled kernels, which are in an archive of their own; no built-in model, no indexes, and no
    # readers of files.
    rm "$java"/lib/sgpt4j-engine-*.jar "$java"/lib/sgpt4j-nano-*.jar "$java"/lib/lucene-*.jar \
        "$java"/lib/{sgpt4j-documents,pdfbox,fontbox,commons-logging,jsoup,commonmark,jackson-dataformat-csv}-*.jar
    cp -r "$root/src/engine/target/classes" "$stage/engine"
    rm -f "$stage/engine/$kernel_package/sgpt4j.fatbin"
    "$jdk/bin/jar" --create --no-compress --file "$java/lib/sgpt4j-engine.jar" -C "$stage/engine" .
    "$jdk/bin/jar" --create --no-compress --file "$java/lib/sgpt4j-jmh.jar" -C "$root/jmh/target/classes" .
    cp -r "$root/src/engine/target/test-classes" "$java/test-classes"
    archunit=
    while read -r jar; do
        case ${jar##*/} in
            junit-* | opentest4j-* | apiguardian-*) cp "$jar" "$java/test-lib/" ;;
            # Only tests that are not run there need these.
            archunit-* | slf4j-*) archunit=$archunit${archunit:+:}$jar ;;
        esac
    done < <(tr ':' '\n' <"$root/src/engine/target/test-classpath" && echo)
}

# The modules that the classes refer to, and those that only options name.
link_runtime() {
    local modules
    find_modules "$stage/all" "$stage"/java/lib/*.jar "$stage"/java/test-lib/*.jar "$stage/java/test-classes/io"
    "$jdk/bin/jlink" --add-modules "$modules,jdk.incubator.vector" --strip-debug --no-header-files --no-man-pages \
        --compress zip-0 --output "$stage/runtime"
}

check_size() {
    local bytes files
    bytes=$(cat "$folder"/* | wc -c)
    (cd "$folder" && wc -c -- *) >&2
    [ "$bytes" -le "$max_bytes" ] || fail "$folder: expected at most $max_bytes bytes, got $bytes"
    # Where the checkout is copied too.
    files=$(git -C "$root" ls-files -z | (cd "$root" && du --apparent-size -bc --files0-from=-) | tail -n 1 | cut -f 1)
    echo "$folder: $bytes bytes; the checkout's own files are $files more."
    echo "Copy it to the machine with the GPU and run $(basename "$folder")/run.sh there."
}

# shellcheck shell=bash disable=SC2154
# Sourced by sgpt when there is something to build or to look into; works on its variables, and with the bash 3.2 that
# macOS has.

# Makes the build, or the ahead-of-time cache, that the start found missing.
prepare() {
    local problem
    if ! problem=$( (mkdir -p "$state" && : >>"$state/lock") 2>&1); then
        # What was built before works without being written to, if slower where a cache is lacking.
        current_build || fail "there is no build of these sources, and none can be made: cannot write to $state" \
            "(${problem##*: })."
        return
    fi
    lock
    if ! current_build; then
        make_build
        # A source that was written to since is a matter of the next start.
        read_build || fail "the build was removed again by somebody else; try again."
        read_cache
    elif [ -z "$cached" ]; then
        say "preparing for faster starts (once, some seconds) ..."
    fi
    if [ -z "$cached" ]; then
        make_cache
    fi
    unlock
}

# Ends with the exit code of Maven or Java, if the caller interrupted or ended it: that is no failure of theirs.
end_if_stopped() {
    case $1 in
        129 | 130 | 143) exit "$1" ;;
    esac
}

# One builder at a time; the others wait. Maven and Java inherit the lock: if this script is killed, they go on writing.
lock() {
    if command -v flock >/dev/null 2>&1; then
        exec 9>>"$state/lock"
        flock -n 9 2>/dev/null && return
        say "waiting for another sgpt that builds ..."
        flock 9 2>/dev/null && return
        # Some network drives have no locks.
        exec 9>&-
    fi
    lock_by_link
}

# A symbolic link is made at once or not at all, with its owner in it.
lock_by_link() {
    local holder said=
    until ln -s $$ "$state/lock.by" 2>/dev/null; do
        holder=$(readlink "$state/lock.by" || true)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
            # Another that waits may have been faster, and have it again.
            mv -f "$state/lock.by" "$state/lock.$$" 2>/dev/null || true
            if [ "$(readlink "$state/lock.$$" || true)" != "$holder" ]; then
                mv -f "$state/lock.$$" "$state/lock.by" 2>/dev/null || true
            fi
            rm -f "$state/lock.$$"
        else
            [ -n "$said" ] || say "waiting for another sgpt that builds (process ${holder:-unknown}) ..."
            said=yes
            sleep 1
        fi
    done
    trap 'rm -f "$state/lock.by"' EXIT
}

unlock() {
    if [ "$(readlink "$state/lock.by" 2>/dev/null || true)" = $$ ]; then
        rm -f "$state/lock.by"
        trap - EXIT
    else
        exec 9>&-
    fi
}

# Builds into a folder of its own and only then points to it: a running sgpt keeps its jars.
make_build() {
    local name work log=$state/build.log status=0
    name=$(date +%Y%m%d%H%M%S)-$$
    work=$state/$name
    say "building (on first use this can take a minute) ..."
    discard_halves
    if ! (: >"$state/building" && mkdir -p "$work/lib" && : >"$work/stamp") 2>"$log"; then
        fail_build
    fi
    compile_kernels
    "$root/mvnw" -B -ntp -f "$root/pom.xml" -pl kernels,src/cli -am -DskipKernels \
        -Dmaven.test.skip=true package >>"$log" 2>&1 || status=$?
    end_if_stopped $status
    if [ $status != 0 ]; then
        # A mistake in a source, most often; nothing is half written then.
        disk_is_full || rm -f "$state/building"
        fail_build
    fi
    if ! gather_jars >>"$log" 2>&1; then
        fail_build
    fi
    rm -f "$state/building"
    remove_builds "$name"
    if ! (rm -rf "$state/current.new" && printf '%s\n' "$name" >"$state/current.new" &&
        if [ -d "$state/current" ]; then rm -rf "$state/current"; fi &&
        mv -f "$state/current.new" "$state/current") 2>>"$log"; then
        fail_build
    fi
}

# Compiles the CUDA kernels for this machine's GPUs, if it has any and nvcc: Maven packs what it finds. Otherwise NVRTC
# compiles them when they are first used, so a failure here is none of the build.
compile_kernels() {
    local kernels=$root/kernels/build.sh gpus status=0
    [ -f "$kernels" ] || return 0
    gpus=$(bash "$kernels" gpus 2>>"$log") || return 0
    [ -n "$gpus" ] || return 0
    say "compiling the kernels for this machine's GPU with nvcc (once, less than a minute) ..."
    # shellcheck disable=SC2086
    bash "$kernels" native $gpus >>"$log" 2>&1 || status=$?
    end_if_stopped $status
    if [ $status != 0 ]; then
        cp "$log" "$state/kernels.log" || true
        say "nvcc could not compile the kernels (its output is in $state/kernels.log); a GPU's first use compiles them."
    fi
}

# Maven takes a file for finished that it was writing when it was killed or the disk was full.
discard_halves() {
    if [ -e "$state/building" ]; then
        rm -rf "$root"/{src/*,weights-tools}/target/{classes,lib,maven-status,*.jar} "$root"/kernels/target/resources
    fi
    # Jars of dependencies that were replaced are not taken away by Maven.
    rm -rf "$root"/src/cli/target/lib
}

# Makes the folder of the build complete, from what Maven made.
gather_jars() {
    cp "$root"/src/cli/target/lib/*.jar "$root"/src/cli/target/sgpt4j-cli-*.jar "$work/lib/" || return
    # Without it everything works as well, but starts slower.
    "$jdk/bin/java" -cp "$work/lib/*" io.github.sgpt4j.cli.ClassFileUpgrade "$work"/lib/picocli-*.jar || true
    touch -r "$work/stamp" "$work"/lib/*.jar || return
    sums_of_jars "$work" >"$work/jars.new" || return
    mv "$work/jars.new" "$work/jars"
}

# What the file "jars" of the build in $1 has to say.
sums_of_jars() {
    (LC_ALL=C && cd "$1/lib" && cksum -- *.jar && echo end)
}

# Removes builds but the one named, the one that it replaces, and those that are still running: classes are loaded from
# jars to the end.
remove_builds() {
    local old running replaced=
    { IFS= read -r replaced <"$state/current"; } 2>/dev/null || true
    running=$(ps -A -ww -o args= 2>/dev/null || cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ') || true
    for old in "$state"/2*-*; do
        case ${old##*/} in
            "$1" | "$replaced") continue ;;
        esac
        case $running in
            *"$old/"*) ;;
            *) rm -rf "$old" ;;
        esac
    done
}

disk_is_full() {
    if grep -qsiE 'no space left|not enough space|disk quota exceeded' "$log"; then
        return 0
    fi
    if (printf '%65536s' ' ' >"$state/probe") 2>/dev/null; then
        rm -f "$state/probe"
        return 1
    fi
    rm -f "$state/probe"
}

fail_build() {
    rm -rf "$work"
    if disk_is_full; then
        fail "the build failed: no space is left on the disk of $state or of Maven's repository."
    fi
    grep -E '^\[(ERROR|WARNING)\]|^mvnw:' "$log" | head -n 40 >&2 || true
    fail "the build failed; all of its output is in $log"
}

# Runs typical commands once and keeps what the virtual machine learned: loaded classes and hot methods. Then loads the
# result, every byte compared. Options of the caller's environment have no part in it.
record_cache() {
    local run=("$jdk/bin/java" "${flags[@]}" -XX:+UseParallelGC -cp "$classpath")
    unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS
    "${run[@]}" -XX:AOTMode=record "-XX:AOTConfiguration=$cache.conf" io.github.sgpt4j.cli.Training &&
        "${run[@]}" -XX:AOTMode=create "-XX:AOTConfiguration=$cache.conf" "-XX:AOTCache=$cache.new" &&
        "${run[@]}" -XX:AOTMode=on "-XX:AOTCache=$cache.new" -XX:+VerifySharedSpaces \
            io.github.sgpt4j.cli.Main --version
}

make_cache() {
    local log=$state/cache.log sum=failed status=0
    rm -rf "$cache.new" "$cache.conf" "$cache.made" "$cache.aot"
    (record_cache) >"$log" 2>&1 </dev/null || status=$?
    end_if_stopped $status
    if [ $status = 0 ] && touch -r "$build/stamp" "$cache.new" &&
        mv -f "$cache.new" "$cache.aot"; then
        sum=$(cksum <"$cache.aot")
    else
        say "cannot make the cache for faster starts (its output is in $log); everything works without."
    fi
    rm -rf "$cache.conf" "$cache.new"
    owner
    if (printf '%s\n%s' "$sum" "$owner" >"$cache.made.new" && mv -f "$cache.made.new" "$cache.made") 2>/dev/null; then
        read_cache
    fi
}

# Compares what the build and its cache contain with what they contained when they were made, and takes back what was
# damaged.
check_contents() {
    local sum size
    [ -r "$build/jars" ] || return 0
    if [ "$(sums_of_jars "$build" 2>/dev/null)" != "$(cat "$build/jars")" ]; then
        take_back "$build/jars" "the jars in $build/lib were damaged" them
        return
    fi
    case $cached in
        '' | failed) return ;;
    esac
    # Another start may have found it before.
    { read -r sum size <"$cache.made"; } 2>/dev/null || return 0
    if [ "$sum $size" != "$(cksum <"$cache.aot")" ]; then
        take_back "$cache.made" "the cache for faster starts, $cache.aot, was damaged" it
    fi
}

# What has no file that describes it is made again.
take_back() {
    if rm -f "$1" 2>/dev/null; then
        say "$2; the next start makes $3 again."
    else
        say "$2, and cannot be removed."
    fi
}

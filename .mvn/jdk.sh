# shellcheck shell=bash
# Sourced by mvnw and sgpt. Plain bash; works with the 3.2 that macOS has.
#
# find_jdk MAJOR sets jdk to the home of the first JDK of at least that major version, or returns 1. It reads the
# "release" file of each candidate, and starts no Java and no process but readlink, so it costs milliseconds.

# Sets major to the major version of the JDK in $1, from its release file (JAVA_VERSION="25.0.3" or "1.8.0_402"); to
# nothing if it is no JDK.
jdk_major() {
    local line
    major=
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            JAVA_VERSION=*)
                major=${line#JAVA_VERSION=}
                major=${major//\"/}
                major=${major#1.}
                major=${major%%[!0-9]*}
                return 0
                ;;
        esac
    done <"$1/release"
}

# Home of the java found on PATH, symbolic links followed; nothing if there is none.
jdk_on_path() {
    local file target hops=0
    file=$(command -v java) || return 0
    while [ -L "$file" ] && [ "$hops" -lt 20 ]; do
        target=$(readlink "$file")
        case $target in
            /*) file=$target ;;
            *) file=${file%/*}/$target ;;
        esac
        hops=$((hops + 1))
    done
    case $file in
        */bin/java) printf '%s\n' "${file%/bin/java}" ;;
    esac
}

# Sets jdk to the first of the given homes that has at least the major version in $1, or returns 1.
first_jdk() {
    local wanted=$1 major
    shift
    for jdk; do
        [ -n "$jdk" ] || continue
        jdk_major "$jdk"
        if [ -n "$major" ] && [ "$major" -ge "$wanted" ]; then
            return 0
        fi
    done
    return 1
}

find_jdk() {
    # What is named by the caller makes the search needless.
    first_jdk "$1" "${SGPT_JAVA_HOME:-}" "${JAVA_HOME:-}" || first_jdk "$1" "$(jdk_on_path)" \
        /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
        "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* "${HOME:-}"/.local/share/mise/installs/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME:-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home
}

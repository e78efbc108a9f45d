# shellcheck shell=bash disable=SC2154
# Sourced by what packs a Java runtime of its own: src/dist/make.sh and jmh/gpu/pack.sh. Needs jdk and fail.

# What some classes refer to and do without: jackson-databind's types of java.desktop and java.sql, reports in XML.
readonly dispensable='java.desktop|java.sql|java.xml'

# find_modules WORK FILE... sets modules to the names of the JDK's modules that the classes of jars and folders refer to,
# with commas. Everything runs on the class path, so what the jars say about modules does not count: jdeps sees folders
# without it. WORK is a folder that is made and removed; the name of a folder is the beginning of its packages.
find_modules() {
    local work=$1 file
    shift
    mkdir "$work"
    for file; do
        case $file in
            *.jar) (cd "$work" && "$jdk/bin/jar" --extract --file "$file") ;;
            *) cp -r "$file" "$work/" ;;
        esac
    done
    find "$work" -name module-info.class -delete
    # Each on a line, with a package behind it where that is not exported.
    modules=$("$jdk/bin/jdeps" --multi-release 25 --ignore-missing-deps --list-deps "$work") || fail "jdeps: $modules"
    rm -rf "$work"
    modules=$(sed -E 's/^ *([^ /]+).*/\1/' <<<"$modules" | grep -vxE "$dispensable|not|JDK.*" | sort -u |
        paste -s -d , -)
}

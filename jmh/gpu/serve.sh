#!/usr/bin/env bash
# Builds and starts sgpt4j's side of compare.py, which starts this script.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=../../.mvn/jdk.sh
. "$root/.mvn/jdk.sh"
find_jdk 25 || {
    echo "jmh/gpu/serve.sh: needs a JDK, version 25 or later" >&2
    exit 1
}
if [ -z "${JMH_SKIP_BUILD:-}" ]; then
    "$root/mvnw" -q -B -ntp -f "$root/pom.xml" -pl kernels,jmh -am -Dmaven.test.skip=true package >&2
fi
exec "$jdk/bin/java" --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:+UseParallelGC \
    -cp "$root/jmh/target/classes:$(cat "$root/jmh/target/classpath")" io.github.sgpt4j.jmh.ComparedModel "$@"

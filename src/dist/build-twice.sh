#!/usr/bin/env bash
# Builds the committed sources twice, in two folders, and compares the jars byte for byte: whoever has the sources can
# check that a jar was made from them. Options are passed on to Maven (-o, for example).
set -euo pipefail
root=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Of another length: a path in a jar would show.
for copy in first the-second; do
    git clone -q --no-hardlinks "$root" "$work/$copy"
    (cd "$work/$copy" && ./mvnw -q -B -ntp "$@" -P release -DskipTests -DskipKernels package)
    (cd "$work/$copy" && find . -path '*/target/sgpt4j-*' \( -name '*.jar' -o -name '*-sbom.json' \) -not -path '*/lib/*' \
        -exec sha256sum {} + | sort -k 2) >"$work/$copy.sums"
done
count=$(wc -l <"$work/first.sums")
[ "$count" -gt 8 ] || {
    echo "build-twice.sh: expected more than 8 files, found $count" >&2
    exit 1
}
diff "$work/first.sums" "$work/the-second.sums"
echo "$count files are the same in both builds."

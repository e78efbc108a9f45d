#!/usr/bin/env bash
# Packs the sgpt command with a Java runtime of its own, from what Maven built:
#
#   target/sgpt4j-VERSION-SYSTEM-ARCHITECTURE.tar.gz    to be extracted anywhere
#   target/sgpt4j_VERSION_ARCHITECTURE.deb              for Debian and its relatives, if dpkg-deb is at hand
#
# Called by Maven (-P dist) with the version. The files of an archive:
#
#   bin/sgpt        the launcher
#   runtime/        Java, the modules that are used only
#   lib/            the jars, their order (classpath), the cache for faster starts (sgpt.aot)
#   share/          man pages, completion of bash, zsh and fish, licences
set -euo pipefail
version=$1
here=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(CDPATH='' cd -- "$here/../.." && pwd -P)
target=$here/target
# shellcheck source=../../.mvn/jdk.sh
. "$root/.mvn/jdk.sh"
# shellcheck source=../../.mvn/modules.sh
. "$root/.mvn/modules.sh"

fail() {
    echo "src/dist/make.sh: $*" >&2
    exit 1
}

find_jdk 25 || fail "expected a JDK, version 25 or later, found none"
architecture=$(uname -m)
case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "expected Linux or macOS, got $(uname -s)" ;;
esac
name=sgpt4j-$version-$system-$architecture
folder=$target/$name
rm -rf "$folder" "$target/all" "$target"/*.tar.gz "$target"/*.deb
mkdir -p "$folder"/{bin,lib,share/doc/sgpt4j}
# The time of all files: the cache for faster starts knows its jars by time and size, archives keep times.
stamp='2026-01-01 00:00:00 UTC'

copy_jars() {
    cp "$root"/src/cli/target/lib/*.jar "$root/src/cli/target/sgpt4j-cli-$version.jar" "$folder/lib/"
    # Verified by an older verifier that cannot use the cache, unless its class files are of a newer format.
    "$jdk/bin/java" -cp "$folder/lib/*" io.github.sgpt4j.cli.ClassFileUpgrade "$folder"/lib/picocli-*.jar
    (cd "$folder/lib" && LC_ALL=C && printf '%s\n' *.jar) >"$folder/lib.order"
    mv "$folder/lib.order" "$folder/lib/classpath"
    cp "$here/sgpt" "$folder/bin/sgpt"
    chmod 755 "$folder/bin/sgpt"
    cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$folder/share/doc/sgpt4j/"
}

# The modules that the jars' classes refer to, and those that are found by name.
link_runtime() {
    local modules
    find_modules "$target/all" "$folder"/lib/*.jar
    # jdk.crypto.ec and charsets are found by name, not by reference. PDFBox needs java.desktop, and reading of Word's
    # documents java.xml; what else refers to these does without.
    "$jdk/bin/jlink" --add-modules "$modules,java.desktop,java.xml,jdk.incubator.vector,jdk.charsets" --strip-debug --no-header-files \
        --no-man-pages --output "$folder/runtime"
}

# Runs typical commands once and keeps what the virtual machine learned. See .mvn/build.sh.
make_cache() {
    local classpath jar run
    find "$folder" -exec touch -h -d "$stamp" {} +
    classpath=
    while read -r jar; do
        classpath=$classpath${classpath:+:}$folder/lib/$jar
    done <"$folder/lib/classpath"
    run=(
        "$folder/runtime/bin/java" --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED
        --add-opens=java.base/java.io=ALL-UNNAMED -XX:-UsePerfData -XX:+UseParallelGC -cp "$classpath"
    )
    unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS
    "${run[@]}" -XX:AOTMode=record "-XX:AOTConfiguration=$target/sgpt.conf" io.github.sgpt4j.cli.Training
    "${run[@]}" -XX:AOTMode=create "-XX:AOTConfiguration=$target/sgpt.conf" "-XX:AOTCache=$folder/lib/sgpt.aot"
    rm -f "$target/sgpt.conf"
}

write_manual() {
    mkdir -p "$folder"/share/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
    rm -rf "$target/man"
    "$jdk/bin/java" -cp "$(cat "$target/classpath")" "$here/ManPages.java" "$target/man"
    gzip -9 -n "$target"/man/*.1
    cp "$target"/man/*.1.gz "$folder/share/man/man1/"
    "$folder/bin/sgpt" completion bash >"$folder/share/bash-completion/completions/sgpt"
    "$folder/bin/sgpt" completion fish >"$folder/share/fish/vendor_completions.d/sgpt.fish"
    {
        printf '#compdef sgpt\n'
        "$folder/bin/sgpt" completion zsh
    } >"$folder/share/zsh/site-functions/_sgpt"
}

make_archive() {
    find "$folder" -newermt "$stamp" -exec touch -h -d "$stamp" {} +
    tar -C "$target" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -n >"$target/$name.tar.gz"
}

# The files of the archive below /usr/lib/sgpt4j, its manual and completions where Debian's programs look for them.
make_debian_package() {
    local package=$target/deb architecture_name size
    command -v dpkg-deb >/dev/null || {
        echo "No Debian package: dpkg-deb is not at hand."
        return
    }
    case $architecture in
        x86_64) architecture_name=amd64 ;;
        aarch64) architecture_name=arm64 ;;
        *) architecture_name=$architecture ;;
    esac
    rm -rf "$package"
    mkdir -p "$package"/{DEBIAN,usr/bin,usr/lib/sgpt4j,usr/share}
    cp -a "$folder"/{bin,lib,runtime} "$package/usr/lib/sgpt4j/"
    cp -a "$folder"/share/. "$package/usr/share/"
    mv "$package/usr/share/zsh/site-functions" "$package/usr/share/zsh/vendor-completions"
    mv "$package/usr/share/doc/sgpt4j/LICENSE" "$package/usr/share/doc/sgpt4j/copyright"
    ln -s ../lib/sgpt4j/bin/sgpt "$package/usr/bin/sgpt"
    size=$(du -sk --apparent-size "$package/usr" | cut -f 1)
    # A snapshot comes before its release: Debian sorts a tilde first.
    cat >"$package/DEBIAN/control" <<END
Package: sgpt4j
Version: ${version/-SNAPSHOT/~snapshot}
Section: science
Priority: optional
Architecture: $architecture_name
Depends: bash, libc6, zlib1g
Installed-Size: $size
Maintainer: The maintainers of sgpt4j <noreply@github.com>
Homepage: https://github.com/sgpt4j/sgpt4j
Description: sentence embeddings and re-ranking from GPT-style models
 The sgpt command embeds texts, scores documents, indexes and searches
 collections, trains models and serves them over HTTP. It reads plain
 Hugging Face checkpoints and needs no Python.
END
    find "$package" -newermt "$stamp" -exec touch -h -d "$stamp" {} +
    SOURCE_DATE_EPOCH=$(date -d "$stamp" +%s) dpkg-deb --root-owner-group -Zxz --build "$package" \
        "$target/sgpt4j_${version/-SNAPSHOT/~snapshot}_$architecture_name.deb"
    rm -rf "$package"
}

copy_jars
link_runtime
make_cache
write_manual
make_archive
make_debian_package
ls -l "$target"/*.tar.gz "$target"/*.deb

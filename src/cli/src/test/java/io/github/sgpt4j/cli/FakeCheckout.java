package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A checkout with the real launcher script and short scripts in place of Maven and Java.
///
/// Maven builds two jars, a library and the program, by copying the two sources. Java prints how it was started.
/// Both write a line to `events` for everything that they build.
final class FakeCheckout {
    private static final String MAVEN = """
            #!/usr/bin/env bash
            root=${0%/*}
            echo build >>"$root/events"
            [ ! -e "$root/mvnw.extra" ] || . "$root/mvnw.extra"
            mkdir -p "$root/src/cli/target/lib"
            cp "$root/src/cli/src/main/Library" "$root/src/cli/target/lib/picocli-1.jar"
            cp "$root/src/cli/src/main/Source" "$root/src/cli/target/sgpt4j-cli-1.jar"
            """;

    /// Takes class path and options like the virtual machine.
    private static final String JAVA = """
            #!/usr/bin/env bash
            home=${0%/bin/java}
            [ ! -e "$home/java.extra" ] || . "$home/java.extra"
            collectors= cache=none classpath= mode=run
            while [ $# -gt 0 ]; do
                case $1 in
                    -XX:+Use*GC) collectors=$collectors$1 ;;
                    -XX:AOTCache=*) cache=${1#*=} ;;
                    -XX:AOTConfiguration=*) configuration=${1#*=} ;;
                    -XX:AOTMode=*) mode=${1#*=} ;;
                    -cp) classpath=$2; shift ;;
                    -*) ;;
                    *ClassFileUpgrade) exit 0 ;;
                    *) break ;;
                esac
                shift
            done
            case $mode in
                record) echo "cache" >>"$home/events"; echo x >"$configuration" ;;
                create) [ -s "$configuration" ] && echo "classes learned" >"$cache" ;;
                run)
                    shift
                    echo "program: $(cat "${classpath##*:}")"
                    echo "jars: $classpath"
                    echo "cache: $cache"
                    echo "collectors: $collectors"
                    echo "arguments: $*"
                    [ "$cache" = none ] || [ "$(cat "$cache")" = "classes learned" ] || echo "damaged cache"
                    ;;
            esac
            """;

    /// Waits also for the end of the filter behind the command, which holds stderr: Java reads output only
    /// until the process itself ends.
    private static final String TO_THE_END = "{ \"$@\" 2>&1 >&3 3>&- | cat >&2 3>&-; exit \"${PIPESTATUS[0]}\"; } 3>&1";

    private final Path root;
    private final Path jdk;
    private final Map<String, String> environment = new TreeMap<>();

    /// The result of a start.
    ///
    /// @param code the exit code
    /// @param out stdout
    /// @param err stderr
    record Result(int code, String out, String err) {
        /// The value that the fake Java printed under a name.
        String value(String name) {
            return out.lines()
                    .filter(line -> line.startsWith(name + ": "))
                    .map(line -> line.substring(name.length() + 2))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(this));
        }
    }

    private FakeCheckout(Path root, Path jdk) {
        this.root = root;
        this.jdk = jdk;
        environment.put("PATH", System.getenv("PATH"));
        environment.put("HOME", jdk.toString());
        environment.put("SGPT_JAVA_HOME", jdk.toString());
    }

    /// @param root a folder that does not exist
    /// @param jdk the place of the fake JDK, which is created if it does not exist
    static FakeCheckout create(Path root, Path jdk) throws IOException {
        Path real = Path.of("").toAbsolutePath();
        while (!Files.exists(real.resolve("sgpt"))) {
            real = real.getParent();
        }
        Files.createDirectories(root.resolve(".mvn"));
        Files.copy(real.resolve("sgpt"), root.resolve("sgpt"), StandardCopyOption.COPY_ATTRIBUTES);
        try (Stream<Path> files = Files.list(real.resolve(".mvn"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, root.resolve(".mvn").resolve(file.getFileName()));
            }
        }
        Files.createDirectories(root.resolve("kernels/common"));
        Files.createDirectories(root.resolve("src/cli/src/main"));
        Files.createDirectories(root.resolve("weights-tools/src/main"));
        for (String file : List.of("pom.xml", "kernels/a.cu", "src/cli/pom.xml", "weights-tools/pom.xml")) {
            Files.writeString(root.resolve(file), "");
        }
        Files.writeString(root.resolve("src/cli/src/main/Source"), "first\n");
        Files.writeString(root.resolve("src/cli/src/main/Library"), "library\n");
        writeScript(root.resolve("mvnw"), MAVEN);
        if (!Files.exists(jdk)) {
            Files.createDirectories(jdk.resolve("bin"));
            Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
            writeScript(jdk.resolve("bin/java"), JAVA);
            writeScript(jdk.resolve("bin/javac"), "");
        }
        return new FakeCheckout(root, jdk);
    }

    /// The same checkout after its files were moved or copied to another place.
    FakeCheckout at(Path other) {
        return new FakeCheckout(other, jdk);
    }

    /// The same checkout with another JDK.
    FakeCheckout on(Path other) {
        return new FakeCheckout(root, other);
    }

    FakeCheckout with(String name, String value) {
        FakeCheckout changed = new FakeCheckout(root, jdk);
        changed.environment.putAll(environment);
        changed.environment.put(name, value);
        return changed;
    }

    FakeCheckout without(String name) {
        FakeCheckout changed = with(name, "");
        changed.environment.remove(name);
        return changed;
    }

    Path root() {
        return root;
    }

    Path state() {
        return root.resolve("target/sgpt");
    }

    /// The folder of the current build.
    Path build() throws IOException {
        return state().resolve(Files.readString(state().resolve("current")).strip());
    }

    Path jar(String name) throws IOException {
        return build().resolve("lib").resolve(name);
    }

    Path programJar() throws IOException {
        return jar("sgpt4j-cli-1.jar");
    }

    /// The cache of the JDK in use.
    Path cache() throws IOException {
        return build().resolve(jdk.toString().replaceAll("[/:]", "_") + ".aot");
    }

    /// Sets lines of bash that Maven runs before it builds anything.
    void mavenDoes(String lines) throws IOException {
        Files.writeString(root.resolve("mvnw.extra"), lines);
    }

    /// Sets lines of bash that Java runs first.
    void javaDoes(String lines) throws IOException {
        Files.writeString(jdk.resolve("java.extra"), lines);
    }

    /// How many times Maven has built here.
    long builds() throws IOException {
        return lines(root.resolve("events"));
    }

    /// How many times a cache was created with this JDK.
    long caches() throws IOException {
        return lines(jdk.resolve("events"));
    }

    Result start(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("bash", root.resolve("sgpt").toString()));
        command.addAll(List.of(arguments));
        return run(Path.of("/"), command);
    }

    /// Runs a command in the environment of a start.
    Result run(Path directory, List<String> command) throws IOException, InterruptedException {
        return end(begin(directory, command));
    }

    Process begin(Path directory, List<String> command) throws IOException {
        List<String> whole = new ArrayList<>(List.of("bash", "-c", TO_THE_END, "bash", "env", "-i"));
        environment.forEach((name, value) -> whole.add(name + "=" + value));
        whole.addAll(command);
        Process process =
                new ProcessBuilder(whole).directory(directory.toFile()).start();
        process.getOutputStream().close();
        return process;
    }

    static Result end(Process process) throws IOException, InterruptedException {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, err);
    }

    private static long lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file).size() : 0;
    }

    private static void writeScript(Path file, String text) throws IOException {
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }
}

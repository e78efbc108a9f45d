package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs the command, or another main class of the tests, in its own process.
final class ChildCommand {
    /// Time limit of a child in seconds; one that takes longer is considered to hang.
    private static final long MAX_SECONDS = 60;

    private ChildCommand() {}

    /// A command line for Java with options for a fast start.
    static List<String> java(Class<?> main, String... options) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xlog:disable"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return command;
    }

    /// Runs the command to its end under limits set by the shell's `ulimit`.
    ///
    /// @param folder for files with its output
    static Cli.Result runLimited(Path folder, String limits, List<String> options, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", "-c", limits + "; exec \"$@\"", "bash"));
        command.addAll(java(Main.class, options.toArray(String[]::new)));
        command.addAll(List.of(arguments));
        return run(folder, command);
    }

    private static Cli.Result run(Path folder, List<String> command) throws IOException, InterruptedException {
        Path out = folder.resolve("child.out");
        Path err = folder.resolve("child.err");
        Process process = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            assertTrue(process.waitFor(MAX_SECONDS, TimeUnit.SECONDS), () -> "it hangs: " + command);
            String said = Files.readString(err, StandardCharsets.UTF_8)
                    .replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
            return new Cli.Result(process.exitValue(), Files.readAllBytes(out), said);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    /// Limits for [#runLimited]: a private mount namespace in which the shell has mounted something.
    static String mounted(String mounts) {
        return "exec unshare -Urm bash -c '%s && exec \"$@\"' bash \"$@\"".formatted(mounts);
    }

    /// Whether this user may create such a namespace.
    static boolean canMount() throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", "-c", mounted("mount -t tmpfs none /mnt"), "bash", "true")
                .redirectErrorStream(true)
                .start();
        process.getInputStream().readAllBytes();
        return process.waitFor() == 0;
    }
}

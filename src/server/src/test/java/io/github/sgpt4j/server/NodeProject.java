package io.github.sgpt4j.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/// Scripts for Node in a folder of the tests, with the packages that its `package-lock.json` names.
///
/// The folder is copied to `target/node`, where the packages are installed once. A machine without Node skips the tests
/// that need one; where the environment variable `CI` is set, they fail instead.
public final class NodeProject {
    private static final int MIN_VERSION = 20;
    private static final Duration QUICK = Duration.ofSeconds(30);
    private static final Duration INSTALLATION = Duration.ofMinutes(5);
    private static final int SHOWN_CHARACTERS = 6000;
    private static final String INSTALLED = "installed";

    private final Path directory;

    private NodeProject(Path directory) {
        this.directory = directory;
    }

    /// The scripts of a folder below `src/test`, ready to run.
    ///
    /// @param name of the folder, which has `package.json` and `package-lock.json`
    public static synchronized NodeProject of(String name) {
        requireNode();
        Path source = Path.of("src", "test", name);
        NodeProject project = new NodeProject(Path.of("target", "node", name).toAbsolutePath());
        try {
            copy(source, project.directory);
            project.install();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return project;
    }

    private static void requireNode() {
        String version;
        try {
            Files.createDirectories(Path.of("target"));
            version = run(Path.of("target"), QUICK, Map.of(), List.of("node", "--version"))
                    .strip();
            run(Path.of("target"), QUICK, Map.of(), List.of("npm", "--version"));
        } catch (IOException e) {
            missing("needs Node %d or later with npm on the PATH: %s".formatted(MIN_VERSION, e.getMessage()));
            return;
        }
        int major = Integer.parseInt(version.substring(1).split("\\.", 2)[0]);
        if (major < MIN_VERSION) {
            missing("needs Node %d or later, got %s".formatted(MIN_VERSION, version));
        }
    }

    /// Skips the running test, or fails it in continuous integration, which must not skip.
    ///
    /// @param sentence says what the test needs
    public static void missing(String sentence) {
        if (System.getenv("CI") != null) {
            Assertions.fail(sentence);
        }
        Assumptions.abort(sentence);
    }

    private static void copy(Path source, Path target) throws IOException {
        Files.walkFileTree(source, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                if (folder.endsWith("node_modules")) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(target.resolve(source.relativize(folder)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, target.resolve(source.relativize(file)), StandardCopyOption.REPLACE_EXISTING);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /// Installs the packages unless that was done for the same list of them.
    private void install() throws IOException {
        Path mark = directory.resolve(INSTALLED);
        String wanted = Files.readString(directory.resolve("package-lock.json"));
        if (Files.exists(mark) && Files.readString(mark).equals(wanted)) {
            return;
        }
        Files.deleteIfExists(mark);
        run(directory, INSTALLATION, Map.of(), List.of("npm", "ci", "--prefer-offline"));
        Files.writeString(mark, wanted);
    }

    /// Where the scripts and their packages are.
    public Path directory() {
        return directory;
    }

    /// Runs a script.
    ///
    /// @param limit after which it is ended, and the test fails
    /// @param environment variables besides those of this process
    /// @return what it wrote to its standard output
    /// @throws AssertionError if it takes too long, or its exit status is not 0; shows what it wrote
    public String run(Duration limit, Map<String, String> environment, String script, String... arguments) {
        List<String> command = new ArrayList<>(List.of("node", script));
        command.addAll(List.of(arguments));
        try {
            return run(directory, limit, environment, command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String run(Path folder, Duration limit, Map<String, String> environment, List<String> command)
            throws IOException {
        Path out = Files.createTempFile("node", ".out");
        Path err = Files.createTempFile("node", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            boolean ended = false;
            try {
                ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                end(process);
            }
            if (!ended || process.exitValue() != 0) {
                Assertions.fail("`%s` %s%n--- standard error%n%s%n--- standard output%n%s"
                        .formatted(
                                String.join(" ", command),
                                ended
                                        ? "failed with exit status " + process.exitValue()
                                        : "was ended after " + limit.toSeconds() + " s",
                                last(err),
                                last(out)));
            }
            return Files.readString(out);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /// Ends a process and all that it started; does nothing to one that has ended.
    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static String last(Path file) throws IOException {
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        return text.length() <= SHOWN_CHARACTERS ? text : "…" + text.substring(text.length() - SHOWN_CHARACTERS);
    }
}

package io.github.sgpt4j.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Another virtual machine on this class path, with other options.
public final class OtherJvm {
    private OtherJvm() {}

    /// The output of a class's main method, including warnings, with the Vector API and some options.
    public static String run(Class<?> main, String... options) throws IOException {
        Process process = start(main, options);
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /// How another virtual machine ended.
    ///
    /// @param status the exit status, such as 134 after a crash
    /// @param output its output, including warnings
    public record Ended(int status, String output) {}

    /// As [#run], but returns the status as well.
    public static Ended end(Class<?> main, String... options) throws IOException, InterruptedException {
        Process process = start(main, options);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    private static Process start(Class<?> main, String... options) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }
}

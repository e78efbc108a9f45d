package io.github.sgpt4j.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Starts classes of the tests in separate virtual machines.
final class ChildJvm {
    private ChildJvm() {}

    /// @param before words of a program that starts the virtual machine, possibly none
    /// @param arguments of the class
    static List<String> command(List<String> before, Class<?> type, String... arguments) {
        List<String> command = new ArrayList<>(before);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                type.getName()));
        command.addAll(List.of(arguments));
        return command;
    }
}

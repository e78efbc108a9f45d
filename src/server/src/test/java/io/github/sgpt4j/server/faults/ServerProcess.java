package io.github.sgpt4j.server.faults;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A [FaultServer] as a process of its own.
final class ServerProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private final InetSocketAddress address;

    /// @param heap bytes in use after a collection
    /// @param threads of the platform
    record State(long heap, int threads) {}

    /// @param port 0 for any
    /// @param properties `NAME=VALUE`
    ServerProcess(int port, int readSeconds, int connections, String... properties) {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        // The virtual machine of the tests has the flags that the engine needs.
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--") || flag.startsWith("-Dsgpt4j"))
                .forEach(command::add);
        command.add("-Xmx512m");
        for (String property : properties) {
            command.add("-D" + property);
        }
        command.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                FaultServer.class.getName(),
                String.valueOf(port),
                String.valueOf(readSeconds),
                String.valueOf(connections)));
        try {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            output = process.inputReader(StandardCharsets.UTF_8);
            address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(line()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String line() throws IOException {
        String line = output.readLine();
        if (line == null) {
            throw new IOException("the server's process has ended");
        }
        return line;
    }

    InetSocketAddress address() {
        return address;
    }

    State state() throws IOException {
        process.outputWriter(StandardCharsets.UTF_8).write("state\n");
        process.outputWriter(StandardCharsets.UTF_8).flush();
        String[] fields = line().split(" ");
        return new State(Long.parseLong(fields[0]), Integer.parseInt(fields[1]));
    }

    /// Ends it as kill -9 does.
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws IOException {
        process.outputWriter(StandardCharsets.UTF_8).close();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("the server did not end");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            throw new IOException(e);
        }
    }
}

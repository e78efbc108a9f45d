package io.github.sgpt4j.server.faults;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// A server with the built-in model, in the same process or as a process of its own, where limits that the JDK reads
/// once can be set.
final class FaultServer {
    private FaultServer() {}

    /// Serves on this machine.
    ///
    /// @param port 0 for any
    static SgptServer start(Limits limits, int port) throws IOException {
        SgptServer server = SgptServer.start(
                ServerOptions.DEFAULT.withAddress("127.0.0.1", port).withLimits(limits));
        server.serve(new ServedModels(List.of(nano())));
        return server;
    }

    private static ServedModel nano() {
        Model model = Model.open(NanoModel.directory());
        BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        return new ServedModel("nano", List.of(), model, Optional.of(encoder), Optional.empty());
    }

    /// Arguments: port, seconds for reading, connections. Writes its port, then the state of its memory whenever it
    /// reads a line, and ends with its input.
    public static void main(String... args) throws IOException {
        Limits limits = Limits.DEFAULT
                .withReadTimeout(Duration.ofSeconds(Integer.parseInt(args[1])))
                .withConnections(Integer.parseInt(args[2]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (SgptServer server = start(limits, Integer.parseInt(args[0]))) {
            System.out.println(server.address().getPort());
            while (in.readLine() != null) {
                System.out.println(state());
            }
        }
    }

    private static String state() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        return used + " " + Thread.getAllStackTraces().size();
    }
}

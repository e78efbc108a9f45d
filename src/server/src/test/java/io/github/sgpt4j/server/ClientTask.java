package io.github.sgpt4j.server;

import io.github.sgpt4j.TextKind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// What the tests of all clients send, and what the engine computes for it.
final class ClientTask {
    static final String KEY = "secret-of-the-tests";
    /// Most texts of a request to the servers of these tests.
    static final int MAX_BATCH = 20;
    static final int DIMENSIONS = 64;
    static final String QUERY = "a small house cat";
    static final List<String> TEXTS = List.of(
            "The cat sleeps on the warm roof.",
            "Ein Satz mit Umlauten: äöü, and a \"quoted\" word",
            "line one, line two",
            "鳥 🐦 bird",
            "a");
    static final List<String> DOCUMENTS =
            List.of("feline mammal with soft fur", "a vehicle with four wheels", "a domestic cat", "to run quickly");
    /// As many as a request may have.
    static final List<String> MANY =
            IntStream.range(0, MAX_BATCH).mapToObj(i -> "sentence number " + i).toList();
    static final List<String> TOO_MANY = IntStream.rangeClosed(0, MAX_BATCH)
            .mapToObj(i -> "sentence number " + i)
            .toList();
    /// Has more tokens than the model takes.
    static final String LONG = "many words of a long text ".repeat(200);

    private ClientTask() {}

    /// Options of the servers.
    static ServerOptions options(ServerOptions usual) {
        return usual.withApiKey(KEY).withLimits(Limits.DEFAULT.withClientBatchSize(MAX_BATCH));
    }

    /// Token ids of the texts.
    static List<List<Long>> ids(RunningServer server) {
        return TEXTS.stream()
                .map(text -> IntStream.of(server.encoder().model().tokenize(text, false))
                        .mapToObj(Long::valueOf)
                        .toList())
                .toList();
    }

    /// The task of a script.
    static String json(RunningServer server, RunningServer loading, Overload overload) {
        Map<String, Object> task = new LinkedHashMap<>();
        task.put("base", server.base());
        task.put("loading", loading.base());
        task.put("overloaded", overload.server().base());
        task.put("key", KEY);
        task.put("model", RunningServer.MODEL);
        task.put("dimensions", DIMENSIONS);
        task.put("texts", TEXTS);
        task.put("ids", ids(server));
        task.put("many", MANY);
        task.put("tooMany", TOO_MANY);
        task.put("long", LONG);
        task.put("query", QUERY);
        task.put("documents", DOCUMENTS);
        return RunningServer.json(task);
    }

    /// Vectors of the texts as they must come back.
    static float[][] vectors(RunningServer server, TextKind kind) {
        return Expected.normalized(server.encoder().embed(TEXTS, kind));
    }

    /// With the first components only.
    static float[][] narrow(RunningServer server) {
        return Expected.narrow(server.encoder().embed(TEXTS, TextKind.TEXT), DIMENSIONS);
    }
}

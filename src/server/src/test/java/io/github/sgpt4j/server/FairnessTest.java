package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Short requests are answered while many long ones are worked at.
@Timeout(300)
class FairnessTest {
    private static final int CLIENTS = 24;
    private static final int CHARACTERS = 3 << 20;

    private static String text() {
        return "the quick brown fox jumps over the lazy dog, again and again; ".repeat(CHARACTERS / 62);
    }

    private static String body(String path) {
        return RunningServer.json(
                path.equals("/rerank")
                        ? Map.of("query", "a fox", "texts", List.of(text()))
                        : Map.of("inputs", List.of(text())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/embed", "/rerank"})
    void shortRequestsDoNotWaitForLongTexts(String path) {
        AtomicInteger done = new AtomicInteger();
        String body = body(path);
        try (RunningServer server = RunningServer.start(options -> options);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(CompletableFuture.supplyAsync(() -> server.post(path, body), threads)
                        .thenApply(response -> {
                            done.incrementAndGet();
                            return response.statusCode();
                        }));
            }
            // All bodies have come once this is answered with so many: from then on there is only long work.
            while (running(server) < CLIENTS && done.get() == 0) {
                Thread.onSpinWait();
            }
            assertEquals(200, server.post("/embed", "{\"inputs\":\"short\"}").statusCode());
            assertEquals(200, server.get("/health").statusCode());
            int before = done.get();
            assertTrue(before < CLIENTS / 2, before + " of the long requests were answered before the short ones");
            clients.forEach(client -> assertEquals(200, client.join()));
        }
    }

    private static long running(RunningServer server) {
        return server.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("sgpt_requests_running "))
                .mapToLong(line -> (long) Double.parseDouble(line.split(" ")[1]))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void virtualThreadsHaveTheirUsualNumberOfProcessors() {
        try (RunningServer server = RunningServer.start(options -> options)) {
            assertEquals(200, server.get("/health").statusCode());
            assertEquals(null, System.getProperty("jdk.virtualThreadScheduler.parallelism"));
        }
    }
}

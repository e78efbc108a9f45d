package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.RunningServer.ok;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The figures of `/metrics`: names, types, labels, buckets, and what is counted where.
class MetricsContractTest {
    private RunningServer server;

    @BeforeEach
    void start() {
        server = RunningServer.start(options -> options.withLimits(Limits.DEFAULT.withClientBatchSize(4)));
    }

    @AfterEach
    void end() {
        server.close();
    }

    private PrometheusText metrics() {
        var response = server.get("/metrics");
        assertEquals(200, response.statusCode());
        String type = response.headers().firstValue("content-type").orElseThrow();
        assertTrue(type.startsWith("text/plain; version=0.0.4"), type);
        return new PrometheusText(response.body());
    }

    private static List<String> durations(String prefix) {
        return List.of(
                prefix + "_duration",
                prefix + "_tokenization_duration",
                prefix + "_queue_duration",
                prefix + "_inference_duration");
    }

    @Test
    void namesAreThoseOfTextEmbeddingsInference() {
        Map<String, String> expected = new LinkedHashMap<>();
        for (String counter : List.of(
                "te_request_count",
                "te_request_success",
                "te_request_failure",
                "te_embed_count",
                "te_embed_success",
                "te_predict_count",
                "te_predict_success")) {
            expected.put(counter, "counter");
        }
        List<String> histograms = new ArrayList<>();
        List.of("te_request", "te_embed", "te_predict").forEach(prefix -> histograms.addAll(durations(prefix)));
        histograms.addAll(List.of("te_request_input_length", "te_batch_next_size", "te_batch_next_tokens"));
        histograms.forEach(name -> expected.put(name, "histogram"));
        expected.put("te_queue_size", "gauge");
        expected.put("sgpt_truncated_total", "counter");
        expected.put("sgpt_model_info", "gauge");
        Map<String, String> types = metrics().types();
        expected.forEach((name, type) -> assertEquals(type, types.get(name), name));
        types.keySet().stream()
                .filter(name -> name.startsWith("te_"))
                .forEach(name -> assertTrue(expected.containsKey(name), name));
        assertTrue(types.containsKey("jvm_memory_used_bytes"));
        assertTrue(types.keySet().stream().anyMatch(name -> name.startsWith("process_")));
    }

    @Test
    void bucketsAreThoseOfTextEmbeddingsInference() {
        PrometheusText metrics = metrics();
        double[] seconds = IntStream.rangeClosed(1, 35)
                .mapToDouble(k -> 0.00001 * Math.pow(1.5, k))
                .toArray();
        for (String prefix : List.of("te_request", "te_embed", "te_predict")) {
            for (String name : durations(prefix)) {
                double[] bounds = metrics.bounds(name);
                assertEquals(seconds.length, bounds.length);
                for (int i = 0; i < seconds.length; i++) {
                    assertEquals(seconds[i], bounds[i], 1e-12 * seconds[i], name);
                }
            }
        }
        double[] powers = IntStream.rangeClosed(0, 12).mapToDouble(k -> 1 << k).toArray();
        assertArrayEquals(powers, metrics.bounds("te_batch_next_size"));
        assertArrayEquals(
                IntStream.rangeClosed(0, 20).mapToDouble(k -> 1 << k).toArray(),
                metrics.bounds("te_batch_next_tokens"));
    }

    @Test
    void requestsAreCounted() {
        ok(server.post("/embed", "{\"inputs\":\"a\"}"));
        ok(server.post("/v1/embeddings", "{\"input\":[\"a\",\"b\",\"c\"]}"));
        ok(server.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\",\"c\"]}"));
        PrometheusText metrics = metrics();
        assertEquals(1, metrics.value("te_request_count{method=single}"));
        assertEquals(2, metrics.value("te_request_count{method=batch}"));
        assertEquals(1, metrics.value("te_request_success{method=single}"));
        assertEquals(2, metrics.value("te_request_success{method=batch}"));
        assertEquals(4, metrics.value("te_embed_count"));
        assertEquals(4, metrics.value("te_embed_success"));
        assertEquals(2, metrics.value("te_predict_count"));
        assertEquals(2, metrics.value("te_predict_success"));
        assertEquals(3, metrics.value("te_request_duration_count"));
        assertEquals(2, metrics.value("te_embed_duration_count"));
        assertEquals(1, metrics.value("te_predict_duration_count"));
        assertEquals(6, metrics.value("te_request_input_length_count"));
        assertEquals(3, metrics.value("te_batch_next_size_count"));
        assertEquals(6, metrics.value("te_batch_next_size_sum"));
        assertEquals(
                metrics.value("te_request_input_length_sum"),
                metrics.value("te_batch_next_tokens_sum"),
                "all tokens are in some batch");
        assertEquals(0, metrics.value("te_queue_size"));
        assertEquals(1, metrics.value("sgpt_model_info{model=nano}"));
        double parts = metrics.value("te_request_tokenization_duration_sum")
                + metrics.value("te_request_queue_duration_sum")
                + metrics.value("te_request_inference_duration_sum");
        assertTrue(parts <= metrics.value("te_request_duration_sum"), "parts of the time are no more than all of it");
    }

    private void assertFailures(String err, int count) {
        assertEquals(count, metrics().value("te_request_failure{err=%s}".formatted(err)), err);
    }

    @Test
    void failuresAreCountedByTheirCause() {
        server.post("/embed", "{");
        server.post("/embed", "{}");
        server.post("/v1/embeddings", "{\"input\":[]}");
        assertFailures("validation", 3);
        server.post("/embed", "{\"inputs\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}");
        assertFailures("batch_size", 1);
        server.post("/embed", "{\"inputs\":[999999]}");
        assertFailures("tokenization", 1);
        assertFailures("overloaded", 0);
        assertFailures("dropped", 0);
        assertFailures("inference", 0);
        try (RunningServer embedder = RunningServer.serving(RunningServer.served("e", List.of(), true, false))) {
            embedder.post("/rerank", "{\"query\":\"a\",\"texts\":[\"b\"]}");
            assertEquals(
                    1, new PrometheusText(embedder.get("/metrics").body()).value("te_request_failure{err=model_type}"));
        }
        try (Overload overload = new Overload(options -> options, "none")) {
            RunningServer busy = overload.server();
            double before = new PrometheusText(busy.get("/metrics").body()).value("te_request_failure{err=overloaded}");
            assertEquals(429, busy.post("/embed", "{\"inputs\":\"a\"}").statusCode());
            double after = new PrometheusText(busy.get("/metrics").body()).value("te_request_failure{err=overloaded}");
            assertEquals(1, after - before);
        }
    }

    @Test
    void cutInputsAreCounted() {
        ok(server.post("/embed", RunningServer.json(Map.of("inputs", List.of("a", ClientTask.LONG, ClientTask.LONG)))));
        assertEquals(2, metrics().value("sgpt_truncated_total"));
    }

    @Test
    void figuresAreThereBeforeTheModels() {
        try (RunningServer loading = RunningServer.loading(options -> options)) {
            PrometheusText metrics = new PrometheusText(loading.get("/metrics").body());
            assertEquals(0, metrics.value("te_queue_size"));
            assertEquals(0, metrics.value("te_request_duration_count"));
        }
    }

    @Test
    void aComparisonIsOneRequestAndOneBatch() {
        ok(server.post("/similarity", "{\"inputs\":{\"source_sentence\":\"a\",\"sentences\":[\"b\",\"c\"]}}"));
        PrometheusText after = metrics();
        assertEquals(1, after.value("te_request_count{method=batch}"));
        assertEquals(0, after.value("te_request_count{method=single}"));
        assertEquals(1, after.value("te_request_success{method=batch}"));
        assertEquals(3, after.value("te_embed_success"));
        assertEquals(1, after.value("te_batch_next_size_count"));
        assertEquals(3, after.value("te_batch_next_size_sum"));
    }

    @Test
    void pairsThatMayNotBeCutThereAreRefusedBeforeTheyAreScored() {
        String tooLong = RunningServer.json(
                Map.of("query", "a", "texts", List.of("b", ClientTask.LONG), "truncation_direction", "right"));
        var response = server.post("/rerank", tooLong);
        assertEquals(422, response.statusCode());
        assertTrue(response.body().contains("pairs are cut on the left"), response.body());
        String unknown =
                RunningServer.json(Map.of("query", "a", "documents", List.of("b"), "truncation_direction", "up"));
        assertEquals(400, server.post("/rerank", unknown).statusCode());
        PrometheusText after = metrics();
        assertEquals(0, after.value("te_predict_success"));
        assertEquals(0, after.value("te_batch_next_size_count"));
    }
}

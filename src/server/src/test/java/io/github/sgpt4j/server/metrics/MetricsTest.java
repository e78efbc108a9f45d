package io.github.sgpt4j.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.problem.Problem;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Prometheus' text, and that its figures add up.
@Timeout(60)
class MetricsTest {
    private static final Pattern TYPE = Pattern.compile("# TYPE ([a-z_]+) (counter|gauge|histogram)");
    private static final Pattern SAMPLE =
            Pattern.compile("([a-z_]+)(\\{[a-z]+=\"(?:[^\"\\\\]|\\\\[\\\\\"n])*\"\\})? ([-+0-9.eE]+)");

    private final Metrics metrics = new Metrics();

    /// All samples by name and label; fails if a line is not of the format.
    private Map<String, Double> samples(List<String> models) {
        Map<String, Double> samples = new LinkedHashMap<>();
        Set<String> types = new HashSet<>();
        String current = "";
        String text = metrics.text(() -> 7, models);
        assertTrue(text.endsWith("\n"));
        for (String line : text.lines().toList()) {
            Matcher type = TYPE.matcher(line);
            if (type.matches()) {
                current = type.group(1);
                assertTrue(types.add(current), line);
                continue;
            }
            Matcher sample = SAMPLE.matcher(line);
            assertTrue(sample.matches(), line);
            assertTrue(sample.group(1).startsWith(current), line + " is under " + current);
            String label = sample.group(2) == null ? "" : sample.group(2);
            assertNull(samples.put(sample.group(1) + label, Double.parseDouble(sample.group(3))), line);
        }
        return samples;
    }

    private Map<String, Double> samples() {
        return samples(List.of("nano"));
    }

    @Test
    void countsRequestsAndTheirInputs() {
        metrics.begin(Metrics.Work.EMBED, 1);
        metrics.begin(Metrics.Work.EMBED, 3);
        metrics.begin(Metrics.Work.PREDICT, 2);
        metrics.success(Metrics.Work.EMBED, new int[] {5, 6, 700}, 1, new Timing(0.5, 0.001, 0.1, 0.25));
        metrics.success(Metrics.Work.PREDICT, new int[] {9}, 0, new Timing(2, 0.002, 0.5, 1));
        metrics.batch(4, 720);
        Map<String, Double> samples = samples();
        assertEquals(1, samples.get("te_request_count{method=\"single\"}"));
        assertEquals(2, samples.get("te_request_count{method=\"batch\"}"));
        assertEquals(1, samples.get("te_request_success{method=\"single\"}"));
        assertEquals(1, samples.get("te_request_success{method=\"batch\"}"));
        assertEquals(4, samples.get("te_embed_count"));
        assertEquals(3, samples.get("te_embed_success"));
        assertEquals(2, samples.get("te_predict_count"));
        assertEquals(1, samples.get("te_predict_success"));
        assertEquals(1, samples.get("sgpt_truncated_total"));
        assertEquals(7, samples.get("te_queue_size"));
        assertEquals(1, samples.get("sgpt_model_info{model=\"nano\"}"));
        assertEquals(2, samples.get("te_request_duration_count"));
        assertEquals(2.5, samples.get("te_request_duration_sum"));
        assertEquals(0.5, samples.get("te_embed_duration_sum"));
        assertEquals(0.001, samples.get("te_embed_tokenization_duration_sum"));
        assertEquals(0.5, samples.get("te_predict_queue_duration_sum"));
        assertEquals(1.25, samples.get("te_request_inference_duration_sum"));
        assertEquals(4, samples.get("te_request_input_length_count"));
        assertEquals(720, samples.get("te_request_input_length_sum"));
        assertEquals(720, samples.get("te_batch_next_tokens_sum"));
        assertEquals(4, samples.get("te_batch_next_size_sum"));
        assertEquals(1, samples.get("te_batch_next_size_bucket{le=\"4.0\"}"));
        assertEquals(0, samples.get("te_batch_next_size_bucket{le=\"2.0\"}"));
        assertTrue(samples.get("jvm_memory_used_bytes{area=\"heap\"}") > 0);
        assertTrue(samples.get("process_cpu_seconds_total") > 0);
        assertTrue(samples.get("process_start_time_seconds") > 1e9);
    }

    @ParameterizedTest
    @EnumSource(Problem.class)
    void everyProblemIsCounted(Problem problem) {
        metrics.failure(problem);
        assertEquals(1, samples().get("te_request_failure{err=\"%s\"}".formatted(problem.metric())));
    }

    @Test
    void bucketsGrowToTheCount() {
        double[] values = {0, 0.00001, 0.0000151, 0.01, 1, 12, 1e6};
        double sum = 0;
        for (double value : values) {
            metrics.success(Metrics.Work.EMBED, new int[] {1}, 0, new Timing(value, value, value, value));
            sum += value;
        }
        Map<String, Double> samples = samples();
        double last = 0;
        int buckets = 0;
        for (Map.Entry<String, Double> sample : samples.entrySet()) {
            if (sample.getKey().startsWith("te_embed_duration_bucket")) {
                assertTrue(sample.getValue() >= last, sample.toString());
                last = sample.getValue();
                buckets++;
            }
        }
        assertEquals(36, buckets);
        assertEquals(values.length, last);
        assertEquals(values.length, samples.get("te_embed_duration_count"));
        assertEquals(sum, samples.get("te_embed_duration_sum"));
        assertEquals(
                values.length - 1,
                samples.get("te_embed_duration_bucket{le=\"%s\"}".formatted(0.00001 * 1.5 * Math.pow(1.5, 34))));
        assertFalse(samples.containsKey("te_embed_duration_total"));
    }

    @Test
    void modelsMayHaveAnyName() {
        String name = "a \"b\"\\c\nd";
        assertEquals(1, samples(List.of(name)).get("sgpt_model_info{model=\"a \\\"b\\\"\\\\c\\nd\"}"));
    }

    @Test
    void nothingIsLostBetweenThreads() {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 100; i++) {
                threads.execute(() -> {
                    for (int n = 0; n < 100; n++) {
                        metrics.begin(Metrics.Work.EMBED, 2);
                        metrics.success(Metrics.Work.EMBED, new int[] {1, 3}, 0, new Timing(1, 1, 1, 1));
                    }
                });
            }
        }
        Map<String, Double> samples = samples();
        assertEquals(20_000, samples.get("te_embed_success"));
        assertEquals(40_000, samples.get("te_request_input_length_sum"));
        assertEquals(10_000, samples.get("te_request_duration_bucket{le=\"+Inf\"}"));
        assertEquals(10_000, samples.get("te_request_duration_sum"));
    }
}

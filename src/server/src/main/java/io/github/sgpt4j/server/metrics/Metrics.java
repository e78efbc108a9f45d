package io.github.sgpt4j.server.metrics;

import io.github.sgpt4j.server.problem.Problem;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/// What is counted, under the names that text-embeddings-inference uses, so that its dashboards work. Counters have no
/// suffix `_total` there, which client libraries would add. Safe to share between threads.
public final class Metrics {
    private static final double FIRST_SECONDS = 0.00001 * 1.5;
    private static final int SECONDS_BUCKETS = 35;

    private final Map<String, LongAdder> requests = counters("single", "batch");
    private final Map<String, LongAdder> successes = counters("single", "batch");
    private final Map<String, LongAdder> failures =
            counters("validation", "batch_size", "tokenization", "inference", "overloaded", "dropped", "model_type");
    private final Durations request = new Durations();
    private final Kind embed = new Kind();
    private final Kind predict = new Kind();
    private final Histogram inputLength = Histogram.exponential(1, 2, 13);
    private final Histogram batchSize = Histogram.exponential(1, 2, 13);
    private final Histogram batchTokens = Histogram.exponential(1, 2, 21);
    private final LongAdder truncated = new LongAdder();
    private final LongAdder running = new LongAdder();

    /// The durations of requests, or of their inputs.
    private static final class Durations {
        private final Histogram total = Histogram.exponential(FIRST_SECONDS, 1.5, SECONDS_BUCKETS);
        private final Histogram tokenization = Histogram.exponential(FIRST_SECONDS, 1.5, SECONDS_BUCKETS);
        private final Histogram queue = Histogram.exponential(FIRST_SECONDS, 1.5, SECONDS_BUCKETS);
        private final Histogram inference = Histogram.exponential(FIRST_SECONDS, 1.5, SECONDS_BUCKETS);

        void observe(Timing timing) {
            total.observe(timing.total());
            tokenization.observe(timing.tokenization());
            queue.observe(timing.queue());
            inference.observe(timing.inference());
        }

        void write(StringBuilder out, String prefix) {
            total.write(out, prefix + "_duration");
            tokenization.write(out, prefix + "_tokenization_duration");
            queue.write(out, prefix + "_queue_duration");
            inference.write(out, prefix + "_inference_duration");
        }
    }

    /// The inputs of one kind: texts to embed, or pairs to score.
    private static final class Kind {
        private final LongAdder count = new LongAdder();
        private final LongAdder success = new LongAdder();
        private final Durations durations = new Durations();
    }

    /// What a request computes.
    public enum Work {
        /// Embeddings of texts.
        EMBED,
        /// Scores of pairs.
        PREDICT
    }

    private static Map<String, LongAdder> counters(String... values) {
        Map<String, LongAdder> counters = new LinkedHashMap<>();
        for (String value : values) {
            counters.put(value, new LongAdder());
        }
        return counters;
    }

    private static void count(Map<String, LongAdder> counters, String value) {
        LongAdder counter = counters.get(value);
        if (counter == null) {
            throw new IllegalArgumentException("no counter for " + value);
        }
        counter.increment();
    }

    private Kind kind(Work work) {
        return work == Work.EMBED ? embed : predict;
    }

    /// A request that was read.
    ///
    /// @param inputs texts or pairs
    public void begin(Work work, int inputs) {
        count(requests, inputs == 1 ? "single" : "batch");
        kind(work).count.add(inputs);
    }

    /// A request that was computed.
    ///
    /// @param tokens of each input
    /// @param cut inputs that were cut
    public void success(Work work, int[] tokens, int cut, Timing timing) {
        count(successes, tokens.length == 1 ? "single" : "batch");
        Kind kind = kind(work);
        kind.success.add(tokens.length);
        for (int length : tokens) {
            inputLength.observe(length);
        }
        truncated.add(cut);
        request.observe(timing);
        kind.durations.observe(timing);
    }

    /// A request that was not answered.
    public void failure(Problem problem) {
        count(failures, problem.metric());
    }

    /// A request that is answered from now on (1), or no more (-1).
    public void running(int change) {
        running.add(change);
    }

    /// A batch that is computed.
    public void batch(int items, long tokens) {
        batchSize.observe(items);
        batchTokens.observe(tokens);
    }

    /// All figures as Prometheus' text format, version 0.0.4.
    ///
    /// @param queue number of requests that wait
    /// @param models names of models, for `sgpt_model_info`
    public String text(LongSupplier queue, List<String> models) {
        StringBuilder out = new StringBuilder(1 << 15);
        write(out, "te_request_count", "method", requests);
        write(out, "te_request_success", "method", successes);
        write(out, "te_request_failure", "err", failures);
        write(out, "te_embed_count", embed.count.sum());
        write(out, "te_embed_success", embed.success.sum());
        write(out, "te_predict_count", predict.count.sum());
        write(out, "te_predict_success", predict.success.sum());
        request.write(out, "te_request");
        embed.durations.write(out, "te_embed");
        predict.durations.write(out, "te_predict");
        inputLength.write(out, "te_request_input_length");
        batchSize.write(out, "te_batch_next_size");
        batchTokens.write(out, "te_batch_next_tokens");
        gauge(out, "te_queue_size", queue.getAsLong());
        gauge(out, "sgpt_requests_running", running.sum());
        write(out, "sgpt_truncated_total", truncated.sum());
        out.append("# TYPE sgpt_model_info gauge\n");
        for (String model : models) {
            out.append("sgpt_model_info{model=\"").append(escaped(model)).append("\"} 1\n");
        }
        process(out);
        return out.toString();
    }

    private static void write(StringBuilder out, String name, String label, Map<String, LongAdder> counters) {
        out.append("# TYPE ").append(name).append(" counter\n");
        counters.forEach((value, counter) -> out.append(name)
                .append('{')
                .append(label)
                .append("=\"")
                .append(value)
                .append("\"} ")
                .append(counter.sum())
                .append('\n'));
    }

    private static void write(StringBuilder out, String name, long value) {
        out.append("# TYPE ")
                .append(name)
                .append(" counter\n")
                .append(name)
                .append(' ')
                .append(value)
                .append('\n');
    }

    private static void gauge(StringBuilder out, String name, double value) {
        out.append("# TYPE ")
                .append(name)
                .append(" gauge\n")
                .append(name)
                .append(' ')
                .append(value)
                .append('\n');
    }

    /// A label's value.
    static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    private static void process(StringBuilder out) {
        gauge(
                out,
                "process_start_time_seconds",
                ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            out.append("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total ")
                    .append(system.getProcessCpuTime() / 1e9)
                    .append('\n');
        }
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        MemoryUsage other = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
        out.append("# TYPE jvm_memory_used_bytes gauge\n");
        out.append("jvm_memory_used_bytes{area=\"heap\"} ")
                .append(heap.getUsed())
                .append('\n');
        out.append("jvm_memory_used_bytes{area=\"nonheap\"} ")
                .append(other.getUsed())
                .append('\n');
    }
}

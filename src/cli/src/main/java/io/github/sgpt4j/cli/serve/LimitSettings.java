package io.github.sgpt4j.cli.serve;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.server.Limits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// How much the server takes on.
public final class LimitSettings {
    @Option(
            names = "--max-client-batch-size",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Most texts of a request (default: ${DEFAULT-VALUE}).")
    private int clientBatchSize = Limits.DEFAULT.clientBatchSize();

    @Option(
            names = "--max-body",
            paramLabel = "MIB",
            converter = BodyMebibytes.class,
            description = "Longest body of a request in MiB, decompressed (default: ${DEFAULT-VALUE}).")
    private int bodyMebibytes = Limits.DEFAULT.bodyBytes() >> 20;

    @Option(
            names = "--max-concurrent-requests",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Most requests that run or wait; the others get 429 (default: ${DEFAULT-VALUE}).")
    private int concurrentRequests = Limits.DEFAULT.concurrentRequests();

    @Option(
            names = "--max-queue-tokens",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Most tokens that wait; further requests get 429 (default: 256 batches).")
    private @Nullable Integer queueTokens;

    @Option(
            names = "--request-timeout",
            paramLabel = "SECONDS",
            converter = Converters.Count.class,
            description = "Time for a request; then it gets 504 (default: 120).")
    private int requestTimeout = (int) Limits.DEFAULT.requestTimeout().toSeconds();

    @Option(
            names = "--read-timeout",
            paramLabel = "SECONDS",
            converter = Converters.Count.class,
            description = "Time for the arrival of a request; then its connection is closed (default: 30).")
    private int readTimeout = (int) Limits.DEFAULT.readTimeout().toSeconds();

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Most open connections (default: ${DEFAULT-VALUE}).")
    private int connections = Limits.DEFAULT.connections();

    @Option(
            names = "--drain",
            paramLabel = "SECONDS",
            converter = Converters.Count.class,
            description = "Time that running requests get when the server ends (default: 30).")
    private int drain = (int) Limits.DEFAULT.drain().toSeconds();

    /// A number of MiB whose bytes fit an array.
    static final class BodyMebibytes implements ITypeConverter<Integer> {
        private static final int MAX = 1024;

        @Override
        public Integer convert(String value) {
            int mebibytes = new Converters.Count().convert(value);
            if (mebibytes > MAX) {
                throw new TypeConversionException("expected at most %d MiB, got %d".formatted(MAX, mebibytes));
            }
            return mebibytes;
        }
    }

    Limits limits() {
        Limits limits = Limits.DEFAULT
                .withClientBatchSize(clientBatchSize)
                .withBodyBytes(bodyMebibytes << 20)
                .withConcurrentRequests(concurrentRequests)
                .withRequestTimeout(Duration.ofSeconds(requestTimeout))
                .withReadTimeout(Duration.ofSeconds(readTimeout))
                .withConnections(connections)
                .withDrain(Duration.ofSeconds(drain));
        return queueTokens == null ? limits : limits.withQueueTokens(queueTokens);
    }
}

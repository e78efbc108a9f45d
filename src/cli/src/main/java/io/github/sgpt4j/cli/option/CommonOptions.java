package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Notices;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options of verbs that use a model.
public final class CommonOptions {
    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            converter = Converters.Device.class,
            description =
                    "auto, cpu, cuda[:N] or cuda:N,N...: one GPU, or several that share the work; auto uses a GPU if there"
                            + " is one (default: ${DEFAULT-VALUE}).")
    private String device = "auto";

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            converter = Converters.DtypeName.class,
            description = "Type of the weights in memory: auto, fp32, bf16 or fp16; on a GPU also tf32 and fp8"
                    + " (default: ${DEFAULT-VALUE}).")
    private Dtype dtype = Dtype.AUTO;

    @Option(
            names = "--batch-tokens",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Maximum tokens computed at a time on a device; fewer need less memory (default: 4096 on the"
                    + " CPU; on a GPU up to 16384, by its size and free memory).")
    private @Nullable Integer batchTokens;

    @Option(
            names = "--threads",
            paramLabel = "N",
            converter = Converters.Threads.class,
            description = "CPU threads (default: one per processor).")
    private @Nullable Integer threads;

    @Option(
            names = "--strict",
            description = "Turn notices about a checkpoint's files, truncated texts or unknown metadata into errors.")
    private boolean strict;

    @Mixin
    private QuietOptions notices = new QuietOptions();

    public ModelOptions modelOptions() {
        ModelOptions options = ModelOptions.DEFAULT.withDevice(device).withDtype(dtype);
        return threads == null ? options : options.withThreads(threads);
    }

    /// Type of the weights in memory.
    public Dtype dtype() {
        return dtype;
    }

    /// Empty for one per processor.
    public OptionalInt threads() {
        return threads == null ? OptionalInt.empty() : OptionalInt.of(threads);
    }

    /// Empty for what suits the device.
    public OptionalInt batchTokens() {
        return batchTokens == null ? OptionalInt.empty() : OptionalInt.of(batchTokens);
    }

    /// The default options for embedding; with `--strict` nothing is truncated.
    public BiEncoderOptions biEncoder() {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withTruncate(!strict);
        return batchTokens == null ? options : options.withBatchTokens(batchTokens);
    }

    /// The default options for scoring; with `--strict` nothing is truncated.
    public CrossEncoderOptions crossEncoder() {
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT.withTruncate(!strict);
        return batchTokens == null ? options : options.withBatchTokens(batchTokens);
    }

    /// What users are told, as the options say.
    public Notices notices(Console console) {
        return new Notices(console, quiet(), strict);
    }

    public boolean strict() {
        return strict;
    }

    public boolean quiet() {
        return notices.quiet();
    }
}

package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.VectorPrecision;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The number type of embeddings that are written.
public final class PrecisionOptions {
    public static final String CALIBRATION = "--calibration";
    public static final String RANGES = "--ranges";
    public static final String SAVE_RANGES = "--save-ranges";

    @Option(
            names = "--precision",
            paramLabel = "float32|int8|uint8|binary|ubinary",
            description = "Number type of the embeddings, as sentence-transformers' quantize_embeddings makes them"
                    + " (default: float32).")
    private VectorPrecision precision = VectorPrecision.FLOAT32;

    @Option(
            names = CALIBRATION,
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "With int8 and uint8: texts like those to come (.txt, .jsonl, .gz of either) or embeddings"
                    + " (.npy), whose ranges are used (default: the ranges of the embeddings themselves, which wait"
                    + " in a temporary file for them).")
    private @Nullable String calibration;

    @Option(
            names = RANGES,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "With int8 and uint8: ranges that --save-ranges wrote, such as those of the documents for"
                    + " queries.")
    private @Nullable Path ranges;

    @Option(
            names = SAVE_RANGES,
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Write the ranges in use to this file (JSON).")
    private @Nullable String saved;

    public VectorPrecision precision() {
        return precision;
    }

    public Optional<String> calibration() {
        return Optional.ofNullable(calibration);
    }

    public Optional<Path> ranges() {
        return Optional.ofNullable(ranges);
    }

    /// Where the ranges go.
    public Optional<String> saved() {
        return Optional.ofNullable(saved);
    }

    /// What is wrong with these options together, if anything.
    public Optional<String> complaint() {
        if (!precision.needsRanges()) {
            Optional<String> given = calibration != null
                    ? Optional.of(CALIBRATION)
                    : ranges != null
                            ? Optional.of(RANGES)
                            : Optional.ofNullable(saved).map(file -> SAVE_RANGES);
            return given.map(option ->
                    "%s has no effect with --precision %s: expected int8 or uint8".formatted(option, precision));
        }
        if (calibration != null && ranges != null) {
            return Optional.of("expected either %s or %s, got both".formatted(CALIBRATION, RANGES));
        }
        return saved != null && ranges != null
                ? Optional.of("%s has no effect with %s: the file is there already".formatted(SAVE_RANGES, RANGES))
                : Optional.empty();
    }
}

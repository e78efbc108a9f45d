package io.github.sgpt4j.cli;

import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Pooling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How texts become vectors.
final class EncoderOptions {
    @Option(
            names = "--specb",
            negatable = true,
            description = "Put queries and documents in brackets, or don't (default: by the model's name).")
    private @Nullable Boolean specb;

    @Option(
            names = "--pooling",
            paramLabel = "NAME",
            split = ",",
            converter = Converters.PoolingName.class,
            description = "weightedmean, mean, lasttoken, cls, max or mean_sqrt_len_tokens; several, with commas, are"
                    + " concatenated (default: what the checkpoint says, else weightedmean).")
    private List<Pooling> pooling = new ArrayList<>();

    /// Whether brackets were asked for.
    boolean brackets() {
        return Optional.ofNullable(specb).orElse(false);
    }

    BiEncoderOptions options(CommonOptions common) {
        BiEncoderOptions options = common.biEncoder().withPooling(pooling.toArray(Pooling[]::new));
        return specb == null ? options : options.withSpecb(specb);
    }
}

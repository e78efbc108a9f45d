package io.github.sgpt4j.cli.option;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.console.CliException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options that determine how texts become vectors.
public final class EncoderOptions {
    /// The names of these options.
    public static final List<String> NAMES = Stream.concat(
                    Stream.of("--specb", "--pooling", "--dimensions"), PromptOptions.NAMES.stream())
            .toList();

    @Option(
            names = "--specb",
            negatable = true,
            description = "Put queries and documents in brackets, or not (default: depends on the model's name).")
    private @Nullable Boolean specb;

    @Option(
            names = "--pooling",
            paramLabel = "NAME",
            split = ",",
            converter = Converters.PoolingName.class,
            description = "weightedmean, mean, lasttoken, cls, max or mean_sqrt_len_tokens; several, with commas, are"
                    + " concatenated (default: as the checkpoint specifies, otherwise weightedmean).")
    private List<Pooling> pooling = new ArrayList<>();

    @Mixin
    private PromptOptions prompts = new PromptOptions();

    @Option(
            names = "--dimensions",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Keep the first N numbers of each embedding, scaled to length 1.")
    private @Nullable Integer dimensions;

    /// Whether brackets were asked for.
    public boolean brackets() {
        return Optional.ofNullable(specb).orElse(false);
    }

    public PromptOptions prompts() {
        return prompts;
    }

    public BiEncoderOptions options(CommonOptions common) {
        return options(common, TextKind.QUERY);
    }

    /// @param named the kind of texts that [PromptOptions#NAME] applies to
    public BiEncoderOptions options(CommonOptions common, TextKind named) {
        BiEncoderOptions options = common.biEncoder().withPooling(pooling.toArray(Pooling[]::new));
        if (specb != null) {
            options = options.withSpecb(specb);
        }
        options = prompts.apply(options, named);
        // Too many are refused by open, with the option's name.
        return dimensions == null
                ? options
                : options.withTruncateDim(dimensions).withNormalize(true);
    }

    /// An encoder over a model that the caller owns.
    ///
    /// @param options those of [#options], possibly changed
    public BiEncoder open(Model model, BiEncoderOptions options) {
        BiEncoder encoder = BiEncoder.of(model, options);
        if (dimensions != null && dimensions > encoder.dimension()) {
            encoder.close();
            throw new CliException("--dimensions: expected 1 to %d, as the model %s has no more, got %d"
                    .formatted(encoder.dimension(), model.directory(), dimensions));
        }
        return encoder;
    }
}

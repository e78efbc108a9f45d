package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.parameters.LoraOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options of `--method lora`.
final class LoraSettings {
    static final String RANK = "--lora-rank";
    static final String ALPHA = "--lora-alpha";
    static final String TARGETS = "--lora-targets";

    @Option(
            names = RANK,
            paramLabel = "N",
            converter = TrainConverters.LoraRank.class,
            description = "Rank of the products that --method lora adds to matrices (default: 8).")
    private @Nullable Integer rank;

    @Option(
            names = ALPHA,
            paramLabel = "X",
            converter = TrainConverters.LoraAlpha.class,
            description = "The products are scaled by this number over the rank (default: 16).")
    private @Nullable Double alpha;

    @Option(
            names = TARGETS,
            paramLabel = "NAME",
            split = ",",
            converter = Converters.Name.class,
            description = "Names of modules to add products to, such as q_proj,v_proj, or all-linear (default: those of"
                    + " queries and values, or the one that holds them).")
    private List<String> targets = new ArrayList<>();

    TrainingOptions addTo(TrainingOptions options) {
        return options.withLora(new LoraOptions(
                Optional.ofNullable(rank).orElse(LoraOptions.DEFAULT.rank()),
                Optional.ofNullable(alpha).orElse(LoraOptions.DEFAULT.alpha()),
                Set.copyOf(targets)));
    }
}

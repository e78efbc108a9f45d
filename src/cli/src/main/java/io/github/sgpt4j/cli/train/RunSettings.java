package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.run.Keep;
import io.github.sgpt4j.training.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say what is measured and kept.
final class RunSettings {
    static final String DEV = "--dev";
    static final String EVAL = "--eval";
    static final String STS = "--sts";
    static final String EVAL_EVERY = "--eval-every";
    static final String KEEP = "--keep";

    @Option(
            names = DEV,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "Measure loss and accuracy on these rows, which are like those of --data.")
    private @Nullable Path dev;

    @Option(
            names = EVAL,
            paramLabel = "DIR",
            arity = "1..*",
            converter = Converters.PathName.class,
            description = "Measure nDCG@10 of searches in these collections in BEIR's layout, split test.")
    private List<Path> collections = new ArrayList<>();

    @Option(
            names = STS,
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "Measure Spearman's correlation on these pairs of sentences with scores (.tsv, .jsonl).")
    private @Nullable Path sts;

    @Option(
            names = EVAL_EVERY,
            paramLabel = "N|N%%",
            converter = TrainConverters.Steps.class,
            description = "Steps between two measurements; there is one at the start and at the end (default: 10%%).")
    private @Nullable StepCount evaluateEvery;

    @Option(
            names = "--save-every",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Steps between two states to continue from (default: 500).")
    private @Nullable Integer saveEvery;

    @Option(
            names = KEEP,
            paramLabel = "best|last|all",
            description =
                    "Which state becomes the model: the best by the first of --dev, --eval and --sts that is given,"
                            + " or the last; all: the last, and every saved state is kept (default: best if one is given).")
    private @Nullable Keep keep;

    @Option(names = "--resume", description = "Continue a training that was ended, from its last saved state.")
    private boolean resume;

    boolean resume() {
        return resume;
    }

    Optional<Path> dev() {
        return Optional.ofNullable(dev);
    }

    Optional<Path> sts() {
        return Optional.ofNullable(sts);
    }

    List<Path> collections() {
        return collections;
    }

    boolean isMeasured() {
        return dev != null || sts != null || !collections.isEmpty();
    }

    /// Whether the best state is asked for.
    boolean keepsBest() {
        return keep == Keep.BEST;
    }

    StepCount saveEvery() {
        return saveEvery == null ? RunOptions.DEFAULT.saveEvery() : new StepCount.Steps(saveEvery);
    }

    StepCount evaluateEvery() {
        return Optional.ofNullable(evaluateEvery).orElse(RunOptions.DEFAULT.evaluateEvery());
    }

    Keep keep() {
        return Optional.ofNullable(keep).orElse(isMeasured() ? Keep.BEST : Keep.LAST);
    }
}

package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.data.DataOptions;
import io.github.sgpt4j.training.data.TeacherSource;
import io.github.sgpt4j.training.data.TrainingData;
import io.github.sgpt4j.training.data.TripleSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say what is trained with.
final class DataSettings {
    static final String FORM = "--form";
    static final String NEGATIVES = "--negatives";
    static final String NEGATIVES_PER_SYSTEM = "--negatives-per-system";
    static final String MARGIN = "--margin";

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE|DIR",
            converter = Converters.PathName.class,
            description = "Rows of query, positive and negatives (.jsonl, .tsv), AllNLI.tsv, or a folder with MS MARCO;"
                    + " with --distill, texts (.txt, .jsonl). Files may be compressed (.gz).")
    private Path data = Path.of("");

    @Option(
            names = FORM,
            paramLabel = "auto|rows|msmarco|nli",
            description = "How the data are laid out (default: auto, by names).")
    private DataForm form = DataForm.AUTO;

    @Option(
            names = NEGATIVES,
            paramLabel = "N",
            converter = TrainConverters.Negatives.class,
            description = "Negatives of a row that are used at a time (default: 1, or 0 if the data have none).")
    private @Nullable Integer negatives;

    @Option(
            names = NEGATIVES_PER_SYSTEM,
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "MS MARCO: negatives that each retrieval system adds to a query, at most (default: 5).")
    private @Nullable Integer negativesPerSystem;

    @Option(
            names = MARGIN,
            paramLabel = "X",
            converter = TrainConverters.Margin.class,
            description =
                    "MS MARCO: how far the cross-encoder's score of a negative is below that of the lowest positive,"
                            + " at least (default: 3).")
    private @Nullable Double margin;

    /// The form of the files.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if names do not tell
    DataForm form() {
        return form == DataForm.AUTO ? TrainingData.detect(data) : form;
    }

    private DataOptions options(long seed) {
        DataOptions options = DataOptions.DEFAULT
                .withSeed(seed)
                .withHardNegatives(
                        Optional.ofNullable(negativesPerSystem).orElse(DataOptions.DEFAULT.negativesPerSystem()),
                        Optional.ofNullable(margin).orElse(DataOptions.DEFAULT.margin()));
        return negatives == null ? options : options.withNegatives(negatives);
    }

    /// Reads and checks the data. The caller closes them.
    TripleSource open(long seed) {
        return TrainingData.open(data, form, options(seed));
    }

    /// Reads and checks texts with a teacher's embeddings. The caller closes them.
    ///
    /// @param teacher the embeddings, unless they are beside the texts
    /// @throws IOException if a file cannot be closed
    TeacherSource openTaught(Optional<Path> teacher) throws IOException {
        return TrainingData.openTaught(data, teacher);
    }

    /// Reads rows to evaluate with, with as many negatives as were asked for. The caller closes them.
    TripleSource openDev(Path dev) {
        return TrainingData.open(dev, DataForm.AUTO, options(DataOptions.DEFAULT.seed()));
    }

    /// What decides the rows, for continuing with the same.
    Map<String, String> described(DataForm actual) {
        String name = actual.name().toLowerCase(Locale.ROOT);
        DataOptions options = options(0);
        return actual == DataForm.MSMARCO
                ? Map.of(
                        "form", name,
                        "negatives per system", Integer.toString(options.negativesPerSystem()),
                        "margin", Double.toString(options.margin()))
                : Map.of("form", name);
    }
}

package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.mining.NearestTexts;
import io.github.sgpt4j.retrieval.mining.Neighbour;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt similarity`: how similar the texts of two files are.
@Command(
        name = "similarity",
        versionProvider = VersionProvider.class,
        description =
                "Compare the texts of a file with those of another: all with all, each with its nearest, or line by"
                        + " line.",
        footer = {
            "",
            "Each FILE holds texts (.txt, .jsonl, .gz of either, - for lines of stdin) or embeddings (.npy, with ids in"
                    + " FILE.npy.ids); vectors need no model. JSON Lines: {\"id\",\"text\",\"scores\":[...]} per text of"
                    + " the first file; with -k {\"id\",\"text\",\"nearest\":[{\"id\",\"text\",\"score\"}]}; with --pairwise"
                    + " {\"score\",\"first\":{\"id\",\"text\"},\"second\":{\"id\",\"text\"}}. Lines of .txt have their"
                    + " numbers as ids, from 1.",
            "",
            "Examples:",
            "  sgpt similarity queries.txt docs.jsonl -k 5 --as query,document",
            "  sgpt similarity a.npy b.npy --pairwise"
        })
public final class SimilarityCommand extends VectorCommand {
    /// Texts of the first file that are compared at a time.
    private static final int ROWS = 256;

    private static final int MAX_TABLE_COLUMNS = 100;
    private static final String PAIRWISE = "--pairwise";

    @Parameters(
            paramLabel = "FILE",
            arity = "2",
            converter = Converters.Name.class,
            description = "Texts or vectors, twice.")
    private List<String> files = List.of();

    @Option(
            names = {"-k", "--nearest"},
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Write only the N most similar texts of the second file for each of the first.")
    private @Nullable Integer nearest;

    @Option(names = PAIRWISE, description = "Compare the first text with the first, the second with the second...")
    private boolean pairwise;

    @Option(
            names = "--similarity",
            paramLabel = "cosine|dot|euclidean|manhattan",
            description = "How embeddings are compared (default: as the model says, cosine for vectors).")
    private @Nullable Similarity similarity;

    public SimilarityCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        if (pairwise) {
            refuse("with " + PAIRWISE, "--nearest");
        }
        try (Output out = openOutput()) {
            Read read = read(files);
            VectorTexts first = read.texts().getFirst();
            VectorTexts second = read.texts().getLast();
            Similarity by = similarity == null ? read.similarity().orElse(Similarity.COSINE) : similarity;
            SimilarityWriter writer = format() == Format.TABLE
                    ? SimilarityWriter.table(out.stream(), console().columns(), first, second)
                    : SimilarityWriter.jsonLines(out.stream(), first, second);
            if (pairwise) {
                compareInPairs(first, second, by, writer);
            } else if (nearest != null) {
                int most = nearest;
                List<List<Neighbour>> found = showing(
                        "compare",
                        progress ->
                                new NearestTexts(second.vectors(), by, threads()).of(first.vectors(), most, progress));
                for (int i = 0; i < found.size(); i++) {
                    writer.nearest(i, found.get(i));
                }
            } else {
                compareAll(first, second, by, writer);
            }
            writer.finish();
            out.finish();
        }
    }

    private static void compareInPairs(VectorTexts first, VectorTexts second, Similarity by, SimilarityWriter writer)
            throws IOException {
        if (first.count() != second.count()) {
            throw new CliException("%s: expected %d texts, as %s has (%s), got %d"
                    .formatted(second.file(), first.count(), first.file(), PAIRWISE, second.count()));
        }
        for (int i = 0; i < first.count(); i++) {
            writer.pair(i, by.of(first.vectors()[i], second.vectors()[i]));
        }
    }

    private void compareAll(VectorTexts first, VectorTexts second, Similarity by, SimilarityWriter writer)
            throws IOException {
        if (format() == Format.TABLE && second.count() > MAX_TABLE_COLUMNS) {
            throw new CliException("%s: expected at most %d texts for a table, got %d: use -k N, or --format jsonl"
                    .formatted(second.file(), MAX_TABLE_COLUMNS, second.count()));
        }
        float[][] others = Arrays.stream(second.vectors()).map(by::prepare).toArray(float[][]::new);
        for (int from = 0; from < first.count(); from += ROWS) {
            int start = from;
            float[][] scores = new float[Math.min(ROWS, first.count() - from)][];
            IntStream.range(0, scores.length)
                    .parallel()
                    .forEach(i -> scores[i] = row(by.prepare(first.vectors()[start + i]), others, by));
            for (int i = 0; i < scores.length; i++) {
                writer.row(from + i, scores[i]);
            }
        }
    }

    private static float[] row(float[] vector, float[][] others, Similarity by) {
        float[] scores = new float[others.length];
        for (int j = 0; j < scores.length; j++) {
            scores[j] = by.ofPrepared(vector, others[j]);
        }
        return scores;
    }
}

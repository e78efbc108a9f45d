package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.mining.MiningOptions;
import io.github.sgpt4j.retrieval.mining.ParaphraseMining;
import io.github.sgpt4j.retrieval.mining.TextPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt pairs`: the most similar pairs of many texts.
@Command(
        name = "pairs",
        versionProvider = VersionProvider.class,
        description = "Find the most similar pairs of texts among all pairs of a file (paraphrase mining).",
        footer = {
            "",
            "FILE holds texts (.txt, .jsonl, .gz of either, - for lines of stdin) or embeddings (.npy, with ids in"
                    + " FILE.npy.ids), which need no model. JSON Lines:"
                    + " {\"rank\",\"score\",\"first\":{\"id\",\"text\"},\"second\":{\"id\",\"text\"}}. Lines of .txt"
                    + " have their numbers as ids, from 1.",
            "",
            "Examples:",
            "  sgpt pairs questions.txt --min-score 0.9 -k 1000",
            "  sgpt pairs vectors.npy -o pairs.jsonl"
        })
public final class PairsCommand extends VectorCommand {
    @Parameters(paramLabel = "FILE", arity = "1", converter = Converters.Name.class, description = "Texts or vectors.")
    private String file = "";

    @Option(
            names = {"-k", "--max-pairs"},
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Most pairs to write, the most similar ones (default: ${DEFAULT-VALUE}).")
    private int most = 100;

    @Option(
            names = "--min-score",
            paramLabel = "X",
            converter = ScoreNumber.class,
            description = "Write only pairs that are at least this similar.")
    private @Nullable Float least;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Write only pairs in which one text is among the N most similar ones of the other; takes"
                    + " twice as long.")
    private @Nullable Integer neighbours;

    @Option(
            names = "--similarity",
            paramLabel = "cosine|dot|euclidean|manhattan",
            description = "How embeddings are compared (default: as the model says, cosine for vectors).")
    private @Nullable Similarity similarity;

    public PairsCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        try (Output out = openOutput()) {
            Read read = read(List.of(file));
            VectorTexts texts = read.texts().getFirst();
            MiningOptions options = options(read.similarity().orElse(Similarity.COSINE));
            ParaphraseMining.Found found = showing(
                    "compare", progress -> ParaphraseMining.mine(texts.vectors(), options.withProgress(progress)));
            write(out, texts, found.pairs());
            out.finish();
            if ((least != null || neighbours != null)
                    && found.reaching() > found.pairs().size()) {
                notice("%,d pairs of %,d that are such; -k writes more"
                        .formatted(found.pairs().size(), found.reaching()));
            }
        }
    }

    private MiningOptions options(Similarity usual) {
        MiningOptions options = MiningOptions.DEFAULT
                .withSimilarity(similarity == null ? usual : similarity)
                .withMaxPairs(most);
        options = least == null ? options : options.withMinScore(least);
        options = neighbours == null ? options : options.withNeighbours(neighbours);
        return threads().isPresent() ? options.withThreads(threads().getAsInt()) : options;
    }

    private void write(Output out, VectorTexts texts, List<TextPair> pairs) throws IOException {
        if (format() == Format.TABLE) {
            TextLines lines = new TextLines(console().columns());
            for (int i = 0; i < pairs.size(); i++) {
                TextPair pair = pairs.get(i);
                String before = "%5d  %s".formatted(i + 1, TextLines.score(pair.score()));
                String both = lines.line(before, texts.ids().get(pair.first()), texts.text(pair.first()))
                        + lines.line(
                                " ".repeat(before.length()), texts.ids().get(pair.second()), texts.text(pair.second()));
                out.stream().write(both.getBytes(StandardCharsets.UTF_8));
            }
            if (pairs.isEmpty()) {
                out.stream().write("nothing found\n".getBytes(StandardCharsets.UTF_8));
            }
            return;
        }
        JsonLines lines = new JsonLines(out.stream());
        for (int i = 0; i < pairs.size(); i++) {
            TextPair pair = pairs.get(i);
            int rank = i + 1;
            lines.line(json -> {
                json.writeNumberField("rank", rank);
                json.writeNumberField("score", pair.score());
                texts.writeObject(json, "first", pair.first());
                texts.writeObject(json, "second", pair.second());
            });
        }
        lines.flush();
    }
}

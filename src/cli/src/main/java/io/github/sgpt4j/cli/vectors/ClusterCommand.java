package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.mining.Community;
import io.github.sgpt4j.retrieval.mining.CommunityDetection;
import io.github.sgpt4j.retrieval.mining.CommunityOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt cluster`: groups of similar texts.
@Command(
        name = "cluster",
        versionProvider = VersionProvider.class,
        description = "Group the texts of a file: each group is close to one of its texts, no text is in two groups.",
        footer = {
            "",
            "FILE holds texts (.txt, .jsonl, .gz of either, - for lines of stdin) or embeddings (.npy, with ids in"
                    + " FILE.npy.ids), which need no model. Texts are compared by the cosine. JSON Lines:"
                    + " {\"cluster\",\"size\",\"centre\",\"members\":[{\"id\",\"text\",\"score\"}]}, the largest group"
                    + " first, in each the texts closest to the centre first. Lines of .txt have their numbers as ids,"
                    + " from 1.",
            "",
            "Examples:",
            "  sgpt cluster questions.txt --threshold 0.8 --min-size 5",
            "  sgpt cluster vectors.npy -o clusters.jsonl"
        })
public final class ClusterCommand extends VectorCommand {
    /// Members of a group that a table shows.
    private static final int SHOWN = 10;

    @Parameters(paramLabel = "FILE", arity = "1", converter = Converters.Name.class, description = "Texts or vectors.")
    private String file = "";

    @Option(
            names = "--threshold",
            paramLabel = "X",
            converter = Cosine.class,
            description = "Least cosine of a text with the centre of its group (default: ${DEFAULT-VALUE}).")
    private float threshold = CommunityOptions.DEFAULT.threshold();

    @Option(
            names = "--min-size",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Fewest texts of a group (default: ${DEFAULT-VALUE}).")
    private int minSize = CommunityOptions.DEFAULT.minSize();

    /// A number from -1 to 1.
    public static final class Cosine implements ITypeConverter<Float> {
        /// Used by picocli.
        public Cosine() {}

        @Override
        public Float convert(String value) {
            float number = new ScoreNumber().convert(value);
            return Converters.checked(value, text -> CommunityOptions.DEFAULT.withThreshold(number))
                    .threshold();
        }
    }

    public ClusterCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        try (Output out = openOutput()) {
            VectorTexts texts = read(List.of(file)).texts().getFirst();
            CommunityOptions options =
                    CommunityOptions.DEFAULT.withThreshold(threshold).withMinSize(minSize);
            CommunityOptions chosen =
                    threads().isPresent() ? options.withThreads(threads().getAsInt()) : options;
            List<Community> found = showing(
                    "compare", progress -> CommunityDetection.detect(texts.vectors(), chosen.withProgress(progress)));
            if (format() == Format.TABLE) {
                out.stream().write(table(texts, found).getBytes(StandardCharsets.UTF_8));
            } else {
                writeLines(out, texts, found);
            }
            out.finish();
            int grouped = found.stream().mapToInt(each -> each.members().size()).sum();
            notice("%,d of %,d texts in %,d clusters".formatted(grouped, texts.count(), found.size()));
        }
    }

    private String table(VectorTexts texts, List<Community> found) {
        TextLines lines = new TextLines(console().columns());
        StringBuilder table = new StringBuilder();
        for (int i = 0; i < found.size(); i++) {
            Community each = found.get(i);
            int size = each.members().size();
            table.append("%scluster %d: %,d texts%n".formatted(i == 0 ? "" : "\n", i + 1, size));
            for (int j = 0; j < Math.min(SHOWN, size); j++) {
                int member = each.members().get(j);
                table.append(lines.line(
                        "  " + TextLines.score(each.scores().get(j)),
                        texts.ids().get(member),
                        texts.text(member)));
            }
            if (size > SHOWN) {
                table.append("  and %,d more (--format jsonl has all)%n".formatted(size - SHOWN));
            }
        }
        return found.isEmpty() ? "nothing found\n" : table.toString();
    }

    private static void writeLines(Output out, VectorTexts texts, List<Community> found) throws IOException {
        JsonLines lines = new JsonLines(out.stream());
        for (int i = 0; i < found.size(); i++) {
            Community each = found.get(i);
            int number = i + 1;
            lines.line(json -> {
                json.writeNumberField("cluster", number);
                json.writeNumberField("size", each.members().size());
                json.writeStringField("centre", texts.ids().get(each.centre()));
                json.writeArrayFieldStart("members");
                for (int j = 0; j < each.members().size(); j++) {
                    json.writeStartObject();
                    texts.write(json, each.members().get(j));
                    json.writeNumberField("score", each.scores().get(j));
                    json.writeEndObject();
                }
                json.writeEndArray();
            });
        }
        lines.flush();
    }
}

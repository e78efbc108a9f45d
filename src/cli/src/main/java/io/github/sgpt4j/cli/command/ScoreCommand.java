package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoder.Score;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ScoringPrompt;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.OutputOptions;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.corpus.RecordReader;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt score`: scores how well documents answer queries.
@Command(
        name = "score",
        versionProvider = VersionProvider.class,
        description = "Score documents for a query with the model as cross-encoder.",
        footer = {
            "",
            "Writes {\"index\",\"id\"?,\"query\",\"document\",\"score\",\"tokens\"} per pair, in input order. Higher is"
                    + " better. With the template likelihood, the score is the sum of the query tokens'"
                    + " log-probabilities (compare within one query only), tokens their number; an empty query"
                    + " scores 0 with 0 tokens. Re-rankers have \"logits\" instead of tokens: those of the tokens"
                    + " that the score is made of, or the head's output. sgpt inspect tells how a model scores.",
            "-i takes objects with \"query\" and \"document\", or documents if there is --query.",
            "",
            "Examples:",
            "  sgpt score --query 'fear of spiders' 'a morbid fear of spiders' 'a place where bread is made'",
            "  sgpt score -m Qwen/Qwen3-Reranker-0.6B --query 'fear of spiders' -i documents.txt --sort"
        })
public final class ScoreCommand extends ModelCommand {
    @Mixin
    private InputOptions input = new InputOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(names = "--query", paramLabel = "TEXT", description = "The query for all documents.")
    private @Nullable String query;

    @Option(
            names = "--prompt",
            paramLabel = "TEMPLATE|LETTER|FILE",
            converter = Converters.Prompt.class,
            description = "For the template likelihood: text before the query, with {} once in place of the document;"
                    + " a prompt of SGPT's paper, A to I (default: G); or a JSON file with an example, a choice of"
                    + " tokens, or the vocabulary that the softmax runs over (default: all rows of the model's"
                    + " output head).")
    private @Nullable ScoringPrompt prompt;

    @Mixin
    private RerankerOptions reranker = new RerankerOptions();

    @Option(names = "--raw-scores", description = "Scores are logits, or their difference, not probabilities.")
    private boolean rawScores;

    @Option(names = "--sort", description = "Best documents first, query by query, instead of input order.")
    private boolean sort;

    @Parameters(paramLabel = "DOCUMENT", description = "Documents to score.")
    private List<String> documents = new ArrayList<>();

    public ScoreCommand(Console console) {
        super(console);
    }

    /// A pair with its result.
    private record ScoredPair(long index, Optional<String> id, String query, String document, Score score) {}

    @Override
    public void run() throws IOException {
        boolean pairs = input.file().filter(RecordReader::isJson).isPresent();
        if (query == null && !pairs) {
            throw usage("expected --query TEXT, or -i FILE.jsonl with a query in each object");
        }
        output.complaint(List.of(".jsonl")).ifPresent(sentence -> {
            throw usage(sentence);
        });
        if (query != null) {
            TextInput.checkDecoded(query);
        }
        try (TextInput in = input.open(this, documents, "document");
                Output out = Output.open(console(), output.file());
                Model model = openModel();
                CrossEncoder encoder = scorer(model, options())) {
            if (prompt != null) {
                encoder.prompt().map(PromptLine::of).ifPresent(this::notice);
            }
            JsonLines lines = new JsonLines(out.stream());
            score(in, encoder, lines);
            lines.flush();
            out.finish();
            Truncations.of(encoder).forEach(this::notice);
        }
    }

    private CrossEncoderOptions options() {
        CrossEncoderOptions options = reranker.apply(common().crossEncoder()).withRawScores(rawScores);
        return prompt == null ? options : options.withPrompt(prompt);
    }

    private void score(TextInput in, CrossEncoder encoder, JsonLines lines) throws IOException {
        List<ScoredPair> kept = new ArrayList<>();
        long index = 0;
        try (Chunks chunks = Chunks.of(in, this, "score")) {
            for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> queries = chunk.stream().map(this::queryOf).toList();
                List<String> texts =
                        chunk.stream().map(TextRecord::documentText).toList();
                List<Score> scores = encoder.score(queries, texts, chunks.listener());
                for (int i = 0; i < scores.size(); i++) {
                    TextRecord record = chunk.get(i);
                    ScoredPair pair = new ScoredPair(index++, record.id(), queries.get(i), texts.get(i), scores.get(i));
                    if (sort) {
                        kept.add(pair);
                    } else {
                        write(lines, pair);
                    }
                }
                lines.flush();
            }
        }
        for (ScoredPair pair : sorted(kept)) {
            write(lines, pair);
        }
    }

    private String queryOf(TextRecord record) {
        if (query == null) {
            return record.query()
                    .orElseThrow(() -> new CliException(
                            record.where() + ": expected \"query\" (there is no --query), found none"));
        }
        if (record.query().isPresent()) {
            throw new CliException(record.where() + ": expected no \"query\" beside --query, found one");
        }
        return query;
    }

    /// Queries in the order of their first pair; the pairs of each from best to worst, ties in input order.
    private static List<ScoredPair> sorted(List<ScoredPair> pairs) {
        Map<String, List<ScoredPair>> byQuery = new LinkedHashMap<>();
        for (ScoredPair pair : pairs) {
            byQuery.computeIfAbsent(pair.query(), key -> new ArrayList<>()).add(pair);
        }
        List<ScoredPair> sorted = new ArrayList<>(pairs.size());
        for (List<ScoredPair> group : byQuery.values()) {
            group.sort(Comparator.comparing((ScoredPair pair) -> pair.score().value())
                    .reversed());
            sorted.addAll(group);
        }
        return sorted;
    }

    private static void write(JsonLines lines, ScoredPair pair) throws IOException {
        lines.line(json -> {
            json.writeNumberField("index", pair.index());
            if (pair.id().isPresent()) {
                json.writeStringField("id", pair.id().get());
            }
            json.writeStringField("query", pair.query());
            json.writeStringField("document", pair.document());
            json.writeNumberField("score", pair.score().value());
            if (pair.score().logits().isEmpty()) {
                json.writeNumberField("tokens", pair.score().tokens());
            } else {
                json.writeArrayFieldStart("logits");
                for (float logit : pair.score().logits()) {
                    json.writeNumber(logit);
                }
                json.writeEndArray();
            }
        });
    }
}

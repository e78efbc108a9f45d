package io.github.sgpt4j.cli;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt search`: exact search in memory.
@Command(
        name = "search",
        versionProvider = VersionProvider.class,
        description = "Search documents by meaning.",
        footer = {
            "",
            "Without QUERY, each line of stdin is one. --format jsonl writes {\"query\",\"rank\",\"id\",\"title\"?,"
                    + "\"text\",\"score\",\"rerank_score\"?} per document found; score is the cosine.",
            "A corpus is a .txt file (one document a line), a .jsonl file (text, title, _id), .gz of either, a"
                    + " directory with corpus.jsonl (BEIR), or a directory of .txt files."
        })
final class SearchCommand extends ModelCommand {
    /// Forms of output.
    enum Format {
        TABLE,
        JSONL
    }

    @Option(
            names = "--corpus",
            paramLabel = "FILE|DIR",
            description = "Documents to search (default: a demo corpus of 4,000 dictionary entries).")
    private @Nullable String corpus;

    @Option(
            names = "-k",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Documents to show per query (default: ${DEFAULT-VALUE}).")
    private int k = 10;

    @Option(
            names = "--rerank",
            paramLabel = "N",
            arity = "0..1",
            fallbackValue = RerankCount.DEFAULT,
            preprocessor = RerankCount.class,
            converter = Converters.Count.class,
            description = "Let the model as cross-encoder re-order the first N (${FALLBACK-VALUE} if no number"
                    + " follows).")
    private @Nullable Integer rerank;

    @Option(names = "--format", paramLabel = "table|jsonl", description = "Table or JSON Lines (default: table).")
    private Format format = Format.TABLE;

    @Parameters(paramLabel = "QUERY", description = "What to search for.")
    private List<String> queries = new ArrayList<>();

    SearchCommand(Console console) {
        super(console);
    }

    @Override
    void run() throws IOException {
        List<Document> documents = corpus == null ? Corpus.demo() : Corpus.load(corpus);
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withBatchTokens(common().batchTokens());
        try (TextInput in = queries.isEmpty() ? TextInput.open("-", console()) : TextInput.ofArguments(queries);
                Output out = Output.open(console(), Optional.empty());
                Model model = openModel();
                BiEncoder encoder = BiEncoder.of(model, options)) {
            Optional<CrossEncoder> reranker = reranker(model);
            SearchIndex index = new SearchIndex(embed(documents, encoder));
            answer(in, new Searcher(documents, index, encoder, reranker), out);
            out.finish();
        }
    }

    private Optional<CrossEncoder> reranker(Model model) {
        if (rerank == null) {
            return Optional.empty();
        }
        if (modelName().isEmpty()) {
            notice("the built-in model is too small for re-ranking to help; name a larger one with -m");
        }
        return Optional.of(CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(common().batchTokens())));
    }

    private float[][] embed(List<Document> documents, BiEncoder encoder) throws IOException {
        if (corpus == null && modelName().isEmpty()) {
            return new DemoVectors(common().modelOptions().dtype()).get(() -> compute(documents, encoder));
        }
        return compute(documents, encoder);
    }

    private float[][] compute(List<Document> documents, BiEncoder encoder) {
        try (ProgressDisplay progress =
                ProgressDisplay.start(console(), common().quiet(), "embed corpus", OptionalLong.of(documents.size()))) {
            List<String> texts = documents.stream().map(Document::joined).toList();
            return encoder.embed(texts, TextKind.DOCUMENT, progress.between(0, documents.size()));
        }
    }

    /// Everything that answers a query.
    private record Searcher(
            List<Document> documents, SearchIndex index, BiEncoder encoder, Optional<CrossEncoder> reranker) {}

    private void answer(TextInput in, Searcher searcher, Output out) throws IOException {
        boolean prompting = queries.isEmpty() && console().interactive() && !common().quiet();
        int together = prompting ? 1 : TextInput.CHUNK_TEXTS;
        ResultTable table = new ResultTable(console().columns());
        JsonLines lines = new JsonLines(out.stream());
        boolean first = true;
        for (List<TextRecord> chunk = ask(in, prompting, together);
                !chunk.isEmpty();
                chunk = ask(in, prompting, together)) {
            List<String> texts = chunk.stream().map(TextRecord::joined).toList();
            float[][] vectors = searcher.encoder().embed(texts, TextKind.QUERY);
            for (int i = 0; i < vectors.length; i++) {
                List<SearchResult> results =
                        search(searcher, texts.get(i), vectors[i], chunk.get(i).where());
                if (format == Format.JSONL) {
                    write(lines, texts.get(i), results);
                } else {
                    String text = (first ? "" : "\n") + table.render(texts.get(i), results);
                    out.stream().write(text.getBytes(StandardCharsets.UTF_8));
                }
                first = false;
            }
            lines.flush();
            out.stream().flush();
        }
    }

    private List<TextRecord> ask(TextInput in, boolean prompting, int together) {
        if (prompting) {
            console().err().print("query> ");
            console().err().flush();
        }
        return in.chunk(together);
    }

    private List<SearchResult> search(Searcher searcher, String query, float[] vector, String where) {
        for (float value : vector) {
            JsonLines.requireFinite(value, where);
        }
        int candidates = rerank == null ? k : Math.max(k, rerank);
        List<SearchResult> results = searcher.index().search(vector, candidates).stream()
                .map(hit -> new SearchResult(searcher.documents().get(hit.document()), hit.cosine(), Optional.empty()))
                .toList();
        if (rerank != null && searcher.reranker().isPresent()) {
            results = Reranking.reorder(searcher.reranker().get(), query, results, rerank);
        }
        return results.subList(0, Math.min(k, results.size()));
    }

    private static void write(JsonLines lines, String query, List<SearchResult> results) throws IOException {
        for (int i = 0; i < results.size(); i++) {
            int rank = i + 1;
            SearchResult result = results.get(i);
            Document document = result.document();
            lines.line(json -> {
                json.writeStringField("query", query);
                json.writeNumberField("rank", rank);
                json.writeStringField("id", document.id());
                if (document.title().isPresent()) {
                    json.writeStringField("title", document.title().get());
                }
                json.writeStringField("text", document.text());
                json.writeNumberField("score", result.cosine());
                if (result.rerankScore().isPresent()) {
                    json.writeNumberField("rerank_score", result.rerankScore().get());
                }
            });
        }
    }
}

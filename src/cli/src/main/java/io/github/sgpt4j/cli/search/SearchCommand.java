package io.github.sgpt4j.cli.search;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.command.CorpusOptions;
import io.github.sgpt4j.cli.command.InputOptions;
import io.github.sgpt4j.cli.command.ModelCommand;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.input.IndexPlace;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.RerankCount;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.DocumentView;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ResultTable;
import io.github.sgpt4j.cli.output.ResultWriter;
import io.github.sgpt4j.cli.search.interactive.PlainLines;
import io.github.sgpt4j.cli.search.interactive.SearchSession;
import io.github.sgpt4j.cli.search.interactive.TerminalLines;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt search`: searches an index on disk, or documents in memory exactly.
@Command(
        name = "search",
        versionProvider = VersionProvider.class,
        description = "Search documents by meaning, by words, or both.",
        footer = {
            "",
            "Without QUERY and -i, each line of stdin is a query; a terminal shows a prompt. --format jsonl writes"
                    + " {\"query\",\"rank\",\"id\",\"title\"?,\"text\",\"metadata\"?,\"score\",\"cosine\"?,\"bm25\"?,"
                    + "\"rerank_score\"?,\"passage\"?} per document found. score is the cosine, or the similarity that the model's"
                    + " config_sentence_transformers.json specifies (dot, or a negated distance: euclidean, manhattan);"
                    + " for bm25, BM25's score; for hybrid, the fused score, with its parts under their own names."
                    + " passage is {\"start\",\"end\",\"text\"}, the part of text that matched, of a document that"
                    + " was split; places count code points, from 0.",
            "A corpus is a .txt file (one document per line), a .jsonl file (text, title, _id, metadata), .gz of"
                    + " either, a directory with corpus.jsonl (BEIR), or any other directory of files: see sgpt index --help.",
            "",
            "Examples:",
            "  sgpt search 'fear of spiders'",
            "  sgpt search --index notes --where 'modified >= \"2020\"' 'elections in Europe'"
        })
public final class SearchCommand extends ModelCommand {
    /// Output formats.
    public enum Format {
        TABLE,
        JSONL
    }

    /// A model of a supported family, small for what it finds, under the Apache license.
    private static final String RECOMMENDED = "Qwen/Qwen3-Embedding-0.6B";

    private static final String RERANK_MODEL = "--rerank-model";
    private static final String FORCE = "--force";
    private static final String NO_CACHE = "--no-cache";
    private static final String PASSAGE_TOKENS = "--passage-tokens";
    private static final String BEST_PASSAGES = "--best-passages";

    @Mixin
    private InputOptions input = new InputOptions();

    @Option(
            names = "--corpus",
            paramLabel = "FILE|DIR",
            converter = Converters.Name.class,
            description = "Documents to search in memory (default: a demo corpus of 4,000 dictionary entries).")
    private @Nullable String corpus;

    @Option(
            names = "--index",
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "Index to search, built by sgpt index; a directory that sgpt index has put one into (.sgpt);"
                    + " or a folder of shards (part-*, _SUCCESS).")
    private @Nullable String index;

    @Option(
            names = "--mode",
            paramLabel = "dense|bm25|hybrid",
            description =
                    "Search by meaning, by words, or by both (default: dense; hybrid with the built-in model, but for"
                            + " the demo corpus).")
    private @Nullable SearchMode mode;

    @Option(names = "--exact", description = "Compare with every vector of the index instead of searching its graph.")
    private boolean exact;

    @Option(
            names = "--where",
            paramLabel = "FILTER",
            converter = Converters.Where.class,
            description =
                    "Find only documents with such metadata: year >= 2020 and (lang = \"en\" or not tags in (\"a\","
                            + " \"b\")).")
    private @Nullable Filter where;

    @Option(
            names = PASSAGE_TOKENS,
            paramLabel = "N|off",
            converter = Converters.Passages.class,
            description = "Tokens of the passages into which longer documents of --corpus are split (default: 256, or"
                    + " as many as the model reads if these are fewer).")
    private @Nullable PassageOptions passages;

    @Option(
            names = BEST_PASSAGES,
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "A document is as near as its N nearest passages on average (default: ${DEFAULT-VALUE}).")
    private int bestPassages = 1;

    @Option(
            names = {"-k", "--limit"},
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
            description = "Let the model re-order the first N as a cross-encoder (${FALLBACK-VALUE} if no number"
                    + " follows).")
    private @Nullable Integer rerank;

    @Option(
            names = RERANK_MODEL,
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description = "The model that re-orders, given like MODEL (default: the same model).")
    private @Nullable String rerankModel;

    @Option(
            names = FORCE,
            description = "Re-order with the built-in model too, which was not trained for it and makes results worse.")
    private boolean force;

    @Option(names = NO_CACHE, description = "Do not keep the vectors of --corpus for the next search.")
    private boolean noCache;

    @Mixin
    private RerankerOptions reranker = new RerankerOptions();

    @Mixin
    private CorpusOptions reading = new CorpusOptions();

    @Mixin
    private PromptOptions prompts = new PromptOptions();

    @Option(names = "--format", paramLabel = "table|jsonl", description = "Table or JSON Lines (default: table).")
    private Format format = Format.TABLE;

    @Parameters(paramLabel = "QUERY", description = "What to search for.")
    private List<String> queries = new ArrayList<>();

    public SearchCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        if (index != null && corpus != null) {
            throw usage("expected either --index or --corpus, got both");
        }
        if (index == null && exact) {
            throw usage("--exact needs an index to search: expected --index, got none");
        }
        if (corpus == null) {
            refuse("without --corpus", CorpusOptions.METADATA_FIELDS, CorpusOptions.VERBOSE, PASSAGE_TOKENS, NO_CACHE);
        }
        if (mode == SearchMode.BM25) {
            refuse(
                    "with --mode bm25, which compares no vectors",
                    "--exact",
                    BEST_PASSAGES,
                    PromptOptions.QUERY,
                    PromptOptions.DOCUMENT,
                    PromptOptions.NAME);
            if (rerank == null && index != null) {
                noticeUnusedModel("--mode bm25 without --rerank");
            }
        }
        requireOnePrompt(prompts, TextKind.QUERY);
        if (rerank == null) {
            refuse("without --rerank", RERANK_MODEL, FORCE, RerankerOptions.TEMPLATE, RerankerOptions.INSTRUCTION);
        } else if (modelName().isEmpty() && rerankModel == null && !force) {
            notice("not re-ranked: the built-in model was not trained for it and makes results worse; name another"
                    + " with -m or --rerank-model, or give --force");
            rerank = null;
        } else if (modelName().isPresent() || rerankModel != null) {
            refuse("with a model that is not the built-in one", FORCE);
        } else {
            warnAboutReranking();
        }
        if (queries.stream().anyMatch(String::isBlank)) {
            throw usage("expected a query, got an empty one");
        }
        LuceneLog.silence();
        try (Output out = Output.open(console(), Optional.empty());
                QuerySearch search = index == null ? memorySearch() : indexSearch(index)) {
            search.encoder().ifPresent(this::announce);
            recommendModel(search);
            if (prompting()) {
                converse(search, out);
            } else {
                try (TextInput in = asking() ? TextInput.open("-", console()) : input.open(this, queries, "query")) {
                    answer(in, search, out);
                }
            }
            out.finish();
            search.notices().forEach(this::notice);
        }
    }

    /// Whether queries come from standard input.
    private boolean asking() {
        return queries.isEmpty() && input.file().isEmpty();
    }

    /// Whether queries are typed at a prompt.
    private boolean prompting() {
        return asking() && console().interactive() && !common().quiet();
    }

    private QuerySearch indexSearch(String given) throws IOException {
        Optional<String> inner = IndexPlace.within(given);
        inner.ifPresent(place -> notice("searching the index " + place));
        String path = inner.orElse(given);
        SearchOptions options = options(true).withExact(exact);
        IndexSearch search = new IndexSearch(
                TextInput.path(path),
                where == null ? options : options.withFilter(where),
                this::openModel,
                Optional.ofNullable(rerankModel).map(name -> () -> openOther(name)),
                this::scorer,
                prompts.apply(common().biEncoder()),
                reranker.apply(common().crossEncoder()));
        try {
            noticeMetadata(path, search.filterNotices());
            return search;
        } catch (IOException | RuntimeException | Error e) {
            search.close();
            throw e;
        }
    }

    private QuerySearch memorySearch() throws IOException {
        MemoryCorpus documents = new MemoryCorpus(this, reading, Optional.ofNullable(corpus));
        // At the prompt other filters may follow, so all documents are needed.
        Optional<Filter> filter = Optional.ofNullable(where);
        documents.load(filter, !prompting());
        Model model = openModel();
        Optional<Model> ranker = Optional.empty();
        try {
            if (rerank != null && rerankModel != null) {
                ranker = Optional.of(openOther(rerankModel));
            }
            BiEncoder encoder = BiEncoder.of(model, prompts.apply(common().biEncoder()));
            return new MemorySearch(
                    model,
                    ranker,
                    encoder,
                    rerank == null
                            ? Optional.empty()
                            : Optional.of(scorer(ranker.orElse(model), reranker.apply(common().crossEncoder()))),
                    documents.index(
                            model,
                            encoder,
                            Optional.ofNullable(passages),
                            corpus == null && modelName().isEmpty() && !given(BIASES) && !prompts.areGiven(),
                            !noCache),
                    prompting() && where != null ? options(corpus != null).withFilter(where) : options(corpus != null));
        } catch (IOException | RuntimeException | Error e) {
            ranker.ifPresent(Model::close);
            model.close();
            throw e;
        }
    }

    /// @param ownDocuments whether the user's documents are searched, not the demo corpus
    private SearchOptions options(boolean ownDocuments) {
        SearchMode usual = modelName().isEmpty() && ownDocuments ? SearchMode.HYBRID : SearchMode.DENSE;
        return SearchOptions.DEFAULT
                .withMode(mode == null ? usual : mode)
                .withLimit(k)
                .withRerank(rerank == null ? 0 : rerank)
                .withBestPassages(bestPassages);
    }

    /// On a terminal, says that a better model may be had.
    private void recommendModel(QuerySearch search) {
        if (modelName().isEmpty() && console().columns() > 0 && search.encoder().isPresent()) {
            notice("searching with the small built-in model; -m %s finds more".formatted(RECOMMENDED));
        }
    }

    private ResultWriter writer(QuerySearch search, Output out, int columns) throws IOException {
        return format == Format.JSONL
                ? ResultWriter.jsonLines(
                        out.stream(),
                        search.options().mode() == SearchMode.HYBRID
                                ? Optional.of(search.similarity())
                                : Optional.empty())
                : ResultWriter.table(
                        out.stream(), new ResultTable(columns, console().colours()));
    }

    private void answer(TextInput in, QuerySearch search, Output out) throws IOException {
        ResultWriter writer = writer(search, out, console().columns());
        for (List<TextRecord> chunk = in.chunk(); !chunk.isEmpty(); chunk = in.chunk()) {
            List<List<Hit>> results = search.search(chunk);
            for (int i = 0; i < chunk.size(); i++) {
                writer.write(chunk.get(i).joined(), results.get(i));
            }
            writer.flush();
        }
    }

    /// Answers queries and commands that are typed.
    private void converse(QuerySearch search, Output out) throws IOException {
        console()
                .err()
                .printf(
                        Locale.ROOT,
                        "%,d documents, searched by %s with %s.%nType a query, or :help for commands; :quit or Ctrl-D ends.%n",
                        search.size(),
                        DocumentView.by(search.options().mode()),
                        search.encoder().isEmpty() ? "no model" : modelName().orElse("the built-in model"));
        SearchSession session = new SearchSession(search, console(), (query, hits, columns) -> {
            ResultWriter writer = writer(search, out, columns);
            writer.write(query, hits);
            writer.flush();
        });
        Optional<TerminalLines> terminal = TerminalLines.open(console());
        if (terminal.isPresent()) {
            try (TerminalLines lines = terminal.get()) {
                session.answer(lines);
            }
            return;
        }
        try (PlainLines lines = new PlainLines(TextInput.open("-", console()), console())) {
            session.answer(lines);
        }
    }
}

package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ScoringPrompt;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.EncoderOptions;
import io.github.sgpt4j.cli.option.PassageCount;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.retrieval.evaluation.BeirAverage;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options of `sgpt eval`, except those that name what is evaluated.
public final class EvalOptions {
    public static final String PASSAGES = "--passages";

    /// How documents are found.
    public enum Mode {
        DENSE,
        BM25,
        HYBRID,
        RERANK;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// How documents with their query's id are treated.
    public enum IdenticalIds {
        KEEP,
        DROP;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Output formats.
    public enum Format {
        TABLE,
        JSON
    }

    /// Documents per query that BEIR asks for.
    private static final int DEPTH = 1000;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "How documents of --data are found: dense (similarity of embeddings, by exhaustive search),"
                    + " bm25 (words; k1 = 0.9, b = 0.4), hybrid (both, fused) or rerank (BM25's"
                    + " best, scored by the model as cross-encoder) (default: dense).")
    private @Nullable Mode mode;

    @Option(
            names = "--split",
            paramLabel = "NAME",
            converter = Converters.Name.class,
            description = "Which judgements to use (default: test; of msmarco dev, as in BEIR).")
    private @Nullable String split;

    @Option(
            names = "--depth",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Documents found per query (default: 1000, as in BEIR, or the largest of --cutoffs).")
    private @Nullable Integer depth;

    @Option(
            names = "--rerank",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Documents per query that --mode rerank scores (default: 100).")
    private @Nullable Integer rerank;

    @Option(
            names = "--first-stage",
            paramLabel = "RUN",
            converter = Converters.Name.class,
            description =
                    "For --mode rerank: a run in TREC's format whose documents are scored, instead of BM25's; with"
                            + " several collections, a directory with NAME.run.")
    private @Nullable String firstStage;

    @Option(
            names = "--identical-ids",
            paramLabel = "keep|drop",
            description = "Whether a document with its query's id counts (default: drop for --data, as in BEIR; keep"
                    + " for --run, as in trec_eval).")
    private @Nullable IdenticalIds identicalIds;

    @Option(
            names = "--cutoffs",
            paramLabel = "N",
            split = ",",
            converter = Converters.Count.class,
            description =
                    "Cutoff ranks of nDCG, MAP, recall and precision (default: 1,3,5,10,100, and 1000 unless fewer"
                            + " documents are found).")
    private List<Integer> cutoffs = new ArrayList<>();

    @Option(
            names = PASSAGES,
            paramLabel = "N",
            arity = "0..1",
            fallbackValue = PassageCount.USUAL,
            preprocessor = PassageCount.class,
            converter = PassageCount.class,
            description = "Embed passages of at most N tokens of longer documents (256, or as many as the model reads,"
                    + " if no number follows), and let each document's nearest passage count. Published figures are"
                    + " of whole documents, cut where the model's length ends.")
    private @Nullable Integer passages;

    @Mixin
    private EncoderOptions encoding = new EncoderOptions();

    @Option(
            names = "--prompt",
            paramLabel = "TEMPLATE|LETTER|FILE",
            converter = Converters.Prompt.class,
            description = "As for sgpt score (default: G, SGPT's).")
    private @Nullable ScoringPrompt prompt;

    @Mixin
    private RerankerOptions reranker = new RerankerOptions();

    @Option(names = "--per-query", description = "Also print the results of each query.")
    private boolean perQuery;

    @Option(names = "--format", paramLabel = "table|json", description = "Output format (default: table).")
    private Format format = Format.TABLE;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Also write a report: a page with plots and a table of all queries if the name ends in .html,"
                    + " otherwise JSON. May be repeated.")
    private List<String> reports = new ArrayList<>();

    @Option(
            names = "--save-run",
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Write the ranking in TREC's format; with several collections, a directory for NAME.run.")
    private @Nullable String saveRun;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "Where embeddings and scores are cached (default: sgpt4j/evaluation in ~/.cache or"
                    + " $XDG_CACHE_HOME).")
    private @Nullable String cache;

    @Option(names = "--no-cache", description = "Cache no embeddings or scores.")
    private boolean noCache;

    public Mode mode() {
        return Optional.ofNullable(mode).orElse(Mode.DENSE);
    }

    /// How long documents are split, if they are.
    ///
    /// @throws IllegalArgumentException if the model cannot read such passages
    public Optional<PassageOptions> passages(BiEncoder encoder) {
        if (passages == null) {
            return Optional.empty();
        }
        PassageOptions options = passages == 0 ? PassageOptions.of(encoder) : PassageOptions.of(passages);
        options.requireFit(encoder);
        return Optional.of(options);
    }

    public String split() {
        return Optional.ofNullable(split).orElse("test");
    }

    /// The split of a collection.
    public String split(String collection) {
        return Optional.ofNullable(split).orElseGet(() -> BeirAverage.split(collection));
    }

    public int depth() {
        return Optional.ofNullable(depth).orElseGet(() -> Math.max(DEPTH, lastCutoff()));
    }

    private int lastCutoff() {
        return cutoffs.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    public int rerank() {
        return Optional.ofNullable(rerank).orElse(Math.min(100, depth()));
    }

    public IdenticalIds identicalIds(IdenticalIds otherwise) {
        return Optional.ofNullable(identicalIds).orElse(otherwise);
    }

    public Optional<String> firstStage() {
        return Optional.ofNullable(firstStage);
    }

    /// What is measured.
    ///
    /// @param found documents asked for; without `--cutoffs`, no cutoff is larger
    public List<Measure> measures(int found) {
        if (!cutoffs.isEmpty()) {
            return Measure.standard(cutoffs.stream().sorted().distinct().toList());
        }
        List<Integer> usual = new ArrayList<>(Measure.STANDARD_CUTOFFS);
        if (found >= DEPTH) {
            usual.add(DEPTH);
        }
        return Measure.standard(usual);
    }

    /// Documents of a query that have a rank: those found, or those scored by `--mode rerank`.
    public int ranked() {
        return mode() == Mode.RERANK ? rerank() : depth();
    }

    /// An encoder over a model that the caller owns.
    public BiEncoder biEncoder(Model model, CommonOptions common) {
        return encoding.open(model, encoding.options(common));
    }

    public PromptOptions prompts() {
        return encoding.prompts();
    }

    public CrossEncoderOptions crossEncoder(CommonOptions common) {
        CrossEncoderOptions options = reranker.apply(common.crossEncoder());
        return prompt == null ? options : options.withPrompt(prompt);
    }

    public boolean perQuery() {
        return perQuery;
    }

    public Format format() {
        return format;
    }

    public List<String> reports() {
        return reports;
    }

    public Optional<String> saveRun() {
        return Optional.ofNullable(saveRun);
    }

    public Optional<String> cache() {
        return Optional.ofNullable(cache);
    }

    public boolean noCache() {
        return noCache;
    }

    /// A message about an option that refers to more documents than are found; empty if there is none.
    public Optional<String> beyondDepth() {
        if (rerank != null && rerank > depth()) {
            return Optional.of(
                    "--rerank: expected at most the %d documents of --depth, got %d".formatted(depth(), rerank));
        }
        boolean scored = mode() == Mode.RERANK;
        int found = ranked();
        int last = lastCutoff();
        return last <= found
                ? Optional.empty()
                : Optional.of("--cutoffs: expected at most the %d documents of %s, got %d"
                        .formatted(found, scored ? "--rerank" : "--depth", last));
    }
}

package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.command.ModelCommand;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.EncoderOptions;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.ModelIdentity;
import io.github.sgpt4j.retrieval.evaluation.CachedEmbedder;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Qrels;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.evaluation.Useb;
import io.github.sgpt4j.retrieval.evaluation.UsebTask;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `sgpt eval`: evaluates a search, an existing run, or a model's embeddings.
@Command(
        name = "eval",
        versionProvider = VersionProvider.class,
        description = "Evaluate a search over judged collections, an existing run, or embeddings on USEB.",
        footer = {
            "",
            "Measures are trec_eval's, averaged over all judged queries. A collection is a folder in BEIR's layout"
                    + " (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), or a folder of such folders (CQADupStack), whose"
                    + " results are averaged. Judgements for --run are BEIR's .tsv or TREC's. USEB's folders are"
                    + " askubuntu, cqadupstack, scidocs and twitterpara.",
            "An interrupted evaluation resumes where it stopped when it is run again.",
            "",
            "Examples:",
            "  sgpt eval --data BeIR/scifact BeIR/nfcorpus -m OWNER/NAME --report report.html",
            "  sgpt eval --data scifact --mode rerank --first-stage bm25.run -m OWNER/NAME"
        })
public final class EvalCommand extends ModelCommand {
    @Option(
            names = "--run",
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "A run in TREC's format.")
    private @Nullable String run;

    @Option(
            names = "--qrels",
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Judgements for --run.")
    private @Nullable String qrels;

    @Option(
            names = "--data",
            paramLabel = "DIR|OWNER/NAME",
            arity = "1..*",
            converter = Converters.Name.class,
            description =
                    "Collections to search: folders, or datasets of the Hugging Face hub such as BeIR/scifact, which"
                            + " are downloaded unless they are in the cache.")
    private List<String> data = new ArrayList<>();

    @Option(
            names = "--useb",
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "The folder of USEB's tasks; splits: test, valid or dev.")
    private @Nullable String useb;

    @Mixin
    private EvalOptions options = new EvalOptions();

    public EvalCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        checkUsage();
        LuceneLog.silence();
        files().check();
        if (run != null && qrels != null) {
            evaluateRun(run, qrels);
        } else if (useb != null) {
            evaluateUseb(useb);
        } else {
            evaluateData();
        }
    }

    private void checkUsage() {
        int kinds = (run != null ? 1 : 0) + (useb != null ? 1 : 0) + (data.isEmpty() ? 0 : 1);
        if (kinds != 1) {
            throw usage(
                    "expected one of --run FILE, --data DIR and --useb DIR, got " + (kinds == 0 ? "none" : "several"));
        }
        if ((run == null) != (qrels == null)) {
            throw usage(
                    "expected --run FILE and --qrels FILE together, got only " + (run == null ? "--qrels" : "--run"));
        }
        if (given("--cache") && given("--no-cache")) {
            throw usage("expected either --cache or --no-cache, got both");
        }
        if (run != null || useb != null) {
            refuse(
                    run != null ? "with --run" : "with --useb",
                    "--mode",
                    "--depth",
                    "--rerank",
                    "--first-stage",
                    "--prompt",
                    EvalOptions.PASSAGES,
                    RerankerOptions.TEMPLATE,
                    RerankerOptions.INSTRUCTION,
                    "--save-run");
        }
        if (run != null) {
            refuse("with --run", "--split", "--cache", "--no-cache");
            refuse("with --run", EncoderOptions.NAMES.toArray(String[]::new));
            refuse("with --run, which needs no model", ModelCommand.MODEL_OPTIONS.toArray(String[]::new));
        } else if (useb != null) {
            refuse("with --useb", "--cutoffs", "--identical-ids", "--per-query");
            refuse(
                    "with --useb, whose texts are neither queries nor documents",
                    PromptOptions.NAMES.toArray(String[]::new));
        } else {
            requireOnePrompt(options.prompts(), TextKind.QUERY);
            checkMode();
        }
        if (options.saveRun().filter("-"::equals).isPresent()) {
            throw usage("--save-run: expected a file, got -");
        }
        files().complaint().ifPresent(complaint -> {
            throw usage(complaint);
        });
        if (useb != null && options.reports().stream().anyMatch(ReportFiles::isPage)) {
            throw usage("--report: with --useb, which has no queries, expected a name for JSON, got one for a page");
        }
    }

    private void checkMode() {
        EvalOptions.Mode mode = options.mode();
        if (mode != EvalOptions.Mode.RERANK) {
            String where = "with --mode %s; --mode rerank lets the model re-order the first N of BM25".formatted(mode);
            refuse(
                    where,
                    "--rerank",
                    "--first-stage",
                    "--prompt",
                    RerankerOptions.TEMPLATE,
                    RerankerOptions.INSTRUCTION);
        }
        if (mode == EvalOptions.Mode.RERANK || mode == EvalOptions.Mode.BM25) {
            refuse(
                    "with --mode %s, which computes no embeddings".formatted(mode),
                    EncoderOptions.NAMES.toArray(String[]::new));
            refuse("with --mode %s, which computes no embeddings".formatted(mode), EvalOptions.PASSAGES);
        }
        if (mode == EvalOptions.Mode.BM25) {
            noticeUnusedModel("--mode bm25");
        }
        options.beyondDepth().ifPresent(complaint -> {
            throw usage(complaint);
        });
    }

    /// Checks before the work that its result can be written.
    public static void checkWritable(Console console, String file) throws IOException {
        Output.open(console, Optional.of(file)).close();
    }

    private void evaluateRun(String runFile, String qrelsFile) throws IOException {
        Qrels judgements = Qrels.read(TextInput.path(qrelsFile));
        Run ranking = Run.read(TextInput.path(runFile));
        if (options.identicalIds(EvalOptions.IdenticalIds.KEEP) == EvalOptions.IdenticalIds.DROP) {
            ranking = ranking.withoutIdenticalIds();
        }
        Evaluation evaluation = Evaluation.of(judgements, ranking, options.measures(Integer.MAX_VALUE));
        noticeQueries(runFile, evaluation);
        String table = (options.perQuery() ? EvalTable.perQuery("", evaluation) + "\n" : "")
                + EvalTable.single(runFile, evaluation.queries().size(), evaluation.means());
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("run", runFile);
        about.put("qrels", qrelsFile);
        EvalResult.Part part = new EvalResult.Part(runFile, evaluation, Map.of());
        EvalResult result = new EvalResult(runFile, "", Optional.empty(), false, List.of(part));
        write(
                table,
                EvalJson.run(runFile, qrelsFile, evaluation, options.perQuery()),
                made -> EvalPage.of(about, List.of(result), made));
    }

    /// Prints notices about queries that the means conceal.
    public void noticeQueries(String name, Evaluation evaluation) {
        EvalNotices.of(name, evaluation).forEach(this::notice);
    }

    private void evaluateData() throws IOException {
        Map<String, Object> about = new LinkedHashMap<>();
        List<EvalResult> results = new EvalCollections(this, options).evaluate(data, about);
        StringBuilder table = new StringBuilder();
        if (options.perQuery()) {
            for (EvalResult result : results) {
                for (EvalResult.Part part : result.parts()) {
                    boolean several = results.size() > 1 || result.isDivided();
                    table.append(EvalTable.perQuery(several ? part.name() : "", part.evaluation()));
                }
            }
            table.append('\n');
        }
        EvalResult first = results.getFirst();
        boolean single = results.size() == 1 && !first.isDivided();
        table.append(
                single ? EvalTable.single(first.name(), first.queries(), first.means()) : EvalTable.several(results));
        table.append(BeirAverages.of(results).text()).append(EvalTable.prompt(about));
        write(
                table.toString(),
                EvalJson.data(about, results, options.perQuery()),
                made -> EvalPage.of(about, results, made));
    }

    private void evaluateUseb(String directory) throws IOException {
        Useb.Split split;
        try {
            split = Useb.Split.parse(options.split());
        } catch (IllegalArgumentException e) {
            throw usage("--" + e.getMessage());
        }
        List<UsebTask> tasks = Useb.open(TextInput.path(directory), split);
        List<String> names = tasks.stream().map(UsebTask::name).toList();
        List<String> missing =
                Useb.TASKS.stream().filter(name -> !names.contains(name)).toList();
        if (!missing.isEmpty()) {
            notice("%s: no folder for %s; the average is over the other tasks"
                    .formatted(directory, String.join(", ", missing)));
        }
        if (split == Useb.Split.VALIDATION && names.contains("twitterpara")) {
            notice("twitterpara has no validation set; its test set is used, as in USEB");
        }
        Map<String, Object> about = new LinkedHashMap<>();
        List<Useb.Result> results = new ArrayList<>();
        try (Model model = openModel();
                BiEncoder encoder = options.biEncoder(model, common());
                CachedEmbedder embedder = new EvalCaches(this, options).embedder(model, encoder);
                EvalProgress progress = new EvalProgress(console(), common().quiet())) {
            about.put("model", ModelIdentity.of(encoder).name());
            about.put("fingerprint", encoder.fingerprint());
            about.put("split", options.split());
            for (UsebTask task : tasks) {
                results.add(Useb.evaluate(task, embedder, progress));
            }
            Truncations.of(encoder).forEach(this::notice);
        }
        write(EvalTable.useb(results), EvalJson.useb(about, results), made -> {
            throw new IllegalStateException("refused before");
        });
    }

    private ReportFiles files() {
        return new ReportFiles(console(), options.reports());
    }

    /// @param page the report as a page, from how it was made
    private void write(String table, Map<String, Object> report, Function<Reproduction, byte[]> page)
            throws IOException {
        Reproduction made = Reproduction.of(spec());
        report.putAll(made.facts());
        byte[] json = EvalJson.bytes(report);
        files().write(
                        json,
                        () -> page.apply(made),
                        options.format() == EvalOptions.Format.JSON ? json : ReportFiles.utf8(table));
    }
}

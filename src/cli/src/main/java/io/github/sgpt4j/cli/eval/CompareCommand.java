package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.QuietOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.retrieval.evaluation.Evaluation;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.Qrels;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.evaluation.significance.RandomizationTest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `sgpt compare`: whether runs differ by more than chance.
@Command(
        name = "compare",
        versionProvider = VersionProvider.class,
        description = "Compare runs with the first of them, query by query, and test whether they differ by more than"
                + " chance.",
        footer = {
            "",
            "Tests are two-sided and paired over all judged queries: Student's t-test and Fisher's randomization test"
                    + " (Smucker, Allan and Carterette 2007). p-values are adjusted for the number of comparisons"
                    + " (Holm 1979); the reports have both.",
            "",
            "Examples:",
            "  sgpt compare bm25.run dense.run hybrid.run --qrels qrels/test.tsv",
            "  sgpt compare old.run new.run --qrels test.qrels --measure MAP@100 --report new.html"
        })
public final class CompareCommand implements Callable<Integer> {
    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "RUN",
            arity = "2..*",
            converter = Converters.Name.class,
            description =
                    "Runs in TREC's format, at least two; the first is the one that the others are compared with.")
    private List<String> runs = new ArrayList<>();

    @Option(
            names = "--qrels",
            paramLabel = "FILE",
            required = true,
            converter = Converters.Name.class,
            description = "Judgements, BEIR's .tsv or TREC's.")
    private String qrels = "";

    @Option(
            names = "--measure",
            paramLabel = "NAME",
            converter = MeasureName.class,
            description = "What is compared, such as nDCG@10, MAP@100, recall@100, P@10 or MRR (default: nDCG@10).")
    private Measure measure = Measure.NDCG_10;

    @Option(
            names = "--identical-ids",
            paramLabel = "keep|drop",
            description = "Whether a document with its query's id counts (default: keep, as in trec_eval).")
    private EvalOptions.IdenticalIds identicalIds = EvalOptions.IdenticalIds.KEEP;

    @Option(
            names = "--samples",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Random samples of the randomization test; where there are no more possibilities, all are"
                    + " tried (default: 100000).")
    private int samples = RandomizationTest.DEFAULT_ASSIGNMENTS;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of these samples (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            converter = Converters.Name.class,
            description = "Also write a report: a page with plots if the name ends in .html, otherwise JSON. May be"
                    + " repeated.")
    private List<String> reports = new ArrayList<>();

    @Option(names = "--format", paramLabel = "table|json", description = "Output format (default: table).")
    private EvalOptions.Format format = EvalOptions.Format.TABLE;

    @Mixin
    private QuietOptions notices = new QuietOptions();

    /// Reads a measure's name.
    static final class MeasureName implements ITypeConverter<Measure> {
        @Override
        public Measure convert(String value) {
            return Converters.checked(value, Measure::parse);
        }
    }

    public CompareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        ReportFiles files = new ReportFiles(console, reports);
        files.complaint().ifPresent(complaint -> {
            throw usage(complaint);
        });
        files.check();
        Qrels judgements = Qrels.read(TextInput.path(qrels));
        List<String> names = RunNames.of(runs);
        List<Evaluation> evaluations = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            Run run = Run.read(TextInput.path(runs.get(i)));
            Run counted = identicalIds == EvalOptions.IdenticalIds.DROP ? run.withoutIdenticalIds() : run;
            Evaluation evaluation = Evaluation.of(judgements, counted, List.of(measure));
            tell(runs.get(i), evaluation);
            evaluations.add(evaluation);
        }
        CompareResult result = compare(names, evaluations);
        CompareReport report = new CompareReport(result, Reproduction.of(spec), qrels, runs, identicalIds.toString());
        byte[] json = EvalJson.bytes(report.json());
        files.write(
                json,
                report::page,
                format == EvalOptions.Format.JSON ? json : ReportFiles.utf8(CompareTable.of(result)));
        return 0;
    }

    private CompareResult compare(List<String> names, List<Evaluation> evaluations) {
        try {
            return CompareResult.of(measure, names, evaluations, samples, seed);
        } catch (IllegalArgumentException e) {
            throw usage("--samples: " + e.getMessage());
        }
    }

    private void tell(String run, Evaluation evaluation) {
        if (!notices.quiet()) {
            EvalNotices.of(run, evaluation).forEach(console::say);
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}

package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.OutputOptions;
import io.github.sgpt4j.cli.option.QuietOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.Fusion;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.evaluation.fusion.FusionMethod;
import io.github.sgpt4j.retrieval.evaluation.fusion.Normalization;
import io.github.sgpt4j.retrieval.evaluation.fusion.RunFusion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `sgpt fuse`: merges runs into one.
@Command(
        name = "fuse",
        versionProvider = VersionProvider.class,
        description = "Merge runs in TREC's format into one, query by query.",
        footer = {
            "",
            "A run that did not find a document adds nothing to its score. rrf uses ranks only (Cormack, Clarke and"
                    + " Büttcher 2009); combsum, combmnz (Fox and Shaw 1994) and weighted add scores, which --norm"
                    + " makes comparable first.",
            "",
            "Examples:",
            "  sgpt fuse bm25.run dense.run -o hybrid.run",
            "  sgpt fuse bm25.run dense.run --method weighted --weights 0.3,0.7 -o hybrid.run"
        })
public final class FuseCommand implements Callable<Integer> {
    /// The ways to merge.
    public enum Method {
        RRF,
        COMBSUM,
        COMBMNZ,
        WEIGHTED
    }

    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "RUN",
            arity = "2..*",
            converter = Converters.Name.class,
            description = "Runs in TREC's format, at least two; .gz is unpacked.")
    private List<String> runs = new ArrayList<>();

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description = "rrf (sum of 1 / (k + rank)), combsum (sum of scores), combmnz (that times the number of"
                    + " runs that found the document) or weighted (weighted sum of scores) (default: rrf).")
    private Method method = Method.RRF;

    @Option(
            names = "--rrf-k",
            paramLabel = "K",
            converter = Converters.Count.class,
            description = "The constant of rrf (default: 60).")
    private @Nullable Integer constant;

    @Option(
            names = "--weights",
            paramLabel = "X",
            split = ",",
            description = "A weight for each run, for --method weighted.")
    private List<Double> weights = new ArrayList<>();

    @Option(
            names = "--norm",
            paramLabel = "NORM",
            description =
                    "How a run's scores for a query are made comparable: minmax (least 0, best 1), zscore (mean 0,"
                            + " standard deviation 1) or none (default: minmax).")
    private @Nullable Normalization norm;

    @Option(
            names = "--depth",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Documents kept per query (default: ${DEFAULT-VALUE}).")
    private int depth = 1000;

    @Option(
            names = "--tag",
            paramLabel = "NAME",
            converter = Converters.Name.class,
            description = "Name of the run, its last column (default: sgpt-METHOD).")
    private @Nullable String tag;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Mixin
    private QuietOptions notices = new QuietOptions();

    public FuseCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        FusionMethod how = fusion();
        String name = Optional.ofNullable(tag).orElse("sgpt-" + method.name().toLowerCase(Locale.ROOT));
        // A wrong file is told before the runs are read.
        try (Output out = Output.open(console, output.file())) {
            List<Run> read = new ArrayList<>();
            for (String run : runs) {
                read.add(Run.read(TextInput.path(run)));
            }
            tellQueries(read);
            fused(read, how).write(out.stream(), name);
            out.finish();
        }
        return 0;
    }

    private Run fused(List<Run> read, FusionMethod how) {
        try {
            return RunFusion.fuse(read, how, depth);
        } catch (IllegalArgumentException e) {
            // The sum of scores is no longer a number of 32 bits.
            throw new CliException(String.join(", ", runs) + ": " + e.getMessage(), e);
        }
    }

    private FusionMethod fusion() {
        boolean ranks = method == Method.RRF;
        if (!ranks && constant != null) {
            throw usage("--rrf-k has no effect without --method rrf");
        }
        if (ranks && norm != null) {
            throw usage("--norm has no effect with --method rrf, which does not use scores");
        }
        if (method != Method.WEIGHTED && !weights.isEmpty()) {
            throw usage("--weights has no effect without --method weighted");
        }
        if (method == Method.WEIGHTED && weights.size() != runs.size()) {
            throw usage("--weights: expected one for each of %d runs, got %d".formatted(runs.size(), weights.size()));
        }
        Normalization scale = Optional.ofNullable(norm).orElse(Normalization.MINMAX);
        try {
            return switch (method) {
                case RRF ->
                    new FusionMethod.ReciprocalRank(
                            Optional.ofNullable(constant).orElse(Fusion.RANK_CONSTANT));
                case COMBSUM -> new FusionMethod.CombSum(scale);
                case COMBMNZ -> new FusionMethod.CombMnz(scale);
                case WEIGHTED -> new FusionMethod.Weighted(weights, scale);
            };
        } catch (IllegalArgumentException e) {
            throw usage("--" + e.getMessage());
        }
    }

    /// Says which queries not all runs have: their results come from fewer.
    private void tellQueries(List<Run> read) {
        Set<String> all = new LinkedHashSet<>();
        read.forEach(run -> all.addAll(run.queries()));
        List<String> partly = all.stream()
                .filter(query -> read.stream().anyMatch(run -> !run.queries().contains(query)))
                .toList();
        if (!partly.isEmpty() && !notices.quiet()) {
            console.say("queries that not all runs have, which are merged from the others: %,d of %,d (%s)"
                    .formatted(partly.size(), all.size(), EvalTable.some(partly)));
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}

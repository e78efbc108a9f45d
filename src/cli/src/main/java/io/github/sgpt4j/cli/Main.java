package io.github.sgpt4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.VectorPrecision;
import io.github.sgpt4j.cli.command.BenchCommand;
import io.github.sgpt4j.cli.command.CompletionCommand;
import io.github.sgpt4j.cli.command.ConvertCommand;
import io.github.sgpt4j.cli.command.DevicesCommand;
import io.github.sgpt4j.cli.command.DownloadCommand;
import io.github.sgpt4j.cli.command.EmbedCommand;
import io.github.sgpt4j.cli.command.IndexCommand;
import io.github.sgpt4j.cli.command.InspectCommand;
import io.github.sgpt4j.cli.command.MergeCommand;
import io.github.sgpt4j.cli.command.ScoreCommand;
import io.github.sgpt4j.cli.command.TokenizeCommand;
import io.github.sgpt4j.cli.command.VerifyCommand;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.ClosedOutputException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.cli.console.StandardError;
import io.github.sgpt4j.cli.eval.CompareCommand;
import io.github.sgpt4j.cli.eval.EvalCommand;
import io.github.sgpt4j.cli.eval.EvalOptions;
import io.github.sgpt4j.cli.eval.FuseCommand;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.HelpOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ReportFormat;
import io.github.sgpt4j.cli.search.SearchCommand;
import io.github.sgpt4j.cli.serve.ServeCommand;
import io.github.sgpt4j.cli.train.Recipe;
import io.github.sgpt4j.cli.train.TrainCommand;
import io.github.sgpt4j.cli.vectors.ClusterCommand;
import io.github.sgpt4j.cli.vectors.PairsCommand;
import io.github.sgpt4j.cli.vectors.SimilarityCommand;
import io.github.sgpt4j.cli.vectors.VectorCommand;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.evaluation.fusion.Normalization;
import io.github.sgpt4j.training.data.DataForm;
import io.github.sgpt4j.training.run.Keep;
import io.github.sgpt4j.training.step.GradCache;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/// The `sgpt` command: finds the verb, and turns failures into one line and an exit code.
@Command(
        name = "sgpt",
        versionProvider = VersionProvider.class,
        description = "Sentence embeddings and re-ranking scores from decoder-only language models.",
        footer = {
            "",
            "See sgpt VERB --help, or sgpt help VERB, for details. Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.",
            "SGPT_DEBUG=1 adds stack traces to failures."
        })
public final class Main implements Runnable {
    private static final int FAILURE = 1;
    private static final int USAGE = 2;
    private static final int HELP_COLUMNS = 100;

    private static final String COMPLETION = "completion";

    /// What picocli's help says of a verb that it does not know.
    private static final Pattern UNKNOWN_TO_HELP = Pattern.compile("^Unknown subcommand '([^']*)'");

    /// Created in advance: when it is needed, there may be no memory left to create it.
    private static final byte[] NO_MEMORY =
            "sgpt: out of memory; SGPT_JAVA_OPTS=-Xmx… allows more\n".getBytes(StandardCharsets.UTF_8);

    /// What this process ends with, completed when everything has been said.
    private static final CompletableFuture<Integer> EXIT = new CompletableFuture<>();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private HelpOptions help = new HelpOptions();

    private Main() {}

    public static void main(String[] arguments) {
        int code;
        try {
            code = start(arguments);
        } catch (LinkageError | VirtualMachineError e) {
            code = reportFatal(e);
        }
        EXIT.complete(code);
        System.exit(code);
    }

    private static int start(String[] arguments) {
        // Output is English and JSON everywhere: no digits, decimal points or letters from the machine's locale.
        Locale.setDefault(Locale.ROOT);
        StandardError.restore();
        Console console = Console.ofProcess();
        // A thread that waits for the result of a failed one fails too, and reports it in one sentence.
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> trace(console, e));
        preload();
        return run(console, arguments);
    }

    /// Reports a failure without loading further classes of this program, which may no longer be loadable.
    private static int reportFatal(Error failure) {
        try {
            if (!(failure instanceof OutOfMemoryError)) {
                requestFileCheck();
                System.err.println(
                        failure instanceof LinkageError
                                ? "sgpt: cannot load " + failure.getMessage()
                                        + ": a file of sgpt is missing or damaged, or too many files are open (ulimit -n)"
                                : "sgpt: internal error: " + failure);
                return FAILURE;
            }
        } catch (OutOfMemoryError e) {
            // Report that instead, below.
        }
        System.err.write(NO_MEMORY, 0, NO_MEMORY.length);
        System.err.flush();
        return FAILURE;
    }

    private static void requestFileCheck() {
        try {
            StandardError.requestFileCheck();
        } catch (LinkageError e) {
            // The class that cannot be loaded is this one: the failure is reported without a check.
        }
    }

    /// Initialises the JSON library while options are parsed: every verb needs it, and it takes a while.
    private static void preload() {
        try {
            Thread.ofPlatform().daemon().name("sgpt-preload").start(() -> {
                try {
                    JsonMapper.builder().build().readTree("[0.5]");
                } catch (JsonProcessingException e) {
                    throw new IllegalStateException(e);
                } catch (LinkageError | VirtualMachineError e) {
                    // The verb will run into the same error and report it.
                }
            });
        } catch (OutOfMemoryError e) {
            // No thread available: the verb initialises the library itself.
        }
    }

    /// Runs a command.
    ///
    /// @return its exit code
    static int run(Console console, String... arguments) {
        StringWriter help = new StringWriter();
        int code;
        try {
            code = commandLine(console, arguments).setOut(new PrintWriter(help)).execute(arguments);
        } catch (Error e) {
            // picocli handles exceptions only, but errors such as out of memory need their one line too.
            return report(console, e);
        }
        return help.getBuffer().isEmpty() ? code : printHelp(console, help.toString());
    }

    private static int printHelp(Console console, String text) {
        try (Output out = Output.open(console, Optional.empty())) {
            out.stream().write(text.getBytes(StandardCharsets.UTF_8));
            out.finish();
            return 0;
        } catch (IOException e) {
            return report(console, e);
        }
    }

    /// The command with all its verbs, for programs that write about its options.
    public static CommandLine commandLine() {
        return commandLine(Console.ofProcess());
    }

    /// The command with its verbs, or with only the verb that the arguments start with: inspecting the options of
    /// all verbs takes a tenth of a second.
    static CommandLine commandLine(Console console, String... given) {
        Map<String, Function<Console, Object>> verbs = new LinkedHashMap<>();
        verbs.put("embed", EmbedCommand::new);
        verbs.put("similarity", SimilarityCommand::new);
        verbs.put("pairs", PairsCommand::new);
        verbs.put("cluster", ClusterCommand::new);
        verbs.put("score", ScoreCommand::new);
        verbs.put("tokenize", TokenizeCommand::new);
        verbs.put("index", verb -> new IndexCommand(verb, EXIT));
        verbs.put("search", SearchCommand::new);
        verbs.put("eval", EvalCommand::new);
        verbs.put("compare", CompareCommand::new);
        verbs.put("fuse", FuseCommand::new);
        verbs.put("inspect", InspectCommand::new);
        verbs.put("download", DownloadCommand::new);
        verbs.put("verify", VerifyCommand::new);
        verbs.put("convert", ConvertCommand::new);
        verbs.put("merge", MergeCommand::new);
        verbs.put("train", verb -> new TrainCommand(verb, EXIT));
        verbs.put("serve", ServeCommand::new);
        verbs.put("bench", BenchCommand::new);
        verbs.put("devices", DevicesCommand::new);
        String first = given.length > 0 ? given[0] : "";
        verbs.put(COMPLETION, CompletionCommand::new);
        // A script for completion and the help are about all of them.
        if (verbs.containsKey(first) && !first.equals(COMPLETION)) {
            verbs.keySet().retainAll(Set.of(first));
        }
        CommandLine line = new CommandLine(new Main());
        verbs.values().forEach(verb -> line.addSubcommand(verb.apply(console)));
        line.addSubcommand(new CommandLine.HelpCommand());
        registerWords(line);
        return line.setParameterExceptionHandler((e, arguments) -> reportUsage(console, e))
                .setExecutionExceptionHandler((e, command, result) -> report(console, e))
                .setExpandAtFiles(false)
                .setUsageHelpWidth(HELP_COLUMNS);
    }

    /// Called after the verbs were added: picocli registers converters only with existing subcommands.
    private static void registerWords(CommandLine line) {
        Converters.Word.register(line, TextKind.class);
        Converters.Word.register(line, EmbedCommand.Format.class);
        Converters.Word.register(line, VectorPrecision.class);
        Converters.Word.register(line, Similarity.class);
        Converters.Word.register(line, VectorCommand.Format.class);
        Converters.Word.register(line, SearchMode.class);
        Converters.Word.register(line, SearchCommand.Format.class);
        Converters.Word.register(line, EvalOptions.Mode.class);
        Converters.Word.register(line, EvalOptions.IdenticalIds.class);
        Converters.Word.register(line, EvalOptions.Format.class);
        Converters.Word.register(line, FuseCommand.Method.class);
        Converters.Word.register(line, Normalization.class);
        Converters.Word.register(line, ReportFormat.class);
        Converters.Word.register(line, DataForm.class);
        Converters.Word.register(line, GradCache.class);
        Converters.Word.register(line, Keep.class);
        Converters.Word.register(line, Recipe.class);
        Converters.Word.register(line, CompletionCommand.Shell.class);
    }

    private static int reportUsage(Console console, ParameterException e) {
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        console.say("%s (see %s --help)".formatted(unknownVerb(e).orElseGet(e::getMessage), command));
        return USAGE;
    }

    /// The message for an unknown verb; empty for any other usage error.
    private static Optional<String> unknownVerb(ParameterException e) {
        Matcher help = UNKNOWN_TO_HELP.matcher(String.valueOf(e.getMessage()));
        CommandLine line = e.getCommandLine();
        String given;
        if (help.find()) {
            given = help.group(1);
            line = line.getParent() == null ? line : line.getParent();
        } else if (line.getParent() == null && e instanceof UnmatchedArgumentException unmatched) {
            given = unmatched.getUnmatched().getFirst();
        } else {
            return Optional.empty();
        }
        if (given.startsWith("-")) {
            return Optional.empty();
        }
        Optional<String> similar = Spelling.nearest(given, line.getSubcommands().keySet());
        return Optional.of("unknown verb \"%s\"%s"
                .formatted(given, similar.map("; did you mean %s?"::formatted).orElse("")));
    }

    private static int report(Console console, Throwable failure) {
        if (failure instanceof ClosedOutputException) {
            return 0;
        }
        console.say(Failures.sentence(failure));
        if (Failures.isBrokenClass(failure)) {
            StandardError.requestFileCheck();
        }
        trace(console, failure);
        return failure instanceof CliException e ? e.exitCode() : FAILURE;
    }

    private static void trace(Console console, Throwable failure) {
        if (console.isSet("SGPT_DEBUG")) {
            failure.printStackTrace(console.err());
        }
    }

    /// Prints the help if there is no verb.
    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}

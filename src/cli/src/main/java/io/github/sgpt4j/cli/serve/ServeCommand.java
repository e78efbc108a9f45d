package io.github.sgpt4j.cli.serve;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.VectorRanges;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.option.CommonOptions;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.RerankerOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.SgptServer;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.search.IndexCollection;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// Serves models over HTTP until the process is ended.
@Command(
        name = "serve",
        description = "Serve embeddings, re-ranking and search over HTTP, for clients of OpenAI, TEI, Jina and Cohere,"
                + " and a page.",
        footer = {"", "Examples:", "  sgpt serve", "  sgpt serve -m OWNER/NAME --index news.index --port 8080"})
public final class ServeCommand implements Callable<Integer> {
    /// Variable with the API key, so that it need not be among the arguments, which every user of the machine can see.
    static final String KEY_VARIABLE = "SGPT_API_KEY";

    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private CommonOptions common = new CommonOptions();

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description =
                    "Model that embeds: a checkpoint directory, or OWNER/NAME[@REVISION] of a model on the Hugging"
                            + " Face hub; may be given several times, the first answers requests that name none (default: the"
                            + " small built-in model).")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--rerank-model",
            paramLabel = "MODEL",
            converter = Converters.Name.class,
            description = "Model that re-ranks (default: the first MODEL that can).")
    private @Nullable String rerankModel;

    @Mixin
    private RerankerOptions reranker = new RerankerOptions();

    @Option(
            names = "--alias",
            paramLabel = "NAME[=MODEL]",
            converter = Converters.Name.class,
            description =
                    "Another name for a model, such as text-embedding-3-small; may be given several times (default"
                            + " MODEL: the first).")
    private List<String> aliases = new ArrayList<>();

    @Option(names = "--any-model", description = "Accept every name of a model in requests; the first one answers.")
    private boolean anyModel;

    @Option(
            names = "--biases",
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "Trained tensors to use instead of the model's own (biases.safetensors).")
    private @Nullable Path biases;

    @Option(
            names = "--index",
            paramLabel = "DIR",
            converter = Converters.PathName.class,
            description = "Index that is searched, built by sgpt index with the first MODEL (default: with the built-in"
                    + " model a demo corpus, else none).")
    private @Nullable Path index;

    @Option(
            names = "--ranges",
            paramLabel = "FILE",
            converter = Converters.PathName.class,
            description = "Ranges for clients that ask for int8 or uint8, written by sgpt embed --normalize (or"
                    + " --dimensions N) --precision int8 --save-ranges FILE with the first MODEL (default: such requests"
                    + " are refused).")
    private @Nullable Path ranges;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            converter = Converters.Name.class,
            description = "Address to listen at; 0.0.0.0 for all (default: ${DEFAULT-VALUE}, this machine only).")
    private String host = ServerOptions.DEFAULT.host();

    @Option(
            names = "--port",
            paramLabel = "N",
            converter = PortNumber.class,
            description = "Port to listen at, 0 for any (default: ${DEFAULT-VALUE}).")
    private int port = ServerOptions.DEFAULT.port();

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            converter = Converters.Name.class,
            description = "What clients have to send as Authorization: Bearer KEY; better in the variable"
                    + " SGPT_API_KEY, as arguments can be seen (default: none).")
    private @Nullable String apiKey;

    @Option(
            names = "--cors-allow-origin",
            paramLabel = "ORIGIN",
            converter = Converters.Name.class,
            description = "Origin whose pages may ask, * for all (default: none).")
    private @Nullable String corsOrigin;

    @Option(
            names = "--allowed-hosts",
            paramLabel = "NAME",
            split = ",",
            converter = Converters.Name.class,
            description = "Names, with commas, that requests may be for besides localhost and ADDRESS; * for all"
                    + " (default: none if ADDRESS is of this machine only, else all).")
    private List<String> allowedHosts = new ArrayList<>();

    @Option(
            names = "--input-type",
            paramLabel = "text|query|document",
            description = "Kind of texts that requests say nothing about (default: text).")
    private TextKind inputType = TextKind.TEXT;

    @Option(
            names = "--no-auto-truncate",
            description = "Refuse texts that are too long, unless a request says truncate.")
    private boolean noAutoTruncate;

    @Option(names = "--log-requests", description = "Write a JSON line for each request to stderr, without texts.")
    private boolean logRequests;

    @Option(names = "--log-texts", description = "With --log-requests: the bodies of requests too.")
    private boolean logTexts;

    @Mixin
    private LimitSettings limits = new LimitSettings();

    /// The number of a port; 0 for any that is free.
    static final class PortNumber implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            return Converters.checked(value, PortNumber::parse);
        }

        private static Integer parse(String value) {
            try {
                return ServerOptions.DEFAULT
                        .withAddress(ServerOptions.DEFAULT.host(), Integer.parseInt(value))
                        .port();
            } catch (NumberFormatException e) {
                throw new TypeConversionException("expected 0 to 65535, got \"%s\"".formatted(value));
            }
        }
    }

    /// @param console gets messages and the log
    public ServeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (logTexts && !logRequests) {
            throw new ParameterException(spec.commandLine(), "--log-texts has no effect without --log-requests");
        }
        long start = System.nanoTime();
        Optional<VectorRanges> read = Optional.ofNullable(ranges).map(VectorRanges::read);
        ServerOptions options = read.map(options()::withRanges).orElseGet(this::options);
        SgptServer server = listen(options);
        Ending ending = Ending.of(server, console);
        try {
            ServedModels served = models();
            read.ifPresent(known -> requireRanges(served, known));
            boolean demo = index == null && models.isEmpty() && biases == null;
            if (demo) {
                server.awaitDocuments();
            }
            server.serve(served, collection(served));
            say("ready in %.1f s: http://%s, %s"
                    .formatted((System.nanoTime() - start) / 1e9, shown(server.address()), described(served)));
            if (demo) {
                DemoCollection.open(server, served.all().getFirst().encoder().orElseThrow(), common.dtype(), this::say);
            }
            new NoticesInUse(
                            () -> served.all().stream()
                                    .flatMap(model -> model.model().noticesInUse().stream())
                                    .toList(),
                            this::say)
                    .start();
        } catch (IOException | RuntimeException | Error e) {
            ending.close();
            server.close();
            throw e;
        }
        return ending.await();
    }

    private ServerOptions options() {
        try {
            ServerOptions options = ServerOptions.DEFAULT
                    .withAddress(host, port)
                    .withAllowedHosts(allowedHosts)
                    .withAnyModel(anyModel)
                    .withInputType(inputType)
                    .withAutoTruncate(!noAutoTruncate && !common.strict())
                    .withLimits(limits.limits())
                    .withVersion(VersionProvider.version());
            Optional<String> key = Optional.ofNullable(apiKey)
                    .or(() -> Optional.ofNullable(console.environment().get(KEY_VARIABLE))
                            .filter(value -> !value.isEmpty()));
            if (key.isPresent()) {
                options = options.withApiKey(key.get());
            }
            if (corsOrigin != null) {
                options = options.withCorsOrigin(corsOrigin);
            }
            return logRequests ? options.withLog(this::log, logTexts) : options;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void log(String line) {
        // One call, so that lines of several threads do not mix.
        console.err().println(line);
    }

    private SgptServer listen(ServerOptions options) {
        try {
            return SgptServer.start(options);
        } catch (IOException e) {
            throw new CliException("cannot listen at %s:%d: %s".formatted(host, port, e.getMessage()), e);
        }
    }

    /// Refuses ranges of more dimensions than the first model has, and tells if they are not those of its vectors.
    private void requireRanges(ServedModels served, VectorRanges known) {
        try {
            ServedModels.Embedder first = served.embedder(Optional.empty())
                    .orElseThrow(() -> new CliException("--ranges: expected a model that embeds, got none"));
            try (BiEncoder like =
                    BiEncoder.of(first.model().model(), BiEncoderOptions.DEFAULT.withDimensions(known.dimension()))) {
                if (known.fingerprint()
                        .filter(made -> !made.equals(like.fingerprint()))
                        .isPresent()) {
                    common.notices(console)
                            .sayOfCheckpoint(
                                    "%s: these ranges are not of normalized vectors of this model; numbers outside"
                                                    .formatted(ranges)
                                            + " of them are cut");
                }
            }
        } catch (IllegalArgumentException e) {
            served.close();
            throw new CliException("%s: %s".formatted(ranges, e.getMessage()), e);
        } catch (RuntimeException | Error e) {
            served.close();
            throw e;
        }
    }

    private ServedModels models() throws IOException {
        return new ModelSettings(
                        models, Optional.ofNullable(rerankModel), aliases, Optional.ofNullable(biases), reranker)
                .open(console, common, spec.commandLine());
    }

    private Optional<SearchCollection> collection(ServedModels served) throws IOException {
        if (index == null) {
            return Optional.empty();
        }
        try {
            LuceneLog.silence();
            return Optional.of(
                    IndexCollection.open(index, served.all().getFirst().encoder()));
        } catch (IOException | RuntimeException | Error e) {
            served.close();
            throw e;
        }
    }

    private void say(String line) {
        common.notices(console).say(line);
    }

    /// The address as users write it; of all addresses of this machine, what they asked for.
    private String shown(InetSocketAddress address) {
        String name = address.getAddress().isAnyLocalAddress()
                ? host
                : address.getAddress().getHostAddress();
        return (name.contains(":") ? "[%s]".formatted(name) : name) + ":" + address.getPort();
    }

    private static String described(ServedModels models) {
        List<String> parts = new ArrayList<>();
        models.all()
                .forEach(model -> parts.add("%s on %s%s"
                        .formatted(
                                model.id(),
                                model.model().device(),
                                model.encoder()
                                        .map(BiEncoder::dimension)
                                        .map(" (%d dimensions)"::formatted)
                                        .orElse(""))));
        return String.join(", ", parts);
    }
}

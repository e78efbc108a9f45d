package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Interruption;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.input.IndexPlace;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.NewFolder;
import io.github.sgpt4j.documents.FolderUpdate;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.ShardMerge;
import io.github.sgpt4j.retrieval.UpdateReport;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.passage.PassageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt index`: builds an index on disk from a corpus, or updates it.
@Command(
        name = "index",
        versionProvider = VersionProvider.class,
        description = "Build an index of documents for sgpt search, or update it.",
        footer = {
            "",
            "Documents already in the index (same id, title, text and metadata) are skipped, and texts in it are not"
                    + " embedded again. Work is committed about every 15 seconds: after a kill, the next run resumes"
                    + " from the last commit. Searches may run meanwhile.",
            "A corpus is a .txt file (one document per line), a .jsonl file (text, title, _id, metadata), .gz of"
                    + " either, a directory with corpus.jsonl (BEIR), or any other directory: text, source code, .md,"
                    + " .rst, .html, .pdf and .docx are a document each, .csv, .tsv, .jsonl and arrays in .json one"
                    + " per record, and .gz of them. Documents without _id are identified by their line or file.",
            "A document that is longer than a passage is split at ends of sentences, and found by its best passage.",
            "",
            "Examples:",
            "  sgpt index notes",
            "  sgpt index --corpus news.jsonl --index news.index -m OWNER/NAME --remove-missing"
        })
public final class IndexCommand extends ModelCommand {
    private static final double NANOS = 1e9;

    private static final String CORPUS = "--corpus";
    private static final String MERGE = "--merge";
    private static final String PASSAGE_TOKENS = "--passage-tokens";
    private static final String INDEX = "--index";
    private static final String WATCH = "--watch";

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE|DIR",
            converter = Converters.Name.class,
            description = "Documents, as with --corpus.")
    private @Nullable String given;

    @Option(names = CORPUS, paramLabel = "FILE|DIR", converter = Converters.Name.class, description = "Documents.")
    private @Nullable String corpus;

    @Option(
            names = MERGE,
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "Make a new index of a folder of shards (part-*, _SUCCESS), as Spark writes them, instead of"
                    + " documents. It appears when it is complete.")
    private @Nullable String shards;

    @Option(
            names = INDEX,
            paramLabel = "DIR",
            converter = Converters.Name.class,
            description = "The index; created if it does not exist (default: .sgpt in a directory of documents).")
    private @Nullable String named;

    @Option(
            names = "--int8",
            description = "Search 8-bit vectors, which take a quarter of the memory (fixed when the index is created).")
    private boolean int8;

    @Option(
            names = "--connections",
            paramLabel = "N",
            converter = Converters.Count.class,
            description =
                    "Neighbours per vector in the graph (HNSW's M; fixed when the index is created; default: 16).")
    private @Nullable Integer connections;

    @Option(
            names = "--beam-width",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Candidates considered when building the graph (HNSW's efConstruction; fixed when the index"
                    + " is created; default: 100).")
    private @Nullable Integer beamWidth;

    @Option(
            names = PASSAGE_TOKENS,
            paramLabel = "N|off",
            converter = Converters.Passages.class,
            description = "Tokens of the passages into which longer documents are split (fixed when the index is"
                    + " created; default: 256, or as many as the model reads if these are fewer).")
    private @Nullable PassageOptions passages;

    @Option(names = "--remove-missing", description = "Remove documents that are not in the corpus.")
    private boolean removeMissing;

    @Option(
            names = WATCH,
            description =
                    "Go on after a directory was indexed: follow what is changed and deleted in it, until Ctrl-C.")
    private boolean watch;

    @Option(names = "--optimize", description = "Merge the index into one segment, for faster searches.")
    private boolean optimize;

    private final CompletableFuture<Integer> exit;

    /// Where the index lies.
    private String index = "";

    @Mixin
    private CorpusOptions reading = new CorpusOptions();

    @Mixin
    private PromptOptions prompts = new PromptOptions();

    /// @param exit completed with the code that the process ends with
    public IndexCommand(Console console, CompletableFuture<Integer> exit) {
        super(console);
        this.exit = exit;
    }

    @Override
    public void run() throws IOException {
        if (given != null && corpus != null) {
            throw usage("expected documents once, got \"%s\" and %s".formatted(given, CORPUS));
        }
        String from = given == null ? corpus : given;
        if ((from == null) == (shards == null)) {
            throw usage("expected either %s or %s, got %s".formatted(CORPUS, MERGE, from == null ? "none" : "both"));
        }
        requireOnePrompt(prompts, TextKind.QUERY);
        LuceneLog.silence();
        if (from != null) {
            index = named == null ? placeFor(from) : named;
            update(from);
        } else if (shards != null) {
            if (named == null) {
                throw usage("%s needs a place for the index: expected %s, got none".formatted(MERGE, INDEX));
            }
            index = named;
            merge(shards);
        }
    }

    /// The place of the index if none is named.
    private String placeFor(String from) {
        if (!Files.isDirectory(TextInput.path(from))) {
            throw usage("%s: expected %s, or a directory, in which the index can lie".formatted(from, INDEX));
        }
        return IndexPlace.of(from);
    }

    private void merge(String from) throws IOException {
        refuse(
                "with " + MERGE + ", which keeps how the shards were made",
                CorpusOptions.METADATA_FIELDS,
                CorpusOptions.VERBOSE,
                WATCH,
                "--int8",
                "--connections",
                "--beam-width",
                PASSAGE_TOKENS,
                "--remove-missing",
                PromptOptions.QUERY,
                PromptOptions.DOCUMENT,
                PromptOptions.NAME);
        noticeUnusedModel(MERGE);
        long start = System.nanoTime();
        int documents = ShardMerge.merge(TextInput.path(from), TextInput.path(index), optimize);
        double seconds = (System.nanoTime() - start) / NANOS;
        notice(String.format(
                Locale.ROOT, "%s merged in %.1f s; %s has %,d documents", from, seconds, index, documents));
    }

    private void update(String from) throws IOException {
        if (CorpusOptions.isFolder(from)) {
            FolderIndexing folder = new FolderIndexing(this, reading, TextInput.path(from), TextInput.path(index));
            if (!watch) {
                folder.requireFiles();
            }
            update(
                    from,
                    to -> {
                        FolderUpdate update = folder.update(to, removeMissing || watch);
                        return update.documents().plusRemoved(update.removed());
                    },
                    folder);
            return;
        }
        refuse("with a corpus that is no directory of files", WATCH);
        try (CorpusReader documents = reading.open(this, from)) {
            update(
                    from,
                    to -> {
                        try (IndexProgress progress = new IndexProgress(
                                console(), common().quiet(), documents.size().orElse(0), documents::position)) {
                            return to.update(documents, removeMissing, progress);
                        }
                    },
                    null);
        }
    }

    /// Brings an index up to date.
    @FunctionalInterface
    private interface Update {
        UpdateReport of(SemanticIndex index) throws IOException;
    }

    /// @param watched is followed afterwards if that was asked for
    private void update(String from, Update update, @Nullable FolderIndexing watched) throws IOException {
        Path place = TextInput.path(index);
        try (NewFolder created = new NewFolder(place);
                Model model = openModel();
                BiEncoder encoder = BiEncoder.of(model, prompts.apply(common().biEncoder()));
                SemanticIndex to = open(place, encoder)) {
            announce(encoder);
            long start = System.nanoTime();
            Map<String, Integer> before = to.metadataNames();
            UpdateReport report = interruptible(to, update, created);
            created.keep();
            double seconds = (System.nanoTime() - start) / NANOS;
            if (optimize) {
                notice("merging the index into one segment ...");
                to.optimize();
            }
            summarize(report, to.size(), to.passages(), seconds);
            reportDuplicates(from, report);
            noticeAbsentMetadata(index, to.absentMetadata(reading.metadataFields()));
            reportLostMetadata(before, to.metadataNames(), report);
            Truncations.of(encoder).forEach(this::notice);
            if (watch && watched != null) {
                watched.watch(to, exit);
            }
        }
    }

    /// An update that ends with what it has done when the process is asked to end.
    private UpdateReport interruptible(SemanticIndex to, Update update, NewFolder created) throws IOException {
        try (Interruption _ = Interruption.ofThisThread(exit)) {
            return update.of(to);
        } catch (CancelledException e) {
            // The rest is written without another interrupt.
            Thread.interrupted();
            to.commit();
            created.keep();
            throw CliException.interrupted(
                    String.format(
                            Locale.ROOT,
                            "interrupted; %s has %,d documents; the same command goes on with the others",
                            index,
                            to.size()),
                    e);
        } catch (IOException | RuntimeException | Error e) {
            if (to.size() > 0) {
                created.keep();
            }
            throw e;
        }
    }

    private SemanticIndex open(Path path, BiEncoder encoder) throws IOException {
        try {
            return SemanticIndex.open(path, encoder, this::options);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    /// The options of an index, or the default ones, with those that were given.
    private IndexOptions options(IndexOptions own) {
        IndexOptions options = int8 ? own.withStorage(VectorStorage.INT8) : own;
        options = connections == null ? options : options.withConnections(connections);
        options = beamWidth == null ? options : options.withBeamWidth(beamWidth);
        return passages == null ? options : options.withPassages(passages);
    }

    /// Reports documents that were replaced by a later one with the same id, as far as they were read together.
    private void reportDuplicates(String from, UpdateReport report) {
        long repeated = report.read() - report.added() - report.replaced() - report.unchanged();
        if (repeated > 0) {
            notice("%s: documents replaced by a later one with the same id: %,d".formatted(from, repeated));
        }
    }

    /// Reports names of metadata that fewer documents have than before, though they were not removed: an earlier call
    /// may have named keys that this one did not.
    private void reportLostMetadata(Map<String, Integer> before, Map<String, Integer> now, UpdateReport report) {
        before.forEach((name, documents) -> {
            int left = now.getOrDefault(name, 0);
            if (documents - left > report.removed() && !reading.metadataFields().contains(name)) {
                notice(String.format(
                        Locale.ROOT,
                        "%s: %,d documents had metadata named \"%s\", now %,d have; if it is a key beside \"text\", name it"
                                + " each time with %s",
                        index,
                        documents,
                        name,
                        left,
                        CorpusOptions.METADATA_FIELDS));
            }
        });
    }

    private void summarize(UpdateReport report, int size, int split, double seconds) {
        notice(String.format(
                Locale.ROOT,
                "%,d documents read in %.1f s: %,d added, %,d replaced, %,d unchanged, %,d removed; %,d texts embedded"
                        + " (%.0f/s), %,d of them cut; %s has %,d documents in %,d passages",
                report.read(),
                seconds,
                report.added(),
                report.replaced(),
                report.unchanged(),
                report.removed(),
                report.embedded(),
                report.embedded() / Math.max(seconds, 1e-3),
                report.cut(),
                index,
                size,
                split));
    }
}

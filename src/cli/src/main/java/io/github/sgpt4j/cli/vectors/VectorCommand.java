package io.github.sgpt4j.cli.vectors;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.command.Chunks;
import io.github.sgpt4j.cli.command.ModelCommand;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.LuceneLog;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.EncoderOptions;
import io.github.sgpt4j.cli.option.OutputOptions;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.matrix.NpyMatrix;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// A verb that compares the embeddings of files: of texts, which the model embeds, or of vectors, which
/// need no model.
public abstract class VectorCommand extends ModelCommand {
    /// Output formats.
    public enum Format {
        TABLE,
        JSONL
    }

    private static final String AS = "--as";
    private static final String JSONL = ".jsonl";

    @Mixin
    private EncoderOptions encoding = new EncoderOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(
            names = "--format",
            paramLabel = "table|jsonl",
            description = "Table or JSON Lines (default: jsonl with -o," + " otherwise table).")
    private @Nullable Format format;

    @Option(
            names = AS,
            paramLabel = "text|query|document",
            split = ",",
            description = "Role of the texts for an asymmetric model; with a comma, of those of the first and of the"
                    + " second FILE (default: text).")
    private List<TextKind> kinds = new ArrayList<>();

    VectorCommand(Console console) {
        super(console);
    }

    /// The embeddings of some files.
    ///
    /// @param texts one per file
    /// @param similarity of the model; empty if none was needed
    record Read(List<VectorTexts> texts, Optional<Similarity> similarity) {}

    /// Reads files, all of the same dimension, none of them empty.
    ///
    /// @throws picocli.CommandLine.ParameterException if a name or an option is not possible
    final Read read(List<String> files) throws IOException {
        // The verbs use Lucene's vector code, which reports on stderr what it chose.
        LuceneLog.silence();
        requireOptions(files);
        List<VectorTexts> read = new ArrayList<>();
        if (files.stream().allMatch(NpyMatrix::isNamed)) {
            refuse("on vectors", EncoderOptions.NAMES.toArray(String[]::new));
            refuse("on vectors", AS);
            noticeUnusedModel("comparing vectors");
            for (String file : files) {
                read.add(matrix(file));
            }
            return new Read(same(read), Optional.empty());
        }
        try (Model model = openModel();
                BiEncoder encoder = encoding.open(model, options())) {
            for (int i = 0; i < files.size(); i++) {
                read.add(
                        NpyMatrix.isNamed(files.get(i)) ? matrix(files.get(i)) : embed(files.get(i), kind(i), encoder));
            }
            Truncations.of(encoder).forEach(this::notice);
            return new Read(same(read), Optional.of(encoder.similarity()));
        }
    }

    private void requireOptions(List<String> files) {
        for (String file : files) {
            if (!NpyMatrix.isNamed(file) && !TextInput.isSupported(file)) {
                throw usage("FILE: expected - or a name ending in .npy, .txt, .jsonl, .txt.gz or .jsonl.gz, got \"%s\""
                        .formatted(file));
            }
        }
        if (files.stream().filter("-"::equals).count() > 1) {
            throw usage("FILE: expected - at most once");
        }
        if (kinds.size() > files.size()) {
            throw usage("%s: expected a role for each FILE at most, got %d for %d"
                    .formatted(AS, kinds.size(), files.size()));
        }
        for (TextKind kind : TextKind.values()) {
            if (kind != TextKind.TEXT
                    && isPrompted(kind)
                    && !roles(files.size()).contains(kind)) {
                throw usage("%s and %s have no effect on texts of another kind: expected %s"
                        .formatted(PromptOptions.QUERY, PromptOptions.DOCUMENT, AS));
            }
        }
        requireOnePrompt(encoding.prompts(), named());
        if (encoding.brackets() && roles(files.size()).stream().allMatch(kind -> kind == TextKind.TEXT)) {
            throw usage("--specb has no effect with --as text: expected --as query or --as document");
        }
        if (format == null) {
            output.complaint(List.of(JSONL)).ifPresent(sentence -> {
                throw usage(sentence);
            });
        }
    }

    private boolean isPrompted(TextKind kind) {
        return given(kind == TextKind.QUERY ? PromptOptions.QUERY : PromptOptions.DOCUMENT);
    }

    private List<TextKind> roles(int files) {
        List<TextKind> roles = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            roles.add(kind(i));
        }
        return roles;
    }

    /// One role is that of all files.
    private TextKind kind(int file) {
        return kinds.isEmpty() ? TextKind.TEXT : kinds.get(Math.min(file, kinds.size() - 1));
    }

    /// The kind of texts that `--prompt-name` applies to: queries if there are some.
    private TextKind named() {
        return kinds.contains(TextKind.QUERY) ? TextKind.QUERY : kind(0);
    }

    private BiEncoderOptions options() {
        return encoding.options(common(), named());
    }

    private VectorTexts matrix(String file) {
        NpyMatrix matrix = NpyMatrix.read(TextInput.path(file));
        return new VectorTexts(file, matrix.ids(), Optional.empty(), matrix.vectors());
    }

    private VectorTexts embed(String file, TextKind kind, BiEncoder encoder) throws IOException {
        List<String> ids = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        List<float[]> vectors = new ArrayList<>();
        try (TextInput in = TextInput.open(file, console());
                Chunks chunks = Chunks.of(in, this, "embed")) {
            for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> joined = chunk.stream().map(TextRecord::joined).toList();
                for (TextRecord each : chunk) {
                    ids.add(each.id().orElse(Integer.toString(ids.size() + 1)));
                }
                texts.addAll(joined);
                vectors.addAll(List.of(encoder.embed(joined, kind, chunks.listener())));
            }
        }
        if (vectors.isEmpty()) {
            throw new CliException(file + ": expected texts, found none");
        }
        return new VectorTexts(file, ids, Optional.of(texts), vectors.toArray(float[][]::new));
    }

    private static List<VectorTexts> same(List<VectorTexts> read) {
        int expected = read.getFirst().vectors()[0].length;
        for (VectorTexts each : read) {
            if (each.vectors()[0].length != expected) {
                throw new CliException("%s: expected embeddings of %d numbers, as those of %s have, got %d"
                        .formatted(each.file(), expected, read.getFirst().file(), each.vectors()[0].length));
            }
        }
        return read;
    }

    /// Threads that compare.
    final OptionalInt threads() {
        return common().threads();
    }

    /// How results are written.
    final Format format() {
        return Optional.ofNullable(format).orElse(output.file().isPresent() ? Format.JSONL : Format.TABLE);
    }

    /// Where results go; the caller closes it.
    final Output openOutput() throws IOException {
        return Output.open(console(), output.file());
    }

    /// Work with a progress bar.
    @FunctionalInterface
    interface Work<T> {
        T with(ProgressListener progress);
    }

    /// Shows the progress of some work.
    final <T> T showing(String task, Work<T> work) {
        try (ProgressDisplay display = ProgressDisplay.start(console(), common().quiet(), task, OptionalLong.empty())) {
            return work.with(display::to);
        }
    }
}

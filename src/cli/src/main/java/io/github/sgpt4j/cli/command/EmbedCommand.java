package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.EncoderOptions;
import io.github.sgpt4j.cli.option.OutputOptions;
import io.github.sgpt4j.cli.option.PrecisionOptions;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.VectorSink;
import io.github.sgpt4j.cli.output.VectorSpool;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import io.github.sgpt4j.retrieval.matrix.NpyMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `sgpt embed`: turns texts into vectors.
@Command(
        name = "embed",
        versionProvider = VersionProvider.class,
        description = "Embed texts.",
        footer = {
            "",
            "Writes {\"index\",\"id\"?,\"text\",\"embedding\":[...]} per text, in input order.",
            "A text without tokens (an empty one) has an embedding of zeros.",
            "",
            "Examples:",
            "  sgpt embed -m OWNER/NAME --as query 'How many legs do spiders have?'",
            "  sgpt embed -i texts.txt -o vectors.npy",
            "  sgpt embed --precision int8 --save-ranges ranges.json -i docs.jsonl -o docs.npy"
        })
public final class EmbedCommand extends ModelCommand {
    /// Output formats.
    public enum Format {
        JSONL,
        NPY
    }

    private static final String NPY = ".npy";

    @Mixin
    private InputOptions input = new InputOptions();

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Option(
            names = "--as",
            paramLabel = "text|query|document",
            description = "Role of the texts for an asymmetric model (default: text).")
    private TextKind kind = TextKind.TEXT;

    @Mixin
    private EncoderOptions encoding = new EncoderOptions();

    @Mixin
    private PrecisionOptions precision = new PrecisionOptions();

    @Option(names = "--normalize", description = "Scale embeddings to length 1.")
    private boolean normalize;

    @Option(
            names = "--format",
            paramLabel = "jsonl|npy",
            description =
                    "JSON Lines, or a NumPy matrix with the ids of its rows in a file beside it, FILE.ids (default:"
                            + " npy if the -o file ends in .npy, otherwise jsonl).")
    private @Nullable Format format;

    @Parameters(paramLabel = "TEXT", description = "Texts to embed.")
    private List<String> texts = new ArrayList<>();

    public EmbedCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
        requireOptions();
        Format form = format();
        Calibration calibration = new Calibration(this, precision);
        try (TextInput in = input.open(this, texts, "text");
                Output out = form == Format.NPY
                        ? Output.openPatchable(console(), output.file())
                        : Output.open(console(), output.file());
                Output ids = ids(form, out);
                Model model = openModel();
                BiEncoder encoder = encoding.open(model, options())) {
            Optional<VectorQuantizer> known = calibration.known(encoder, kind);
            if (calibration.isOfTheEmbeddingsThemselves()) {
                try (VectorSpool spool = VectorSpool.create()) {
                    embed(in, encoder, spool);
                    known = spool.count() == 0
                            ? Optional.empty()
                            : Optional.of(calibration.of(spool.ranges(), encoder));
                    VectorSink sink = sink(form, out, ids, encoder, known);
                    spool.copyTo(sink);
                    sink.finish();
                }
            } else {
                VectorSink sink = sink(form, out, ids, encoder, known);
                embed(in, encoder, sink);
                sink.finish();
            }
            if (known.isPresent()) {
                calibration.save(known.get());
            }
            publish(out, ids);
            Truncations.of(encoder).forEach(this::notice);
        }
    }

    private void requireOptions() {
        if (encoding.brackets() && kind == TextKind.TEXT) {
            throw usage("--specb has no effect with --as text: expected --as query or --as document");
        }
        if (encoding.prompts().isWithout(kind)) {
            throw usage("%s and %s have no effect on texts of another kind, --as %s"
                    .formatted(
                            PromptOptions.QUERY,
                            PromptOptions.DOCUMENT,
                            kind.name().toLowerCase(Locale.ROOT)));
        }
        requireOnePrompt(encoding.prompts(), kind);
        Optional<String> complaint = precision.complaint();
        if (format == null) {
            complaint = complaint.or(() -> output.complaint(List.of(".jsonl", NPY)));
        }
        complaint.ifPresent(sentence -> {
            throw usage(sentence);
        });
    }

    /// The file of ids beside a matrix; stdout, which gets nothing, if there is none.
    private Output ids(Format form, Output out) throws IOException {
        Optional<Path> file = form == Format.NPY ? out.file() : Optional.empty();
        return Output.open(console(), file.map(NpyMatrix::idsOf).map(Path::toString));
    }

    private VectorSink sink(Format form, Output out, Output ids, BiEncoder encoder, Optional<VectorQuantizer> quantizer)
            throws IOException {
        if (form == Format.JSONL) {
            return VectorSink.jsonLines(out, quantizer);
        }
        Optional<Output> names = Optional.of(ids).filter(file -> file.file().isPresent());
        return VectorSink.npy(out, names, encoder.dimension(), precision.precision(), quantizer);
    }

    /// First the ids, then the matrix: whoever finds a matrix finds its ids. An older matrix is removed before, so that
    /// it is never beside ids of another.
    private static void publish(Output out, Output ids) throws IOException {
        if (ids.file().isPresent()) {
            out.withdraw();
        }
        ids.finish();
        out.finish();
    }

    private BiEncoderOptions options() {
        BiEncoderOptions options = encoding.options(common(), kind);
        return normalize ? options.withNormalize(true) : options;
    }

    private Format format() {
        boolean npy = output.file().filter(NpyMatrix::isNamed).isPresent();
        return Optional.ofNullable(format).orElse(npy ? Format.NPY : Format.JSONL);
    }

    private void embed(TextInput in, BiEncoder encoder, VectorSink sink) throws IOException {
        long index = 0;
        try (Chunks chunks = Chunks.of(in, this, "embed")) {
            for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> joined = chunk.stream().map(TextRecord::joined).toList();
                float[][] vectors = encoder.embed(joined, kind, chunks.listener());
                for (int i = 0; i < vectors.length; i++) {
                    sink.write(VectorSink.EmbeddedText.of(index++, chunk.get(i), joined.get(i), vectors[i]));
                }
                sink.flush();
            }
        }
    }
}

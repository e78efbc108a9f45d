package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.Truncations;
import io.github.sgpt4j.cli.option.EncoderOptions;
import io.github.sgpt4j.cli.option.OutputOptions;
import io.github.sgpt4j.cli.option.PromptOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.JsonLines;
import io.github.sgpt4j.cli.output.NpyWriter;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
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
            "  sgpt embed -i texts.txt -o vectors.npy"
        })
public final class EmbedCommand extends ModelCommand {
    /// Output formats.
    public enum Format {
        JSONL,
        NPY
    }

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

    @Option(names = "--normalize", description = "Scale embeddings to length 1.")
    private boolean normalize;

    @Option(
            names = "--format",
            paramLabel = "jsonl|npy",
            description = "JSON Lines, or a float32 NumPy matrix without the texts (default: npy if the -o file ends in"
                    + " .npy, otherwise jsonl).")
    private @Nullable Format format;

    @Parameters(paramLabel = "TEXT", description = "Texts to embed.")
    private List<String> texts = new ArrayList<>();

    public EmbedCommand(Console console) {
        super(console);
    }

    @Override
    public void run() throws IOException {
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
        Format form = format();
        try (TextInput in = input.open(this, texts, "text");
                Output out = form == Format.NPY
                        ? Output.openPatchable(console(), output.file())
                        : Output.open(console(), output.file());
                Model model = openModel();
                BiEncoder encoder = encoding.open(model, options())) {
            Sink sink = form == Format.NPY ? npy(out, encoder.dimension()) : jsonl(out);
            embed(in, encoder, sink);
            sink.finish();
            out.finish();
            Truncations.of(encoder).forEach(this::notice);
        }
    }

    private BiEncoderOptions options() {
        BiEncoderOptions options = encoding.options(common(), kind);
        return normalize ? options.withNormalize(true) : options;
    }

    private Format format() {
        boolean npy = output.file()
                .filter(name -> name.toLowerCase(Locale.ROOT).endsWith(".npy"))
                .isPresent();
        return Optional.ofNullable(format).orElse(npy ? Format.NPY : Format.JSONL);
    }

    private void embed(TextInput in, BiEncoder encoder, Sink sink) throws IOException {
        long index = 0;
        try (Chunks chunks = Chunks.of(in, this, "embed")) {
            for (List<TextRecord> chunk = chunks.next(); !chunk.isEmpty(); chunk = chunks.next()) {
                List<String> joined = chunk.stream().map(TextRecord::joined).toList();
                float[][] vectors = encoder.embed(joined, kind, chunks.listener());
                for (int i = 0; i < vectors.length; i++) {
                    sink.write(index++, chunk.get(i), joined.get(i), vectors[i]);
                }
                sink.flush();
            }
        }
    }

    /// Receives embeddings, all finite, in input order.
    private interface Sink {
        void write(long index, TextRecord record, String text, float[] vector) throws IOException;

        void flush() throws IOException;

        void finish() throws IOException;
    }

    private static Sink npy(Output out, int dimension) throws IOException {
        NpyWriter writer = new NpyWriter(out, dimension);
        return new Sink() {
            @Override
            public void write(long index, TextRecord record, String text, float[] vector) throws IOException {
                writer.row(vector);
            }

            @Override
            public void flush() {
                // The matrix is unusable until its shape is written.
            }

            @Override
            public void finish() throws IOException {
                writer.finish();
            }
        };
    }

    private static Sink jsonl(Output out) throws IOException {
        JsonLines lines = new JsonLines(out.stream());
        return new Sink() {
            @Override
            public void write(long index, TextRecord record, String text, float[] vector) throws IOException {
                lines.line(json -> {
                    json.writeNumberField("index", index);
                    if (record.id().isPresent()) {
                        json.writeStringField("id", record.id().get());
                    }
                    json.writeStringField("text", text);
                    json.writeArrayFieldStart("embedding");
                    for (float value : vector) {
                        json.writeNumber(value);
                    }
                    json.writeEndArray();
                });
            }

            @Override
            public void flush() throws IOException {
                lines.flush();
            }

            @Override
            public void finish() throws IOException {
                lines.flush();
            }
        };
    }
}

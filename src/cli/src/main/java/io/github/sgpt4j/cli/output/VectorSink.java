package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.VectorPrecision;
import io.github.sgpt4j.VectorQuantizer;
import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Receives embeddings, all finite, in input order.
public interface VectorSink {
    /// Takes the next embedding.
    void write(EmbeddedText text) throws IOException;

    /// Passes what can be used already to the operating system.
    void flush() throws IOException;

    /// Completes the results; nothing may follow.
    void finish() throws IOException;

    /// A text with its embedding.
    ///
    /// @param index from 0
    /// @param id of the text, if it has one
    /// @param text that was embedded
    /// @param vector its embedding, in 32-bit floats
    record EmbeddedText(long index, Optional<String> id, String text, float[] vector) {
        public static EmbeddedText of(long index, TextRecord record, String text, float[] vector) {
            return new EmbeddedText(index, record.id(), text, vector);
        }

        /// The id, or the number of the text, from 1.
        public String name() {
            return id.orElse(Long.toString(index + 1));
        }
    }

    /// Writes a line of JSON per text.
    ///
    /// @param quantizer makes bytes of embeddings; empty for floats
    static VectorSink jsonLines(Output out, Optional<VectorQuantizer> quantizer) throws IOException {
        JsonLines lines = new JsonLines(out.stream());
        return new VectorSink() {
            @Override
            public void write(EmbeddedText text) throws IOException {
                lines.line(json -> {
                    json.writeNumberField("index", text.index());
                    if (text.id().isPresent()) {
                        json.writeStringField("id", text.id().get());
                    }
                    json.writeStringField("text", text.text());
                    json.writeArrayFieldStart("embedding");
                    if (quantizer.isEmpty()) {
                        for (float value : text.vector()) {
                            json.writeNumber(value);
                        }
                    } else {
                        boolean unsigned = quantizer.get().precision().isUnsigned();
                        for (byte value : quantizer.get().quantize(text.vector())) {
                            json.writeNumber(unsigned ? Byte.toUnsignedInt(value) : value);
                        }
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

    /// Writes a matrix, and the ids of its rows.
    ///
    /// @param out must be patchable
    /// @param ids one per line; empty to leave them out
    /// @param dimension of the embeddings
    /// @param precision of the numbers
    /// @param quantizer makes bytes of embeddings; empty for floats, or if there is no embedding
    static VectorSink npy(
            Output out,
            Optional<Output> ids,
            int dimension,
            VectorPrecision precision,
            Optional<VectorQuantizer> quantizer)
            throws IOException {
        NpyWriter writer = precision == VectorPrecision.FLOAT32
                ? NpyWriter.ofFloats(out, dimension)
                : NpyWriter.ofBytes(out, precision.columns(dimension), precision.isUnsigned());
        return new VectorSink() {
            @Override
            public void write(EmbeddedText text) throws IOException {
                if (ids.isPresent()) {
                    ids.get().stream().write(line(text).getBytes(StandardCharsets.UTF_8));
                }
                if (quantizer.isEmpty()) {
                    writer.row(text.vector());
                } else {
                    writer.row(quantizer.get().quantize(text.vector()));
                }
            }

            private static String line(EmbeddedText text) {
                String name = text.name();
                if (name.indexOf('\n') >= 0 || name.endsWith("\r")) {
                    throw new CliException("text %d: expected an id without line breaks, as ids go to a file of lines"
                            .formatted(text.index() + 1));
                }
                return name + "\n";
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
}

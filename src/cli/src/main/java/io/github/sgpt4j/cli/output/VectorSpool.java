package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.VectorRanges;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Keeps embeddings in a temporary file until their ranges are known; memory is needed for one at a
/// time.
public final class VectorSpool implements VectorSink, Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final SpoolFile spool;
    private final DataOutputStream out;
    private final VectorRanges.Builder ranges = new VectorRanges.Builder();

    private VectorSpool(SpoolFile spool) {
        this.spool = spool;
        out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(spool.channel()), BUFFER_BYTES));
    }

    /// Creates the file in the virtual machine's temporary directory.
    public static VectorSpool create() throws IOException {
        return new VectorSpool(SpoolFile.create());
    }

    @Override
    public void write(EmbeddedText text) throws IOException {
        ranges.add(text.vector());
        try {
            out.writeBoolean(text.id().isPresent());
            if (text.id().isPresent()) {
                write(text.id().get());
            }
            write(text.text());
            out.writeInt(text.vector().length);
            for (float value : text.vector()) {
                out.writeFloat(value);
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private void write(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private IOException failure(IOException e) {
        return new IOException(spool.path() + ": " + e.getMessage(), e);
    }

    /// Embeddings so far.
    public long count() {
        return ranges.count();
    }

    /// The ranges of all embeddings, of which there is at least one.
    public VectorRanges ranges() {
        return ranges.build();
    }

    /// Passes all embeddings on, in their order.
    public void copyTo(VectorSink sink) throws IOException {
        try {
            out.flush();
            spool.channel().position(0);
        } catch (IOException e) {
            throw failure(e);
        }
        DataInputStream in =
                new DataInputStream(new BufferedInputStream(Channels.newInputStream(spool.channel()), BUFFER_BYTES));
        for (long index = 0; index < ranges.count(); index++) {
            sink.write(read(index, in));
        }
    }

    private EmbeddedText read(long index, DataInputStream in) throws IOException {
        try {
            Optional<String> id = in.readBoolean() ? Optional.of(text(in)) : Optional.empty();
            String text = text(in);
            float[] vector = new float[in.readInt()];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = in.readFloat();
            }
            return new EmbeddedText(index, id, text, vector);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static String text(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }

    @Override
    public void flush() {
        // Nothing can be used before all is there.
    }

    @Override
    public void finish() {
        // Reading begins with copyTo.
    }

    @Override
    public void close() throws IOException {
        spool.channel().close();
    }
}

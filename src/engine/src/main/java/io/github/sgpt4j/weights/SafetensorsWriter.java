package io.github.sgpt4j.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

/// Writes a safetensors file: add tensors with the `add` methods, then call [#write].
///
/// The bytes are identical to those of the reference implementation: a compact JSON header with
/// `__metadata__` first, padded with spaces so that the data begin at a multiple of 8, tensors with
/// wider elements first, then by data type and name. Only the header is held in memory; data are
/// streamed from their sources.
public final class SafetensorsWriter {
    /// Bytes written to the file at once.
    private static final int PIECE_BYTES = 1 << 18;

    private static final int PAGE_BYTES = 1 << 12;

    /// The reverse order of the reference's type enumeration: types with wider alignment come first.
    private static final List<ElementType> ORDER = List.of(
            ElementType.U64,
            ElementType.I64,
            ElementType.F64,
            ElementType.C64,
            ElementType.F32,
            ElementType.U32,
            ElementType.I32,
            ElementType.BF16,
            ElementType.F16,
            ElementType.U16,
            ElementType.I16,
            ElementType.F8_E5M2FNUZ,
            ElementType.F8_E4M3FNUZ,
            ElementType.F8_E8M0,
            ElementType.F8_E4M3,
            ElementType.F8_E5M2,
            ElementType.I8,
            ElementType.U8,
            ElementType.F6_E3M2,
            ElementType.F6_E2M3,
            ElementType.F4,
            ElementType.BOOL);

    private final Map<String, Pending> tensors = new TreeMap<>();
    private final Map<String, String> metadata = new TreeMap<>(Map.of("format", "pt"));

    /// The source of a tensor's bytes.
    @FunctionalInterface
    public interface Source {
        /// Writes all bytes of the tensor, row-major and little-endian.
        void writeTo(Sink out) throws IOException;
    }

    /// Receives a tensor's bytes.
    public abstract static sealed class Sink extends OutputStream permits FileSink {
        /// Writes a whole segment.
        public abstract void write(MemorySegment data) throws IOException;

        /// Copies bytes from another file, which for many bytes is faster than writing from a mapping.
        public abstract void write(FileChannel from, long position, long count) throws IOException;
    }

    private record Pending(String name, ElementType dtype, Shape shape, long bytes, Source source) {
        Pending(String name, ElementType dtype, Shape shape, Source source) {
            this(name, dtype, shape, dtype.bytes(shape.elements()), source);
        }
    }

    /// Sets a string of `__metadata__`; `format` is `pt` unless set here.
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /// Adds a tensor whose bytes are streamed when writing.
    ///
    /// @throws IllegalArgumentException if the name is taken or reserved
    /// @throws ArithmeticException if the size does not fit a `long` or is not a whole number of bytes
    public SafetensorsWriter add(String name, ElementType dtype, Shape shape, Source source) {
        if (name.equals(SafetensorsHeader.METADATA) || tensors.containsKey(name)) {
            throw new IllegalArgumentException("tensor name %s is taken".formatted(Quoted.of(name)));
        }
        tensors.put(name, new Pending(name, dtype, shape, source));
        return this;
    }

    /// Adds a tensor from memory.
    ///
    /// @param data row-major and little-endian, with exactly the size of shape and type; borrowed until
    ///     written
    public SafetensorsWriter add(String name, ElementType dtype, Shape shape, MemorySegment data) {
        requireSize(name, new Pending(name, dtype, shape, out -> {}).bytes(), data.byteSize());
        return add(name, dtype, shape, out -> out.write(data));
    }

    /// Adds a stored tensor under its own name.
    public SafetensorsWriter add(WeightTensor tensor) {
        return add(tensor.name(), tensor.dtype(), tensor.shape(), tensor.data());
    }

    /// Adds an F32 tensor, row-major; the array is copied.
    public SafetensorsWriter add(String name, Shape shape, float... values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Float.BYTES)];
        MemorySegment.copy(values, 0, MemorySegment.ofArray(bytes), LittleEndian.F32, 0, values.length);
        return add(name, ElementType.F32, shape, MemorySegment.ofArray(bytes));
    }

    /// Writes the file under a temporary name in the same folder, then renames it, so that a failure
    /// leaves the previous file in place.
    ///
    /// @throws IOException if writing fails, or a source writes more or fewer bytes than its tensor has
    /// @throws IllegalArgumentException if the header would be longer than readers accept
    public void write(Path file) throws IOException {
        List<Pending> ordered = new ArrayList<>(tensors.values());
        ordered.sort(Comparator.comparingInt((Pending tensor) -> ORDER.indexOf(tensor.dtype()))
                .thenComparing(Pending::name));
        byte[] header = header(ordered);
        Path target = file.toAbsolutePath();
        Path temporary = target.resolveSibling(".%s.%016x.tmp"
                .formatted(target.getFileName(), ThreadLocalRandom.current().nextLong()));
        try {
            try (FileChannel channel =
                            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    FileSink out = new FileSink(channel)) {
                out.begin("header", header.length);
                out.write(header);
                out.end();
                for (Pending tensor : ordered) {
                    out.begin("tensor " + Quoted.of(tensor.name()), tensor.bytes());
                    tensor.source().writeTo(out);
                    out.end();
                }
                out.finish();
            }
            rename(temporary, target);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void rename(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /// The header's length and the padded JSON.
    private byte[] header(List<Pending> ordered) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[Long.BYTES]);
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.writeStringField(entry.getKey(), entry.getValue());
                }
                json.writeEndObject();
            }
            long begin = 0;
            for (Pending tensor : ordered) {
                long end = Math.addExact(begin, tensor.bytes());
                writeEntry(json, tensor, begin, end);
                begin = end;
            }
            json.writeEndObject();
        }
        while (bytes.size() % Long.BYTES != 0) {
            bytes.write(' ');
        }
        byte[] header = bytes.toByteArray();
        long length = header.length - (long) Long.BYTES;
        if (length > SafetensorsFile.MAX_HEADER_BYTES) {
            throw new IllegalArgumentException("expected a header of at most %d bytes, got %d"
                    .formatted(SafetensorsFile.MAX_HEADER_BYTES, length));
        }
        MemorySegment.ofArray(header).set(LittleEndian.I64, 0, length);
        return header;
    }

    private static void writeEntry(JsonGenerator json, Pending tensor, long begin, long end) throws IOException {
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeArrayFieldStart("shape");
        for (long dimension : tensor.shape().toArray()) {
            json.writeNumber(dimension);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(begin);
        json.writeNumber(end);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void requireSize(String name, long expected, long got) {
        if (expected != got) {
            throw new IllegalArgumentException(
                    "tensor %s: expected %d bytes, got %d".formatted(Quoted.of(name), expected, got));
        }
    }

    /// Writes to a file in parts, each of exactly the announced length. Closing does nothing, since a
    /// source may close its sink.
    private static final class FileSink extends Sink {
        private final FileChannel channel;
        private final ByteBuffer collected = pages();
        private String part = "";
        private long bytes;
        private long left;

        FileSink(FileChannel channel) {
            this.channel = channel;
        }

        private static ByteBuffer pages() {
            return ByteBuffer.allocateDirect(PIECE_BYTES + PAGE_BYTES)
                    .alignedSlice(PAGE_BYTES)
                    .slice(0, PIECE_BYTES);
        }

        void begin(String name, long length) {
            part = name;
            bytes = length;
            left = length;
        }

        void end() throws IOException {
            if (left > 0) {
                throw new IOException("%s: expected %d bytes, got %d".formatted(part, bytes, bytes - left));
            }
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] data, int offset, int length) throws IOException {
            take(length);
            collect(ByteBuffer.wrap(data, offset, length));
        }

        @Override
        public void write(MemorySegment data) throws IOException {
            take(data.byteSize());
            for (long done = 0; done < data.byteSize(); ) {
                long count = Math.min(PIECE_BYTES, data.byteSize() - done);
                collect(data.asSlice(done, count).asByteBuffer());
                done += count;
            }
        }

        @Override
        public void write(FileChannel from, long position, long count) throws IOException {
            take(count);
            drain();
            for (long done = 0; done < count; ) {
                long moved = from.transferTo(position + done, count - done, channel);
                if (moved <= 0) {
                    throw new IOException("%s: expected %d bytes, got the end after %d".formatted(part, count, done));
                }
                done += moved;
            }
        }

        private void take(long count) throws IOException {
            if (count > left) {
                throw new IOException("%s: expected %d bytes, got more".formatted(part, bytes));
            }
            left -= count;
        }

        /// Writes whole pieces at page boundaries of the file, which is nearly twice as fast as at
        /// other positions.
        private void collect(ByteBuffer data) throws IOException {
            while (data.hasRemaining()) {
                int count = Math.min(data.remaining(), collected.remaining());
                collected.put(collected.position(), data, data.position(), count);
                collected.position(collected.position() + count);
                data.position(data.position() + count);
                if (!collected.hasRemaining()) {
                    drain();
                }
            }
        }

        private void drain() throws IOException {
            collected.flip();
            while (collected.hasRemaining()) {
                channel.write(collected);
            }
            collected.clear();
        }

        void finish() throws IOException {
            drain();
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}

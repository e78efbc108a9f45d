package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/// Two files with the same number of records, little-endian: `N.keys` holds a header and, per record, a
/// key and a checksum (CRC-32C of key and vector); `N.vectors` holds the vectors, 32-bit floats. A
/// record counts when both files hold all of it; vectors are written first.
final class VectorSegment implements AutoCloseable {
    static final String KEYS = ".keys";
    static final String VECTORS = ".vectors";

    private static final long MAGIC = 0x31_43_45_56_54_50_47_53L; // "SGPTVEC1"
    private static final int HEADER = Long.BYTES + Integer.BYTES;
    private static final int KEY_RECORD = TextKey.BYTES + Integer.BYTES;
    private static final int READ_RECORDS = 1 << 14;
    private static final int MAX_SEGMENTS = 100_000;

    private final Path file;
    private final FileChannel keys;
    private final FileChannel vectors;
    private final int dimension;
    private final boolean writable;
    private final ByteBuffer keyRecord = buffer(KEY_RECORD);
    private final ByteBuffer vectorRecord;
    private int count;
    private Optional<String> damage = Optional.empty();

    private VectorSegment(Path file, FileChannel keys, FileChannel vectors, int dimension, boolean writable) {
        this.file = file;
        this.keys = keys;
        this.vectors = vectors;
        this.dimension = dimension;
        this.writable = writable;
        vectorRecord = buffer(vectorBytes());
    }

    /// Creates an empty segment that this process writes.
    static VectorSegment create(Path directory, int dimension) throws IOException {
        for (int number = 0; number < MAX_SEGMENTS; number++) {
            Path file = directory.resolve("%05d%s".formatted(number, KEYS));
            if (Files.isDirectory(vectors(file))) {
                continue;
            }
            try {
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)
                        .close();
            } catch (FileAlreadyExistsException e) {
                continue;
            }
            VectorSegment segment = open(file, dimension, true);
            if (segment.isWritable()) {
                return segment;
            }
            // Another process has just opened the folder and locked it.
            segment.close();
        }
        throw new IOException("%s: holds %d segments, which is too many".formatted(directory, MAX_SEGMENTS));
    }

    /// Opens a segment.
    ///
    /// @param write lock it for writing, unless another process has
    static VectorSegment open(Path file, int dimension, boolean write) throws IOException {
        Path other = vectors(file);
        requireFile(file);
        requireFile(other);
        FileChannel keys = channel(file);
        try {
            FileChannel vectors = channel(other);
            try {
                VectorSegment segment = new VectorSegment(file, keys, vectors, dimension, write && lock(keys));
                segment.start();
                return segment;
            } catch (IOException | RuntimeException e) {
                vectors.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            keys.close();
            throw e;
        }
    }

    /// The vector file of a segment.
    static Path vectors(Path keys) {
        String name = String.valueOf(keys.getFileName());
        return keys.resolveSibling(name.substring(0, name.length() - KEYS.length()) + VECTORS);
    }

    private static void requireFile(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FormatException("%s: expected a file, got something else".formatted(file));
        }
    }

    private static FileChannel channel(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /// The lock is released when the channel is closed, or the process ends.
    private static boolean lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private void start() throws IOException {
        long bytes = keys.size();
        if (bytes < HEADER) {
            // The file is new, or its creator was stopped before the first record.
            if (writable) {
                write(keys, buffer(HEADER).putLong(MAGIC).putInt(dimension).flip(), 0);
            }
            bytes = HEADER;
        } else {
            ByteBuffer heading = buffer(HEADER);
            readFully(keys, heading, 0);
            long magic = heading.flip().getLong();
            int stored = heading.getInt();
            if (magic != MAGIC || stored != dimension) {
                throw new FormatException("%s: expected a cache of vectors with %d components, got %s"
                        .formatted(file, dimension, magic == MAGIC ? stored + " components" : "another kind of file"));
            }
        }
        long whole = Math.min((bytes - HEADER) / KEY_RECORD, vectors.size() / vectorBytes());
        count = (int) Math.min(whole, Integer.MAX_VALUE);
        if (writable) {
            if (keys.size() > HEADER + (long) count * KEY_RECORD || vectors.size() > (long) count * vectorBytes()) {
                damage = Optional.of(
                        "%s: expected as many keys as vectors, kept %d of each".formatted(file.getFileName(), count));
            }
            keys.truncate(HEADER + (long) count * KEY_RECORD);
            vectors.truncate((long) count * vectorBytes());
        }
    }

    boolean isWritable() {
        return writable;
    }

    /// What was found damaged so far, and skipped.
    Optional<String> damage() {
        return damage;
    }

    /// Visits all keys, with their record numbers.
    void forEachKey(Consumer<TextKey> action) throws IOException {
        ByteBuffer records = buffer(READ_RECORDS * KEY_RECORD);
        for (int from = 0; from < count; from += READ_RECORDS) {
            records.clear().limit(Math.min(READ_RECORDS, count - from) * KEY_RECORD);
            readFully(keys, records, HEADER + (long) from * KEY_RECORD);
            records.flip();
            while (records.hasRemaining()) {
                action.accept(new TextKey(records.getLong(), records.getLong()));
                records.getInt();
            }
        }
    }

    /// Reads a vector if the record is intact and has the key.
    ///
    /// @param vector `[dimension]`, written to
    boolean read(int index, TextKey key, float[] vector) {
        try {
            readFully(keys, keyRecord.clear(), HEADER + (long) index * KEY_RECORD);
            keyRecord.flip();
            if (keyRecord.getLong() != key.high() || keyRecord.getLong() != key.low()) {
                return false;
            }
            readFully(vectors, vectorRecord.clear(), (long) index * vectorBytes());
            if (keyRecord.getInt() != checksum(key, vectorRecord.flip())) {
                damage = Optional.of(
                        "%s: record %d: expected its own checksum, got another".formatted(file.getFileName(), index));
                // Without its key the record is not found again; the one computed in its place is.
                write(keys, buffer(KEY_RECORD), HEADER + (long) index * KEY_RECORD);
                return false;
            }
            vectorRecord.asFloatBuffer().get(vector);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "%s: record %d cannot be read: %s".formatted(file, index, e.getMessage()), e);
        }
    }

    /// Writes records at the end.
    void add(List<TextKey> added, float[][] values) throws IOException {
        if (added.isEmpty()) {
            return;
        }
        ByteBuffer vectorBlock = buffer(Math.multiplyExact(values.length, vectorBytes()));
        ByteBuffer keyBlock = buffer(values.length * KEY_RECORD);
        for (int i = 0; i < values.length; i++) {
            if (values[i].length != dimension) {
                throw new IllegalArgumentException(
                        "expected vectors of %d components, got %d".formatted(dimension, values[i].length));
            }
            vectorRecord.clear().asFloatBuffer().put(values[i]);
            TextKey key = added.get(i);
            keyBlock.putLong(key.high()).putLong(key.low()).putInt(checksum(key, vectorRecord));
            vectorBlock.put(vectorRecord.rewind());
        }
        write(vectors, vectorBlock.flip(), (long) count * vectorBytes());
        write(keys, keyBlock.flip(), HEADER + (long) count * KEY_RECORD);
        count += values.length;
    }

    private static int checksum(TextKey key, ByteBuffer vector) {
        CRC32C crc = new CRC32C();
        crc.update(buffer(TextKey.BYTES).putLong(key.high()).putLong(key.low()).flip());
        crc.update(vector.duplicate());
        return (int) crc.getValue();
    }

    private int vectorBytes() {
        return Math.multiplyExact(dimension, Float.BYTES);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void readFully(FileChannel channel, ByteBuffer target, long position) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int read = channel.read(target, at);
            if (read < 0) {
                throw new IOException("ends at byte " + at);
            }
            at += read;
        }
    }

    /// Writes all of a buffer. Adds the file's name to a failure that does not have it, such as a full
    /// disk.
    private void write(FileChannel channel, ByteBuffer source, long position) throws IOException {
        long at = position;
        try {
            while (source.hasRemaining()) {
                at += channel.write(source, at);
            }
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException("%s: %s".formatted(file, e.getMessage()), e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            keys.close();
        } finally {
            vectors.close();
        }
    }
}

package io.github.sgpt4j.cli.model;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.CodeSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/// The embeddings of the demo corpus by the built-in model, cached beside the unpacked model so that a search need
/// not compute them every time. If the file is damaged or cannot be written, they are computed.
///
/// Layout, little-endian: CRC-32C of the rest as 8 bytes, length of the key and key, rows, columns, float32 numbers.
/// The key identifies the engine and the inputs that they were computed with.
public final class DemoVectors {
    private final Optional<Path> file;
    private final byte[] key;

    public DemoVectors(Dtype dtype) {
        Optional<String> engine = engine();
        String name = "nano-demo-%s.f32".formatted(NanoModel.version());
        file = engine.map(version -> NanoModel.directory().resolveSibling(name));
        key = "%s %s".formatted(engine.orElse(""), dtype).getBytes(StandardCharsets.UTF_8);
    }

    /// For tests.
    public DemoVectors(Path file, String key) {
        this.file = Optional.of(file);
        this.key = key.getBytes(StandardCharsets.UTF_8);
    }

    /// Identifies the engine's code by the size and time of its jar; empty if it is run from a folder of classes.
    private static Optional<String> engine() {
        try {
            CodeSource source = Model.class.getProtectionDomain().getCodeSource();
            Path jar = source == null || source.getLocation() == null
                    ? Path.of("")
                    : Path.of(source.getLocation().toURI());
            return Files.isRegularFile(jar)
                    ? Optional.of("%d %d"
                            .formatted(
                                    Files.size(jar),
                                    Files.getLastModifiedTime(jar).toMillis()))
                    : Optional.empty();
        } catch (URISyntaxException | IllegalArgumentException | IOException e) {
            return Optional.empty();
        }
    }

    /// The cached vectors, or else those of `computation`, which are then cached.
    public float[][] get(Supplier<float[][]> computation) {
        Optional<float[][]> kept = read();
        if (kept.isPresent()) {
            return kept.get();
        }
        float[][] computed = computation.get();
        write(computed);
        return computed;
    }

    private Optional<float[][]> read() {
        if (file.isEmpty()) {
            return Optional.empty();
        }
        try {
            return parse(ByteBuffer.wrap(Files.readAllBytes(file.get())).order(ByteOrder.LITTLE_ENDIAN));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Optional<float[][]> parse(ByteBuffer bytes) {
        if (bytes.remaining() < 2 * Long.BYTES || bytes.getLong() != checksum(bytes.slice())) {
            return Optional.empty();
        }
        byte[] found = new byte[Math.clamp(bytes.getInt(), 0, bytes.remaining())];
        bytes.get(found);
        if (!Arrays.equals(found, key)) {
            return Optional.empty();
        }
        float[][] vectors = new float[bytes.getInt()][];
        int columns = bytes.getInt();
        for (int i = 0; i < vectors.length; i++) {
            vectors[i] = new float[columns];
            bytes.asFloatBuffer().get(vectors[i]);
            bytes.position(bytes.position() + columns * Float.BYTES);
        }
        return Optional.of(vectors);
    }

    private void write(float[][] vectors) {
        if (file.isEmpty() || vectors.length == 0) {
            return;
        }
        int columns = vectors[0].length;
        long size = Long.BYTES + 3L * Integer.BYTES + key.length + (long) vectors.length * columns * Float.BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(Long.BYTES);
        bytes.putInt(key.length).put(key).putInt(vectors.length).putInt(columns);
        for (float[] vector : vectors) {
            bytes.asFloatBuffer().put(vector);
            bytes.position(bytes.position() + columns * Float.BYTES);
        }
        bytes.putLong(0, checksum(bytes.slice(Long.BYTES, bytes.capacity() - Long.BYTES)));
        try {
            // Written under another name first: readers see all of it or nothing, however many processes write.
            Path work = Files.createTempFile(file.get().getParent(), "demo", ".new");
            try {
                Files.write(work, bytes.array());
                Files.move(work, file.get(), StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(work);
            }
        } catch (IOException e) {
            // The next search computes them again.
        }
    }

    private static long checksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return checksum.getValue();
    }
}

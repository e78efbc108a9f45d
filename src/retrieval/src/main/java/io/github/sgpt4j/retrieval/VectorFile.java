package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weights.SafetensorsFile;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;

/// A [VectorIndex] as a safetensors file: `vectors` F32 `[n, dimension]`, `ids` U8 with all ids in
/// UTF-8, one after the other, and `id_ends` I64 `[n]` with the exclusive end of each id in bytes.
/// Metadata: `sgpt4j.similarity`, and `sgpt4j.checksum`, the CRC-32C of similarity, dimension and the
/// three tensors in this order, in hexadecimal.
final class VectorFile {
    private static final String SIMILARITY = "sgpt4j.similarity";
    private static final String CHECKSUM = "sgpt4j.checksum";
    private static final String VECTORS = "vectors";
    private static final String IDS = "ids";
    private static final String ID_ENDS = "id_ends";
    private static final int PIECE_BYTES = 1 << 16;

    private VectorFile() {}

    static void save(Path file, int dimension, Similarity similarity, Map<String, float[]> rows) throws IOException {
        ByteArrayOutputStream ids = new ByteArrayOutputStream();
        ByteBuffer ends =
                ByteBuffer.allocate(Math.multiplyExact(rows.size(), Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        for (String id : rows.keySet()) {
            ids.writeBytes(id.getBytes(StandardCharsets.UTF_8));
            ends.putLong(ids.size());
        }
        CRC32C checksum = checksum(similarity.toString(), dimension);
        for (float[] row : rows.values()) {
            checksum.update(bytes(row));
        }
        checksum.update(ids.toByteArray());
        checksum.update(ends.array());
        new SafetensorsWriter()
                .metadata(SIMILARITY, similarity.toString())
                .metadata(CHECKSUM, Long.toHexString(checksum.getValue()))
                .add(VECTORS, ElementType.F32, Shape.of(rows.size(), dimension), out -> {
                    for (float[] row : rows.values()) {
                        out.write(bytes(row));
                    }
                })
                .add(IDS, ElementType.U8, Shape.of(ids.size()), MemorySegment.ofArray(ids.toByteArray()))
                .add(ID_ENDS, ElementType.I64, Shape.of(rows.size()), MemorySegment.ofArray(ends.array()))
                .write(file);
    }

    private static byte[] bytes(float[] row) {
        byte[] bytes = new byte[row.length * Float.BYTES];
        MemorySegment.copy(row, 0, MemorySegment.ofArray(bytes), LittleEndian.F32, 0, row.length);
        return bytes;
    }

    private static CRC32C checksum(String similarity, int dimension) {
        CRC32C checksum = new CRC32C();
        checksum.update("%s %d ".formatted(similarity, dimension).getBytes(StandardCharsets.UTF_8));
        return checksum;
    }

    private static void requireChecksum(SafetensorsFile stored, int dimension, List<WeightTensor> tensors) {
        CRC32C checksum = checksum(stored.metadata().getOrDefault(SIMILARITY, ""), dimension);
        for (WeightTensor tensor : tensors) {
            MemorySegment data = tensor.data();
            for (long from = 0; from < data.byteSize(); from += PIECE_BYTES) {
                long length = Math.min(PIECE_BYTES, data.byteSize() - from);
                // A copy: native code that reads a mapped file would crash the process if the file were
                // truncated.
                checksum.update(data.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE));
            }
        }
        String expected = stored.metadata().getOrDefault(CHECKSUM, "none");
        String found = Long.toHexString(checksum.getValue());
        if (!expected.equals(found)) {
            throw new FormatException("%s: expected the written contents with checksum %s, got %s"
                    .formatted(stored.path(), Quoted.of(expected), found));
        }
    }

    static VectorIndex load(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile stored = SafetensorsFile.open(file, arena);
            WeightTensor vectors = tensor(stored, VECTORS, ElementType.F32, 2);
            WeightTensor ids = tensor(stored, IDS, ElementType.U8, 1);
            WeightTensor ends = tensor(stored, ID_ENDS, ElementType.I64, 1);
            int count = count(file, vectors.shape().dimension(0), "vectors");
            int dimension = count(file, vectors.shape().dimension(1), "components");
            if (ends.shape().dimension(0) != count) {
                throw new FormatException("%s: expected %d ids, one per vector, got %d"
                        .formatted(file, count, ends.shape().dimension(0)));
            }
            requireChecksum(stored, dimension, List.of(vectors, ids, ends));
            VectorIndex index = index(file, stored, dimension);
            read(file, index, vectors, ids.data(), ends.data(), count);
            return index;
        }
    }

    private static VectorIndex index(Path file, SafetensorsFile stored, int dimension) {
        String name = stored.metadata().getOrDefault(SIMILARITY, "");
        try {
            return new VectorIndex(dimension, Similarity.parse(name));
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: metadata %s: %s".formatted(file, Quoted.of(SIMILARITY), e.getMessage()), e);
        }
    }

    private static WeightTensor tensor(SafetensorsFile stored, String name, ElementType type, int rank) {
        WeightTensor tensor = stored.tensors().get(name);
        if (tensor == null || tensor.dtype() != type || tensor.shape().rank() != rank) {
            throw new FormatException("%s: expected an index of vectors with a tensor %s of type %s with %d dimensions"
                    .formatted(stored.path(), Quoted.of(name), type, rank));
        }
        return tensor;
    }

    private static int count(Path file, long value, String what) {
        if (value > Integer.MAX_VALUE) {
            throw new FormatException(
                    "%s: expected at most %d %s, got %d".formatted(file, Integer.MAX_VALUE, what, value));
        }
        return (int) value;
    }

    private static void read(
            Path file, VectorIndex index, WeightTensor vectors, MemorySegment ids, MemorySegment ends, int count) {
        int dimension = index.dimension();
        Set<String> known = new HashSet<>();
        long begin = 0;
        for (int i = 0; i < count; i++) {
            long end = ends.get(LittleEndian.I64, (long) i * Long.BYTES);
            if (end < begin || end > ids.byteSize() || end - begin > Integer.MAX_VALUE) {
                throw new FormatException("%s: id %d: expected its end from %d to %d, got %d"
                        .formatted(file, i, begin, ids.byteSize(), end));
            }
            String id = text(file, ids.asSlice(begin, end - begin), i);
            if (!known.add(id)) {
                throw new FormatException("%s: expected each id once, got %s twice".formatted(file, Quoted.of(id)));
            }
            float[] row = new float[dimension];
            vectors.copyTo((long) i * dimension, row, 0, dimension);
            try {
                index.add(id, row);
            } catch (IllegalArgumentException e) {
                throw new FormatException("%s: vector %d: %s".formatted(file, i, e.getMessage()), e);
            }
            begin = end;
        }
        if (begin != ids.byteSize()) {
            throw new FormatException("%s: expected %d bytes of ids, got %d".formatted(file, begin, ids.byteSize()));
        }
    }

    private static String text(Path file, MemorySegment bytes, int place) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(bytes.asByteBuffer())
                    .toString();
        } catch (CharacterCodingException e) {
            throw new FormatException("%s: id %d: expected UTF-8, got something else".formatted(file, place), e);
        }
    }
}

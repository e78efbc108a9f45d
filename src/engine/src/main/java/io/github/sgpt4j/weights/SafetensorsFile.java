package io.github.sgpt4j.weights;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.text.Quoted;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A mapped safetensors file whose header has been checked from end to end.
///
/// Layout (<https://github.com/huggingface/safetensors>, format): the header's length as 8 bytes, little-endian; the
/// header, a JSON object padded with spaces; the data, which the tensors fill without gaps or overlaps. Opening reads
/// the header only.
///
/// @param mapped the file
/// @param tensors by name, in the order of the header; their segments live as long as the arena given to [#open]
/// @param unknown names of the types of further tensors, by tensor: types that `ElementType` lacks, so that nothing
///     can be said of their contents
/// @param metadata the strings under `__metadata__`, in the order of the file
public record SafetensorsFile(
        MappedFile mapped,
        Map<String, WeightTensor> tensors,
        Map<String, String> unknown,
        Map<String, String> metadata) {
    /// The longest header accepted, as in the reference implementation.
    public static final long MAX_HEADER_BYTES = 100_000_000;

    private static final String KIND = "a safetensors file";
    private static final byte[] LFS_POINTER = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);

    public SafetensorsFile {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        unknown = Collections.unmodifiableMap(new LinkedHashMap<>(unknown));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /// Maps the file and checks its header.
    ///
    /// @param arena owns the mapping; must be shared if several threads read the tensors
    /// @throws FormatException if the file is missing, cannot be read, changes, or breaks a rule of the
    ///     format
    public static SafetensorsFile open(Path path, Arena arena) {
        MappedFile mapped = MappedFile.map(path, KIND, arena);
        return new MappedFiles(List.of(mapped)).reading(() -> read(mapped));
    }

    private static SafetensorsFile read(MappedFile mapped) {
        MemorySegment bytes = mapped.bytes();
        String file = mapped.path().toString();
        long headerBytes = headerBytes(file, bytes);
        MemorySegment json = bytes.asSlice(Long.BYTES, headerBytes);
        MemorySegment data = bytes.asSlice(Long.BYTES + headerBytes);
        if (headerBytes == 0 || json.get(ValueLayout.JAVA_BYTE, 0) != '{') {
            String got = headerBytes == 0 ? "an empty header" : "0x%02x".formatted(json.get(ValueLayout.JAVA_BYTE, 0));
            throw new FormatException(
                    "%s: byte %d: expected a header that begins with {, got %s".formatted(file, Long.BYTES, got));
        }
        SafetensorsHeader header = SafetensorsHeader.parse(file, json, Long.BYTES, data.byteSize());
        requireFilled(file, List.copyOf(header.entries().values()), data.byteSize());
        Map<String, WeightTensor> tensors =
                LinkedHashMap.newLinkedHashMap(header.entries().size());
        Map<String, String> unknown = new LinkedHashMap<>();
        for (SafetensorsHeader.Entry entry : header.entries().values()) {
            MemorySegment slice = data.asSlice(entry.begin(), entry.end() - entry.begin());
            entry.dtype()
                    .ifPresentOrElse(
                            dtype -> tensors.put(
                                    entry.name(), new WeightTensor(entry.name(), file, dtype, entry.shape(), slice)),
                            () -> unknown.put(entry.name(), entry.type()));
        }
        return new SafetensorsFile(mapped, tensors, unknown, header.metadata());
    }

    /// The path as given to [#open].
    public Path path() {
        return mapped.path();
    }

    private static long headerBytes(String file, MemorySegment bytes) {
        if (startsWith(bytes, LFS_POINTER)) {
            throw new FormatException(
                    "%s: expected %s, got a Git LFS pointer: the file itself was not downloaded".formatted(file, KIND));
        }
        long rest = bytes.byteSize() - Long.BYTES;
        if (rest < 0) {
            throw new FormatException(
                    "%s: byte 0: expected 8 bytes with the header's length, got %d".formatted(file, bytes.byteSize()));
        }
        long length = bytes.get(LittleEndian.I64, 0);
        if (length < 0 || length > MAX_HEADER_BYTES) {
            throw new FormatException("%s: byte 0: expected a header of at most %d bytes, got a length of %s"
                    .formatted(file, MAX_HEADER_BYTES, Long.toUnsignedString(length)));
        }
        if (length > rest) {
            throw new FormatException("%s: byte 0: expected a header of %d bytes, got %d up to the end of the file"
                    .formatted(file, length, rest));
        }
        return length;
    }

    private static boolean startsWith(MemorySegment bytes, byte[] prefix) {
        // A copy: comparing in place runs code in which a fault ends the process.
        return bytes.byteSize() >= prefix.length
                && Arrays.equals(bytes.asSlice(0, prefix.length).toArray(ValueLayout.JAVA_BYTE), prefix);
    }

    private static void requireFilled(String file, List<SafetensorsHeader.Entry> entries, long dataBytes) {
        List<SafetensorsHeader.Entry> inOrder = entries.stream()
                .sorted(Comparator.comparingLong(SafetensorsHeader.Entry::begin)
                        .thenComparingLong(SafetensorsHeader.Entry::end))
                .toList();
        long filled = 0;
        String before = "the start of the data";
        for (SafetensorsHeader.Entry entry : inOrder) {
            if (entry.begin() != filled) {
                throw new FormatException("%s: byte %d: tensor %s: expected data from %d on, after %s, got %d: %s"
                        .formatted(
                                file,
                                entry.position(),
                                Quoted.of(entry.name()),
                                filled,
                                before,
                                entry.begin(),
                                entry.begin() < filled ? "tensors overlap" : "there is a gap"));
            }
            filled = entry.end();
            before = "tensor " + Quoted.of(entry.name());
        }
        if (filled != dataBytes) {
            throw new FormatException("%s: expected %d bytes of data up to the end of %s, got %d"
                    .formatted(file, filled, before, dataBytes));
        }
    }
}

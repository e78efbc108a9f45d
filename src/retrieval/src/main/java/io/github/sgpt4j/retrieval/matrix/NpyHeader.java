package io.github.sgpt4j.retrieval.matrix;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The header of a `.npy` file, versions 1 to 3: a magic number, the version, the header's length, and a dictionary as
/// Python writes it. Source: `numpy.lib.format`.
///
/// Nothing of the file but the header is read, and of that at most 10,000 bytes.
public final class NpyHeader {
    /// Most columns: more than any model has components, and rows of so many fit into memory.
    public static final int MAX_COLUMNS = 1 << 16;

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /// NumPy's own bound on headers that it reads without being told to trust them.
    private static final int MAX_DICTIONARY_BYTES = 10_000;

    private static final int MAX_ROWS = Integer.MAX_VALUE - 16;

    private static final Pattern ENTRY = Pattern.compile("\\s*+(?:'(\\w++)'|\"(\\w++)\")\\s*+:\\s*+"
            + "('[^']*+'|\"[^\"]*+\"|True|False|\\([^()]*+\\)|\\[[^\\[\\]]*+\\])\\s*+(?:,|(?=\\}))");
    private static final Pattern SHAPE =
            Pattern.compile("\\(\\s*+([0-9]{1,18})\\s*+,\\s*+([0-9]{1,18})\\s*+,?\\s*+\\)");

    private static final String TYPE = "descr";
    private static final String ORDER = "fortran_order";
    private static final String DIMENSIONS = "shape";

    private final int bytes;
    private final ElementType type;
    private final int rows;
    private final int columns;

    private NpyHeader(int bytes, ElementType type, int rows, int columns) {
        this.bytes = bytes;
        this.type = type;
        this.rows = rows;
        this.columns = columns;
    }

    /// Reads a header from the beginning of a file.
    ///
    /// @param name of the file, for messages
    /// @throws IOException if reading fails
    /// @throws FormatException if it is none, or not that of a matrix of a supported type
    public static NpyHeader read(String name, InputStream in) throws IOException {
        byte[] start = in.readNBytes(MAGIC.length + 2);
        if (start.length < MAGIC.length + 2 || !Arrays.equals(MAGIC, Arrays.copyOf(start, MAGIC.length))) {
            throw new FormatException(name + ": expected the magic number of a .npy file, found none");
        }
        int version = start[MAGIC.length] & 0xFF;
        if (version < 1 || version > 3) {
            throw new FormatException("%s: expected version 1, 2 or 3 of the .npy format, got %d.%d"
                    .formatted(name, version, start[MAGIC.length + 1] & 0xFF));
        }
        byte[] length = in.readNBytes(version == 1 ? 2 : 4);
        long count = 0;
        for (int i = length.length - 1; i >= 0; i--) {
            count = count << Byte.SIZE | length[i] & 0xFF;
        }
        if (count > MAX_DICTIONARY_BYTES) {
            throw new FormatException(
                    "%s: expected a header of at most %d bytes, got %d".formatted(name, MAX_DICTIONARY_BYTES, count));
        }
        byte[] dictionary = in.readNBytes((int) count);
        if (length.length < (version == 1 ? 2 : 4) || dictionary.length < count) {
            throw new FormatException(name + ": expected a header, the file ends in it");
        }
        String text = new String(dictionary, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
        return of(name, start.length + length.length + dictionary.length, entries(name, text.strip()));
    }

    private static Map<String, String> entries(String name, String text) {
        Map<String, String> entries = new TreeMap<>();
        int end = text.length() - 1;
        int at = 1;
        boolean complete = text.startsWith("{") && text.endsWith("}") && end >= 1;
        Matcher matcher = ENTRY.matcher(text);
        while (complete && !text.substring(at, end).isBlank()) {
            // The closing brace is within the region: the last entry may end there.
            matcher.region(at, text.length());
            complete = matcher.lookingAt();
            if (complete) {
                String key = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
                complete = entries.put(key, matcher.group(3)) == null;
                at = matcher.end();
            }
        }
        if (!complete || !entries.keySet().equals(new TreeSet<>(Arrays.asList(TYPE, ORDER, DIMENSIONS)))) {
            throw new FormatException("%s: expected a header with descr, fortran_order and shape, got %s"
                    .formatted(name, Quoted.of(text)));
        }
        return entries;
    }

    private static NpyHeader of(String name, int bytes, Map<String, String> entries) {
        String described = entries.getOrDefault(TYPE, "");
        ElementType type = switch (described.length() < 2 ? "" : described.substring(1, described.length() - 1)) {
            case "<f2" -> ElementType.F16;
            case "<f4" -> ElementType.F32;
            case "<f8" -> ElementType.F64;
            default ->
                throw new FormatException("%s: expected little-endian numbers of type <f2, <f4 or <f8, got descr %s"
                        .formatted(name, Quoted.of(described)));
        };
        String order = entries.getOrDefault(ORDER, "");
        if (!order.equals("False")) {
            throw new FormatException("%s: expected rows one after another (C order), got fortran_order %s"
                    .formatted(name, Quoted.of(order)));
        }
        String shape = entries.getOrDefault(DIMENSIONS, "");
        Matcher matcher = SHAPE.matcher(shape);
        if (!matcher.matches()) {
            throw new FormatException(
                    "%s: expected a matrix, of shape (rows, columns), got shape %s".formatted(name, Quoted.of(shape)));
        }
        return new NpyHeader(
                bytes,
                type,
                within(name, "rows", matcher.group(1), MAX_ROWS),
                within(name, "columns", matcher.group(2), MAX_COLUMNS));
    }

    private static int within(String name, String what, String digits, int most) {
        long number = Long.parseLong(digits);
        if (number < 1 || number > most) {
            throw new FormatException("%s: expected from 1 to %d %s, got %d".formatted(name, most, what, number));
        }
        return (int) number;
    }

    /// Bytes of the header: where the numbers begin.
    public int bytes() {
        return bytes;
    }

    /// Number of rows, at least 1.
    public int rows() {
        return rows;
    }

    /// Numbers in a row, from 1 to [#MAX_COLUMNS].
    public int columns() {
        return columns;
    }

    /// Bytes of a row.
    public int rowBytes() {
        return Math.multiplyExact(columns, type.bytes());
    }

    /// Bytes of the whole file.
    public long fileBytes() {
        return Math.addExact(bytes, Math.multiplyExact((long) rows, rowBytes()));
    }

    /// Refuses a file of another size.
    ///
    /// @param size of the file
    /// @throws FormatException if it is not [#fileBytes]
    public void requireSize(String name, long size) {
        if (size != fileBytes()) {
            throw new FormatException("%s: expected %d bytes for %d rows of %d numbers, got %d"
                    .formatted(name, fileBytes(), rows, columns, size));
        }
    }

    /// The numbers of a row; those too large for 32 bits become infinite.
    ///
    /// @param row [#rowBytes] bytes
    /// @return `[columns]`
    public float[] decode(byte[] row) {
        MemorySegment segment = MemorySegment.ofArray(row);
        float[] values = new float[columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = type == ElementType.F16
                    ? Half.f16ToFloat(segment.getAtIndex(LittleEndian.I16, i))
                    : type == ElementType.F32
                            ? segment.getAtIndex(LittleEndian.F32, i)
                            : (float) segment.getAtIndex(LittleEndian.F64, i);
        }
        return values;
    }
}

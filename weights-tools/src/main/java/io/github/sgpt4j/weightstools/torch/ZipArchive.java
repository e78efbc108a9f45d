package io.github.sgpt4j.weightstools.torch;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.ByteWindow;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The directory of a zip archive (PKWARE's APPNOTE, with its 64-bit extension), read from its end.
/// Entries do not overlap in the file, have plain relative names, each once, and are stored or
/// deflated.
///
/// `java.util.zip.ZipFile` does not tell the position of an entry's bytes, which mapping needs.
final class ZipArchive {
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_BYTES = 22;
    private static final int LOCATOR_SIGNATURE = 0x07064b50;
    private static final int LOCATOR_BYTES = 20;
    private static final int END64_SIGNATURE = 0x06064b50;
    private static final int END64_BYTES = 56;
    private static final int CENTRAL_SIGNATURE = 0x02014b50;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int LOCAL_BYTES = 30;
    private static final int EXTRA64 = 1;
    private static final int MAX_COMMENT = 0xFFFF;
    private static final int FULL16 = 0xFFFF;
    private static final long FULL32 = 0xFFFF_FFFFL;

    /// Encrypted, strongly encrypted, or with a masked header.
    private static final int ENCRYPTED = 1 | 1 << 6 | 1 << 13;

    private static final int DEFLATED = 8;
    private static final int MAX_ENTRIES = 200_000;

    private final Path path;
    private final ByteWindow bytes;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /// An entry.
    ///
    /// @param name relative, with slashes
    /// @param deflated whether it is compressed; otherwise it is stored
    /// @param header where its local header begins
    /// @param data where its bytes begin
    /// @param packed number of bytes in the file
    /// @param size number of bytes of its content
    record Entry(String name, boolean deflated, long header, long data, long packed, long size) {}

    /// Position of the central directory, and the number of its entries.
    private record End(long offset, long size, long count, long limit) {}

    private ZipArchive(Path path, MemorySegment bytes) {
        this.path = path;
        this.bytes = new ByteWindow(bytes);
    }

    /// Reads and checks the directory.
    ///
    /// @throws FormatException at the first problem
    static ZipArchive read(Path path, MemorySegment bytes) {
        ZipArchive archive = new ZipArchive(path, bytes);
        archive.readDirectory(archive.findEnd());
        archive.requireApart();
        return archive;
    }

    /// Entries by name, in the order of the directory.
    Map<String, Entry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    private FormatException bad(long offset, String problem) {
        return new FormatException("%s: zip archive: byte %d: %s".formatted(path, offset, problem));
    }

    private FormatException bad(long offset, String problem, Throwable cause) {
        return new FormatException("%s: zip archive: byte %d: %s".formatted(path, offset, problem), cause);
    }

    private int u16(long offset) {
        return bytes.u16(offset);
    }

    private int i32(long offset) {
        return bytes.i32(offset);
    }

    private long u32(long offset) {
        return i32(offset) & FULL32;
    }

    private long i64(long offset, String what) {
        long value = bytes.i64(offset);
        if (value < 0) {
            throw bad(offset, "expected %s, got %s".formatted(what, Long.toUnsignedString(value)));
        }
        return value;
    }

    private void require(long offset, long length, String what) {
        if (offset < 0 || length < 0 || offset > bytes.byteSize() - length) {
            throw bad(
                    offset,
                    "expected %s of %d bytes, got the end of the file at %d".formatted(what, length, bytes.byteSize()));
        }
    }

    private End findEnd() {
        long last = bytes.byteSize() - END_BYTES;
        for (long at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
            if (i32(at) == END_SIGNATURE && u16(at + 20) == last - at) {
                return end(at);
            }
        }
        throw bad(Math.max(0, last), "expected the end record of a zip archive, found none: the file is cut short");
    }

    private End end(long at) {
        if (u16(at + 4) != 0 && u16(at + 4) != FULL16) {
            throw bad(at + 4, "expected an archive in one part, got part %d".formatted(u16(at + 4)));
        }
        End end = new End(u32(at + 16), u32(at + 12), u16(at + 10), at);
        long locator = at - LOCATOR_BYTES;
        if (locator >= 0 && i32(locator) == LOCATOR_SIGNATURE) {
            End large = end64(locator);
            requireSame(at + 10, "entries", end.count(), FULL16, large.count());
            requireSame(at + 12, "bytes of directory", end.size(), FULL32, large.size());
            requireSame(at + 16, "offset of the directory", end.offset(), FULL32, large.offset());
            end = large;
        }
        if (end.offset() > end.limit() || end.size() > end.limit() - end.offset()) {
            throw bad(
                    at,
                    "expected the directory before byte %d, got %d bytes at %d"
                            .formatted(end.limit(), end.size(), end.offset()));
        }
        if (end.count() > MAX_ENTRIES) {
            throw bad(at, "expected at most %d entries, got %d".formatted(MAX_ENTRIES, end.count()));
        }
        return end;
    }

    private End end64(long locator) {
        long at = i64(locator + 8, "the offset of the 64-bit end record");
        require(at, END64_BYTES, "a 64-bit end record");
        if (i32(at) != END64_SIGNATURE || at > locator - END64_BYTES) {
            throw bad(at, "expected a 64-bit end record, got something else");
        }
        return new End(
                i64(at + 48, "the offset of the directory"),
                i64(at + 40, "the length of the directory"),
                i64(at + 32, "the number of entries"),
                at);
    }

    private void requireSame(long at, String what, long small, long full, long large) {
        if (small != full && small != large) {
            throw bad(at, "expected the same %s in both end records, got %d and %d".formatted(what, small, large));
        }
    }

    private void readDirectory(End end) {
        long at = end.offset();
        long stop = end.offset() + end.size();
        for (long i = 0; i < end.count(); i++) {
            if (at > stop - CENTRAL_BYTES || i32(at) != CENTRAL_SIGNATURE) {
                throw bad(
                        at,
                        "expected entry %d of %d in the directory, got something else".formatted(i + 1, end.count()));
            }
            int nameBytes = u16(at + 28);
            int extraBytes = u16(at + 30);
            long length = (long) CENTRAL_BYTES + nameBytes + extraBytes + u16(at + 32);
            if (length > stop - at) {
                throw bad(at, "expected an entry within the directory, got one of %d bytes".formatted(length));
            }
            Entry entry = entry(at, nameBytes, extraBytes, end.offset());
            if (entries.put(entry.name(), entry) != null) {
                throw bad(at, "expected entry %s once, got it twice".formatted(Quoted.of(entry.name())));
            }
            at += length;
        }
        if (at != stop) {
            throw bad(at, "expected the directory to end here, got %d more bytes".formatted(stop - at));
        }
    }

    private Entry entry(long at, int nameBytes, int extraBytes, long limit) {
        String name = name(at + CENTRAL_BYTES, nameBytes);
        int method = u16(at + 10);
        if ((u16(at + 8) & ENCRYPTED) != 0) {
            throw bad(at + 8, "entry %s: expected plain bytes, got encrypted ones".formatted(Quoted.of(name)));
        }
        if (method != 0 && method != DEFLATED) {
            throw bad(
                    at + 10, "entry %s: expected compression method 0 or 8, got %d".formatted(Quoted.of(name), method));
        }
        // Size, packed size and header offset, in the order of the 64-bit extra field.
        long[] values = {u32(at + 24), u32(at + 20), u32(at + 42)};
        widen(values, at + CENTRAL_BYTES + nameBytes, extraBytes, name);
        if (method == 0 && values[0] != values[1]) {
            throw bad(
                    at + 20,
                    "entry %s: expected %d bytes as it is stored, got %d"
                            .formatted(Quoted.of(name), values[0], values[1]));
        }
        long data = data(values[2], at + CENTRAL_BYTES, nameBytes, name);
        if (data > limit || values[1] > limit - data) {
            throw bad(
                    data,
                    "entry %s: expected %d bytes before the directory at %d, got fewer"
                            .formatted(Quoted.of(name), values[1], limit));
        }
        return new Entry(name, method == DEFLATED, values[2], data, values[1], values[0]);
    }

    /// Takes values that do not fit 32 bits from the extra field.
    private void widen(long[] values, long at, int extraBytes, String name) {
        long stop = at + extraBytes;
        for (long field = at; field <= stop - 4; field += 4L + u16(field + 2)) {
            if (u16(field) != EXTRA64) {
                continue;
            }
            long next = field + 4;
            long end = Math.min(stop, next + u16(field + 2));
            for (int i = 0; i < values.length; i++) {
                if (values[i] == FULL32) {
                    if (next > end - Long.BYTES) {
                        throw bad(
                                field,
                                "entry %s: expected a 64-bit number, got too few bytes".formatted(Quoted.of(name)));
                    }
                    values[i] = i64(next, "a size or an offset");
                    next += Long.BYTES;
                }
            }
            return;
        }
    }

    /// Where an entry's bytes begin: after its local header, which must have the same name.
    private long data(long header, long name, int nameBytes, String shown) {
        require(header, LOCAL_BYTES, "a local header");
        if (i32(header) != LOCAL_SIGNATURE) {
            throw bad(header, "entry %s: expected a local header, got something else".formatted(Quoted.of(shown)));
        }
        long length = (long) LOCAL_BYTES + u16(header + 26) + u16(header + 28);
        require(header, length, "a local header");
        byte[] own = bytes.copy(header + LOCAL_BYTES, u16(header + 26));
        if (!Arrays.equals(own, bytes.copy(name, nameBytes))) {
            throw bad(
                    header,
                    "entry %s: expected the same name in its local header, got another".formatted(Quoted.of(shown)));
        }
        return header + length;
    }

    private String name(long at, int length) {
        String name;
        try {
            byte[] raw = bytes.copy(at, length);
            name = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(raw))
                    .toString();
        } catch (CharacterCodingException e) {
            throw bad(at, "expected a name in UTF-8, got other bytes", e);
        }
        boolean plain = !name.isEmpty() && name.chars().noneMatch(c -> c == '\\' || c == ':' || c < ' ');
        for (String part : name.split("/", -1)) {
            plain &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
        }
        if (!plain) {
            throw bad(at, "expected a plain relative name of an entry, got " + Quoted.of(name));
        }
        return name;
    }

    /// No byte may belong to two entries: otherwise a small file could claim any size.
    private void requireApart() {
        List<Entry> sorted = new ArrayList<>(entries.values());
        sorted.sort(Comparator.comparingLong(Entry::header));
        long free = 0;
        for (Entry entry : sorted) {
            if (entry.header() < free) {
                throw bad(
                        entry.header(),
                        "entry %s: expected bytes of its own, got some of another entry"
                                .formatted(Quoted.of(entry.name())));
            }
            free = entry.data() + entry.packed();
        }
    }
}

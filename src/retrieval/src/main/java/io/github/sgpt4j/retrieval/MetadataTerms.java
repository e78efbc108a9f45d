package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.filter.ValueKind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.NumericUtils;

/// A document's metadata as terms, so that filters find documents by it. All are terms of one field,
/// whatever the names are: `length of name (2 bytes) | name | kind (1 byte) | value`. For each name there
/// is one of kind [#NAME] without a value.
///
/// The order of the terms of one name and kind is the order of the values:
///
/// - Numbers are the nearest 64-bit floating-point number, as bytes in its order, and what a whole
///   number has beyond it (2 bytes): long and double compare exactly.
/// - Strings are UTF-8, whose order is that of code points. A string longer than
///   [Filter#MAX_BOUND_BYTES] is that many bytes of it, the byte 0xff, which is not in UTF-8, and the
///   SHA-256 of it. That is in order with shorter ones, and with others of them equal or not.
final class MetadataTerms {
    private static final byte NAME = 0;
    private static final byte BOOLEAN = 1;
    private static final byte NUMBER = 2;
    private static final byte STRING = 3;
    private static final int MAX_STRING_BYTES = Filter.MAX_BOUND_BYTES;

    private MetadataTerms() {}

    /// The terms of a document, each once.
    static Set<BytesRef> of(Metadata metadata) {
        Set<BytesRef> terms = new TreeSet<>();
        for (Map.Entry<String, Object> entry : metadata.asMap().entrySet()) {
            terms.add(ofName(entry.getKey()));
            if (entry.getValue() instanceof List<?> values) {
                values.forEach(value -> terms.add(of(entry.getKey(), value)));
            } else {
                terms.add(of(entry.getKey(), entry.getValue()));
            }
        }
        return terms;
    }

    /// The term of documents that have a name.
    static BytesRef ofName(String name) {
        return term(name, NAME, new byte[0]);
    }

    /// What comes after all terms of a name.
    static BytesRef endOfName(String name) {
        return term(name, (byte) (STRING + 1), new byte[0]);
    }

    /// The name in a term.
    static String name(BytesRef term) {
        ByteBuffer bytes = ByteBuffer.wrap(term.bytes, term.offset, term.length);
        byte[] name = new byte[bytes.getShort()];
        bytes.get(name);
        return new String(name, StandardCharsets.UTF_8);
    }

    /// The term of documents that have a value.
    static BytesRef of(String name, Object value) {
        return switch (value) {
            case Boolean truth -> term(name, BOOLEAN, new byte[] {(byte) (truth ? 1 : 0)});
            case Number number -> term(name, NUMBER, number(number));
            case String text -> term(name, STRING, text(text));
            default -> throw new IllegalArgumentException("no value of metadata: " + value.getClass());
        };
    }

    /// The first possible term of values of a kind.
    static BytesRef first(String name, ValueKind kind) {
        return term(name, number(kind), new byte[0]);
    }

    /// What comes after all terms of values of a kind.
    static BytesRef end(String name, ValueKind kind) {
        return term(name, (byte) (number(kind) + 1), new byte[0]);
    }

    private static byte number(ValueKind kind) {
        return switch (kind) {
            case BOOLEAN -> BOOLEAN;
            case NUMBER -> NUMBER;
            case STRING -> STRING;
        };
    }

    private static BytesRef term(String name, byte kind, byte[] value) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return new BytesRef(ByteBuffer.allocate(Short.BYTES + bytes.length + 1 + value.length)
                .putShort((short) bytes.length)
                .put(bytes)
                .put(kind)
                .put(value)
                .array());
    }

    private static byte[] number(Number number) {
        // 0.0 and -0.0 are one number.
        double nearest = number.doubleValue() + 0.0;
        byte[] bytes = new byte[Long.BYTES + Short.BYTES];
        NumericUtils.longToSortableBytes(NumericUtils.doubleToSortableLong(nearest), bytes, 0);
        int rest = number instanceof Long whole ? rest(whole, nearest) : 0;
        ByteBuffer.wrap(bytes).putShort(Long.BYTES, (short) (rest - Short.MIN_VALUE));
        return bytes;
    }

    /// What a whole number has beyond the floating-point number nearest to it: at most 512 in size.
    private static int rest(long whole, double nearest) {
        // 2^63 has no long, but half of it has.
        return nearest == 0x1p63
                ? Math.toIntExact(whole - Long.MAX_VALUE - 1)
                : Math.toIntExact(whole - (long) nearest);
    }

    private static byte[] text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= MAX_STRING_BYTES) {
            return bytes;
        }
        ByteArrayOutputStream cut = new ByteArrayOutputStream();
        cut.write(bytes, 0, MAX_STRING_BYTES);
        cut.write(0xff);
        cut.writeBytes(ContentHash.sha256().digest(bytes));
        return cut.toByteArray();
    }
}

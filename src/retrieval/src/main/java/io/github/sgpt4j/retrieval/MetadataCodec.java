package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.corpus.Metadata;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.store.ByteArrayDataInput;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.util.BytesRef;

/// A document's metadata as bytes, in order and exactly: number of entries, then of each the name, a
/// letter for the class of the value, and the value. Strings are their length in bytes and UTF-8;
/// lengths, counts and whole numbers have a variable number of bytes.
final class MetadataCodec {
    private static final byte STRING = 's';
    private static final byte LONG = 'l';
    private static final byte DOUBLE = 'd';
    private static final byte TRUE = 't';
    private static final byte FALSE = 'f';
    private static final byte LIST = '[';

    private MetadataCodec() {}

    static BytesRef encode(Metadata metadata) {
        ByteBuffersDataOutput out = new ByteBuffersDataOutput();
        try {
            out.writeVInt(metadata.asMap().size());
            for (Map.Entry<String, Object> entry : metadata.asMap().entrySet()) {
                write(out, entry.getKey());
                encode(out, entry.getValue());
            }
        } catch (IOException e) {
            throw new IllegalStateException("memory can be written", e);
        }
        return new BytesRef(out.toArrayCopy());
    }

    private static void encode(ByteBuffersDataOutput out, Object value) throws IOException {
        switch (value) {
            case String text -> {
                out.writeByte(STRING);
                write(out, text);
            }
            case Long number -> {
                out.writeByte(LONG);
                out.writeZLong(number);
            }
            case Double number -> {
                out.writeByte(DOUBLE);
                out.writeLong(Double.doubleToRawLongBits(number));
            }
            case Boolean truth -> out.writeByte(truth ? TRUE : FALSE);
            case List<?> values -> {
                out.writeByte(LIST);
                out.writeVInt(values.size());
                for (Object element : values) {
                    encode(out, element);
                }
            }
            default -> throw new IllegalArgumentException("no value of metadata: " + value.getClass());
        }
    }

    private static void write(ByteBuffersDataOutput out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeVInt(bytes.length);
        out.writeBytes(bytes, bytes.length);
    }

    /// @param id of the document, for errors
    /// @throws DamagedDocumentException if [#encode] does not write such bytes
    static Metadata decode(String id, BytesRef bytes) throws DamagedDocumentException {
        ByteArrayDataInput in = new ByteArrayDataInput(bytes.bytes, bytes.offset, bytes.length);
        try {
            Map<String, Object> values = new LinkedHashMap<>();
            int count = count(in);
            for (int i = 0; i < count; i++) {
                String name = text(in);
                if (values.putIfAbsent(name, value(in, in.readByte())) != null) {
                    throw new IllegalArgumentException("expected each name once");
                }
            }
            if (!in.eof()) {
                throw new IllegalArgumentException("expected the end");
            }
            return Metadata.of(values);
        } catch (RuntimeException | IOException e) {
            throw new DamagedDocumentException(
                    "document %s: its metadata are not what is written: %s".formatted(id, e.getMessage()), e);
        }
    }

    private static Object value(ByteArrayDataInput in, byte kind) throws IOException {
        if (kind == LIST) {
            int count = count(in);
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                values.add(single(in, in.readByte()));
            }
            return values;
        }
        return single(in, kind);
    }

    private static Object single(ByteArrayDataInput in, byte kind) throws IOException {
        return switch (kind) {
            case STRING -> text(in);
            case LONG -> in.readZLong();
            case DOUBLE -> Double.longBitsToDouble(in.readLong());
            case TRUE -> true;
            case FALSE -> false;
            default -> throw new IllegalArgumentException("expected a value, got byte " + kind);
        };
    }

    private static String text(ByteArrayDataInput in) throws CharacterCodingException {
        byte[] bytes = new byte[count(in)];
        in.readBytes(bytes, 0, bytes.length);
        CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
        return text.toString();
    }

    /// A number of things that need at least a byte each.
    private static int count(ByteArrayDataInput in) {
        int count = in.readVInt();
        if (count < 0 || count > in.length() - in.getPosition()) {
            throw new IllegalArgumentException("expected fewer bytes, got a count of " + count);
        }
        return count;
    }
}

package io.github.sgpt4j.documents.decoding;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Finds the encoding of bytes: by a byte order mark (UTF-8, UTF-16), else UTF-8 if all of them are, else
/// Windows-1252, the superset of Latin-1 that browsers take for it. Bytes that are no text of these are
/// refused: a zero byte, control characters among bytes that are not UTF-8, or so many bytes above 127
/// that it is another encoding.
public final class EncodingScan {
    private static final Charset WINDOWS = Charset.forName("windows-1252");
    private static final int BLOCK = 1 << 16;
    private static final String CONTROLS_OF_TEXT = "\t\n\f\r\b\u001b\u001a";

    /// Of 100 bytes, the most above 127 in a text of a language with Latin letters.
    private static final int MAX_HIGH_PERCENT = 30;

    private final CharsetDecoder utf8 = strict(StandardCharsets.UTF_8);
    private final CharBuffer sink = CharBuffer.allocate(BLOCK);
    private final ByteBuffer rest = ByteBuffer.allocate(BLOCK + 8);
    private boolean isUtf8 = true;
    private boolean controls;
    private long total;
    private long high;

    private EncodingScan() {}

    /// The encoding of a whole stream, which is read to its end.
    ///
    /// @param in not closed
    /// @throws BinaryContent if it is no text
    /// @throws IOException if reading fails
    public static Encoding of(InputStream in) throws IOException {
        byte[] head = in.readNBytes(BLOCK);
        Encoding marked = marked(head);
        if (marked != null) {
            return marked;
        }
        EncodingScan scan = new EncodingScan();
        byte[] block = head;
        while (block.length > 0) {
            scan.feed(block);
            block = in.readNBytes(BLOCK);
        }
        return scan.end();
    }

    /// The encoding of bytes.
    ///
    /// @throws BinaryContent if they are no text
    public static Encoding of(byte[] bytes) throws BinaryContent {
        Encoding marked = marked(bytes);
        if (marked != null) {
            return marked;
        }
        EncodingScan scan = new EncodingScan();
        for (int start = 0; start < bytes.length; start += BLOCK) {
            scan.feed(Arrays.copyOfRange(bytes, start, Math.min(bytes.length, start + BLOCK)));
        }
        return scan.end();
    }

    /// Refuses the beginning of a file that is no text: without the byte order mark of UTF-16, text has no
    /// zero bytes.
    ///
    /// @throws BinaryContent if there is one
    public static void requireText(byte[] head) throws BinaryContent {
        if (marked(head) == null) {
            new EncodingScan().feed(head);
        }
    }

    /// Decodes bytes by their encoding.
    ///
    /// @throws BinaryContent if they are no text
    public static Decoded decode(byte[] bytes) throws BinaryContent {
        Encoding encoding = of(bytes);
        int mark = encoding.markBytes();
        try {
            CharBuffer text = strict(encoding).decode(ByteBuffer.wrap(bytes, mark, bytes.length - mark));
            return new Decoded(text.toString(), encoding);
        } catch (CharacterCodingException e) {
            throw new BinaryContent("begins with the byte order mark of %s and is not"
                    .formatted(encoding.charset().name()));
        }
    }

    /// A decoder that refuses bytes of another encoding.
    public static CharsetDecoder strict(Encoding encoding) {
        // Five bytes are undefined in Windows-1252.
        return encoding.guessed()
                ? encoding.charset()
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPLACE)
                        .onUnmappableCharacter(CodingErrorAction.REPLACE)
                : strict(encoding.charset());
    }

    private static CharsetDecoder strict(Charset charset) {
        return charset.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
    }

    private static @Nullable Encoding marked(byte[] head) {
        if (startsWith(head, 0xEF, 0xBB, 0xBF)) {
            return new Encoding(StandardCharsets.UTF_8, 3, false);
        }
        if (startsWith(head, 0xFF, 0xFE)) {
            return new Encoding(StandardCharsets.UTF_16LE, 2, false);
        }
        return startsWith(head, 0xFE, 0xFF) ? new Encoding(StandardCharsets.UTF_16BE, 2, false) : null;
    }

    private static boolean startsWith(byte[] head, int... mark) {
        for (int i = 0; i < mark.length; i++) {
            if (i >= head.length || (head[i] & 0xFF) != mark[i]) {
                return false;
            }
        }
        return true;
    }

    private void feed(byte[] block) throws BinaryContent {
        for (byte value : block) {
            if (value == 0) {
                throw new BinaryContent("expected text, got a zero byte");
            }
            total++;
            high += value < 0 ? 1 : 0;
            controls |= value >= 0 && value < ' ' && CONTROLS_OF_TEXT.indexOf(value) < 0;
        }
        if (isUtf8) {
            rest.put(block).flip();
            isUtf8 = !decode(false);
            rest.compact();
        }
    }

    /// Whether the bytes are something else.
    private boolean decode(boolean end) {
        while (true) {
            sink.clear();
            var result = utf8.decode(rest, sink, end);
            if (result.isError()) {
                return true;
            }
            if (result.isUnderflow()) {
                return end && rest.hasRemaining();
            }
        }
    }

    private Encoding end() throws BinaryContent {
        if (isUtf8) {
            rest.flip();
            isUtf8 = !decode(true);
        }
        if (isUtf8) {
            return new Encoding(StandardCharsets.UTF_8, 0, false);
        }
        if (controls) {
            throw new BinaryContent("expected text, got bytes that are no UTF-8, and control characters");
        }
        if (high * 100 > total * MAX_HIGH_PERCENT) {
            throw new BinaryContent("expected UTF-8 or Latin-1, got another encoding");
        }
        return new Encoding(WINDOWS, 0, true);
    }
}

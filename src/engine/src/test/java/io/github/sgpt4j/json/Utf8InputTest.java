package io.github.sgpt4j.json;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weights.Hostile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class Utf8InputTest {
    private static boolean accepted(byte[] bytes) {
        try {
            byte[] read = new Utf8Input("f", MemorySegment.ofArray(bytes), 0).readAllBytes();
            assertArrayEquals(bytes, read);
            return true;
        } catch (FormatException e) {
            return false;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean valid(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
        } catch (CharacterCodingException e) {
            return false;
        }
        for (byte b : bytes) {
            if (b == 0) {
                return false;
            }
        }
        return true;
    }

    /// Bytes at the edges of every range that the encoding distinguishes.
    private static final int[] EDGES = {
        0x00, 0x01, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
        0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF
    };

    /// The same for the third byte and after, where only one range is left.
    private static final int[] TAILS = {0x00, 0x41, 0x7F, 0x80, 0xA0, 0xBF, 0xC0, 0xC2, 0xED, 0xFF};

    @Test
    void everySequenceOfEdgeBytesIsJudgedAsByTheDecoder() {
        for (int length = 0; length <= 4; length++) {
            int tails = length > 2 ? (int) Math.pow(TAILS.length, length - 2) : 1;
            int count = (int) Math.pow(EDGES.length, Math.min(length, 2)) * tails;
            for (int n = 0; n < count; n++) {
                byte[] bytes = new byte[length];
                int rest = n;
                for (int i = 0; i < length; i++) {
                    int[] choices = i < 2 ? EDGES : TAILS;
                    bytes[i] = (byte) choices[rest % choices.length];
                    rest /= choices.length;
                }
                boolean accepted = accepted(bytes);
                if (valid(bytes) != accepted) {
                    assertEquals(!accepted, accepted, HexFormat.of().formatHex(bytes));
                }
            }
        }
    }

    @Test
    void aCharacterAcrossTwoReadsIsKept() {
        Utf8Input input = new Utf8Input("f", MemorySegment.ofArray("a€b".getBytes(StandardCharsets.UTF_8)), 0);
        byte[] buffer = new byte[2];
        assertEquals(2, input.read(buffer, 0, 2));
        assertEquals(2, input.read(buffer, 0, 2));
        assertEquals('b', input.read());
        assertEquals(-1, input.read());
    }

    @Test
    void theOffsetIsThatInTheFile() {
        Utf8Input input = new Utf8Input("f", MemorySegment.ofArray(new byte[] {'a', 'b', (byte) 0xFF}), 8);
        Hostile.assertRefused(() -> input.read(new byte[9], 0, 9), "f: byte 10:", "0xff");
    }
}

package io.github.sgpt4j.retrieval.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GzipFileTest {
    private static final byte[] ONE = packed("one\n".getBytes(StandardCharsets.UTF_8));
    private static final byte[] TWO = packed("two\n".getBytes(StandardCharsets.UTF_8));

    @TempDir
    private Path folder;

    @Test
    void readsAllMembersAndPassesOverZeros() throws IOException {
        assertEquals("one\n", unpack(ONE));
        assertEquals("one\ntwo\none\n", unpack(ONE, TWO, ONE));
        assertEquals("one\n", unpack(ONE, new byte[1]));
        assertEquals("one\ntwo\n", unpack(ONE, TWO, new byte[100_000]));
    }

    @Test
    void readsMembersWhereverTheBufferEnds() throws IOException {
        byte[] noise = new byte[100_000];
        new Random(1).nextBytes(noise);
        byte[] first = packed(noise);
        for (int cut = 65_500; cut < 65_560; cut++) {
            byte[] size = packed(Arrays.copyOf(noise, cut));
            Path file = write(size, first, ONE);
            try (InputStream in = GzipFile.open(file, Files.newInputStream(file))) {
                assertEquals(cut + noise.length + 4, in.readAllBytes().length, "cut " + cut);
            }
        }
    }

    @Test
    void refusesWhatFollowsAMemberAndIsNone() {
        byte[] damaged = TWO.clone();
        damaged[0] = 'X';
        String other = "expected the end or another member of the gz file at byte %d, got something else";
        assertEquals(other.formatted(ONE.length), failure(ONE, damaged, ONE));
        assertEquals(other.formatted(2 * ONE.length), failure(ONE, ONE, "x".getBytes(StandardCharsets.UTF_8)));
        assertEquals(other.formatted(ONE.length), failure(ONE, new byte[70_000], ONE));
        for (int length = 1; length < 10; length++) {
            assertEquals(other.formatted(ONE.length), failure(ONE, Arrays.copyOf(TWO, length)));
        }
    }

    @Test
    void refusesWhatIsCutOrDamaged() {
        for (int length = 0; length < ONE.length; length++) {
            assertEquals("the gz file ends within a member", failure(Arrays.copyOf(ONE, length)));
        }
        byte[] damaged = ONE.clone();
        damaged[ONE.length - 5]++;
        assertTrue(failure(damaged).contains("Corrupt"));
    }

    private String failure(byte[]... parts) {
        return assertThrows(IOException.class, () -> unpack(parts)).getMessage();
    }

    private String unpack(byte[]... parts) throws IOException {
        Path file = write(parts);
        try (InputStream in = GzipFile.open(file, new OneByOne(Files.readAllBytes(file)));
                InputStream whole = GzipFile.open(file, Files.newInputStream(file))) {
            String text = new String(whole.readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(text, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            assertEquals(-1, whole.read());
            return text;
        }
    }

    private Path write(byte[]... parts) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.write(part);
        }
        return Files.write(folder.resolve("file.gz"), all.toByteArray());
    }

    private static byte[] packed(byte[] content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    /// Returns one byte at a time.
    private static final class OneByOne extends ByteArrayInputStream {
        OneByOne(byte[] bytes) {
            super(bytes);
        }

        @Override
        public synchronized int read(byte[] bytes, int offset, int length) {
            return super.read(bytes, offset, Math.min(length, 1));
        }
    }
}

package io.github.sgpt4j.server.routing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Bodies of bounded length, compressed or not, and the memory of all of them.
@Timeout(60)
class BodyReaderTest {
    private static final int MAX = 200_000;
    private static final int BLOCKS = 6;

    private final Room room = new Room((long) BLOCKS * Room.BLOCK);
    private final BodyReader reader = new BodyReader(MAX, room);

    /// A body that notes how much of it was read.
    private static final class Source extends InputStream {
        private final long length;
        private long read;

        Source(long length) {
            this.length = length;
        }

        @Override
        public int read() {
            return read++ < length ? 'a' : -1;
        }

        @Override
        public int read(byte[] bytes, int from, int count) {
            if (read >= length) {
                return -1;
            }
            // In pieces, as from a network.
            int given = (int) Math.min(Math.min(count, 10_000), length - read);
            Arrays.fill(bytes, from, from + given, (byte) 'a');
            read += given;
            return given;
        }
    }

    private static Request request(InputStream body, String... headers) {
        Map<String, List<String>> all = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], List.of(headers[i + 1]));
        }
        return new Request("POST", "/", all, body, "id");
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    private byte[] read(Request request) throws IOException {
        try (BodyReader.Held held = reader.read(request)) {
            return held.bytes();
        }
    }

    private ApiException refused(Request request) {
        return assertThrows(ApiException.class, () -> reader.read(request));
    }

    private void assertNothingHeld() {
        assertTrue(room.take(BLOCKS), "blocks are missing");
        room.give(BLOCKS);
        assertFalse(room.take(BLOCKS + 1), "there are too many blocks");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, Room.BLOCK - 1, Room.BLOCK, Room.BLOCK + 1, MAX})
    void readsBodies(int length) throws IOException {
        byte[] bytes = random(length);
        assertArrayEquals(bytes, read(request(new ByteArrayInputStream(bytes))));
        assertArrayEquals(
                bytes, read(request(new ByteArrayInputStream(bytes), "content-length", String.valueOf(length))));
        assertArrayEquals(bytes, read(request(new ByteArrayInputStream(bytes), "content-encoding", "identity")));
        assertArrayEquals(bytes, read(request(new ByteArrayInputStream(gzip(bytes)), "content-encoding", "GZIP")));
        assertNothingHeld();
    }

    @Test
    void whatIsTooLongIsReadAndDropped() {
        Source undeclared = new Source(MAX + 1);
        assertEquals(Problem.TOO_LARGE, refused(request(undeclared)).problem());
        assertEquals(MAX + 1, undeclared.read);
        Source declared = new Source(10 * MAX);
        ApiException e = refused(request(declared, "content-length", String.valueOf(10 * MAX)));
        assertEquals(Problem.TOO_LARGE, e.problem());
        assertEquals("the body is too long: expected at most 200000 bytes", e.sentence());
        assertEquals(10 * MAX, declared.read);
        assertNothingHeld();
    }

    @Test
    void notMuchIsReadOfWhatIsFarTooLong() {
        for (String length : new String[] {"1000000000", "nonsense", "99999999999999999999"}) {
            Source source = new Source(1_000_000_000);
            assertEquals(
                    Problem.TOO_LARGE,
                    refused(request(source, "content-length", length)).problem());
            assertTrue(source.read < 70 << 20, source.read + " bytes");
        }
        assertNothingHeld();
    }

    @Test
    void aBombIsStoppedAtTheLimit() {
        byte[] bomb = gzip(new byte[100 * MAX]);
        assertTrue(bomb.length < MAX / 8);
        assertEquals(
                Problem.TOO_LARGE,
                refused(request(
                                new ByteArrayInputStream(bomb),
                                "content-encoding",
                                "gzip",
                                "content-length",
                                String.valueOf(bomb.length)))
                        .problem());
        assertNothingHeld();
    }

    @Test
    void refusesBrokenCompression() {
        byte[] whole = gzip(random(100_000));
        byte[] wrongSum = whole.clone();
        wrongSum[whole.length - 6] ^= 1;
        byte[] wrongMiddle = whole.clone();
        Arrays.fill(wrongMiddle, 100, 200, (byte) 0);
        for (byte[] broken : new byte[][] {
            {},
            {31},
            "{\"input\":\"a\"}".getBytes(),
            Arrays.copyOf(whole, 5),
            Arrays.copyOf(whole, whole.length / 2),
            Arrays.copyOf(whole, whole.length - 1),
            wrongSum,
            wrongMiddle
        }) {
            ApiException e = refused(request(new ByteArrayInputStream(broken), "content-encoding", "gzip"));
            assertEquals(Problem.INVALID_JSON, e.problem());
            assertEquals("the body is not gzip, or is cut off", e.sentence());
        }
        assertNothingHeld();
    }

    @ParameterizedTest
    @ValueSource(strings = {"br", "deflate", "gzip, gzip", "zstd"})
    void refusesOtherCompression(String encoding) {
        Source source = new Source(100);
        ApiException e = refused(request(source, "content-encoding", encoding));
        assertEquals(Problem.MEDIA_TYPE, e.problem());
        assertEquals("Content-Encoding: expected gzip or none, got " + encoding, e.sentence());
        assertEquals(100, source.read);
    }

    @Test
    void bodiesTogetherStayWithinTheRoom() throws IOException {
        int half = BLOCKS / 2 * Room.BLOCK;
        BodyReader.Held first = reader.read(request(new Source(half)));
        BodyReader.Held second = reader.read(request(new Source(half)));
        Source source = new Source(half);
        ApiException e = refused(request(source));
        assertEquals(Problem.OVERLOADED, e.problem());
        assertEquals(half, source.read);
        first.close();
        BodyReader.Held third = reader.read(request(new Source(half)));
        second.close();
        third.close();
        assertNothingHeld();
    }

    @Test
    void aClientThatIsGoneHoldsNothing() {
        InputStream cut = new InputStream() {
            private int left = 100_000;

            @Override
            public int read() throws IOException {
                if (left-- <= 0) {
                    throw new IOException("reset");
                }
                return 'a';
            }
        };
        assertEquals(
                "reset",
                assertThrows(IOException.class, () -> reader.read(request(cut))).getMessage());
        assertNothingHeld();
    }

    @Test
    void theConnectionOutlivesItsBody() throws IOException {
        boolean[] closed = new boolean[1];
        for (String encoding : new String[] {"identity", "gzip"}) {
            byte[] body = encoding.equals("gzip") ? gzip(random(10)) : random(10);
            InputStream source = new ByteArrayInputStream(body) {
                @Override
                public void close() {
                    closed[0] = true;
                }
            };
            assertEquals(10, read(request(source, "content-encoding", encoding)).length);
        }
        assertFalse(closed[0]);
    }

    @Test
    void aRoomHasAtLeastOneBlock() {
        Room small = new Room(10);
        assertEquals(1, small.blocks(1L << 40));
        assertTrue(small.take(1));
        assertFalse(small.take(1));
        assertEquals(3, room.blocks(3 * Room.BLOCK));
        assertEquals(4, room.blocks(3 * Room.BLOCK + 1));
    }

    @Test
    void whatWasReadCountsInsteadOfTheBody() throws IOException {
        Request request = new Request("POST", "/", Map.of(), new Source(2L * Room.BLOCK), "id");
        BodyReader.Held held = reader.read(request);
        assertFalse(room.take(BLOCKS - 1));
        held.become(1);
        assertTrue(room.take(BLOCKS - 1));
        ApiException full = assertThrows(ApiException.class, () -> held.become(2L * Room.BLOCK));
        assertEquals(Problem.OVERLOADED, full.problem());
        room.give(BLOCKS - 1);
        held.become(Long.MAX_VALUE);
        assertFalse(room.take(1));
        held.close();
        held.close();
        assertTrue(room.take(BLOCKS));
        assertFalse(room.take(1));
    }
}

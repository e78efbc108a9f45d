package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An evaluation's caches, damaged between two runs: results stay correct, and users are told once.
class DamagedCacheTest {
    private static final List<String> TEXTS = List.of("a", "b", "c", "d", "e");

    @TempDir
    Path folder;

    private final List<String> notices = new ArrayList<>();
    private Path cache;

    /// Scores by the document's length, which is easy to check.
    private static float[] score(List<String> documents) {
        float[] scores = new float[documents.size()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = documents.get(i).charAt(0) / 7f;
        }
        return scores;
    }

    /// @return how many scores had to be computed
    private long run() throws IOException {
        TextPairScorer scorer = (queries, documents, progress) -> score(documents);
        try (CachedPairScorer cached = CachedPairScorer.open(scorer, folder, "model", notices::add)) {
            List<String> queries = TEXTS.stream().map(text -> "query").toList();
            assertArrayEquals(score(TEXTS), cached.score(queries, TEXTS, (done, total) -> {}));
            return cached.computed();
        }
    }

    @BeforeEach
    void fill() throws IOException {
        assertEquals(TEXTS.size(), run());
        try (var found = Files.list(folder)) {
            cache = found.findFirst().orElseThrow();
        }
    }

    private Path keys() {
        return cache.resolve("00000.keys");
    }

    private Path vectors() {
        return cache.resolve("00000.vectors");
    }

    /// The next run reports damage once, and the run after it finds everything.
    private long recovers() throws IOException {
        long computed = run();
        assertEquals(1, notices.size(), notices.toString());
        assertTrue(notices.getFirst().startsWith(cache + ": results kept here are damaged and computed again ("));
        notices.clear();
        assertEquals(0, run());
        return computed;
    }

    @Test
    void anotherKindOfFile() throws IOException {
        Files.writeString(keys(), "something else entirely");
        assertEquals(TEXTS.size(), recovers());
        assertEquals(List.of(), notices);
    }

    @Test
    void ofAnotherDimensionOrANewerVersion() throws IOException {
        for (int at : new int[] {7, 8}) {
            byte[] bytes = Files.readAllBytes(keys());
            bytes[at]++;
            Files.write(keys(), bytes);
            assertEquals(TEXTS.size(), recovers());
            assertEquals(List.of(), notices);
        }
    }

    @Test
    void directoriesInTheirPlaces() throws IOException {
        for (Path file : List.of(keys(), vectors())) {
            Files.delete(file);
            Files.createDirectories(file.resolve("sub"));
            Files.writeString(file.resolve("sub/x"), "x");
            assertEquals(TEXTS.size(), recovers());
            assertEquals(List.of(), notices);
        }
    }

    @Test
    void halfOfASegmentThatIsGone() throws IOException {
        Files.delete(keys());
        Files.delete(vectors());
        Files.createDirectories(vectors());
        assertEquals(TEXTS.size(), run());
        assertEquals(0, run());
        assertEquals(List.of(), notices);
    }

    @Test
    void aFileInThePlaceOfTheFolder() throws IOException {
        Files.delete(keys());
        Files.delete(vectors());
        Files.delete(cache);
        Files.writeString(cache, "x");
        assertEquals(TEXTS.size(), recovers());
        assertEquals(List.of(), notices);
    }

    @Test
    void emptyFiles() throws IOException {
        for (Path file : List.of(keys(), vectors())) {
            Files.write(file, new byte[0]);
            assertEquals(TEXTS.size(), recovers());
            assertEquals(List.of(), notices);
        }
    }

    @Test
    void filesCutAnywhere() throws IOException {
        for (Path file : List.of(keys(), vectors())) {
            byte[] whole = Files.readAllBytes(file);
            for (int length = 0; length < whole.length; length++) {
                Files.write(file, Arrays.copyOf(whole, length));
                assertTrue(recovers() > 0, file + " cut to " + length);
                assertEquals(List.of(), notices);
                assertEquals(whole.length, Files.size(file));
            }
        }
    }

    @Test
    void anyByteThatIsWrong() throws IOException {
        Random random = new Random(Long.getLong("sgpt4j.seed", 3));
        for (Path file : List.of(keys(), vectors())) {
            byte[] good = Files.readAllBytes(file);
            byte[] otherGood = Files.readAllBytes(file.equals(keys()) ? vectors() : keys());
            for (int i = 0; i < good.length; i++) {
                byte[] bad = good.clone();
                bad[i] ^= (byte) (1 << random.nextInt(8));
                Files.write(file, bad);
                assertTrue(run() > 0, file + " byte " + i);
                // A wrong byte in a key makes it a different key, which nobody looks up.
                assertTrue(notices.size() <= 1, notices.toString());
                if (file.equals(vectors())) {
                    assertTrue(notices.getFirst().startsWith(cache.toString()));
                }
                notices.clear();
                assertEquals(0, run(), file + " byte " + i);
                notices.clear();
                Files.write(file, good);
                Files.write(file.equals(keys()) ? vectors() : keys(), otherGood);
            }
        }
    }

    /// A newer program may be writing a file that this one believes damaged.
    @Test
    void whatSomebodyElseWritesIsLeftAlone() throws IOException {
        byte[] other = "something else entirely".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        Files.write(keys(), other);
        try (FileChannel channel = FileChannel.open(keys(), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            assertTrue(lock.isValid());
            assertEquals(TEXTS.size(), run());
            assertArrayEquals(other, Files.readAllBytes(keys()));
        }
    }

    @Test
    void aFileThatMayNotBeReadIsPassedOver() throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(keys(), PosixFileAttributeView.class);
        assumeFalse(view == null, "needs a file system with permissions");
        view.setPermissions(PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(keys()), "needs a user whom permissions bind");
        assertEquals(TEXTS.size(), recovers());
    }

    @Test
    void theRecordThatIsWrongIsTheOneComputedAgain() throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(vectors())).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putFloat(8, 1e30f);
        Files.write(vectors(), bytes.array());
        assertEquals(1, recovers());
        assertEquals(List.of(), notices);
    }
}

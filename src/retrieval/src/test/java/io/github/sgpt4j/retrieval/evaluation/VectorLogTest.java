package io.github.sgpt4j.retrieval.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorLogTest {
    private static final int DIMENSION = 3;

    @TempDir
    Path folder;

    private static float[] vector(int i) {
        return new float[] {i, -i, 1f / (i + 1)};
    }

    private static VectorLog open(Path directory) throws IOException {
        return VectorLog.open(directory, DIMENSION, notice -> {});
    }

    private static void add(VectorLog log, int from, int to) throws IOException {
        List<TextKey> keys = new ArrayList<>();
        float[][] vectors = new float[to - from][];
        for (int i = from; i < to; i++) {
            keys.add(TextKey.of("text " + i));
            vectors[i - from] = vector(i);
        }
        log.add(keys, vectors);
    }

    private static void assertHolds(VectorLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            assertArrayEquals(vector(i), log.find(TextKey.of("text " + i)).orElseThrow());
        }
        assertTrue(log.find(TextKey.of("text " + to)).isEmpty());
    }

    @Test
    void findsWhatWasAddedNowAndBefore() throws IOException {
        try (VectorLog log = open(folder)) {
            assertTrue(log.find(TextKey.of("text 0")).isEmpty());
            add(log, 0, 2000);
            assertHolds(log, 0, 2000);
        }
        try (VectorLog log = open(folder)) {
            assertEquals(2000, log.size());
            assertHolds(log, 0, 2000);
            add(log, 2000, 2001);
            assertHolds(log, 0, 2001);
        }
        assertEquals(2, files().size());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void letsTwoWriteAtOnceIntoSegmentsOfTheirOwn() throws IOException {
        try (VectorLog a = open(folder)) {
            add(a, 0, 5);
            try (VectorLog b = open(folder)) {
                assertHolds(b, 0, 5);
                add(b, 5, 10);
                add(a, 10, 11);
                assertHolds(b, 0, 10);
            }
        }
        try (VectorLog log = open(folder)) {
            assertHolds(log, 0, 11);
            assertEquals(4, files().size());
        }
    }

    /// Cuts both files off at random places, as a killed process or a full disk would.
    @Test
    void keepsWholeRecordsOfFilesThatEndAnywhere() throws IOException {
        Random random = new Random(Long.getLong("sgpt4j.seed", 5));
        for (int round = 0; round < 60; round++) {
            Path directory = folder.resolve("round" + round);
            try (VectorLog log = open(directory)) {
                add(log, 0, 20);
            }
            for (String suffix : List.of(VectorSegment.KEYS, VectorSegment.VECTORS)) {
                try (RandomAccessFile file =
                        new RandomAccessFile(directory.resolve("00000" + suffix).toFile(), "rw")) {
                    file.setLength(random.nextLong(file.length() + 1));
                }
            }
            try (VectorLog log = open(directory)) {
                int kept = log.size();
                assertHolds(log, 0, kept);
                add(log, kept, 30);
                assertHolds(log, 0, 30);
            }
        }
    }

    @Test
    void passesOverDamagedRecords() throws IOException {
        try (VectorLog log = open(folder)) {
            add(log, 0, 10);
        }
        try (RandomAccessFile file = new RandomAccessFile(
                folder.resolve("00000" + VectorSegment.VECTORS).toFile(), "rw")) {
            file.seek(4L * DIMENSION * 7 + 1);
            file.write(77);
        }
        try (VectorLog log = open(folder)) {
            assertTrue(log.find(TextKey.of("text 7")).isEmpty());
            assertHolds(log, 0, 7);
            add(log, 7, 8);
            assertHolds(log, 0, 10);
        }
    }

    @Test
    void refusesOtherDimensions() throws IOException {
        try (VectorLog log = open(folder)) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> log.add(List.of(TextKey.of("x")), new float[][] {new float[DIMENSION + 1]}));
        }
    }

    @Test
    void tellsTextsApartByWhereTheyEnd() {
        assertTrue(!TextKey.of("ab", "c").equals(TextKey.of("a", "bc")));
        assertTrue(!TextKey.of("ab").equals(TextKey.of("ab", "")));
        assertEquals(TextKey.of("é"), TextKey.of("é"));
    }
}

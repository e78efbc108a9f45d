package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.cli.model.DemoVectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoVectorsTest {
    private final AtomicInteger computations = new AtomicInteger();

    @TempDir
    Path folder;

    @Test
    void computesOnceAndKeeps() throws IOException {
        assertVectors("key");
        assertVectors("key");
        assertEquals(1, computations.get());
        try (var files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void computesAgainForAnotherEngine() {
        assertVectors("key");
        assertVectors("kez");
        assertVectors("longer key");
        assertEquals(3, computations.get());
    }

    @Test
    void computesAgainWhenAnyByteIsWrong() throws IOException {
        assertVectors("key");
        Path file = folder.resolve("file");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x40;
            Files.write(file, bad);
            assertVectors("key");
            assertEquals(2 + i, computations.get(), "byte " + i);
        }
        for (int length = 0; length < good.length; length++) {
            int before = computations.get();
            Files.write(file, Arrays.copyOf(good, length));
            assertVectors("key");
            assertEquals(before + 1, computations.get(), "length " + length);
        }
    }

    @Test
    void doesWithoutAPlaceToKeepThem() {
        folder = folder.resolve("absent");
        assertVectors("key");
        assertEquals(1, computations.get());
    }

    private void assertVectors(String key) {
        float[][] vectors = new DemoVectors(folder.resolve("file"), key).get(() -> {
            computations.incrementAndGet();
            return new float[][] {{1, 2, 3}, {4, 5, Float.MIN_VALUE}};
        });
        assertArrayEquals(new float[][] {{1, 2, 3}, {4, 5, Float.MIN_VALUE}}, vectors);
    }
}

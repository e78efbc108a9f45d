package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compiled kernels on disk.
class KernelCacheTest {
    @TempDir
    private Path folder;

    @Test
    void givesBackWhatWasStored() throws IOException {
        KernelCache cache = new KernelCache(folder.resolve("deep/down"));
        assertEquals(Optional.empty(), cache.get("k"));
        cache.put("k", new byte[] {1, 2, 3});
        assertArrayEquals(new byte[] {1, 2, 3}, cache.get("k").orElseThrow());
        try (Stream<Path> files = Files.list(cache.folder())) {
            assertEquals(1, files.count(), "no parts are left");
        }
    }

    @Test
    void damagedFilesAreNotUsed() throws IOException {
        KernelCache cache = new KernelCache(folder);
        cache.put("k", new byte[100]);
        byte[] file = Files.readAllBytes(folder.resolve("k"));
        file[60] ^= 1;
        Files.write(folder.resolve("k"), file);
        assertEquals(Optional.empty(), cache.get("k"));
        Files.write(folder.resolve("k"), new byte[5]);
        assertEquals(Optional.empty(), cache.get("k"));
        cache.put("k", new byte[] {9});
        assertArrayEquals(new byte[] {9}, cache.get("k").orElseThrow());
    }

    @Test
    void aFolderThatCannotBeMadeCostsTimeOnly() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        KernelCache cache = new KernelCache(file.resolve("below"));
        cache.put("k", new byte[] {1});
        assertEquals(Optional.empty(), cache.get("k"));
    }

    @Test
    void everythingThatGoesInIsInTheKey() {
        String key = KernelCache.key("nvrtc 13.0", "source", Map.of("a.cuh", "text"), List.of("-O"));
        assertEquals(key, KernelCache.key("nvrtc 13.0", "source", Map.of("a.cuh", "text"), List.of("-O")));
        assertNotEquals(key, KernelCache.key("nvrtc 13.1", "source", Map.of("a.cuh", "text"), List.of("-O")));
        assertNotEquals(key, KernelCache.key("nvrtc 13.0", "source2", Map.of("a.cuh", "text"), List.of("-O")));
        assertNotEquals(key, KernelCache.key("nvrtc 13.0", "source", Map.of("a.cuh", "text2"), List.of("-O")));
        assertNotEquals(key, KernelCache.key("nvrtc 13.0", "source", Map.of("a.cuh", "text"), List.of("-O3")));
        assertTrue(key.matches("[0-9a-f]{64}"));
    }
}

package io.github.sgpt4j.nano;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NanoModelTest {
    @TempDir
    Path home;

    @Test
    void unpacksEveryFileOnce() throws IOException {
        Path model = unpack();
        assertEquals(home.resolve(".cache/sgpt4j/nano-specb-" + NanoModel.version()), model);
        assertTrue(NanoModel.version().matches("[0-9a-f]{8}"));
        assertIntact(model);
        Object before = Files.getLastModifiedTime(model.resolve("model.safetensors"));
        assertEquals(model, unpack());
        assertEquals(before, Files.getLastModifiedTime(model.resolve("model.safetensors")));
        assertNoLeftovers(model);
    }

    @Test
    void looksInTheCacheThatTheEnvironmentNames() throws IOException {
        Path cache = home.resolve("elsewhere");
        Path model = NanoModel.directory(Map.of("XDG_CACHE_HOME", cache.toString()), home);
        assertEquals(cache.resolve("sgpt4j"), model.getParent());
        Path relative = NanoModel.directory(Map.of("XDG_CACHE_HOME", "relative"), home);
        assertEquals(home.resolve(".cache/sgpt4j"), relative.getParent());
    }

    @Test
    void replacesADamagedDirectory() throws IOException {
        Path model = unpack();
        Files.delete(model.resolve("config.json"));
        assertIntact(unpack());
        Files.write(model.resolve("tokenizer.json"), new byte[10]);
        assertIntact(unpack());
        assertNoLeftovers(model);
    }

    /// The other content has the same size, and the file keeps its modification time.
    @Test
    void replacesAFileWithAnotherContent() throws IOException {
        Path model = unpack();
        Path weights = model.resolve("model.safetensors");
        assumeTrue(weights.getFileSystem().supportedFileAttributeViews().contains("unix"), "needs ctime");
        FileTime time = Files.getLastModifiedTime(weights);
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 1;
        Files.write(weights, bytes);
        Files.setLastModifiedTime(weights, time);
        assertIntact(unpack());
        assertNoLeftovers(model);
    }

    @Test
    void keepsWhatOnlyLooksChanged() throws IOException {
        Path model = unpack();
        Path weights = model.resolve("model.safetensors");
        for (int i = 0; i < 2; i++) {
            Files.setLastModifiedTime(weights, FileTime.fromMillis(1_000_000));
            assertEquals(model, unpack());
            assertEquals(1_000_000, Files.getLastModifiedTime(weights).toMillis());
            // As if it had been unpacked by an older version.
            Files.delete(model.resolve(".unpacked"));
        }
        assertEquals(model, unpack());
        assertTrue(Files.exists(model.resolve(".unpacked")));
        assertEquals(1_000_000, Files.getLastModifiedTime(weights).toMillis());
    }

    @Test
    void replacesFilesThatAreEmptyOrDirectories() throws IOException {
        Path model = unpack();
        Files.write(model.resolve("config.json"), new byte[0]);
        assertIntact(unpack());
        Files.delete(model.resolve("model.safetensors"));
        Files.createDirectories(model.resolve("model.safetensors/x"));
        assertIntact(unpack());
        Files.delete(model.resolve(".unpacked"));
        Files.createDirectories(model.resolve(".unpacked/x"));
        assertIntact(unpack());
        assertNoLeftovers(model);
    }

    @Test
    void removesWhatKilledRunsLeft() throws IOException {
        Path cache = Files.createDirectories(home.resolve(".cache/sgpt4j"));
        Path old = cache.resolve("nano-specb-" + NanoModel.version() + ".new123");
        Path young = cache.resolve("nano-specb-" + NanoModel.version() + ".new456");
        Files.createDirectories(old.resolve("x"));
        Files.createDirectories(young);
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(4000)));
        unpack();
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(young), "another process may be at work");
    }

    @Test
    void replacesAFileInItsPlace() throws IOException {
        Path model = home.resolve(".cache/sgpt4j/nano-specb-" + NanoModel.version());
        Files.createDirectories(model.getParent());
        Files.writeString(model, "in the way");
        assertIntact(unpack());
        assertNoLeftovers(model);
    }

    @Test
    void letsManyUnpackAtTheSameTime() throws InterruptedException, ExecutionException, IOException {
        int threads = 6;
        CountDownLatch start = new CountDownLatch(1);
        List<Future<Path>> results = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            Callable<Path> task = () -> {
                start.await();
                return unpack();
            };
            for (int i = 0; i < threads; i++) {
                results.add(executor.submit(task));
            }
            start.countDown();
        }
        for (Future<Path> result : results) {
            assertEquals(home.resolve(".cache/sgpt4j/nano-specb-" + NanoModel.version()), result.get());
        }
        assertIntact(results.getFirst().get());
        assertNoLeftovers(results.getFirst().get());
    }

    @Test
    void takesATemporaryDirectoryWhereTheCacheCannotBeWritten() throws IOException {
        Files.writeString(home.resolve(".cache"), "a file where a directory belongs");
        Path model = unpack();
        assertFalse(model.startsWith(home));
        assertTrue(model.getFileName().toString().startsWith("nano-specb-"));
        assertIntact(model);
    }

    @Test
    void streamsTheCorpus() throws IOException {
        try (InputStream in = NanoModel.corpus()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(4000, text.lines().count());
            assertTrue(text.lines().allMatch(line -> line.startsWith("{\"_id\": \"")));
        }
    }

    private Path unpack() throws IOException {
        return NanoModel.directory(Map.of(), home);
    }

    private static void assertIntact(Path model) throws IOException {
        for (ListedFile file : NanoModel.modelFiles()) {
            byte[] expected;
            try (InputStream in = NanoModel.class.getResourceAsStream("/META-INF/sgpt4j/nano/model/" + file.path())) {
                expected = in.readAllBytes();
            }
            assertArrayEquals(expected, Files.readAllBytes(model.resolve(file.path())), file.path());
        }
    }

    private static void assertNoLeftovers(Path model) throws IOException {
        try (var entries = Files.list(model.getParent())) {
            assertEquals(List.of(model), entries.toList());
        }
    }
}

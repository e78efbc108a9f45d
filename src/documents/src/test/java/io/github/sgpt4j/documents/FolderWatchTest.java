package io.github.sgpt4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Waiting for changes. A change that must end the wait has a minute; one that must not, half a second.
class FolderWatchTest {
    private static final Duration QUIET = Duration.ofMillis(50);

    @TempDir
    private Path root;

    private Path folder;
    private FolderWatch watch;

    @BeforeEach
    void open() throws IOException {
        folder = Files.createDirectories(root.resolve("folder"));
        Files.createDirectories(folder.resolve("sub"));
        Files.createDirectories(folder.resolve(".hidden"));
        Files.writeString(folder.resolve("sub/a.txt"), "a");
        watch = FolderWatch.open(folder, FolderOptions.DEFAULT, QUIET);
    }

    @AfterEach
    void close() throws IOException {
        watch.close();
    }

    private CompletableFuture<Void> change() {
        return CompletableFuture.runAsync(() -> {
            try {
                watch.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @FunctionalInterface
    private interface Change {
        void make() throws IOException;
    }

    private void assertSeen(Change change) throws Exception {
        CompletableFuture<Void> seen = change();
        change.make();
        seen.get(1, TimeUnit.MINUTES);
        watch.refresh();
    }

    @Test
    void seesWhatChangesAtAnyDepth() throws Exception {
        assertSeen(() -> Files.writeString(folder.resolve("b.txt"), "b"));
        assertSeen(() -> Files.writeString(folder.resolve("sub/a.txt"), "changed"));
        assertSeen(() -> Files.delete(folder.resolve("sub/a.txt")));
        assertSeen(() -> Files.createDirectories(folder.resolve("new/deep")));
        assertSeen(() -> Files.writeString(folder.resolve("new/deep/c.txt"), "c"));
        assertSeen(() -> Files.move(folder.resolve("new"), folder.resolve("sub/moved")));
        assertSeen(() -> Files.writeString(folder.resolve("sub/moved/deep/d.txt"), "d"));
    }

    @Test
    void hiddenFilesDoNotCount() throws Exception {
        CompletableFuture<Void> seen = change();
        Files.writeString(folder.resolve(".hidden/x"), "x");
        Files.writeString(folder.resolve(".x"), "x");
        Thread.sleep(500);
        assertFalse(seen.isDone());
        Files.writeString(folder.resolve("x"), "x");
        seen.get(1, TimeUnit.MINUTES);
    }

    @Test
    void manyChangesAreOne() throws Exception {
        CompletableFuture<Void> seen = change();
        for (int i = 0; i < 20_000; i++) {
            Files.writeString(folder.resolve("sub/" + i), "x");
        }
        seen.get(1, TimeUnit.MINUTES);
        assertEquals(
                20_001,
                FolderReader.open(folder, FolderOptions.DEFAULT, FolderListener.NONE)
                        .size());
    }

    @Test
    void aFolderThatIsGoneEndsTheWatch() throws Exception {
        Files.delete(folder.resolve("sub/a.txt"));
        Files.delete(folder.resolve("sub"));
        Files.delete(folder.resolve(".hidden"));
        Files.delete(folder);
        assertTrue(assertThrows(FormatException.class, () -> {
                    while (true) {
                        watch.await();
                    }
                })
                .getMessage()
                .endsWith("expected the directory that is watched, it is gone"));
    }
}

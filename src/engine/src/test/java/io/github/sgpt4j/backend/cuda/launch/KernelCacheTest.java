package io.github.sgpt4j.backend.cuda.launch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Compiled kernels on disk.
class KernelCacheTest {
    @TempDir
    private Path folder;

    @Test
    void givesBackWhatWasStored() throws IOException {
        Path deep = folder.resolve("deep/down");
        KernelCache cache = new KernelCache(deep);
        assertEquals(Optional.empty(), cache.get("k"));
        cache.put("k", new byte[] {1, 2, 3});
        assertArrayEquals(new byte[] {1, 2, 3}, cache.get("k").orElseThrow());
        try (Stream<Path> files = Files.list(deep)) {
            assertEquals(1, files.count(), "no parts are left");
        }
        assertEquals(List.of(), cache.notices());
    }

    /// What can happen to a file between two processes.
    enum Damage {
        CUT_SHORT {
            @Override
            void doTo(Path file) throws IOException {
                Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 60));
            }
        },
        EMPTIED {
            @Override
            void doTo(Path file) throws IOException {
                Files.write(file, new byte[0]);
            }
        },
        LONGER {
            @Override
            void doTo(Path file) throws IOException {
                Files.write(file, new byte[1], StandardOpenOption.APPEND);
            }
        },
        OF_ANOTHER_NAME {
            @Override
            void doTo(Path file) throws IOException {
                new KernelCache(file.getParent()).put("other", new byte[] {7});
                Files.move(file.resolveSibling("other"), file, StandardCopyOption.REPLACE_EXISTING);
            }
        },
        FOLDER {
            @Override
            void doTo(Path file) throws IOException {
                Files.delete(file);
                Files.createDirectory(file);
            }
        },
        LINK_TO_ITSELF {
            @Override
            void doTo(Path file) throws IOException {
                Files.delete(file);
                Files.createSymbolicLink(file, file.getFileName());
            }
        },
        NOT_READABLE {
            @Override
            void doTo(Path file) throws IOException {
                assumeTrue(Files.getFileStore(file).supportsFileAttributeView("posix"), "needs POSIX permissions");
                Files.setPosixFilePermissions(file, Set.of());
                assumeFalse(Files.isReadable(file), "needs a user who is not above permissions");
            }
        };

        abstract void doTo(Path file) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void damagedFilesAreNoticedAndMadeAgain(Damage damage) throws IOException {
        new KernelCache(folder).put("k", new byte[100]);
        damage.doTo(folder.resolve("k"));
        KernelCache cache = new KernelCache(folder);
        assertEquals(Optional.empty(), cache.get("k"));
        assertEquals(1, cache.notices().size(), cache.notices()::toString);
        String notice = cache.notices().getFirst();
        assertTrue(notice.startsWith("cuda: " + folder.resolve("k") + ": "), notice);
        assertTrue(notice.endsWith("; it is compiled again"), notice);

        cache.put("k", new byte[] {9});
        KernelCache next = new KernelCache(folder);
        assertArrayEquals(new byte[] {9}, next.get("k").orElseThrow());
        assertEquals(List.of(), next.notices());
        assertEquals(1, cache.notices().size(), cache.notices()::toString);
    }

    @Test
    void noByteCanChangeUnnoticed() throws IOException {
        KernelCache cache = new KernelCache(folder);
        cache.put("k", new byte[100]);
        byte[] file = Files.readAllBytes(folder.resolve("k"));
        for (int i = 0; i < file.length; i++) {
            byte[] flipped = file.clone();
            flipped[i] ^= (byte) (1 << i % Byte.SIZE);
            Files.write(folder.resolve("k"), flipped);
            assertEquals(Optional.empty(), cache.get("k"), "byte " + i);
            Files.write(folder.resolve("k"), Arrays.copyOf(file, i));
            assertEquals(Optional.empty(), cache.get("k"), "cut to " + i);
        }
        Files.write(folder.resolve("k"), file);
        assertArrayEquals(new byte[100], cache.get("k").orElseThrow());
    }

    /// Whose it is nobody knows: it stays.
    @Test
    void aFolderWithSomethingInItIsNotReplaced() throws IOException {
        Path inside = Files.createDirectories(folder.resolve("k")).resolve("inside");
        Files.createFile(inside);
        KernelCache cache = new KernelCache(folder);
        for (int i = 0; i < 2; i++) {
            assertEquals(Optional.empty(), cache.get("k"));
            cache.put("k", new byte[] {1});
        }
        assertTrue(Files.exists(inside));
        assertEquals(2, cache.notices().size(), cache.notices()::toString);
        assertTrue(cache.notices().getLast().endsWith("a folder is in the place of a file"), cache.notices()::toString);
    }

    @Test
    void aFolderThatCannotBeMadeCostsTimeOnly() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path place : List.of(file, file.resolve("below"))) {
            expectNothingKept(new KernelCache(place), place.toString());
        }
    }

    @Test
    void aFolderThatCannotBeWrittenCostsTimeOnly() throws IOException {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        assumeTrue(Files.getFileStore(closed).supportsFileAttributeView("posix"), "needs POSIX permissions");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(closed), "needs a user who is not above permissions");
        expectNothingKept(new KernelCache(closed), "permission denied");
    }

    @Test
    void aNameThatNoFolderCanHaveCostsTimeOnly() {
        String before = System.getProperty(KernelCache.PROPERTY);
        System.setProperty(KernelCache.PROPERTY, "a\0b");
        try {
            expectNothingKept(KernelCache.ofUser(), "system property " + KernelCache.PROPERTY);
        } finally {
            if (before == null) {
                System.clearProperty(KernelCache.PROPERTY);
            } else {
                System.setProperty(KernelCache.PROPERTY, before);
            }
        }
    }

    private static void expectNothingKept(KernelCache cache, String part) {
        for (String key : List.of("k", "l")) {
            assertEquals(Optional.empty(), cache.get(key));
            cache.put(key, new byte[] {1});
            assertEquals(Optional.empty(), cache.get(key));
        }
        assertEquals(1, cache.notices().size(), cache.notices()::toString);
        String notice = cache.notices().getFirst();
        assertTrue(notice.contains("cannot be kept") && notice.contains(part), notice);
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

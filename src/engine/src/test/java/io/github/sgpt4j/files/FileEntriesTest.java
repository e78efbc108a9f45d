package io.github.sgpt4j.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileEntriesTest {
    @TempDir
    private Path base;

    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = base.resolve("folder");
        Files.createDirectories(folder.resolve("inner"));
        for (String name : List.of("lock", "file", "inner/lock", "inner/file")) {
            Files.writeString(folder.resolve(name), name);
        }
    }

    @Test
    void removesAFolderWithItsContentsAndIgnoresAMissingOne() throws IOException {
        FileEntries.remove(folder);
        assertEquals(List.of(), names(base));
        FileEntries.remove(folder);
        assertEquals(List.of(), names(base));
    }

    @Test
    void removesAFile() throws IOException {
        FileEntries.remove(folder.resolve("file"));
        assertEquals(List.of("inner", "lock"), names(folder));
    }

    @Test
    void removesLinksAndNotTheirTargets() throws IOException {
        Path links = Files.createDirectory(base.resolve("links"));
        Path direct = Files.createSymbolicLink(base.resolve("direct"), folder);
        Files.createSymbolicLink(links.resolve("inner"), folder);
        FileEntries.remove(links);
        FileEntries.remove(direct);
        assertEquals(List.of("folder"), names(base));
        assertEquals(List.of("file", "inner", "lock"), names(folder));
    }

    @Test
    void findsAndRemovesADanglingLink() throws IOException {
        Path link = Files.createSymbolicLink(base.resolve("link"), base.resolve("nothing"));
        assertTrue(FileEntries.exists(link));
        FileEntries.remove(link);
        assertFalse(FileEntries.exists(link));
        assertFalse(Files.exists(link, LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void clearsAFolderExceptOneFileDirectlyInIt() throws IOException {
        FileEntries.clear(folder, "lock");
        assertEquals(List.of("lock"), names(folder));
    }

    @Test
    void removesFoldersThatTheirOwnerMustNotChange() throws IOException {
        assumeTrue(Files.getFileStore(base).supportsFileAttributeView("posix"), "needs POSIX permissions");
        Files.setPosixFilePermissions(folder.resolve("inner"), PosixFilePermissions.fromString("---------"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-x------"));
        FileEntries.remove(folder);
        assertEquals(List.of(), names(base));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }
}

package io.github.sgpt4j.cli.output;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/// A folder that a command may create: unless it says that the folder is to be kept, closing this removes what was not
/// there before. Folders above it stay if others have put something there meanwhile.
public final class NewFolder implements Closeable {
    private final Path folder;
    private final boolean existed;
    private boolean kept;

    public NewFolder(Path folder) {
        this.folder = folder.toAbsolutePath();
        existed = Files.exists(folder, LinkOption.NOFOLLOW_LINKS);
    }

    /// Says that the folder is to be kept.
    public void keep() {
        kept = true;
    }

    @Override
    public void close() throws IOException {
        if (existed || kept || !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path inner, IOException failure) throws IOException {
                Files.delete(inner);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}

package io.github.sgpt4j.documents.folder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;

/// What tells a changed file from an unchanged one without reading it.
///
/// @param size in bytes
/// @param modified nanoseconds since 1970 when the content last changed
public record FileState(long size, long modified) {
    /// The state of a file now.
    ///
    /// @throws IOException if it cannot be looked at
    public static FileState of(Path path) throws IOException {
        return of(Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
    }

    static FileState of(BasicFileAttributes attributes) {
        return new FileState(attributes.size(), attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS));
    }

    /// When the content last changed.
    public FileTime time() {
        return FileTime.from(modified, TimeUnit.NANOSECONDS);
    }
}

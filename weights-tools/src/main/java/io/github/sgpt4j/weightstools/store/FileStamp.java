package io.github.sgpt4j.weightstools.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// What the file system says about a file: two equal stamps of a path mean that nobody wrote to it in
/// between. A file that is overwritten and given its old time again still has another change time, or
/// is another file.
///
/// @param bytes its length
/// @param modified last time its content was written, in nanoseconds since 1970
/// @param changed last time anything about it changed; 0 if unknown
/// @param number inode in its file system; 0 if there is none
public record FileStamp(long bytes, long modified, long changed, long number) {
    private static final String UNIX = "unix";

    /// @throws IOException if the file does not exist, or its attributes cannot be read
    public static FileStamp of(Path file) throws IOException {
        if (file.getFileSystem().supportedFileAttributeViews().contains(UNIX)) {
            Map<String, Object> found = Files.readAttributes(file, UNIX + ":size,lastModifiedTime,ctime,ino");
            return new FileStamp(
                    number(found.get("size")),
                    number(found.get("lastModifiedTime")),
                    number(found.get("ctime")),
                    number(found.get("ino")));
        }
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileStamp(found.size(), number(found.lastModifiedTime()), 0, 0);
    }

    private static long number(@Nullable Object value) {
        return switch (value) {
            case Long number -> number;
            case FileTime time -> time.to(TimeUnit.NANOSECONDS);
            case null, default -> 0;
        };
    }

    /// On one line, without tabs.
    @Override
    public String toString() {
        return bytes + " " + modified + " " + changed + " " + number;
    }
}

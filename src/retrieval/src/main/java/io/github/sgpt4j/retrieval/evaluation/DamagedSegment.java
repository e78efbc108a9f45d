package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.files.FileEntries;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Something in the place of a segment that is not one.
final class DamagedSegment {
    private DamagedSegment() {}

    /// Removes both files of a segment, unless they are being written by a process that may understand
    /// them.
    ///
    /// @param keys the segment's file of keys
    static void remove(Path keys) throws IOException {
        if (Files.isRegularFile(keys) && isInUse(keys)) {
            return;
        }
        FileEntries.remove(VectorSegment.vectors(keys));
        FileEntries.remove(keys);
    }

    private static boolean isInUse(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        }
    }
}

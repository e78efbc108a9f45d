package io.github.sgpt4j.weightstools;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/// Says of failures to write, such as a full disk, which file they concern.
public final class FileFailures {
    private FileFailures() {}

    /// The failure itself if it names a file, or is no matter of files: a channel is closed by an interrupt.
    ///
    /// @param file what was written
    public static IOException named(Path file, IOException failure) {
        if (failure instanceof FileSystemException || failure instanceof ClosedChannelException) {
            return failure;
        }
        FileSystemException named = new FileSystemException(file.toString(), null, failure.getMessage());
        named.initCause(failure);
        return named;
    }
}

package io.github.sgpt4j.weightstools;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/// Adds the file's name to failures to write, such as a full disk.
public final class FileFailures {
    private FileFailures() {}

    /// The failure itself if it names a file, or if it does not concern the file: an interrupt closes a
    /// channel.
    ///
    /// @param file the file being written
    public static IOException named(Path file, IOException failure) {
        if (failure instanceof FileSystemException || failure instanceof ClosedChannelException) {
            return failure;
        }
        FileSystemException named = new FileSystemException(file.toString(), null, failure.getMessage());
        named.initCause(failure);
        return named;
    }
}
